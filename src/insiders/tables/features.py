"""Orders and lines to one row per customer and date, computed only from what was known before that date.

Sums are integers or decimals, and one division turns them into a float at the end: so no order of rows, no number of
threads and no engine changes a result. schemas.FEATURES holds the unit and the definition of every feature.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import ibis
from ibis import _
from ibis.expr.types import Value

from insiders.units import MONTH_DAYS, PRODUCT_SEPARATOR, YEAR_DAYS

WEIGHT_UNITS = 1_000_000  # fading weights are rounded to millionths, so that faded amounts add up exactly
GRAIN = ["customer_id", "as_of"]
AS_SUMMED = [
    "distinct_product_count",
    "order_count_90d",
    "order_count_180d",
    "net_revenue_90d",
    "net_revenue_180d",
    "net_revenue_365d",
]


class Windows(NamedTuple):
    """The times that features are defined by."""

    history_start: date  # day of the shop's first line: where a season a year ago begins to be known
    horizon_days: int  # length of same_season_revenue
    fade_days: int  # in faded_revenue an amount counts exp(-age / fade_days)


def customers(orders: ibis.Table, lines: ibis.Table, days: Sequence[date], windows: Windows) -> ibis.Table:
    """One row per customer and day of `days`, for the customers with at least one sale before that day.

    `orders` and `lines` are as in schemas; the result has the columns of schemas.CUSTOMERS.
    """
    dated = _as_of_each(_with_gaps(orders.mutate(day=_.ordered_at.date())), days).filter(_.age_days > 0)
    totals = dated.group_by(GRAIN).aggregate(**_totals(dated, windows)).filter(_.order_count > 0)
    joined = totals.inner_join(_products(lines, days), GRAIN)
    return joined.select(*GRAIN, "country", "products", **_features(joined, windows.history_start))


def with_next_revenue(customers: ibis.Table, orders: ibis.Table, days: Sequence[date], horizon_days: int) -> ibis.Table:
    """Add next_revenue: net revenue of the `horizon_days` from as_of on, 0 without an order in them."""
    joined = customers.left_join(next_revenue(orders, days, horizon_days), GRAIN)
    return joined.select(*customers.columns, next_revenue=_.next_revenue.coalesce(0.0))


def next_revenue(orders: ibis.Table, days: Sequence[date], horizon_days: int) -> ibis.Table:
    """One row per day of `days` and customer with an order or return in the `horizon_days` from it on."""
    dated = _as_of_each(orders.mutate(day=_.ordered_at.date()), days)
    following = dated.filter((_.age_days <= 0) & (_.age_days > -horizon_days)).group_by(GRAIN)
    return following.aggregate(next_revenue=_.net_revenue.sum().cast("float64"))


def stamp(day: date) -> Value:
    """The beginning of a day."""
    return ibis.literal(day, "date").cast("timestamp(6)")


def _as_of_each(table: ibis.Table, days: Sequence[date]) -> ibis.Table:
    """Every row once for each of the days, with its age there in `age_days`; below 1 the row is not known yet."""
    each = ibis.array([ibis.literal(day, "date") for day in days]).unnest()
    repeated = table.mutate(as_of_day=each)
    age = _.as_of_day.delta(_.day, unit="day").cast("int64")
    return repeated.mutate(as_of=_.as_of_day.cast("timestamp(6)"), age_days=age)


def _with_gaps(orders: ibis.Table) -> ibis.Table:
    """Days since the customer's previous sale; 0 on the same day. It looks back only, so it holds as of every day."""
    in_turn = ibis.window(group_by=["customer_id", "is_sale"], order_by="ordered_at")
    gap = _.day.delta(_.day.lag().over(in_turn), unit="day").cast("int64")
    return orders.mutate(gap_days=ibis.ifelse(_.is_sale, gap.coalesce(0), 0))


def _totals(dated: ibis.Table, windows: Windows) -> dict[str, Value]:
    """What the features are made of: exact sums, counts and extremes by customer and day."""
    weight = ((-dated.age_days.cast("float64") / windows.fade_days).exp() * WEIGHT_UNITS).round().cast("int64")
    is_season = (dated.age_days <= YEAR_DAYS) & (dated.age_days > YEAR_DAYS - windows.horizon_days)
    last = ibis.struct({"ordered_at": dated.ordered_at, "country": dated.country.coalesce("")})
    return {
        "recency_days": dated.age_days.min(where=dated.is_sale),
        "tenure_days": dated.age_days.max(where=dated.is_sale),
        "order_count": dated.count(where=dated.is_sale),
        "gap_count": dated.count(where=dated.gap_days > 0),
        "gap_total": dated.gap_days.sum(),
        "gap_squares": (dated.gap_days * dated.gap_days).sum(),
        "item_total": dated.item_count.sum(),
        "returned_items": dated.returned_item_count.sum(),
        "matched_items": dated.matched_item_count.sum(),
        "product_total": dated.product_count.sum(),
        "gross_revenue": dated.gross_revenue.sum(),
        "returned_revenue": dated.returned_revenue.sum(),
        "unmatched_revenue": dated.unmatched_revenue.sum(),
        "net_revenue": dated.net_revenue.sum(),
        "largest_order": dated.gross_revenue.max(),
        "faded_units": (weight * dated.net_revenue).sum(),
        "same_season_revenue": dated.net_revenue.sum(where=is_season).coalesce(0),
        "country": dated.country.coalesce("").argmax(last, where=dated.is_sale).nullif(""),
        **{f"order_count_{days}d": _recent(dated.is_sale.cast("int64"), dated, days) for days in (90, 180)},
        **{f"net_revenue_{days}d": _recent(dated.net_revenue, dated, days) for days in (90, 180, YEAR_DAYS)},
    }


def _recent(value: Value, dated: ibis.Table, days: int) -> Value:
    return value.sum(where=dated.age_days <= days).coalesce(0)


def _products(lines: ibis.Table, days: Sequence[date]) -> ibis.Table:
    """Products that a customer had bought before each day: the lines are read once, into one sorted list a customer."""
    sales = lines.filter(_.kind == "sale").group_by("customer_id", "product_code")
    bought = sales.aggregate(day=_.ordered_at.min().date())
    product = ibis.struct({"code": bought.product_code.replace(PRODUCT_SEPARATOR, " "), "day": bought.day})
    lists = bought.group_by("customer_id").aggregate(products=product.collect(), day=_.day.min())
    dated = _as_of_each(lists.mutate(products=_.products.sort()), days).filter(_.age_days > 0)
    before = dated.products.filter(lambda each: each.day < dated.as_of_day)
    cut = dated.mutate(codes=before.map(lambda each: each.code))
    return cut.select(*GRAIN, products=cut.codes.join(PRODUCT_SEPARATOR), distinct_product_count=cut.codes.length())


def _features(totals: ibis.Table, history_start: date) -> dict[str, Value]:
    """The columns of schemas.FEATURES, in their order."""
    of = {name: totals[name].cast("float64") for name in totals.columns if name not in (*GRAIN, "country", "products")}
    gaps, year = of["gap_count"], timedelta(days=YEAR_DAYS)
    variance = (gaps * of["gap_squares"] - of["gap_total"] * of["gap_total"]) / (gaps * (gaps - 1)).nullif(0)
    has_year = totals.as_of >= stamp(history_start + year)
    return {
        "recency_days": of["recency_days"],
        "tenure_days": of["tenure_days"],
        "order_count": of["order_count"],
        "orders_per_month": of["order_count"] * MONTH_DAYS / ibis.greatest(of["tenure_days"], MONTH_DAYS),
        "gap_mean_days": of["gap_total"] / gaps.nullif(0),
        "gap_std_days": variance.sqrt(),
        "gross_revenue": of["gross_revenue"],
        "net_revenue": of["net_revenue"],
        "returned_revenue": of["returned_revenue"],
        "unmatched_revenue": of["unmatched_revenue"],
        "returned_revenue_share": ibis.least(of["returned_revenue"] / of["gross_revenue"], 1.0),
        "returned_item_share": ibis.least(of["returned_items"] / of["item_total"], 1.0),
        "average_order_value": of["net_revenue"] / of["order_count"],
        "items_per_order": (of["item_total"] - of["matched_items"]) / of["order_count"],
        "products_per_order": of["product_total"] / of["order_count"],
        **{name: of[name] for name in AS_SUMMED},
        "faded_revenue": of["faded_units"] / WEIGHT_UNITS,
        "largest_order_share": of["largest_order"] / of["gross_revenue"],
        "same_season_revenue": ibis.ifelse(has_year, of["same_season_revenue"], None),
    }

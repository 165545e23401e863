"""Orders and lines to one row per customer, as of a date, from nothing but what was known then.

Sums are integers or decimals, and one division turns them into a float at the end: so no order of rows, no number of
threads and no engine changes a result. The unit and the definition of every feature stand in schemas.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import ibis
from ibis import _

from insiders.errors import InputError
from insiders.units import MONTH_DAYS, YEAR_DAYS

Table = Any  # Ibis has no types that mypy could follow
Value = Any
Frame = Any  # pandas is imported where it is used

SEPARATOR = "\n"  # one product code per line; one that is in a code counts as a space
WEIGHT_UNITS = 1_000_000  # fading weights are rounded to millionths, so that faded amounts add up exactly
GRAIN = ["customer_id", "as_of"]


@dataclass(frozen=True)
class Cutoffs:
    """The days from which the search looks at the past; each begins at midnight and knows what came before it.

    `validation` begins the untouched last period. The period after an origin ends by then, and the period after a
    training date ends by the origin (or the validation date) that it serves.
    """

    validation: date
    origins: tuple[date, ...]
    training: tuple[date, ...]

    @property
    def days(self) -> list[date]:
        return sorted({self.validation, *self.origins, *self.training})


def span(lines: Table) -> Table:
    """One row: the first and the last day of the history."""
    return lines.aggregate(first=_.ordered_at.min().date(), last=_.ordered_at.max().date())


def look_from(declared: date | None, first_day: date, last_day: date, horizon_days: int) -> date:
    """Find the day from which we look: the one that is declared, else the day after the last line.

    A declared day may lie inside the history (later lines are not looked at) or a little after it. Raises InputError
    where it leaves nothing to look at, or no line in the last `horizon_days` to judge by.
    """
    as_of = declared or last_day + timedelta(days=1)
    latest = last_day + timedelta(days=horizon_days)
    if not first_day < as_of <= latest:
        raise InputError(
            f"featurize.as_of is {as_of}, but the lines are from {first_day} to {last_day}: expected a day after "
            f"{first_day} and not after {latest}, or null for {last_day + timedelta(days=1)}"
        )
    return as_of


def cutoffs(first_day: date, as_of: date, horizon_days: int, folds: int, step_days: int, history_days: int) -> Cutoffs:
    """Lay the cut-offs backwards from `as_of`; those with less than `history_days` behind them are left out.

    Raises InputError where not even the validation date has as much history.
    """
    earliest = first_day + timedelta(days=history_days)
    horizon = timedelta(days=horizon_days)
    validation = as_of - horizon
    if validation < earliest:
        raise InputError(
            f"the history is too short: {(as_of - first_day).days} days from the first line ({first_day}) to as_of "
            f"({as_of}), but {history_days + horizon_days} are needed: featurize.history_days_min ({history_days}) to "
            f"learn from and featurize.horizon_days ({horizon_days}) to judge by. Bring a longer history, or set "
            "featurize.as_of later or featurize.horizon_days lower"
        )
    origins = [validation - horizon - timedelta(days=fold * step_days) for fold in range(folds)]
    training = sorted({day - horizon for day in (validation, *origins)}, reverse=True)
    return Cutoffs(
        validation,
        tuple(day for day in origins if day >= earliest),
        tuple(day for day in training if day >= earliest),
    )


def month_starts(first_day: date, as_of: date, history_days: int, months: int) -> list[date]:
    """The last `months` first days of a month before `as_of` that have `history_days` behind them, earliest first."""
    year, month = divmod(as_of.year * 12 + as_of.month - 1, 12)
    ends = (divmod(year * 12 + month - back, 12) for back in range(months + 1))
    days = (date(year, month + 1, 1) for year, month in ends)
    earliest = first_day + timedelta(days=history_days)
    return sorted([day for day in days if earliest <= day < as_of][:months])


def customers(
    orders: Table, lines: Table, days: Sequence[date], history_start: date, horizon_days: int, fade_days: int
) -> Table:
    """One row per customer and day of `days`, for the customers with at least one sale before that day.

    `history_start` is the day of the shop's first line: a season a year ago is known only where it reaches back so far.
    """
    seen = _seen_from(_with_gaps(orders.mutate(day=_.ordered_at.date())), days).filter(_.age_days > 0)
    totals = seen.group_by(GRAIN).aggregate(**_totals(seen, horizon_days, fade_days)).filter(_.order_count > 0)
    known = totals.inner_join(_products(lines, days), GRAIN)
    return known.select(*GRAIN, "country", "products", **_features(known, history_start))


def with_next(known: Table, orders: Table, days: Sequence[date], horizon_days: int) -> Table:
    """Add next_revenue: net revenue of the `horizon_days` from as_of on, 0 for those who stayed away."""
    seen = _seen_from(orders.mutate(day=_.ordered_at.date()), days)
    following = seen.filter((_.age_days <= 0) & (_.age_days > -horizon_days)).group_by(GRAIN)
    revenue = following.aggregate(next_revenue=_.net_revenue.sum().cast("float64"))
    joined = known.left_join(revenue, GRAIN)
    return joined.select(*known.columns, next_revenue=_.next_revenue.coalesce(0.0))


def monthly(known: Frame, months: Sequence[date]) -> Frame:
    """Pick the customers as of these days, with nothing of what followed them."""
    import pandas as pd

    chosen = known[known["as_of"].isin(pd.to_datetime(list(months)))]
    return chosen.drop(columns="next_revenue").sort_values(["as_of", "customer_id"], ignore_index=True)


def split(known: Frame, found: Cutoffs, as_of: date, horizon_days: int) -> tuple[Frame, Frame, Frame]:
    """Part the customers of all days into those of `as_of`, the snapshots of the search, and what is kept from it.

    The snapshots know nothing after the validation date: where the following period ends later, next_revenue is null.
    """
    import pandas as pd

    ordered = known.sort_values(["as_of", "customer_id"], ignore_index=True)
    latest, validation = pd.Timestamp(as_of), pd.Timestamp(found.validation)
    snapshots = ordered[ordered["as_of"].isin(pd.to_datetime(found.days))].reset_index(drop=True)
    in_time = snapshots["as_of"] <= validation - pd.Timedelta(days=horizon_days)
    held_out = snapshots.loc[snapshots["as_of"] == validation, [*GRAIN, "next_revenue"]]
    return (
        ordered[ordered["as_of"] == latest].drop(columns="next_revenue").reset_index(drop=True),
        snapshots.assign(next_revenue=snapshots["next_revenue"].where(in_time)),
        held_out.reset_index(drop=True),
    )


def _stamp(day: date) -> Value:
    return ibis.literal(day, "date").cast("timestamp(6)")


def _seen_from(table: Table, days: Sequence[date]) -> Table:
    """Repeat every row for every day from which it is looked at, with its age there; an age below 1 is the future."""
    each = ibis.array([ibis.literal(day, "date") for day in days]).unnest()
    seen = table.mutate(seen_on=each)
    return seen.mutate(as_of=_.seen_on.cast("timestamp(6)"), age_days=_.seen_on.delta(_.day, unit="day").cast("int64"))


def _with_gaps(orders: Table) -> Table:
    """Days since the customer's previous sale; 0 on the same day. It looks back only, so it holds as of every day."""
    in_turn = ibis.window(group_by=["customer_id", "is_sale"], order_by="ordered_at")
    gap = _.day.delta(_.day.lag().over(in_turn), unit="day").cast("int64")
    return orders.mutate(gap_days=ibis.ifelse(_.is_sale, gap.coalesce(0), 0))


def _totals(seen: Table, horizon_days: int, fade_days: int) -> dict[str, Value]:
    weight = ((-seen.age_days.cast("float64") / fade_days).exp() * WEIGHT_UNITS).round().cast("int64")
    season = (seen.age_days <= YEAR_DAYS) & (seen.age_days > YEAR_DAYS - horizon_days)
    last = ibis.struct({"ordered_at": seen.ordered_at, "country": seen.country.coalesce("")})
    return {
        "recency_days": seen.age_days.min(where=seen.is_sale),
        "tenure_days": seen.age_days.max(where=seen.is_sale),
        "order_count": seen.count(where=seen.is_sale),
        "gap_count": seen.count(where=seen.gap_days > 0),
        "gap_total": seen.gap_days.sum(),
        "gap_squares": (seen.gap_days * seen.gap_days).sum(),
        "item_total": seen.item_count.sum(),
        "returned_items": seen.returned_item_count.sum(),
        "matched_items": seen.matched_item_count.sum(),
        "product_total": seen.product_count.sum(),
        "gross_revenue": seen.gross_revenue.sum(),
        "returned_revenue": seen.returned_revenue.sum(),
        "unmatched_revenue": seen.unmatched_revenue.sum(),
        "net_revenue": seen.net_revenue.sum(),
        "largest_order": seen.gross_revenue.max(),
        "faded_units": (weight * seen.net_revenue).sum(),
        "same_season_revenue": seen.net_revenue.sum(where=season).coalesce(0),
        "country": seen.country.coalesce("").argmax(last, where=seen.is_sale).nullif(""),
        **{f"order_count_{days}d": _recent(seen.is_sale.cast("int64"), seen, days) for days in (90, 180)},
        **{f"net_revenue_{days}d": _recent(seen.net_revenue, seen, days) for days in (90, 180)},
    }


def _recent(value: Value, seen: Table, days: int) -> Value:
    return value.sum(where=seen.age_days <= days).coalesce(0)


def _products(lines: Table, days: Sequence[date]) -> Table:
    """What a customer had bought before each day: one sorted list each, cut at every day, and the lines read once."""
    sales = lines.filter(_.kind == "sale").group_by("customer_id", "product_code")
    bought = sales.aggregate(day=_.ordered_at.min().date())
    one = ibis.struct({"code": bought.product_code.replace(SEPARATOR, " "), "day": bought.day})
    ever = bought.group_by("customer_id").aggregate(ever=one.collect(), day=_.day.min()).mutate(ever=_.ever.sort())
    seen = _seen_from(ever, days).filter(_.age_days > 0)
    known = seen.mutate(codes=seen.ever.filter(lambda each: each.day < seen.seen_on).map(lambda each: each.code))
    return known.select(*GRAIN, products=known.codes.join(SEPARATOR), distinct_product_count=known.codes.length())


def _features(known: Table, history_start: date) -> dict[str, Value]:
    """Compute the columns of schemas.FEATURES, in their order."""
    of = {name: known[name].cast("float64") for name in known.columns if name not in (*GRAIN, "country", "products")}
    gaps, year = of["gap_count"], timedelta(days=YEAR_DAYS)
    spread = (gaps * of["gap_squares"] - of["gap_total"] * of["gap_total"]) / (gaps * (gaps - 1)).nullif(0)
    return {
        "recency_days": of["recency_days"],
        "tenure_days": of["tenure_days"],
        "order_count": of["order_count"],
        "orders_per_month": of["order_count"] * MONTH_DAYS / ibis.greatest(of["tenure_days"], MONTH_DAYS),
        "gap_mean_days": of["gap_total"] / gaps.nullif(0),
        "gap_std_days": spread.sqrt(),
        "gross_revenue": of["gross_revenue"],
        "net_revenue": of["net_revenue"],
        "returned_revenue": of["returned_revenue"],
        "unmatched_revenue": of["unmatched_revenue"],
        "returned_revenue_share": ibis.least(of["returned_revenue"] / of["gross_revenue"], 1.0),
        "returned_item_share": ibis.least(of["returned_items"] / of["item_total"], 1.0),
        "average_order_value": of["net_revenue"] / of["order_count"],
        "items_per_order": (of["item_total"] - of["matched_items"]) / of["order_count"],
        "products_per_order": of["product_total"] / of["order_count"],
        **{
            name: of[name]
            for name in (
                "distinct_product_count",
                "order_count_90d",
                "order_count_180d",
                "net_revenue_90d",
                "net_revenue_180d",
            )
        },
        "faded_revenue": of["faded_units"] / WEIGHT_UNITS,
        "largest_order_share": of["largest_order"] / of["gross_revenue"],
        "same_season_revenue": ibis.ifelse(
            known.as_of >= _stamp(history_start + year), of["same_season_revenue"], None
        ),
    }

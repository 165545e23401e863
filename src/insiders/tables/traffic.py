"""What the lines of a delivery hold, window by window: the figures by which two deliveries are compared.

A window is about a month: long enough to hold every weekday as often, short enough that a shop of half a year has
several. Windows are counted back from a day, so that the same days are compared whenever the lines are delivered again.
"""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import ibis
from ibis import _

from insiders.tables.profile import distinct

Table = Any  # Ibis has no types that mypy could follow
Row = dict[str, Any]
Fetch = Callable[[Table], list[Row]]  # evaluates a small table, one dictionary per row

WINDOW_DAYS = 30
WINDOWS_MAX = 24  # of the past: two years show every season twice
BEFORE = -1  # number of the window of all lines that are older than the first
LATELY = (1, 2)  # windows back: who bought in one of these bought lately
ODD_RATIO = 4.0  # a line is oddly priced that costs so many times more, or less, than its product did
HOURS = 24
BUCKET_DIGITS = 2  # hexadecimal, of the digest of a customer's id: 256 groups, by which nobody is recognised
COUNTS = ("lines", "repeated", "anonymous", "returned", "customers", "sold", "taken_back")
TRAITS = (
    *("invoices", "mixed", "priced", "odd", "placed", "moved"),
    *("known", "known_back", "recent", "recent_back"),
)


class Span(NamedTuple):
    """The days from `start` to the day before `end`."""

    start: date
    end: date


def past(first: date, as_of: date) -> list[Span]:
    """The whole windows from the `first` day of the history to `as_of`, earliest first."""
    count = min((as_of - first).days // WINDOW_DAYS, WINDOWS_MAX)
    days = [as_of - timedelta(days=WINDOW_DAYS * back) for back in range(count, -1, -1)]
    return [Span(*pair) for pair in pairwise(days)]


def since(trained: date, as_of: date) -> list[Span]:
    """The windows from the first day that a model does not know up to `as_of`; the earliest takes the odd days."""
    days = (as_of - trained).days
    ends = [as_of - timedelta(days=WINDOW_DAYS * back) for back in range(max(days // WINDOW_DAYS, 1) - 1, -1, -1)]
    return [Span(*pair) for pair in pairwise([trained, *ends])] if days > 0 else []


def placed(transactions: Table, spans: Sequence[Span]) -> Table:
    """One row per set of equal rows (profile.distinct), with its `day` and the number of its `window`.

    Rows older than the first window are in BEFORE; those after the last one are left out.
    """
    rows, (first, last) = distinct(transactions), (spans[0].start, spans[-1].end)
    day = rows.invoiced_at.date()
    numbers = [((day >= start) & (day < end), number) for number, (start, end) in enumerate(spans)]
    return rows.filter(day < last).mutate(day=day, window=ibis.cases((day < first, BEFORE), *numbers, else_=None))


def measure(rows: Table, spans: Sequence[Span], fetch: Fetch) -> list[Row]:
    """What each window holds, as the fields of evidence.drift.Window; `rows` are as in `placed`."""
    totals = {each["window"]: each for each in fetch(_totals(rows))}
    traits = [_by_window(fetch(table)) for table in (_invoices(rows), _odd_prices(rows), _moves(rows), _loyalty(rows))]
    changes = {each["window"]: each["change"] for each in fetch(_price_changes(rows))}
    hours, countries, gaps = fetch(_hours(rows)), fetch(_countries(rows)), _gaps(rows, spans, fetch)
    return [
        {
            "start": span.start.isoformat(),
            "end": span.end.isoformat(),
            **{name: totals.get(number, {}).get(name, 0) for name in COUNTS},
            **{
                name: next((each[number][name] for each in traits if name in each.get(number, {})), 0)
                for name in TRAITS
            },
            "price_change": changes.get(number),
            "gap_days": gaps[number],
            "hours": _counts(hours, number, "hour", range(HOURS)),
            "countries": {each["country"]: each["lines"] for each in countries if each["window"] == number},
        }
        for number, span in enumerate(spans)
    ]


def _by_window(records: list[Row]) -> dict[int, Row]:
    return {each["window"]: each for each in records}


def _counts(records: list[Row], number: int, key: str, keys: Sequence[int]) -> list[int]:
    counted = {each[key]: each["lines"] for each in records if each["window"] == number}
    return [counted.get(each, 0) for each in keys]


def _totals(rows: Table) -> Table:
    worth = _.amount * _.copies
    return rows.group_by("window").aggregate(
        lines=_.copies.sum(),
        repeated=(_.copies - 1).sum(),
        anonymous=_.copies.sum(where=_.customer_id.isnull()).coalesce(0),
        returned=_.copies.sum(where=_.amount < 0).coalesce(0),
        customers=_.customer_id.nunique(),
        sold=worth.sum(where=_.amount > 0).coalesce(0).cast("float64"),
        taken_back=(-worth).sum(where=_.amount < 0).coalesce(0).cast("float64"),
    )


def _gaps(rows: Table, spans: Sequence[Span], fetch: Fetch) -> list[int]:
    """Of each window the most days on end without a line; those before its first line count, wherever they begin."""
    days = [each["day"] for each in fetch(rows.select("day").distinct().order_by("day"))]
    ends = [(after, (after - before).days - 1) for before, after in pairwise([*days, spans[-1].end])]
    return [max((gap for day, gap in ends if start < day <= end), default=0) for start, end in spans]


def _hours(rows: Table) -> Table:
    return rows.group_by("window", hour=_.invoiced_at.hour()).aggregate(lines=_.copies.sum())


def _countries(rows: Table) -> Table:
    return rows.filter(_.country.notnull()).group_by("window", "country").aggregate(lines=_.copies.sum())


def _invoices(rows: Table) -> Table:
    """Invoices, and those that name several customers."""
    each = rows.group_by("window", "invoice").aggregate(customers=_.customer_id.nunique())
    return each.group_by("window").aggregate(invoices=_.count(), mixed=(_.customers > 1).sum())


def _prices(rows: Table) -> Table:
    """The median price of a product in a window, and in the last one before in which it was sold."""
    priced = rows.filter((_.amount > 0) & (_.unit_price > 0)).mutate(price=_.unit_price.cast("float64"))
    each = priced.group_by("window", "product_code").aggregate(price=_.price.median())
    earlier = each.price.lag().over(ibis.window(group_by="product_code", order_by="window"))
    return each.mutate(earlier=earlier).filter(_.earlier.notnull())


def _price_changes(rows: Table) -> Table:
    """The median over the products of what the price changed by, as a logarithm."""
    return _prices(rows).group_by("window").aggregate(change=(_.price / _.earlier).ln().median().round(6))


def _odd_prices(rows: Table) -> Table:
    """Lines whose product was sold before, and those of them with an odd price."""
    earlier = _prices(rows).select("window", "product_code", "earlier")
    priced = rows.filter((_.amount > 0) & (_.unit_price > 0)).inner_join(earlier, ["window", "product_code"])
    ratio = _.unit_price.cast("float64") / _.earlier
    return priced.group_by("window").aggregate(
        priced=_.count(), odd=((ratio > ODD_RATIO) | (ratio * ODD_RATIO < 1)).sum()
    )


def _moves(rows: Table) -> Table:
    """Customers whose country is stated, as it was when they bought before, and those who have another one now."""
    stated = rows.filter(_.customer_id.notnull() & _.country.notnull())
    each = stated.group_by("window", "customer_id").aggregate(country=_.country.min())
    earlier = each.country.lag().over(ibis.window(group_by="customer_id", order_by="window"))
    both = each.mutate(earlier=earlier).filter(_.earlier.notnull())
    return both.group_by("window").aggregate(placed=_.count(), moved=(_.country != _.earlier).sum())


def _loyalty(rows: Table) -> Table:
    """Who bought before a window (`known`), who of them lately (`recent`), and how many of each come `back` in it."""
    bought = rows.filter((_.amount > 0) & _.customer_id.notnull()).select("customer_id", "window").distinct()
    lately = ibis.union(*(bought.mutate(window=_.window + back) for back in LATELY), distinct=True)
    firsts = bought.group_by("customer_id").aggregate(first=_.window.min())
    windows = bought.select("window").distinct()
    known = windows.join(firsts, windows.window > firsts.first).select("window", "customer_id")
    pairs = known.left_join(lately.mutate(is_recent=True), ["window", "customer_id"])
    back = pairs.select("window", "customer_id", "is_recent").left_join(
        bought.mutate(is_back=True), ["window", "customer_id"]
    )
    return back.group_by("window").aggregate(
        known=_.count(),
        known_back=_.is_back.sum().coalesce(0),
        recent=_.is_recent.sum().coalesce(0),
        recent_back=(_.is_back & _.is_recent).sum().coalesce(0),
    )


def customers(transactions: Table, until: date) -> Table:
    """Customers before a day in groups by the digest of their id: how many, and what they paid, returns taken off."""
    known = transactions.filter(_.customer_id.notnull() & (_.invoiced_at.date() < until))
    return known.group_by(bucket=_.customer_id.hexdigest("sha256")[:BUCKET_DIGITS]).aggregate(
        customers=_.customer_id.nunique(), paid=_.amount.sum().cast("float64")
    )

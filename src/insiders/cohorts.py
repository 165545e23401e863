"""Who comes, who stays and who goes: cohorts by month of the first order, the revenue tree, and moves between segments.

The engine sums the orders exactly; what it hands over has a row per month or per cohort, however many customers there
are. A customer is active in a month with at least one sale; what is given back lowers the month in which it is.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise
from math import factorial, prod, sqrt
from typing import Any, NamedTuple

import pandas as pd

Table = Any  # Ibis has no types that mypy could follow
Numbers = dict[str, Any]

PERIOD_MONTHS = 3  # months of a period of the revenue tree, where the history holds twice as many
NORMAL_95 = 1.959964  # standard deviations each side of a 95 % interval
ABSENT = "not yet a customer"
FACTORS = ("customers", "orders_per_customer", "value_per_order")
STATUSES = ("new", "retained", "returning", "without_order", "lapsed")


class History(NamedTuple):
    """The days that the orders cover: from the first one on, up to the day before `as_of`."""

    first_day: date
    as_of: date

    @property
    def months(self) -> pd.DatetimeIndex:
        """First days of all its months, the partial ones included."""
        return pd.date_range(_month(self.first_day), _month(self.as_of - timedelta(days=1)), freq="MS")

    def is_partial(self, month: pd.Timestamp) -> bool:
        """Whether days of the month lie before the first order, or not before `as_of`."""
        ends = month + pd.offsets.MonthBegin(1)
        return bool(month < pd.Timestamp(self.first_day) or ends > pd.Timestamp(self.as_of))

    @property
    def whole_months(self) -> list[pd.Timestamp]:
        return [month for month in self.months if not self.is_partial(month)]


class Periods(NamedTuple):
    """Two runs of whole months; each is [first day, day after the last)."""

    earlier: tuple[date, date]
    later: tuple[date, date]
    is_year_apart: bool


class Sums(NamedTuple):
    """What the engine found, by the functions of these names; `levels` is None where the history is too short."""

    cells: pd.DataFrame
    comebacks: pd.DataFrame
    moves: pd.DataFrame
    levels: Mapping[str, Any] | None


# --- evaluated by the engine ---


def monthly(orders: Table, as_of: date) -> Table:
    """One row per customer and month before `as_of`, of customers with a sale by then; what the others begin with."""
    known = orders.filter(orders.ordered_at < as_of)
    dated = known.mutate(month=known.ordered_at.truncate("M").cast("date"))
    summed = dated.group_by("customer_id", "month").aggregate(
        orders=dated.is_sale.cast("int64").sum(), net_revenue=_exact(dated.net_revenue.sum())
    )
    sold = summed.filter(summed.orders > 0)
    return summed.inner_join(sold.group_by("customer_id").aggregate(cohort=sold.month.min()), "customer_id")


def cells(monthly: Table) -> Table:
    """One row per cohort (month of the first sale) and month: active customers, orders, net revenue."""
    return monthly.group_by("cohort", "month").aggregate(**_sums(monthly)).order_by("cohort", "month")


def comebacks(monthly: Table) -> Table:
    """One row per cohort: its customers, and those who ordered again in one of the PERIOD_MONTHS after the first."""
    since = _number(monthly.month) - _number(monthly.cohort)
    again = (monthly.orders > 0) & (since >= 1) & (since <= PERIOD_MONTHS)
    each = monthly.group_by("cohort", "customer_id").aggregate(is_back=again.any())
    return each.group_by("cohort").aggregate(customers=each.count(), back=each.count(where=each.is_back))


def _number(month: Any) -> Any:
    """Months since the year 0."""
    return month.year() * 12 + month.month()


def moves(monthly: Table, quiet_months: int) -> Table:
    """One row per month and status: how many customers, with how many orders and what net revenue.

    `new`: first order in this month. `retained`: ordered in this month and in one of the `quiet_months` before it.
    `returning`: ordered, and not in those months, but earlier. `lapsed`: the last order is now `quiet_months` ago, with
    the net revenue of the month in which it was. `without_order`: money given back, and nothing bought.
    """
    import ibis

    numbered = monthly.mutate(number=_number(monthly.month))
    active = numbered.filter(numbered.orders > 0)
    turn = ibis.window(group_by="customer_id", order_by="month")
    seen = active.mutate(before=active.number.lag().over(turn), after=active.number.lead().over(turn))
    came = seen.mutate(
        status=ibis.cases(
            (seen.number == _number(seen.cohort), "new"),
            (seen.number - seen.before <= quiet_months, "retained"),
            else_="returning",
        )
    )
    gone = seen.filter((seen.after - seen.number > quiet_months).fill_null(True))
    parts = (
        came,
        gone.mutate(status=ibis.literal("lapsed"), number=gone.number + quiet_months),
        numbered.filter(numbered.orders == 0).mutate(status=ibis.literal("without_order")),
    )
    told = ibis.union(*(part.select("number", "status", "orders", "net_revenue") for part in parts))
    return told.group_by("number", "status").aggregate(**_sums(told, everybody=True)).order_by("number", "status")


def _sums(table: Table, *, everybody: bool = False) -> dict[str, Any]:
    return {
        "customers": table.count() if everybody else table.count(where=table.orders > 0),
        "orders": table.orders.sum(),
        "net_revenue": _exact(table.net_revenue.sum()),
    }


def levels(monthly: Table, periods: Periods) -> Table:
    """One row: customers, orders and net revenue of both periods, and the sum of the customers' squared changes."""
    spans = {"earlier": periods.earlier, "later": periods.later}
    inside = {name: (monthly.month >= start) & (monthly.month < end) for name, (start, end) in spans.items()}
    each = monthly.group_by("customer_id").aggregate(
        **{f"{name}_orders": monthly.orders.sum(where=where).coalesce(0) for name, where in inside.items()},
        **{f"{name}_revenue": _exact(monthly.net_revenue.sum(where=where)) for name, where in inside.items()},
    )
    change = _exact(each.later_revenue - each.earlier_revenue)
    return each.aggregate(
        **{f"{name}_customers": each.count(where=each[f"{name}_orders"] > 0) for name in spans},
        **{f"{name}_{what}": each[f"{name}_{what}"].sum() for name in spans for what in ("orders", "revenue")},
        squared_changes=(change * change).sum(),
    )


def _exact(value: Any) -> Any:
    """Decimals add up to the same whatever their order."""
    return value.coalesce(0).cast("decimal(18, 4)")


# --- in memory, one row per month or cohort ---


def periods(history: History) -> Periods | None:
    """Choose the last whole months, and the same of a year before where known, else as many just before them.

    None where not even two whole months are known.
    """
    whole = history.whole_months
    count = min(PERIOD_MONTHS, len(whole) // 2)
    if not count:
        return None
    start, end = whole[-count], whole[-1] + pd.offsets.MonthBegin(1)
    year = pd.DateOffset(years=1)
    is_year_apart = bool(whole[0] <= start - year)
    back = year if is_year_apart else pd.DateOffset(months=count)
    earlier = ((start - back).date(), (end - back).date())
    return Periods(earlier, (start.date(), end.date()), is_year_apart)


def matrix(sums: Sums, history: History) -> Numbers:
    """Cohorts with, for each month since their first, who was active and what they brought.

    Who is first seen in the first month of the history may have bought before it: `is_censored`. Months that the orders
    cover in part are marked. `retention` pools what is neither. `back` counts who came again within `back_months`; null
    while these are not over.
    """
    found = sums.cells.assign(**{name: pd.to_datetime(sums.cells[name]) for name in ("cohort", "month")})
    found = found[found["month"] >= found["cohort"]]  # earlier: only money given back
    back = sums.comebacks.assign(cohort=pd.to_datetime(sums.comebacks["cohort"])).set_index("cohort")["back"]
    rows = [_cohort(start, group, history) | _back(start, back, history) for start, group in found.groupby("cohort")]
    return {"back_months": PERIOD_MONTHS, "cohorts": rows, "retention": _retention(rows)}


def _cohort(start: pd.Timestamp, found: pd.DataFrame, history: History) -> Numbers:
    known = found.set_index("month").reindex(history.months[history.months >= start])
    size = int(known["customers"].iloc[0])
    return {
        "cohort": f"{start:%Y-%m}",
        "customers": size,
        "is_censored": bool(start == history.months[0]),
        "is_partial": history.is_partial(start),
        "months": [
            _cell(since, month, row, size) | {"is_partial": history.is_partial(month)}
            for since, (month, row) in enumerate(known.iterrows())
        ],
    }


def _back(start: pd.Timestamp, back: "pd.Series[int]", history: History) -> dict[str, int | None]:
    is_over = start + pd.DateOffset(months=PERIOD_MONTHS + 1) <= pd.Timestamp(history.as_of)
    return {"back": int(back[start]) if is_over else None}


def _cell(since: int, month: Any, row: Any, size: int) -> Numbers:
    active = 0 if pd.isna(row["customers"]) else int(row["customers"])
    revenue = 0.0 if pd.isna(row["net_revenue"]) else float(row["net_revenue"])
    return {
        "since": since,
        "month": f"{month:%Y-%m}",
        "active": active,
        "share": active / size,
        "net_revenue": revenue,
        "revenue_per_customer": revenue / size,
    }


def _retention(rows: Sequence[Numbers]) -> list[Numbers]:
    """By months since the first order: the share of the customers who bought in it, of all cohorts that can tell."""
    told: dict[int, list[tuple[int, int, float]]] = {}
    for row in rows:
        for cell in row["months"]:
            if cell["since"] and not (row["is_censored"] or row["is_partial"] or cell["is_partial"]):
                told.setdefault(cell["since"], []).append((row["customers"], cell["active"], cell["net_revenue"]))
    return [_pooled(since, told[since]) for since in sorted(told)]


def _pooled(since: int, cohorts: Sequence[tuple[int, int, float]]) -> Numbers:
    customers, active = sum(each[0] for each in cohorts), sum(each[1] for each in cohorts)
    low, high = wilson(active, customers)
    return {
        "since": since,
        "cohorts": len(cohorts),
        "customers": customers,
        "active": active,
        "share": active / customers,
        "low": low,
        "high": high,
        "revenue_per_customer": sum(each[2] for each in cohorts) / customers,
    }


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), which stays inside 0 to 1 also for few; `of` is at least 1."""
    share, z2 = hits / of, NORMAL_95**2
    centre, reach = share + z2 / (2 * of), NORMAL_95 * sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return (centre - reach) / (1 + z2 / of), (centre + reach) / (1 + z2 / of)


def flow(found: pd.DataFrame, history: History, quiet_months: int) -> list[Numbers]:
    """By month: new, retained, returning and lapsed customers with their net revenue, and the active base.

    `base` counts who ordered within the `quiet_months` that end with the month; it changes by what came less what
    lapsed. While the history is shorter than that, nobody can have lapsed or returned; in a partial month who will
    lapse is still open: null.
    """
    known = found.set_index(["number", "status"])
    rows, base = [], 0
    for place, month in enumerate(history.months):
        sums = {status: _of(known, month, status) for status in STATUSES}
        base += sums["new"][0] + sums["returning"][0] - sums["lapsed"][0]
        is_partial = history.is_partial(month)
        unknown = {"returning": place <= quiet_months, "lapsed": place < quiet_months or is_partial}
        rows.append({"month": f"{month:%Y-%m}", "is_partial": is_partial, **_moved(sums, unknown, base)})
    return rows


def _of(known: pd.DataFrame, month: pd.Timestamp, status: str) -> tuple[int, float]:
    key = (month.year * 12 + month.month, status)
    return (int(known.loc[key, "customers"]), float(known.loc[key, "net_revenue"])) if key in known.index else (0, 0.0)


def _moved(sums: Mapping[str, tuple[int, float]], unknown: Mapping[str, bool], base: int) -> Numbers:
    known = {status: (None, None) if unknown.get(status) else sums[status] for status in STATUSES}
    told = {status: {"customers": customers, "net_revenue": revenue} for status, (customers, revenue) in known.items()}
    return {**told, "base": None if unknown["lapsed"] else base}


def tree(levels: Mapping[str, Any] | None, periods: Periods | None) -> Numbers | None:
    """Net revenue = customers x orders per customer x value per order, and what each did to its change.

    The parts add up to the change (Shapley 1953): each factor's effect, averaged over all orders in which the factors
    could have changed one after the other. The 95 % interval of the change treats customers as independent, so a season
    or a price that moves all of them is in the change and not in the interval. None where a period has no order.
    """
    if levels is None or periods is None:
        return None
    sides = {name: _level(levels, name, span) for name, span in zip(("earlier", "later"), periods[:2], strict=True)}
    if not all(side["customers"] for side in sides.values()):
        return None
    before, after = ([side[name] for name in FACTORS] for side in sides.values())
    change = sides["later"]["net_revenue"] - sides["earlier"]["net_revenue"]
    error = sqrt(float(levels["squared_changes"]))
    parts = zip(FACTORS, shapley(before, after), strict=True)
    return {
        **sides,
        "is_year_apart": periods.is_year_apart,
        "change": change,
        "change_error": error,
        "change_low": change - NORMAL_95 * error,
        "change_high": change + NORMAL_95 * error,
        "parts": [{"factor": name, "amount": amount} for name, amount in parts],
    }


def _level(levels: Mapping[str, Any], name: str, span: tuple[date, date]) -> Numbers:
    customers, orders = int(levels[f"{name}_customers"]), int(levels[f"{name}_orders"])
    revenue = float(levels[f"{name}_revenue"])
    return {
        "from": span[0].isoformat(),
        "to": (span[1] - timedelta(days=1)).isoformat(),
        "net_revenue": revenue,
        "orders": orders,
        "customers": customers,
        "orders_per_customer": orders / customers if customers else None,
        "value_per_order": revenue / orders if orders else None,
    }


def shapley(before: Sequence[float], after: Sequence[float]) -> list[float]:
    """Parts of the change of a product that are due to each of its factors; they add up to it, whatever the signs."""
    places = range(len(before))

    def product(changed: set[int]) -> float:
        return prod(after[place] if place in changed else before[place] for place in places)

    def part(own: int) -> float:
        others = [place for place in places if place != own]
        return sum(
            factorial(size)
            * factorial(len(others) - size)
            / factorial(len(before))
            * sum(product({*chosen, own}) - product({*chosen}) for chosen in combinations(others, size))
            for size in range(len(before))
        )

    return [part(own) for own in places]


def movement(memberships: pd.DataFrame, order: Sequence[str]) -> Numbers | None:
    """How customers moved between segments from one day to the next, all pairs of days pooled.

    `memberships` holds customer_id, as_of, segment, is_insider; `order` is that of the segments, which others follow by
    name. `share` is of those who were in `from`. None where there are not two days.
    """
    days = sorted(memberships["as_of"].unique())
    pairs = [_pair(memberships, *each) for each in pairwise(days)]
    if not pairs:
        return None
    counted = pd.concat(pairs).groupby(["before", "after"])["customers"].sum()
    known = set(counted.index.get_level_values("before")) | set(counted.index.get_level_values("after"))
    names = [name for name in order if name in known] + sorted(known - {*order, ABSENT})
    return {
        "from": f"{days[0]:%Y-%m-%d}",
        "to": f"{days[-1]:%Y-%m-%d}",
        "steps": len(pairs),
        "segments": names,
        "rows": [_row(name, counted, names) for name in [*names, ABSENT] if name in counted],
    }


def _pair(memberships: pd.DataFrame, day: Any, next_day: Any) -> pd.DataFrame:
    """Customers by their segment on a day and on the next; nobody who is known is forgotten."""
    before, after = (
        memberships.loc[memberships["as_of"] == each].set_index("customer_id")["segment"] for each in (day, next_day)
    )
    moved = pd.DataFrame({"before": before.reindex(after.index).fillna(ABSENT), "after": after})
    return moved.groupby(["before", "after"]).size().rename("customers").reset_index()


def _row(name: str, counted: "pd.Series[int]", names: Sequence[str]) -> Numbers:
    moved = counted[name].reindex(list(names), fill_value=0)
    total = int(moved.sum())
    return {
        "segment": name,
        "customers": total,
        "to": [{"segment": each, "customers": int(n), "share": n / total} for each, n in moved.items()],
    }


def _month(day: date) -> pd.Timestamp:
    return pd.Timestamp(day.year, day.month, 1)

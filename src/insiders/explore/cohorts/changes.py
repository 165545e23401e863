"""What changed: who came and who went by month, why the revenue moved, and who changed segment."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations, pairwise
from math import factorial, prod, sqrt
from typing import Any

import pandas as pd

from insiders.explore.cohorts.history import History, Periods
from insiders.units import CONFIDENCE, NORMAL_QUANTILE

Numbers = dict[str, Any]

ABSENT = "not yet a customer"
FACTORS = ("customers", "orders_per_customer", "value_per_order")
STATUSES = ("new", "retained", "returning", "without_order", "lapsed")


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
        "confidence": CONFIDENCE,
        "change_error": error,
        "change_low": change - NORMAL_QUANTILE * error,
        "change_high": change + NORMAL_QUANTILE * error,
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
    name. `share` is of those who were in the row's segment; those `is_new` were no customers. None without
    two days.
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
        "segment": None if name == ABSENT else name,
        "is_new": name == ABSENT,
        "customers": total,
        "to": [{"segment": each, "customers": int(n), "share": n / total} for each, n in moved.items()],
    }

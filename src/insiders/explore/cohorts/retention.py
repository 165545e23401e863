"""Cohorts by month of the first order: who came back when, and with what revenue."""

from collections.abc import Sequence
from math import fsum, sqrt
from typing import Any

import pandas as pd

from insiders.explore.cohorts.history import PERIOD_MONTHS, History
from insiders.explore.cohorts.sums import Sums
from insiders.units import NORMAL_QUANTILE

Numbers = dict[str, Any]


def matrix(sums: Sums, history: History) -> Numbers:
    """Cohorts with, for each month since their first, who was active and what they brought.

    Who is first seen in the first month of the history may have bought before it: `is_censored`. Months that the orders
    cover in part are marked. `retention` pools what is neither. `back` counts who came again within `back_months`; null
    while these are not over. Revenue per customer is that of all months.
    """
    found = sums.cells.assign(**{name: pd.to_datetime(sums.cells[name]) for name in ("cohort", "month")})
    found = found[found["month"] >= found["cohort"]]  # earlier: only money given back
    back = sums.comebacks.assign(cohort=pd.to_datetime(sums.comebacks["cohort"])).set_index("cohort")["back"]
    rows = [_cohort(start, group, history) for start, group in found.groupby("cohort")]
    told = [row | _totals(row) | _back(row, back, history) for row in rows]
    return {"back_months": PERIOD_MONTHS, "cohorts": told, "retention": _retention(rows)}


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


def _totals(row: Numbers) -> Numbers:
    first, *later = (cell["net_revenue"] for cell in row["months"])
    total = fsum([first, *later])
    return {"first_revenue": first, "later_revenue": fsum(later), "revenue_per_customer": total / row["customers"]}


def _back(row: Numbers, back: "pd.Series[int]", history: History) -> Numbers:
    start = pd.Timestamp(row["cohort"])
    if start + pd.DateOffset(months=PERIOD_MONTHS + 1) > pd.Timestamp(history.as_of):
        return {"back": None, "back_share": None}
    return {"back": int(back[start]), "back_share": int(back[start]) / row["customers"]}


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
        "revenue_per_customer": fsum(each[2] for each in cohorts) / customers,
    }


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927), which stays inside 0 to 1 also for few; `of` is at least 1."""
    share, z2 = hits / of, NORMAL_QUANTILE**2
    centre, reach = share + z2 / (2 * of), NORMAL_QUANTILE * sqrt(share * (1 - share) / of + z2 / (4 * of**2))
    return (centre - reach) / (1 + z2 / of), (centre + reach) / (1 + z2 / of)

"""The months to come in figures, and the back-test: what was told at each month start and what came."""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.value.forecast import combined, ways
from insiders.value.forecast.combined import Told
from insiders.value.forecast.groups import Group
from insiders.value.forecast.misses import COVERAGE, chance_error, coverage, interval, mase

Array = NDArray[np.float64]
Row = dict[str, Any]

TESTED_FROM = 4  # full months that must be known at a date for a back-test from there
NOBODY: Row = {
    **dict.fromkeys(("expected", "low", "high"), 0.0),
    **dict.fromkeys(("bottom_up", "top_down", "chance_error", "level_error")),
    "known_months": 0,
    "few_months": True,
    "past": [],
    "months": [],
}


def outlook(groups: Sequence[Group], insiders: pd.DataFrame, as_of: pd.Timestamp, horizon_days: int) -> Row:
    """What the group of `as_of`, the last of the groups, is expected to bring in the horizon and month by month.

    `insiders` holds the members' own expected_revenue, whose sum is told beside it. A back-test row is a month
    (`backtest_months`) or as many months as the horizon holds (`backtest`); `naive` is as much as in the last full
    month, or in the last full quarter.
    """
    told = combined.tell(groups)
    tested = [(group, each) for group, each in zip(groups, told, strict=True) if group.known >= TESTED_FROM]
    past = [(group, each) for group, each in tested if group.as_of < as_of]
    naive = "same_month" if groups and groups[-1].known >= ways.SEASON_MONTHS else "last_month"
    months = [row for group, each in past for row in _month_rows(group, each, combined.COMBINED, naive)]
    spans = [row for group, each in past for row in _span_rows(group, each)]
    return {
        "horizon_days": horizon_days,
        **_ahead(groups, told, as_of, horizon_days),
        "interval": COVERAGE,
        "backtest_mase": mase(months),
        "coverage": coverage(months),
        "naive": naive,
        "quarter_mase": mase(spans),
        "quarter_coverage": coverage(spans),
        "tested_months": len(months),
        "more_than_expected": sum(row["actual"] > row["expected"] for row in spans),
        "list_expected": fsum(insiders["expected_revenue"]),
        "ways": [_scored(name, past, naive) for name in _names(past)],
        "backtest": spans,
        "backtest_months": months,
    }


def segments(expectations: pd.DataFrame, level: float | None) -> list[Row]:
    """Expected revenue per segment and per customer in it, of the horizon and of a year; best per customer first.

    `expectations` holds segment and schemas.EXPECTATIONS; `level` is the group's half-width as a share, by which all
    customers of a segment may miss together.
    """
    rows = [_segment(str(name), each, level) for name, each in expectations.groupby("segment")]
    return sorted(rows, key=lambda row: (-row["per_customer"], row["segment"]))


def _segment(name: str, customers: pd.DataFrame, level: float | None) -> Row:
    expected, year = (fsum(customers[column]) for column in ("expected_revenue", "expected_revenue_year"))
    low, high = interval(expected, chance_error(customers), level)
    return {
        "segment": name,
        "customers": len(customers),
        "expected": expected,
        "low": low,
        "high": high,
        "per_customer": expected / len(customers),
        "year_expected": year,
        "year_per_customer": year / len(customers),
        "probability_active": fsum(customers["probability_active"]) / len(customers),
    }


def _ahead(groups: Sequence[Group], told: Sequence[Mapping[str, Told]], as_of: pd.Timestamp, horizon_days: int) -> Row:
    """Of the group of that date; nothing is expected of nobody."""
    if not groups or groups[-1].as_of != as_of:
        return NOBODY
    group, latest = groups[-1], told[-1]
    days = _days(group, horizon_days)
    best = latest[combined.COMBINED]
    return {
        **_sum(best, group, days),
        "bottom_up": _total(latest[combined.BOTTOM_UP], days),
        "top_down": _total(latest[combined.TOP_DOWN], days) if combined.TOP_DOWN in latest else None,
        **combined.errors(best, group, days),
        "known_months": group.known,
        "few_months": group.known < TESTED_FROM,
        "past": _past(group),
        "months": _coming(group, latest),
    }


def _days(group: Group, horizon_days: int) -> Array:
    """Of the horizon, those that lie in each month ahead; a last month that is not asked for takes what is left."""
    before = np.cumsum(group.days) - group.days
    days = np.clip(horizon_days - before, 0, group.days)
    days[-1] += horizon_days - days.sum()
    return np.asarray(days)


def _sum(told: Told, group: Group, days: Array) -> Row:
    expected, width = _total(told, days), combined.half_width(told, group, days)
    return {"expected": expected, "low": expected * float(np.exp(-width)), "high": expected * float(np.exp(width))}


def _total(told: Told, days: Array) -> float:
    return fsum(np.exp(told.logs) * days)


def _each(told: Told, group: Group) -> list[Row]:
    """Expected revenue and its interval in each month ahead, or in the days of it that are left."""
    widths = combined.half_widths(told, group)
    ends = {"expected": told.logs, "low": told.logs - widths, "high": told.logs + widths}
    amounts = {name: (np.exp(logs) * group.days).tolist() for name, logs in ends.items()}
    return [{name: amounts[name][place] for name in amounts} for place in range(len(group.ahead))]


def _past(group: Group) -> list[Row]:
    """What the same customers brought in the full months before: chosen by it, they did better than they will."""
    amounts = (group.rates * group.months.days_in_month.to_numpy()).tolist()
    return [{"month": f"{month:%Y-%m}", "actual": amount} for month, amount in zip(group.months, amounts, strict=True)]


def _coming(group: Group, told: Mapping[str, Told]) -> list[Row]:
    beside = {
        name: np.exp(told[name].logs) * group.days for name in (combined.BOTTOM_UP, combined.TOP_DOWN) if name in told
    }
    return [
        {
            "month": f"{month:%Y-%m}",
            "days": int(group.days[place]),
            "month_days": int(month.days_in_month),
            "is_partial": bool(group.days[place] < month.days_in_month),
            **row,
            **{name: float(amounts[place]) for name, amounts in beside.items()},
        }
        for place, (month, row) in enumerate(zip(group.ahead, _each(told[combined.COMBINED], group), strict=True))
    ]


def _month_rows(group: Group, told: Mapping[str, Told], way: str, naive: str) -> list[Row]:
    """What the way told of each month that has ended since; a year before is naive only where one is known."""
    plain = combined.naive(group, naive if group.known >= ways.YEAR else "last_month")
    return [
        {
            "as_of": f"{group.as_of:%Y-%m-%d}",
            "month": f"{month:%Y-%m}",
            "ahead": place + 1,
            **row,
            "actual": float(group.came[place] * group.days[place]),
            "naive": float(np.exp(plain[place]) * group.days[place]),
        }
        for place, (month, row) in enumerate(zip(group.ahead, _each(told[way], group), strict=True))
        if not np.isnan(group.came[place])
    ]


def _span_rows(group: Group, told: Mapping[str, Told]) -> list[Row]:
    """The months that the horizon holds, together, where all have ended: at most one row."""
    if np.isnan(group.came).any():
        return []
    return [
        {
            "as_of": f"{group.as_of:%Y-%m-%d}",
            "members": group.members,
            **_sum(told[combined.COMBINED], group, group.days),
            "actual": fsum(group.came * group.days),
            "naive": fsum(np.exp(combined.naive(group, "recent")) * group.days),
        }
    ]


def _names(past: Sequence[tuple[Group, Mapping[str, Told]]]) -> list[str]:
    """Of the ways that could tell something at every date."""
    return [name for name in past[-1][1] if all(name in told for _, told in past)] if past else []


def _scored(way: str, past: Sequence[tuple[Group, Mapping[str, Told]]], naive: str) -> Row:
    rows = [row for group, told in past for row in _month_rows(group, told, way, naive)]
    return {"way": way, "mase": mase(rows), "coverage": coverage(rows)}

"""The months to come in figures, and the back-test: what was expected at each month start and what came."""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import NamedTuple, NotRequired, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.units import COVERAGE, round_off
from insiders.value.forecast import combination, ways
from insiders.value.forecast.accuracy import Outcome, Range, chance_error, coverage, interval, lost, mase
from insiders.value.forecast.combination import Forecast
from insiders.value.forecast.groups import Group

Array = NDArray[np.float64]

TESTED_FROM = 4  # full months that must be known at a date for a back-test from there


class PastMonth(TypedDict):
    """What the members of today brought in a month before."""

    month: str
    actual: float


class MonthAhead(Range):
    """Expected revenue in a month, or in the days of it that are left."""

    month: str
    days: int
    month_days: int
    is_partial: bool
    bottom_up: float
    top_down: NotRequired[float]  # not where no full month is known


class MonthOutcome(Outcome):
    """A month of a back-test; `ahead` counts from 1, the month of the date."""

    month: str
    ahead: int


class SpanOutcome(Outcome):
    """All months of the horizon together."""

    members: int


class WayScore(TypedDict):
    """How one way did in the back-test by months."""

    way: str
    mase: float | None
    coverage: float | None


class Ahead(Range):
    """What the group is expected to bring in the horizon, and what the forecast rests on.

    `bottom_up` and `top_down` are the two sides of the combination; `chance_error` and `level_error` are half-widths as
    shares of `expected`. They are None where there is no group, or no full month.
    """

    bottom_up: float | None
    top_down: float | None
    chance_error: float | None
    level_error: float | None
    known_months: int
    few_months: bool
    past: list[PastMonth]
    months: list[MonthAhead]


class Outlook(Ahead):
    """The forecast of the group with its back-test, by months and by spans as long as the horizon."""

    horizon_days: int
    way: str
    interval: float
    backtest_mase: float | None
    coverage: float | None
    naive: str
    quarter_mase: float | None
    quarter_coverage: float | None
    tested_months: int
    more_than_expected: int
    ways: list[WayScore]
    backtest: list[SpanOutcome]
    backtest_months: list[MonthOutcome]


class SegmentOutlook(Range):
    """What the customers of a segment are expected to bring in the horizon and in a year."""

    segment: str
    customers: int
    per_customer: float
    year_expected: float
    year_per_customer: float
    probability_active: float


class _Dated(NamedTuple):
    """A group and each way's forecast of it."""

    group: Group
    forecasts: Mapping[str, Forecast]


def outlook(
    groups: Sequence[Group], as_of: pd.Timestamp, horizon_days: int, names: Sequence[str] = ways.OWN
) -> Outlook:
    """What the group of `as_of`, the last of the groups, is expected to bring in the horizon and month by month.

    A back-test row is a month (`backtest_months`), or as many as the horizon holds (`backtest`). The way that is used,
    at all dates, is the combination; where it lost to the naive forecast in the back-test, the last quarter with the
    season. `names` are the ways to continue the group's months, of ways.TOP_DOWN.
    """
    dated = [_Dated(*each) for each in zip(groups, combination.forecasts(groups, names), strict=True)]
    past = [each for each in dated if each.group.known_months >= TESTED_FROM and each.group.as_of < as_of]
    way = _best(past)
    months = [row for each in past for row in _month_outcomes(each, way)]
    spans = [row for each in past for row in _span_outcomes(each, way)]
    return {
        "horizon_days": horizon_days,
        "way": way,
        **(_ahead(dated[-1], way, horizon_days) if dated and groups[-1].as_of == as_of else _nothing()),
        "interval": COVERAGE,
        "backtest_mase": mase(months),
        "coverage": coverage(months),
        "naive": ways.NAIVE,
        "quarter_mase": mase(spans),
        "quarter_coverage": coverage(spans),
        "tested_months": len(months),
        "more_than_expected": sum(row["actual"] > row["expected"] for row in spans),
        "ways": [_score(name, past) for name in _ways(past)],
        "backtest": spans,
        "backtest_months": months,
    }


def segments(expectations: pd.DataFrame, level: float | None) -> list[SegmentOutlook]:
    """Expected revenue per segment and per customer in it, of the horizon and of a year; best per customer first.

    `expectations` holds segment and schemas.EXPECTATIONS; `level` is the group's half-width as a share, by which all
    customers of a segment may be off together.
    """
    rows = [_segment(str(name), each, level) for name, each in expectations.groupby("segment")]
    return sorted(rows, key=lambda row: (-row["per_customer"], row["segment"]))


def _segment(name: str, customers: pd.DataFrame, level: float | None) -> SegmentOutlook:
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


def _best(past: Sequence[_Dated]) -> str:
    """The combination, or the last quarter where that erred less in the same months or quarters."""
    months = [row for each in past for row in _month_outcomes(each, combination.COMBINED)]
    spans = [row for each in past for row in _span_outcomes(each, combination.COMBINED)]
    return ways.NAIVE if lost(months) or lost(spans) else combination.COMBINED


def _ahead(dated: _Dated, way: str, horizon_days: int) -> Ahead:
    group, forecasts = dated
    days = _days(group, horizon_days)
    used = forecasts[way]
    level_error, chance_error = combination.errors(used, group, days)
    return {
        **_range(used, group, days),
        "bottom_up": _total(forecasts[combination.BOTTOM_UP], days),
        "top_down": _total(forecasts[combination.TOP_DOWN], days) if combination.TOP_DOWN in forecasts else None,
        "chance_error": chance_error,
        "level_error": level_error,
        "known_months": group.known_months,
        "few_months": group.known_months < TESTED_FROM,
        "past": _past(group),
        "months": _months(dated, way),
    }


def _nothing() -> Ahead:
    """Without a member, nothing is expected."""
    return {
        "expected": 0.0,
        "low": 0.0,
        "high": 0.0,
        "bottom_up": None,
        "top_down": None,
        "chance_error": None,
        "level_error": None,
        "known_months": 0,
        "few_months": True,
        "past": [],
        "months": [],
    }


def _days(group: Group, horizon_days: int) -> Array:
    """Days of the horizon in each month ahead; those beyond the last month count as days of it."""
    before = np.cumsum(group.days) - group.days
    days = np.clip(horizon_days - before, 0, group.days)
    days[-1] += horizon_days - days.sum()
    return np.asarray(days)


def _range(forecast: Forecast, group: Group, days: Array) -> Range:
    """Expected revenue of so many days of each month together."""
    expected, width = _total(forecast, days), combination.half_width(forecast, group, days)
    low, high = round_off(expected * np.exp([-width, width])).tolist()
    return {"expected": expected, "low": low, "high": high}


def _total(forecast: Forecast, days: Array) -> float:
    return fsum(_amounts(forecast.logs, days))


def _amounts(logs: Array, days: Array) -> Array:
    """Revenue of so many days of each month."""
    return round_off(np.exp(logs) * days)


def _ranges(forecast: Forecast, group: Group) -> list[Range]:
    """Expected revenue in each month ahead, or in the days of it that are left."""
    widths = combination.half_widths(forecast, group)
    logs = (forecast.logs, forecast.logs - widths, forecast.logs + widths)
    columns = [_amounts(each, group.days).tolist() for each in logs]
    return [{"expected": expected, "low": low, "high": high} for expected, low, high in zip(*columns, strict=True)]


def _past(group: Group) -> list[PastMonth]:
    """The full months before the date; the group is chosen by them, so that they are better than what follows."""
    amounts = (group.rates * group.months.days_in_month.to_numpy()).tolist()
    return [{"month": f"{month:%Y-%m}", "actual": amount} for month, amount in zip(group.months, amounts, strict=True)]


def _months(dated: _Dated, way: str) -> list[MonthAhead]:
    group, forecasts = dated
    sides = {
        name: _amounts(forecasts[name].logs, group.days).tolist()
        for name in (combination.BOTTOM_UP, combination.TOP_DOWN)
        if name in forecasts
    }
    rows: list[MonthAhead] = []
    for place, each in enumerate(_ranges(forecasts[way], group)):
        month, days = group.ahead[place], group.days[place]
        row: MonthAhead = {
            "month": f"{month:%Y-%m}",
            "days": int(days),
            "month_days": int(month.days_in_month),
            "is_partial": bool(days < month.days_in_month),
            "expected": each["expected"],
            "low": each["low"],
            "high": each["high"],
            "bottom_up": sides[combination.BOTTOM_UP][place],
        }
        if combination.TOP_DOWN in sides:
            row["top_down"] = sides[combination.TOP_DOWN][place]
        rows.append(row)
    return rows


def _month_outcomes(dated: _Dated, way: str) -> list[MonthOutcome]:
    """The way's forecast of each month that has ended since."""
    group, forecasts = dated
    plain = _amounts(combination.naive(group), group.days)
    return [
        {
            "as_of": f"{group.as_of:%Y-%m-%d}",
            "month": f"{month:%Y-%m}",
            "ahead": place + 1,
            **expected,
            "actual": float(group.actual[place] * group.days[place]),
            "naive": float(plain[place]),
        }
        for place, (month, expected) in enumerate(zip(group.ahead, _ranges(forecasts[way], group), strict=True))
        if not np.isnan(group.actual[place])
    ]


def _span_outcomes(dated: _Dated, way: str) -> list[SpanOutcome]:
    """The months of the horizon together, where all have ended: at most one row."""
    group, forecasts = dated
    if np.isnan(group.actual).any():
        return []
    return [
        {
            "as_of": f"{group.as_of:%Y-%m-%d}",
            "members": group.members,
            **_range(forecasts[way], group, group.days),
            "actual": fsum(group.actual * group.days),
            "naive": fsum(_amounts(combination.naive(group), group.days)),
        }
    ]


def _ways(past: Sequence[_Dated]) -> list[str]:
    """Those that gave a forecast at every date."""
    if not past:
        return []
    return [name for name in past[-1].forecasts if all(name in each.forecasts for each in past)]


def _score(way: str, past: Sequence[_Dated]) -> WayScore:
    rows = [row for each in past for row in _month_outcomes(each, way)]
    return {"way": way, "mase": mase(rows), "coverage": coverage(rows)}

"""What the list, its look-alikes, the sort and the rest brought before and after the day of the list."""

import math
from typing import NamedTuple, TypedDict

import numpy as np

from insiders.evidence import holdout
from insiders.evidence.hypotheses.aftermath import Aftermath, Flags, Values
from insiders.evidence.hypotheses.lookalikes import Pairs
from insiders.evidence.hypotheses.resampling import Contrast, Estimate, Resampling, estimate, none_if_nan
from insiders.units import MONTH_DAYS

LISTED, PAIRED, LOOK_ALIKES, SORT, OTHERS = "list", "paired", "look_alikes", "sort", "others"


class Interval(TypedDict):
    """A figure with its interval; None where it cannot be computed."""

    value: float | None
    low: float | None
    high: float | None


class Group(TypedDict):
    """Net revenue per customer and 30 days before and after the day of the list; `kept` is after / before."""

    customers: int
    before: Interval
    after: Interval
    kept: Interval


class _Revenue(NamedTuple):
    """Per customer of a group and 30 days."""

    before: Values
    after: Values


def groups(aftermath: Aftermath, pairs: Pairs, resampling: Resampling) -> dict[str, Group]:
    """Figures of each group by its name.

    `paired` are the listed who have a look-alike; `sort` holds as many customers as the list, those with the highest
    net revenue on its day (all who tie for the last place).
    """
    return {name: _group(_revenue(aftermath, rows), resampling) for name, rows in _rows(aftermath, pairs).items()}


def _rows(aftermath: Aftermath, pairs: Pairs) -> dict[str, Flags]:
    places = np.arange(len(aftermath.is_customer))
    return {
        LISTED: aftermath.insiders,
        PAIRED: np.isin(places, pairs.insiders),
        LOOK_ALIKES: np.isin(places, pairs.lookalikes),
        SORT: _sort(aftermath),
        OTHERS: aftermath.others,
    }


def _sort(aftermath: Aftermath) -> Flags:
    past = aftermath.traits["net_revenue"].to_numpy()
    least, _ = holdout.boundary(past[aftermath.is_customer], int(aftermath.insiders.sum()))
    return np.asarray(aftermath.is_customer & (past >= least))


def _revenue(aftermath: Aftermath, rows: Flags) -> _Revenue:
    periods = (aftermath.before, aftermath.before_days), (aftermath.after, aftermath.after_days)
    return _Revenue(*(measures.loc[rows, "net_revenue"].to_numpy() * MONTH_DAYS / days for measures, days in periods))


def _group(revenue: _Revenue, resampling: Resampling) -> Group:
    ones = np.ones(len(revenue.before))
    return {
        "customers": len(ones),
        "before": _ratio(revenue.before, ones, resampling),
        "after": _ratio(revenue.after, ones, resampling),
        "kept": _ratio(revenue.after, revenue.before, resampling),
    }


def _ratio(top: Values, bottom: Values, resampling: Resampling) -> Interval:
    """Sum of `top` over the sum of `bottom`, with its interval over customers."""
    zeros = np.zeros_like(top)
    cells = np.column_stack([top, bottom, zeros, zeros])
    ratio = (
        Estimate(*[math.nan] * 3)
        if not len(top)
        else estimate(Contrast(cells, (np.arange(len(top)),), 0.0), resampling)
    )
    return {"value": none_if_nan(ratio.listed), "low": none_if_nan(ratio.low), "high": none_if_nan(ratio.high)}

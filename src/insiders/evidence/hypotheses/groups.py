"""What the list, its look-alikes, the sort and the rest brought before and after the day of the list."""

import math
from typing import Any

import numpy as np

from insiders.evidence import holdout
from insiders.evidence.hypotheses.aftermath import Aftermath, Flags, Values
from insiders.evidence.hypotheses.lookalikes import Pairs
from insiders.evidence.hypotheses.resampling import Contrast, Estimate, estimate
from insiders.units import MONTH_DAYS

LISTED, PAIRED, ALIKE, SORT, REST = "list", "paired", "look_alikes", "sort", "others"


def groups(found: Aftermath, matched: Pairs, level: float, resamples: int, seed: int) -> dict[str, dict[str, Any]]:
    """By group: customers, and net revenue per customer and 30 days before and after, with intervals.

    `kept` is the ratio of the two. `paired` are the listed who have a look-alike; `sort` holds as many customers as
    the list, those with the highest net revenue on its day (all who tie for the last place).
    """
    return {
        name: {"customers": int(rows.sum()), **_around(found, rows, level, resamples, seed)}
        for name, rows in _members(found, matched).items()
    }


def _members(found: Aftermath, matched: Pairs) -> dict[str, Flags]:
    return {
        LISTED: found.chosen & found.known,
        PAIRED: np.isin(np.arange(len(found.known)), matched.listed),
        ALIKE: np.isin(np.arange(len(found.known)), matched.alike),
        SORT: _top(found),
        REST: found.others,
    }


def _top(found: Aftermath) -> Flags:
    past = found.traits["net_revenue"].to_numpy()
    least, _ = holdout.boundary(past[found.known], int((found.chosen & found.known).sum()))
    return np.asarray(found.known & (past >= least))


def _around(found: Aftermath, rows: Flags, level: float, resamples: int, seed: int) -> dict[str, Any]:
    before, after = (
        counted.loc[rows, "net_revenue"].to_numpy() * MONTH_DAYS / days
        for counted, days in ((found.before, found.before_days), (found.after, found.after_days))
    )
    ones = np.ones(len(before))
    sides = {"before": (before, ones), "after": (after, ones), "kept": (after, before)}
    return {name: _told(_mean(*pair, level, resamples, seed)) for name, pair in sides.items()}


def _mean(top: Values, bottom: Values, level: float, resamples: int, seed: int) -> Estimate:
    nothing = np.zeros_like(top)
    if not len(top):
        return Estimate(math.nan, math.nan, math.nan)
    cells = np.column_stack([top, bottom, nothing, nothing])
    return estimate(Contrast(cells, (np.arange(len(top)),), 0.0), level, resamples, seed)


def _told(found: Estimate) -> dict[str, float | None]:
    figures = {"value": found.listed, "low": found.low, "high": found.high}
    return {name: None if math.isnan(value) else value for name, value in figures.items()}

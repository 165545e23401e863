"""What is claimed of the list, and what the period after it says: true, false, or not to be decided.

Every claim is tested on a list that was made before the period, by what came in the period: customers are chosen for
their past, so that nothing about their past can count as evidence for the choice. The same figures of the stretch
before the list stand beside, as a description.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from insiders.evidence.hypotheses.aftermath import Aftermath, Values
from insiders.evidence.hypotheses.lookalikes import Pairs
from insiders.evidence.hypotheses.resampling import Contrast, Estimate, estimate, permuted, swapped

OTHERS, LOOK_ALIKES, TOTAL = "others", "look_alikes", "total"
VERDICTS = TRUE, FALSE, OPEN = "true", "false", "not_decidable"
LEAST = 10  # customers (or pairs) on either side, below which nothing is decided
MONEY = frozenset({"gross_revenue", "returned_revenue", "net_revenue"})


@dataclass(frozen=True)
class Claim:
    """`measure` ÷ `per` of the list is `side` (above, below) `than` a number, the others' or the look-alikes'.

    `measure` and `per` are aftermath.MEASURES; `per` may be "total": the part of everybody's.
    """

    name: str
    measure: str
    per: str
    side: str
    than: float | str

    @property
    def unit(self) -> str:
        """`money`, `share` (0-1) or `number`."""
        money = self.measure in MONEY, self.per in MONEY
        if self.per == TOTAL or all(money) or (self.measure, self.per) == ("active_months", "months"):
            return "share"
        return "money" if money[0] else "number"


@dataclass(frozen=True)
class Terms:
    """How the claims are tested; the units stand in params.yaml."""

    level: float
    resamples: int
    seed: int


def verdicts(found: Aftermath, matched: Pairs, claims: list[Claim], terms: Terms) -> list[dict[str, Any]]:
    """One row per claim: its figures with interval, p-value, corrected p-value and verdict, and those before the list.

    The p-values are corrected over all claims by Holm's method (1979), which needs no assumption on how the claims
    hang together; they do, as the same few customers carry them all.
    """
    with threadpool_limits(1):
        estimates = [_tested(found, matched, claim, terms) for claim in claims]
    for_it = holm([_side(claim.side, each) for claim, each in zip(claims, estimates, strict=True)])
    contrary = holm([_side(_OPPOSITE[claim.side], each) for claim, each in zip(claims, estimates, strict=True)])
    return [
        {
            "name": claim.name,
            "measure": claim.measure,
            "per": claim.per,
            "side": claim.side,
            "than": claim.than,
            "unit": claim.unit,
            **_figures(each),
            "p_value": _known(_side(claim.side, each)),
            "p_corrected": _known(p),
            "verdict": _verdict(p, against, terms.level),
            "before": _described(found.before, found, matched, claim),
        }
        for claim, each, p, against in zip(claims, estimates, for_it, contrary, strict=True)
    ]


_OPPOSITE = {"above": "below", "below": "above"}


def holm(p_values: list[float]) -> list[float]:
    """Step-down corrected p-values over all claims; a claim that cannot be tested (NaN) stays so, and counts."""
    order = sorted(range(len(p_values)), key=lambda i: (math.isnan(p_values[i]), p_values[i]))
    corrected, highest = list(p_values), 0.0
    for rank, i in enumerate(order):
        if not math.isnan(p_values[i]):
            highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
            corrected[i] = highest
    return corrected


def _verdict(p: float, contrary: float, level: float) -> str:
    """NaN is neither."""
    if p <= 1 - level:
        return TRUE
    return FALSE if contrary <= 1 - level else OPEN


def _side(side: str, found: Estimate) -> float:
    return found.above if side == "above" else found.below


def _figures(found: Estimate) -> dict[str, float | None]:
    names = {"listed": found.listed, "against": found.against, "effect": found.effect}
    return {name: _known(each) for name, each in {**names, "low": found.low, "high": found.high}.items()}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value


def _tested(found: Aftermath, matched: Pairs, claim: Claim, terms: Terms) -> Estimate:
    """The interval by drawing customers; where customers are compared, the p-values by dealing out the list."""
    contrast = _contrast(found.after, found, matched, claim)
    enough = min(int((found.chosen & found.known).sum()), int(found.others.sum())) >= LEAST
    if not enough or (claim.than == LOOK_ALIKES and len(matched.listed) < LEAST):
        return _untested(contrast)
    known = estimate(contrast, terms.level, terms.resamples, terms.seed)
    if math.isnan(known.effect) or contrast.value is not None:
        return known
    if claim.than == LOOK_ALIKES:
        above, below = swapped(contrast.cells, terms.resamples, terms.seed)
    else:
        columns = found.after.loc[found.known, [claim.measure, claim.per]].to_numpy()
        listed = np.flatnonzero(found.chosen[found.known])
        above, below = permuted(columns, len(listed), listed, terms.resamples, terms.seed)
    return known._replace(above=above, below=below)


def _untested(contrast: Contrast) -> Estimate:
    listed, against = _plain(contrast)
    return Estimate(listed, against, listed - against)


def _described(counted: pd.DataFrame, found: Aftermath, matched: Pairs, claim: Claim) -> dict[str, float | None]:
    listed, against = _plain(_contrast(counted, found, matched, claim))
    return {"listed": _known(listed), "against": _known(against)}


def _plain(contrast: Contrast) -> tuple[float, float]:
    tops = [math.fsum(column) for column in contrast.cells.T]
    against = _ratio(tops[2], tops[3]) if contrast.value is None else contrast.value
    return _ratio(tops[0], tops[1]), against


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else math.nan


def _contrast(counted: pd.DataFrame, found: Aftermath, matched: Pairs, claim: Claim) -> Contrast:
    """The cells of a claim: of everybody, of the list and the others, or of the pairs."""
    if claim.than == LOOK_ALIKES:
        one, other = (_columns(counted, claim)[rows] for rows in matched)
        return Contrast(np.hstack([one, other]), (np.arange(len(one)),), None)
    listed, others = found.chosen & found.known, found.others
    value = None if claim.than == OTHERS else float(claim.than)
    strata = tuple(np.flatnonzero(each) for each in (listed, others, ~found.known) if each.any())
    return Contrast(_cells(counted, claim, listed, others), strata, value)


def _cells(counted: pd.DataFrame, claim: Claim, listed: Any, others: Any) -> Values:
    columns = _columns(counted, claim)
    own, rest = columns * listed[:, None], columns * others[:, None]
    if claim.per == TOTAL:
        own[:, 1] = columns[:, 0]
    return np.hstack([own, rest])


def _columns(counted: pd.DataFrame, claim: Claim) -> Values:
    bottom = claim.measure if claim.per == TOTAL else claim.per
    return np.column_stack([counted[claim.measure], counted[bottom]]).astype(float)

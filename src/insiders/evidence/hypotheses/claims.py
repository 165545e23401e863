"""What is claimed of the list, and what the period after it says: true, false, or not decidable.

Every claim is tested on a list that was made before the period, by what came in the period: customers are chosen for
their past, so that nothing about their past can count as evidence for the choice. The same figures of the period
before the list stand beside, as a description.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from insiders.evidence.hypotheses.aftermath import Aftermath, Flags, Values
from insiders.evidence.hypotheses.lookalikes import Pairs
from insiders.evidence.hypotheses.resampling import (
    Contrast,
    Estimate,
    Resampling,
    estimate,
    none_if_nan,
    paired_permutation_test,
    permutation_test,
)

OTHERS, LOOK_ALIKES, TOTAL = "others", "look_alikes", "total"
VERDICTS = TRUE, FALSE, NOT_DECIDABLE = "true", "false", "not_decidable"
OPPOSITE: Mapping[str, str] = {"above": "below", "below": "above"}
LEAST = 10  # customers (or pairs) on either side, below which nothing is decided
MONEY = frozenset({"gross_revenue", "returned_revenue", "net_revenue"})


@dataclass(frozen=True)
class Claim:
    """`measure` ÷ `per` of the list is `side` (above, below) `than` a number, the others' or the look-alikes'.

    `measure` and `per` are aftermath.MEASURES; with `per` "total" the ratio is the list's part of everybody's.
    """

    name: str
    measure: str
    per: str
    side: str
    than: float | str

    @property
    def unit(self) -> str:
        """`money`, `share` (0-1) or `number`."""
        is_money = self.measure in MONEY, self.per in MONEY
        if self.per == TOTAL or all(is_money) or (self.measure, self.per) == ("active_months", "months"):
            return "share"
        return "money" if is_money[0] else "number"


class Before(TypedDict):
    """The two figures of a claim in the period before the list."""

    listed: float | None
    against: float | None


class Finding(TypedDict):
    """A claim with its figures in the period after the list, and its verdict; None where nothing can be computed."""

    name: str
    measure: str
    per: str
    side: str
    than: float | str
    unit: str
    listed: float | None
    against: float | None
    effect: float | None  # listed - against, with its interval
    low: float | None
    high: float | None
    p_value: float | None
    p_corrected: float | None
    verdict: str  # of VERDICTS
    before: Before


def findings(aftermath: Aftermath, pairs: Pairs, claims: Sequence[Claim], resampling: Resampling) -> list[Finding]:
    """One finding per claim, in their order.

    The p-values are corrected over all claims by Holm's method (1979), which needs no assumption on how the claims
    depend on one another; they do, as the same few customers carry them all.
    """
    with threadpool_limits(1):
        estimates = [_test(aftermath, pairs, claim, resampling) for claim in claims]
    for_claim = holm([_p_value(claim.side, each) for claim, each in zip(claims, estimates, strict=True)])
    contrary = holm([_p_value(OPPOSITE[claim.side], each) for claim, each in zip(claims, estimates, strict=True)])
    return [
        {
            "name": claim.name,
            "measure": claim.measure,
            "per": claim.per,
            "side": claim.side,
            "than": claim.than,
            "unit": claim.unit,
            "listed": none_if_nan(each.listed),
            "against": none_if_nan(each.against),
            "effect": none_if_nan(each.effect),
            "low": none_if_nan(each.low),
            "high": none_if_nan(each.high),
            "p_value": none_if_nan(_p_value(claim.side, each)),
            "p_corrected": none_if_nan(p),
            "verdict": _verdict(p, p_contrary, resampling.level),
            "before": _before(aftermath, pairs, claim),
        }
        for claim, each, p, p_contrary in zip(claims, estimates, for_claim, contrary, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Step-down corrected p-values over all claims; a claim that cannot be tested stays NaN, and counts as a claim."""
    order = sorted(range(len(p_values)), key=lambda i: (math.isnan(p_values[i]), p_values[i]))
    corrected, highest = list(p_values), 0.0
    for rank, i in enumerate(order):
        if not math.isnan(p_values[i]):
            highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[i]))
            corrected[i] = highest
    return corrected


def _verdict(p: float, p_contrary: float, level: float) -> str:
    """With a p-value of NaN neither comparison holds."""
    if p <= 1 - level:
        return TRUE
    return FALSE if p_contrary <= 1 - level else NOT_DECIDABLE


def _p_value(side: str, estimate: Estimate) -> float:
    return estimate.above if side == "above" else estimate.below


def _test(aftermath: Aftermath, pairs: Pairs, claim: Claim, resampling: Resampling) -> Estimate:
    """The interval by the bootstrap; the p-values by permutation, but for claims that compare with a number."""
    contrast = _contrast(aftermath.after, aftermath, pairs, claim)
    is_enough = min(int(aftermath.insiders.sum()), int(aftermath.others.sum())) >= LEAST
    if not is_enough or (claim.than == LOOK_ALIKES and len(pairs.insiders) < LEAST):
        return _without_interval(contrast)
    bootstrap = estimate(contrast, resampling)
    if math.isnan(bootstrap.effect) or contrast.value is not None:
        return bootstrap
    if claim.than == LOOK_ALIKES:
        above, below = paired_permutation_test(contrast.cells, resampling)
    else:
        columns = aftermath.after.loc[aftermath.is_customer, [claim.measure, claim.per]].to_numpy()
        above, below = permutation_test(columns, aftermath.is_listed[aftermath.is_customer], resampling)
    return bootstrap._replace(above=above, below=below)


def _without_interval(contrast: Contrast) -> Estimate:
    listed, against = _ratios(contrast)
    return Estimate(listed, against, listed - against)


def _before(aftermath: Aftermath, pairs: Pairs, claim: Claim) -> Before:
    listed, against = _ratios(_contrast(aftermath.before, aftermath, pairs, claim))
    return {"listed": none_if_nan(listed), "against": none_if_nan(against)}


def _ratios(contrast: Contrast) -> tuple[float, float]:
    """Of the list, and of what it is compared with."""
    sums = [math.fsum(column) for column in contrast.cells.T]
    against = _ratio(sums[2], sums[3]) if contrast.value is None else contrast.value
    return _ratio(sums[0], sums[1]), against


def _ratio(top: float, bottom: float) -> float:
    return top / bottom if bottom > 0 else math.nan


def _contrast(measures: pd.DataFrame, aftermath: Aftermath, pairs: Pairs, claim: Claim) -> Contrast:
    """The cells of a claim in one period: of everybody, split into list and others, or of the pairs."""
    if claim.than == LOOK_ALIKES:
        one, other = (_columns(measures, claim)[rows] for rows in pairs)
        return Contrast(np.hstack([one, other]), (np.arange(len(one)),), None)
    insiders, others = aftermath.insiders, aftermath.others
    value = None if claim.than == OTHERS else float(claim.than)
    groups = (insiders, others, ~aftermath.is_customer)
    strata = tuple(np.flatnonzero(group) for group in groups if group.any())
    return Contrast(_cells(measures, claim, insiders, others), strata, value)


def _cells(measures: pd.DataFrame, claim: Claim, insiders: Flags, others: Flags) -> Values:
    columns = _columns(measures, claim)
    own, rest = columns * insiders[:, None], columns * others[:, None]
    if claim.per == TOTAL:
        own[:, 1] = columns[:, 0]
    return np.hstack([own, rest])


def _columns(measures: pd.DataFrame, claim: Claim) -> Values:
    """Numerator and denominator, shape (rows, 2)."""
    bottom = claim.measure if claim.per == TOTAL else claim.per
    return np.column_stack([measures[claim.measure], measures[bottom]]).astype(float)

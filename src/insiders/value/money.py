"""From a score to money: what customers at the same place of the order brought at earlier dates, with an interval.

A place is a share of the customers, so a score in any unit, or in none, can be told in money. Revenue rises with the
place (isotonic regression over bins of places, finer at the top), in sum it is that of the earlier periods.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.units import FITTED_DIGITS, LEVELS, round_off
from insiders.value.scores import rank_share

Values = NDArray[np.float64]

PLACES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)  # where bins meet, least first
SMALLEST = 30  # customers of all earlier dates in a bin; smaller ones are one with the bin below
TINY = 1e-4  # of the mean revenue: less is expected of nobody


class Past(NamedTuple):
    """The customers of an earlier date: the logarithm of each one's score there, and the revenue that followed."""

    log_score: Values
    next_revenue: Values


@dataclass(frozen=True)
class Money:
    """Knots of expected revenue and of the interval's ends (as multiples of it) over the logarithm of a score."""

    log_scores: Values
    log_revenue: Values
    multiples: Values  # shape (3, knots): of LEVELS
    level: float = 1.0  # what a season is expected to bring / what the earlier periods did

    @classmethod
    def fit(cls, past: Sequence[Past], log_score: Values) -> Self:
        """Learn at the `past` dates, for customers of another date with these scores."""
        places = np.concatenate([rank_share(each.log_score, each.log_score) for each in past])
        later = np.maximum(np.concatenate([each.next_revenue for each in past]), 0)
        edges = _edges(places)
        revenue = _rising(np.searchsorted(edges, places), later)
        multiples = _multiples(past, edges, revenue)
        own = cls(*_knots(log_score, edges, revenue), multiples)
        total = own._revenue(log_score).mean()
        return replace(own, log_revenue=own.log_revenue + np.log(max(later.mean(), TINY) / total))

    def expected(self, log_score: Values) -> pd.DataFrame:
        """`expected_revenue`, `expected_low` and `expected_high`: 80 % of the outcomes lie between the two last."""
        revenue = self._revenue(log_score) * self.level
        low, upper, high = (np.interp(log_score, self.log_scores, each) for each in self.multiples)
        figures = {
            "expected_revenue": revenue,
            "expected_low": np.minimum(low, 1) * revenue,
            "expected_high": np.maximum(np.where(low > 0, high, upper), 1) * revenue,
        }
        return pd.DataFrame({name: round_off(each, FITTED_DIGITS) for name, each in figures.items()})

    def _revenue(self, log_score: Values) -> Values:
        """Between knots a power of the score; above the last one in proportion to it."""
        above = np.maximum(log_score - self.log_scores[-1], 0)
        return np.exp(np.interp(log_score, self.log_scores, self.log_revenue) + above)


def _edges(places: Values) -> Values:
    """Where bins of at least SMALLEST customers meet, from the top down."""
    ordered, edges, above = np.sort(places), list[float](), len(places)
    for edge in reversed(PLACES):
        below = int(np.searchsorted(ordered, edge, side="right"))
        if above - below >= SMALLEST and below >= SMALLEST:
            edges.append(edge)
            above = below
    return np.array(edges[::-1])


def _rising(bins: NDArray[np.int64], later: Values) -> Values:
    """Mean revenue of each bin, made to rise (Ayer et al. 1955)."""
    from sklearn.isotonic import isotonic_regression

    counts = np.bincount(bins)
    means = np.bincount(bins, later) / np.maximum(counts, 1)
    rising = isotonic_regression(means, sample_weight=np.maximum(counts, TINY))
    return np.maximum(rising, max(TINY * later.mean(), TINY))


def _knots(log_score: Values, edges: Values, revenue: Values) -> tuple[Values, Values]:
    """Where the bins lie among these customers' scores; equal scores have one knot."""
    bins = np.searchsorted(edges, rank_share(log_score, log_score))
    present = np.unique(bins)
    middles = np.array([log_score[bins == each].mean() for each in present])
    return middles, np.log(revenue[present])


def _multiples(past: Sequence[Past], edges: Values, revenue: Values) -> Values:
    """Quantiles of revenue / its expectation in each bin, shape (levels, bins)."""
    bins = np.concatenate([np.searchsorted(edges, rank_share(each.log_score, each.log_score)) for each in past])
    expected = np.concatenate([_at_own_date(each, edges, revenue) for each in past])
    ratios = np.maximum(np.concatenate([each.next_revenue for each in past]), 0) / expected
    return np.array([np.quantile(ratios[bins == each], LEVELS) for each in range(len(revenue))]).T


def _at_own_date(past: Past, edges: Values, revenue: Values) -> Values:
    knots, logs = _knots(past.log_score, edges, revenue)
    return Money(knots, logs, np.ones((len(LEVELS), len(knots))))._revenue(past.log_score)

"""Foresight: how much of what customers do next their segment tells, out of time.

What a segment is expected to do is the mean of what its members did after an earlier date. Against it stands what its
members of the later date then did: R² of log(1 + net revenue), and of coming back. The level that all customers share
is left free: it is the season's, and no segment's.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders.evidence import groupings
from insiders.value.rankers import SMALL_TREES
from insiders.value.scores import rank_share

Values = NDArray[np.float64]
Labels = NDArray[np.int64]
Parts = Sequence[Values]  # of both outcomes each customer's part of R², which is the mean of these

NOTHING = 1e-9  # foresight of one group of all customers, but for rounding
RFM_CELLS, RFM_GROUPS, BOOSTING = "rfm_cells", "rfm_groups", "boosting"


class Foresight(NamedTuple):
    """R² of both outcomes, at most 1; 0 is what the mean of all customers tells, NaN where all did the same."""

    revenue: float  # of log(1 + net revenue)
    back: float  # of whether there was any net revenue

    @property
    def both(self) -> float:
        """Their mean, one figure of a segmentation: of the one that is known where everybody came back, or nobody."""
        known = [each for each in self if not math.isnan(each)]
        return math.fsum(known) / len(known) if known else math.nan


class Group(NamedTuple):
    """Customers as of a date: each one's segment, and the net revenue of the period that followed."""

    labels: Labels
    next_revenue: Values


def of_segments(before: Group, now: Group) -> Foresight:
    """Foresight of segments whose expectations come from the date `before`.

    One segmentation labels the customers of both dates. A segment without customers at the earlier date is expected to
    do what all did; whoever has no cluster is a segment of their own.
    """
    return of_parts(parts(before, now))


def parts(before: Group, now: Group) -> Parts:
    """What each customer of now adds to `of_segments(before, now)`."""
    return _parts(_expected(before, now), now.next_revenue)


def of_parts(parts: Parts) -> Foresight:
    return Foresight(*(float(each.mean()) for each in parts))


def by_customer(parts: Parts) -> Values:
    """Each customer's part of `of_parts(parts).both`, which is the mean of these; NaN where that is."""
    known = [each for each in parts if not np.isnan(each).any()]
    return np.asarray(np.mean(known or parts, axis=0))


def by_segment(before: Group, now: Group) -> pd.DataFrame:
    """What each segment foretold, and what came: one row per label of `now`.

    `expected_revenue` and `expected_back` are the mean net revenue, and the share with any, of those in the segment at
    the earlier date; `revenue` and `back` of those in it now.
    """
    labels, sizes = np.unique(now.labels, return_counts=True)
    return pd.DataFrame(
        {
            "cluster": labels,
            "customers": sizes,
            "customer_share": sizes / len(now.labels),
            "expected_revenue": _means(before.labels, before.next_revenue, labels),
            "revenue": _means(now.labels, now.next_revenue, labels),
            "expected_back": _means(before.labels, outcomes(before.next_revenue)[1], labels),
            "back": _means(now.labels, outcomes(now.next_revenue)[1], labels),
        }
    )


def of_boosting(before: pd.DataFrame, now: pd.DataFrame, features: tuple[str, ...], seed: int) -> Foresight:
    """Foresight of gradient boosting on all features, as ranks within their date: what a black box reaches.

    Both tables have the features and `next_revenue`.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    known, asked = (_ranks(customers, features) for customers in (before, now))
    expected = []
    with threadpool_limits(1):  # the last bits of a sum depend on the number of threads
        for did in outcomes(before["next_revenue"].to_numpy()):
            model = HistGradientBoostingRegressor(**SMALL_TREES, early_stopping=False, random_state=seed)
            expected.append(model.fit(known, did).predict(asked))
    return of_parts(_parts(expected, now["next_revenue"].to_numpy()))


def of_plain_groups(before: pd.DataFrame, now: pd.DataFrame) -> dict[str, Foresight]:
    """Foresight of RFM's 125 cells and of its named groups."""
    ways = {RFM_CELLS: groupings.rfm_cells, RFM_GROUPS: groupings.rfm_groups}
    return {
        name: of_segments(*(Group(group(each), each["next_revenue"].to_numpy()) for each in (before, now)))
        for name, group in ways.items()
    }


def of_quantiles(before: tuple[Values, Values], now: tuple[Values, Values], count: int) -> Foresight:
    """Foresight of so many quantiles of a score; of both dates the score and the net revenue that followed."""
    return of_segments(*(Group(groupings.quantiles(score, count), later) for score, later in (before, now)))


def mean(by_origin: Iterable[Foresight]) -> float:
    """Mean over the origins of what was foretold of both outcomes."""
    return float(np.mean([each.both for each in by_origin]))


def lift(own: float, other: float) -> float:
    """Mean foresight / that of another way; NaN where the other one tells nothing."""
    return own / other if other > NOTHING else float("nan")


def measures(by_origin: Mapping[str, Foresight]) -> dict[str, float]:
    """Foresight at each origin, and its mean and least over them, by the names that a trial's measures have."""
    both = {origin: each.both for origin, each in by_origin.items()}
    return {
        **{f"foresight_{origin}": figure for origin, figure in both.items()},
        "foresight_mean": float(np.mean(list(both.values()))),
        "foresight_min": min(both.values()),
        "foresight_revenue_mean": float(np.mean([each.revenue for each in by_origin.values()])),
        "foresight_back_mean": float(np.mean([each.back for each in by_origin.values()])),
    }


def outcomes(next_revenue: Values) -> tuple[Values, Values]:
    """What is foretold of each customer: log(1 + net revenue), refunds taken as 0, and 1 for coming back, else 0."""
    return np.log1p(np.maximum(next_revenue, 0)), (next_revenue > 0).astype(float)


def _expected(before: Group, now: Group) -> list[Values]:
    """Of each customer of now, what their segment did before: both outcomes."""
    return [_means(before.labels, did, now.labels) for did in outcomes(before.next_revenue)]


def _means(labels: Labels, did: Values, asked: Labels) -> Values:
    """Mean of the group of each of those asked; of all where nobody was in it."""
    known, place = np.unique(labels, return_inverse=True)
    means = np.bincount(place, did) / np.bincount(place)
    found = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[found] == asked, means[found], did.mean())


def _parts(expected: list[Values], next_revenue: Values) -> Parts:
    return [_part(*each) for each in zip(expected, outcomes(next_revenue), strict=True)]


def _part(expected: Values, did: Values) -> Values:
    """1 - squared error / variance of the outcome: errors are seen from their mean, so the level is free."""
    spread, errors = float(did.var()), did - expected
    return 1 - (errors - errors.mean()) ** 2 / spread if spread > 0 else np.full(len(did), np.nan)


def _ranks(customers: pd.DataFrame, features: tuple[str, ...]) -> Values:
    columns = [customers[name].to_numpy(dtype=float) for name in features]
    return np.column_stack([rank_share(column, column) for column in columns])

"""Learned scores: trees that learn at earlier dates what customers brought next, and that no purchase can lower.

A customer is seen by their ranks among all of one date: what is much at a young shop is little a year later. The ranks
of the date of the fit are kept, so that a customer whom it has not seen has the same score alone or among a million.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
import pandas as pd
from cachetools import LRUCache, cached
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders.units import FITTED_DIGITS, evenly_spaced, round_off
from insiders.value.scores import Values, rank_share

BOOSTING, TREES = "boosting", "trees"

# Column -> 1 where a purchase raises it, -1 where it lowers it, 0 where it does not touch it. What it may move either
# way, as the value of an order, is left out. The trees are bound to these directions.
TRAITS = {
    "recency_days": -1,
    "tenure_days": 0,
    "order_count": 1,
    "orders_per_month": 1,
    "order_count_90d": 1,
    "gross_revenue": 1,
    "net_revenue": 1,
    "net_revenue_90d": 1,
    "net_revenue_180d": 1,
    "net_revenue_365d": 1,
    "faded_revenue": 1,
    "distinct_product_count": 1,
}
# Of boosting. Small trees and slow learning, since a few thousand customers are few: on four shops scikit-learn's own
# settings foretold 0.75 to 1.07 of what RFM's cells do, these 1.13 to 1.25, the most of six settings.
SMALL_TREES = {"max_iter": 100, "learning_rate": 0.05, "max_leaf_nodes": 4, "min_samples_leaf": 30}
KEPT = 32  # fitted trees, by what they learned: a stage asks for the same ones again and again
STEPS = 1000  # customers of a date whose figures are kept, evenly spaced by rank

Grid = Mapping[str, Values]


def grid(customers: pd.DataFrame, columns: Sequence[str]) -> dict[str, Values]:
    """The figures of STEPS customers (or all) of each column, in rising order: what ranks are read off."""
    chosen = evenly_spaced(len(customers), STEPS)
    return {name: np.sort(customers[name].to_numpy(dtype=float))[chosen] for name in columns}


@dataclass(frozen=True)
class Ranker:
    """Trees fitted at earlier dates, with the figures of the date whose customers it ranks."""

    trees: Any
    grid: Grid

    def score(self, customers: pd.DataFrame) -> Values:
        """Higher is better; in no unit."""
        with threadpool_limits(1):  # the last bits of a sum depend on the number of threads
            return round_off(self.trees.predict(_ranks(customers, self.grid)), FITTED_DIGITS)


def fit(name: str, now: pd.DataFrame, past: Sequence[pd.DataFrame], seed: int) -> Ranker:
    """Learn from what followed each of the `past` dates (with `next_revenue`), to rank those of `now`."""
    ranks = np.vstack([_ranks(each, grid(each, list(TRAITS))) for each in past])
    later = np.maximum(np.concatenate([each["next_revenue"].to_numpy(dtype=float) for each in past]), 0)
    order = np.lexsort([later, *ranks.T])  # the trees of equal customers do not depend on how these were sorted
    return Ranker(_grown(name, ranks[order], later[order], seed), grid(now, list(TRAITS)))


@cached(LRUCache(KEPT), key=lambda *learned: joblib.hash(learned))
def _grown(name: str, ranks: Values, later: Values, seed: int) -> Any:
    with threadpool_limits(1):
        return FITS[name](ranks, later, seed)


def cross_scores(name: str, past: pd.DataFrame, seed: int) -> Values:
    """Scores of a past date's customers, each by trees that learned from the other half of them."""
    order = np.lexsort([past["next_revenue"], *(past[trait] for trait in TRAITS)])
    halves = np.empty(len(past), dtype=int)
    halves[order] = np.arange(len(past)) % 2
    scores = np.empty(len(past))
    for half in (0, 1):
        scores[halves == half] = fit(name, past, [past[halves != half]], seed).score(past[halves == half])
    return scores


def _ranks(customers: pd.DataFrame, known: Grid) -> NDArray[np.float64]:
    columns = [rank_share(customers[name].to_numpy(dtype=float), known[name]) for name in TRAITS]
    return np.column_stack(columns)


def _boosting(ranks: Values, later: Values, seed: int) -> Any:
    """Revenue as a Poisson quasi-likelihood sees it: its mean, where squares would follow the largest wholesaler."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(
        loss="poisson",
        **SMALL_TREES,
        monotonic_cst=list(TRAITS.values()),
        early_stopping=False,
        random_state=seed,
    )
    unit = later.mean() or 1.0
    return model.fit(ranks, later / unit if later.any() else np.ones(len(later)))


def _trees(ranks: Values, later: Values, seed: int) -> Any:
    """Extremely randomised trees on log(1 + revenue), the unit being a hundredth of the typical one."""
    from sklearn.ensemble import ExtraTreesRegressor

    unit = np.median(later[later > 0]) / 100 if later.any() else 1.0
    model = ExtraTreesRegressor(
        100, min_samples_leaf=20, monotonic_cst=list(TRAITS.values()), random_state=seed, n_jobs=-1
    )
    # They grow side by side, each by a seed of its own, and are asked one after the other: a sum has one order.
    return model.fit(ranks, np.log1p(later / unit)).set_params(n_jobs=None)


FITS: dict[str, Callable[[Values, Values, int], Any]] = {BOOSTING: _boosting, TREES: _trees}

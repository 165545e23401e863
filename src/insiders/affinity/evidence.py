"""How good recommendations were later: by them the recipe is chosen on one period, and judged once on the next."""

from collections.abc import Mapping, Sequence
from datetime import date
from math import fsum
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.affinity import scores
from insiders.affinity.neighbours import near
from insiders.affinity.scores import DIGITS, NOTHING, SHOWN, Popularity, Recipe
from insiders.affinity.space import Floats, Integers, Matrix, Space, space
from insiders.units import CONFIDENCE

RESAMPLES = 1000
TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)  # of the interval of a ratio
UNDECIDED: Mapping[str, Any] = {"ratio": None, "ratio_low": None, "ratio_high": None, "verdict": "undecided"}


class Wanted(NamedTuple):
    """What customers bought in a period and had never bought before it."""

    rows: Integers  # customers of the space who bought anything new to them
    places: Integers  # position in `rows` x m + product, of what the space holds, sorted
    counts: Integers  # products new to each of them; those that the space does not hold count too


class Measures(NamedTuple):
    """Of the first SHOWN products, per customer; the coverage of all."""

    hit: Floats  # 1 where at least one was bought
    recall: Floats  # those bought, by all that were new to the customer
    ndcg: Floats  # those bought, less the further down, by the best possible
    coverage: float  # products shown to anybody, by those on sale


def wanted(bought: pd.DataFrame, known: Space, start: date, end: date) -> Wanted:
    """What the customers of the space bought for the first time from `start` until before `end`."""
    day = bought["bought_on"].to_numpy("datetime64[D]")
    pairs = bought.loc[(day >= np.datetime64(start)) & (day < np.datetime64(end)), ["customer_id", "product_code"]]
    pairs = pairs.drop_duplicates()
    who = pd.Index(known.customers).get_indexer(pairs["customer_id"])
    what = pd.Index(known.products).get_indexer(pairs["product_code"])
    size = len(known.products)
    new = (who >= 0) & ~((what >= 0) & _among(who * size + what, _places(known.bought)))
    counts = np.bincount(who[new], minlength=len(known.customers))
    rows, held = np.flatnonzero(counts), new & (what >= 0)
    return Wanted(rows, np.sort(np.searchsorted(rows, who[held]) * size + what[held]), counts[rows])


def _places(matrix: Matrix) -> Integers:
    """Row x columns + column of every entry, sorted."""
    entries = matrix.tocoo()
    return entries.row.astype(np.int64) * matrix.shape[1] + entries.col


def measures(shown: Integers, later: Wanted, known: Space) -> Measures:
    """Hold what was shown to the customers of `later` against what they bought."""
    place = np.arange(len(shown))[:, None] * len(known.products) + shown
    right = _among(place, later.places) & (shown != NOTHING)
    worth = 1 / np.log2(np.arange(2, SHOWN + 2))
    ideal = np.cumsum(worth)[np.minimum(later.counts, SHOWN) - 1]
    return Measures(
        hit=right.any(axis=1).astype(float),
        recall=right.sum(axis=1) / later.counts,
        ndcg=(right * worth).sum(axis=1) / ideal,
        coverage=len(np.unique(shown[shown != NOTHING])) / max(int(known.on_sale.sum()), 1),
    )


def _among(values: Integers, ordered: Integers) -> NDArray[np.bool_]:
    """Which values stand in `ordered`: a search, many times as fast as numpy's isin where that is long."""
    return np.searchsorted(ordered, values, "right") > np.searchsorted(ordered, values, "left")


class Choice(NamedTuple):
    recipe: Recipe
    filler: Popularity
    tried: Sequence[Mapping[str, Any]]  # each recipe and the recall that it reached


def choose(bought: pd.DataFrame, start: date, end: date, on_sale_days: int) -> Choice:
    """Pick the recipe and the popularity with the best recall of the period's new products.

    The first of each where nobody who was known before the period bought anything new: then there is no choice.
    """
    known = space(bought, start, on_sale_days)
    later = wanted(bought, known, start, end)
    if not len(later.rows):
        return Choice(scores.RECIPES[0], scores.POPULARITIES[0], [])
    popular = [mean(_tested(scores.fit(known, None, each), known, later).recall) for each in scores.POPULARITIES]
    filler = scores.POPULARITIES[int(np.argmax(popular))]
    neighbours = {damping: near(known, damping=damping) for damping in (True, False)}
    models = (scores.fit(known, each, filler, neighbours[each.damping]) for each in scores.RECIPES)
    reached = [mean(_tested(model, known, later).recall) for model in models]
    tried = [{**recipe._asdict(), "recall": recall} for recipe, recall in zip(scores.RECIPES, reached, strict=True)]
    return Choice(scores.RECIPES[int(np.argmax(reached))], filler, tried)


def _tested(model: scores.Model, known: Space, later: Wanted) -> Measures:
    return measures(scores.ranked(model, known, later.rows), later, known)


def mean(values: Floats) -> float:
    """The same in any order of the values."""
    return round(fsum(values) / len(values), DIGITS)


def evaluate(known: Space, later: Wanted, choice: Choice, seed: int) -> Mapping[str, Any]:
    """What the chosen recipe reached in a later period, beside the popularity that turned out strongest in it."""
    size = {"tested": len(later.rows), "shown": SHOWN, "on_sale": int(known.on_sale.sum())}
    if not len(later.rows):
        return {**size, "new_products": None, "neighbours": None, "popularity": None, **UNDECIDED}
    ours = _tested(scores.fit(known, choice.recipe, choice.filler), known, later)
    rivals = [_tested(scores.fit(known, None, each), known, later) for each in scores.POPULARITIES]
    best = int(np.argmax([mean(rival.recall) for rival in rivals]))
    return {
        **size,
        "new_products": float(np.median(later.counts)),
        "neighbours": _summary(ours),
        "popularity": {**scores.POPULARITIES[best]._asdict(), **_summary(rivals[best])},
        **compared(ours.recall, rivals[best].recall, seed),
    }


def _summary(reached: Measures) -> dict[str, float]:
    parts = {"hit_rate": reached.hit, "recall": reached.recall, "ndcg": reached.ndcg}
    return {**{name: mean(values) for name, values in parts.items()}, "coverage": reached.coverage}


def compared(ours: Floats, theirs: Floats, seed: int) -> Mapping[str, Any]:
    """Ratio of two mean recalls of the same customers, its 95 % bootstrap interval, and the verdict that it allows."""
    if not fsum(theirs):
        return UNDECIDED
    rng, order = np.random.default_rng(seed), np.lexsort((theirs, ours))  # no name decides who is drawn
    pairs = np.stack([ours, theirs])[:, order]
    sums = np.array([pairs[:, rng.integers(len(order), size=len(order))].sum(axis=1) for _ in range(RESAMPLES)])
    drawn = np.divide(sums[:, 0], sums[:, 1], out=np.full(RESAMPLES, np.inf), where=sums[:, 1] > 0)
    low, high = np.quantile(drawn, TAILS, method="inverted_cdf").round(DIGITS).tolist()
    verdict = "better" if low > 1 else "worse" if high < 1 else "undecided"
    return {"ratio": round(fsum(ours) / fsum(theirs), DIGITS), "ratio_low": low, "ratio_high": high, "verdict": verdict}

"""What each customer is shown: products new to them and on sale, by neighbours of what they bought or by popularity."""

from itertools import product as combinations
from typing import NamedTuple

import numpy as np

from insiders.affinity.neighbours import near
from insiders.affinity.space import Floats, Integers, Matrix, Space, begins, buyers

SHOWN = 10  # products shown to a customer, and counted by every measure
NOTHING = -1  # in place of a product, where there are fewer to show
TREND_DAYS = 30  # a product's recent buyers, against all of its buyers
TREND_SUPPORT = 5  # typical buyers added on both sides: a rare product shows no trend
CHUNK = 250  # customers ranked at a time: their scores fit into a processor's cache
DIGITS = 9  # scores that agree so far are equal


class Recipe(NamedTuple):
    """Score by what the same customers buy."""

    damping: bool  # those who buy much count less
    fade_days: float | None  # half-life of a purchase's weight; None: old ones count like new ones
    trend: float  # power of the product's trend; 0: none


class Popularity(NamedTuple):
    """Score by how many customers bought the product lately."""

    days: int | None  # None: ever


# What is tried; of equals the first is taken.
RECIPES = tuple(Recipe(*each) for each in combinations((True, False), (None, 60.0), (0.0, 0.5)))
POPULARITIES = tuple(Popularity(days) for days in (30, 7, 14, 90, None))


class Model(NamedTuple):
    """Score of customer x common product: `weights @ neighbours`, by the trend of each; `filler` where that is 0."""

    weights: Matrix  # n x m
    neighbours: Matrix  # m x m
    trend: Floats  # m
    filler: Floats  # m, from 0 to below 1


def fit(known: Space, recipe: Recipe | None, filler: Popularity, neighbours: Matrix | None = None) -> Model:
    """Score by one recipe, or by popularity alone; `neighbours` saves asking for them again."""
    from scipy import sparse

    common = known.common
    size = len(common.products)
    popular = buyers(common, filler.days) / (len(common.customers) + 1)
    if recipe is None:
        return Model(common.bought, sparse.csr_array((size, size)), np.ones(size), popular)
    found = near(known, damping=recipe.damping) if neighbours is None else neighbours
    return Model(_faded(common, recipe.fade_days), found, _trend(common) ** recipe.trend, popular)


def _faded(known: Space, half_life: float | None) -> Matrix:
    if half_life is None:
        return known.bought.astype(float)
    faded = known.age_days.copy()
    faded.data = 0.5 ** (faded.data / half_life)
    return faded


def _trend(known: Space) -> Floats:
    """How many of its buyers bought the product lately, drawn towards the part that is usual in the shop."""
    recent, ever = buyers(known, TREND_DAYS), buyers(known)
    usual = recent.sum() / ever.sum()
    return (recent + TREND_SUPPORT * usual) / (ever + TREND_SUPPORT)


def ranked(model: Model, known: Space, rows: Integers) -> Integers:
    """Best products of each customer (columns of the space), len(rows) x SHOWN, the best first."""
    common, sold = known.common, np.flatnonzero(known.common.on_sale)
    if not model.neighbours.nnz:
        return _most_popular(model.filler, common, rows)
    shop = model._replace(neighbours=model.neighbours[:, sold], trend=model.trend[sold], filler=model.filler[sold])
    bought, parts = common.bought[:, sold], [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
    best = [_best(_scores(shop, bought, part)) for part in parts]
    return np.append(sold, NOTHING)[np.concatenate([np.empty((0, SHOWN), np.int64), *best])]


def _most_popular(popular: Floats, known: Space, rows: Integers) -> Integers:
    """What `_best` makes of popularity alone: the same order for everybody, less what each of them has bought.

    A bought product that stands at place p behind j other bought ones has p - j new ones before it. So before the k-th
    new one (from 0) stand those bought ones that have at most k new ones before them.
    """
    order = np.flatnonzero(known.on_sale)
    order = order[np.argsort(-popular[order], kind="stable")]
    bought = known.bought[rows][:, order].sorted_indices()
    new_before = bought.indices - (np.arange(bought.nnz) - np.repeat(bought.indptr[:-1], np.diff(bought.indptr)))
    row, near = np.repeat(np.arange(len(rows)), np.diff(bought.indptr)), new_before < SHOWN
    skipped = np.bincount(row[near] * SHOWN + new_before[near], minlength=len(rows) * SHOWN).reshape(-1, SHOWN)
    place = np.arange(SHOWN) + skipped.cumsum(axis=1)
    return np.asarray(np.append(order, NOTHING)[np.minimum(place, len(order))])


def _scores(model: Model, bought: Matrix, rows: Integers) -> Floats:
    """Neighbours first, then what is popular; minus infinity for what the customer has bought."""
    from sklearn.utils.extmath import safe_sparse_dot

    # Written into a dense array: a customer's score is above 0 for most products, and SciPy's sparse one costs thrice.
    likely = safe_sparse_dot(model.weights[rows], model.neighbours, dense_output=True)
    likely *= model.trend
    np.round(likely, DIGITS, out=likely)
    scores = np.where(likely > 0, likely, model.filler - 1)
    scores[bought[rows].nonzero()] = -np.inf
    return scores


def _best(scores: Floats) -> Integers:
    """Columns of the highest scores; of equal ones the first, which has more buyers."""
    shown, count = np.full((len(scores), SHOWN), NOTHING), min(SHOWN, scores.shape[1])
    least = np.partition(scores, -count, axis=1)[:, -count, None]
    row, column = np.divmod(np.flatnonzero((scores >= least) & np.isfinite(scores)), scores.shape[1])
    order = np.lexsort((column, -scores[row, column], row))
    row, column = row[order], column[order]
    first = begins(row)
    rank = np.arange(len(row)) - np.flatnonzero(first)[np.cumsum(first) - 1]
    shown[row[rank < SHOWN], rank[rank < SHOWN]] = column[rank < SHOWN]
    return shown


def reasons(model: Model, rows: Integers, products: Integers) -> Integers:
    """Per pair of customer and product the bought column that adds most to the score; NOTHING where none does."""
    speaking, size = model.neighbours.T.tocsr(), CHUNK * SHOWN
    parts = [slice(start, start + size) for start in range(0, len(rows), size)]
    added = (speaking[products[part]].multiply(model.weights[rows[part]]) for part in parts)
    return np.concatenate([np.empty(0, np.int64), *(_largest(each) for each in added)])


def _largest(added: Matrix) -> Integers:
    """Column of each row's largest entry (of equal ones the first), NOTHING in a row without."""
    entries = added.tocoo()
    order = np.lexsort((entries.col, -np.round(entries.data, DIGITS), entries.row))
    rows, columns = entries.row[order], entries.col[order]
    largest, first = np.full(added.shape[0], NOTHING), begins(rows)
    largest[rows[first]] = columns[first]
    return largest

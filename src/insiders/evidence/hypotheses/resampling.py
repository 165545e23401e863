"""Intervals and p-values by drawing customers again, and by dealing out anew who is on the list.

What is compared is always a ratio of sums (revenue per customer, returns per revenue, part of a total) with a number,
or with the same ratio of other customers.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

Values = NDArray[np.float64]
Rows = NDArray[np.intp]

BLOCKS = 5000  # larger groups are dealt into so many blocks, and blocks are drawn: the same spread at a bounded cost
CHUNK = 2_000_000  # draws held in memory at once
SAME = 1e-9  # relative difference below which two statistics count as equal: sums in another order


class Contrast(NamedTuple):
    """Cells of shape (rows, 4): numerator and denominator of the list, then of those that it is compared with.

    Rows of a stratum are drawn among themselves. With a `value` the list is compared with that number.
    """

    cells: Values
    strata: tuple[Rows, ...]
    value: float | None


class Estimate(NamedTuple):
    """`effect` = `listed` - `against`, with its interval, and the p-values that it is above or below nothing."""

    listed: float
    against: float
    effect: float
    low: float = math.nan
    high: float = math.nan
    above: float = math.nan
    below: float = math.nan


def estimate(contrast: Contrast, level: float, resamples: int, seed: int) -> Estimate:
    """Bias-corrected and accelerated bootstrap (Efron 1987, doi 10.2307/2289144); NaN where a denominator is 0.

    The p-values invert the interval: `above` is the error rate at which the one-sided interval just reaches 0.
    """
    strata = tuple(_blocks(contrast.cells[rows]) for rows in contrast.strata)
    sums = sum(each.sum(axis=0) for each in strata)
    listed, against = (float(each[0]) for each in _ratios(sums[None, :], contrast.value))
    effect = listed - against
    if math.isnan(effect):
        return Estimate(listed, against, effect)
    drawn = _drawn(strata, resamples, seed)
    effects = np.subtract(*_ratios(drawn, contrast.value))
    effects = np.sort(effects[~np.isnan(effects)])
    bent = _acceleration(strata, sums, listed, against, contrast.value)
    shift = float(norm.ppf(_share_below(effects, effect)))
    low, high = (_quantile(effects, _adjusted(q, shift, bent)) for q in ((1 - level) / 2, (1 + level) / 2))
    least = 1 / (resamples + 1)  # so many draws tell no smaller error rate
    above = min(max(_inverted(_share_below(effects, 0.0), shift, bent), least), 1 - least)
    return Estimate(listed, against, effect, low, high, above, 1 - above)


def permuted(columns: Values, size: int, observed: Rows, rounds: int, seed: int) -> tuple[float, float]:
    """p-values that the ratio of the `observed` rows is above, below that of the others: the list dealt out by lot.

    `columns`: numerator and denominator of every row. The difference is divided by its standard error, so that the
    test also holds where both groups have the same ratio and another spread (Chung and Romano 2013, doi
    10.1214/13-AOS1090).
    """
    x, y = columns.T
    products = np.column_stack([x, y, x * x, x * y, y * y])
    total, rng = products.sum(axis=0), np.random.default_rng(seed)
    draws = (rng.choice(len(x), size, replace=False, shuffle=False) for _ in range(rounds))
    lots = np.array([products[rows].sum(axis=0) for rows in draws])
    own = products[observed].sum(axis=0)[None, :]
    sizes = size, len(x) - size
    return _ranked(float(_studentised(own, total - own, sizes)[0]), _studentised(lots, total - lots, sizes))


def swapped(cells: Values, rounds: int, seed: int) -> tuple[float, float]:
    """The same for pairs, shape (pairs, 4) as in Contrast: by lot, the two of a pair change places."""
    flips = np.random.default_rng(seed).random((rounds, len(cells))) < 0.5  # noqa: PLR2004 - a fair coin
    everyone = np.vstack([np.zeros((1, len(cells)), bool), flips])
    x, y, u, v = (np.where(everyone, cells[:, swap], cells[:, keep]) for keep, swap in ((0, 2), (1, 3), (2, 0), (3, 1)))
    tops, bottoms = (x.sum(axis=1), u.sum(axis=1)), (y.sum(axis=1), v.sum(axis=1))
    one, other = (_divide(top, bottom)[:, None] for top, bottom in zip(tops, bottoms, strict=True))
    spread = _divide(x - one * y, bottoms[0][:, None]) - _divide(u - other * v, bottoms[1][:, None])
    found = _divide((one - other)[:, 0], np.sqrt((spread**2).sum(axis=1)))
    return _ranked(float(found[0]), found[1:])


def _blocks(cells: Values) -> Values:
    """Sums of blocks of rows, whose order is by lot; the rows themselves where there are few."""
    if len(cells) <= BLOCKS:
        return cells
    starts = np.linspace(0, len(cells), BLOCKS, endpoint=False).astype(np.intp)
    return np.add.reduceat(cells, starts, axis=0)


def _drawn(strata: tuple[Values, ...], resamples: int, seed: int) -> Values:
    """Sums of the cells in each resample, shape (resamples, 4)."""
    rng = np.random.default_rng(seed)
    total = np.zeros((resamples, strata[0].shape[1]))
    for cells in strata:
        step = max(1, CHUNK // max(len(cells), 1))
        for start in range(0, resamples, step):
            rounds = min(step, resamples - start)
            total[start : start + rounds] += cells[rng.integers(len(cells), size=(rounds, len(cells)))].sum(axis=1)
    return total


def _ratios(sums: Values, value: float | None) -> tuple[Values, Values]:
    listed = _divide(sums[:, 0], sums[:, 1])
    return listed, np.full_like(listed, value) if value is not None else _divide(sums[:, 2], sums[:, 3])


def _acceleration(
    strata: tuple[Values, ...], sums: Values, listed: float, against: float, value: float | None
) -> float:
    """Skewness of what each row contributes to the effect, over six (Efron and Tibshirani 1993, section 14.3)."""
    influences = []
    for cells in strata:
        pull = (cells[:, 0] - listed * cells[:, 1]) / sums[1]
        if value is None:
            pull = pull - (cells[:, 2] - against * cells[:, 3]) / sums[3]
        influences.append(pull - pull.mean())
    pulls = np.concatenate(influences)
    squares = float((pulls**2).sum())
    return float((pulls**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0


def _share_below(ordered: Values, value: float) -> float:
    """Share of the draws below the value, equal ones by half; never quite 0 or 1, however few the draws."""
    near = SAME * max(abs(value), float(np.abs(ordered).max(initial=0.0)))
    below, not_above = int((ordered < value - near).sum()), int((ordered <= value + near).sum())
    least = 1 / (len(ordered) + 1)
    return float(np.clip((below + not_above) / 2 / max(len(ordered), 1), least, 1 - least))


def _adjusted(q: float, shift: float, bent: float) -> float:
    moved = shift + float(norm.ppf(q))
    return float(norm.cdf(shift + moved / max(1 - bent * moved, SAME)))


def _inverted(share: float, shift: float, bent: float) -> float:
    """The q at which `_adjusted` gives this share."""
    moved = float(norm.ppf(share)) - shift
    return float(norm.cdf(moved / max(1 + bent * moved, SAME) - shift))


def _quantile(ordered: Values, q: float) -> float:
    return float(np.quantile(ordered, q)) if len(ordered) else math.nan


def _studentised(own: Values, rest: Values, sizes: tuple[int, int]) -> Values:
    """Difference of two ratios over its standard error, from the sums of x, y, x², xy and y² of either side."""
    ratios, errors = [], []
    for sums, size in zip((own, rest), sizes, strict=True):
        x, y, xx, xy, yy = sums.T
        ratio = _divide(x, y)
        squares = np.maximum(xx - 2 * ratio * xy + ratio**2 * yy, 0)
        ratios.append(ratio)
        errors.append(_divide(squares * size / max(size - 1, 1), y**2))
    return _divide(ratios[0] - ratios[1], np.sqrt(errors[0] + errors[1]))


def _ranked(observed: float, lots: Values) -> tuple[float, float]:
    """How often chance does at least as well; a lot in which nothing can be said counts for chance on both sides."""
    if math.isnan(observed):
        return math.nan, math.nan
    near = SAME * max(abs(observed), 1.0)
    mute = np.isnan(lots)
    above, below = (mute | (side * lots >= side * observed - near) for side in (1, -1))
    return float((1 + above.sum()) / (1 + len(lots))), float((1 + below.sum()) / (1 + len(lots)))


def _divide(part: Values, whole: Values) -> Values:
    """NaN where the whole is not positive."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)

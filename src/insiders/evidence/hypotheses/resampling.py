"""Bootstrap intervals by drawing customers again, and permutation p-values by drawing lists at random.

The statistic is always a ratio of sums (revenue per customer, returns per revenue, part of a total), compared with a
number or with the same ratio of other customers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri  # scipy.stats has the same two, and takes a second to import

from insiders.units import round_off

Values = NDArray[np.float64]
Rows = NDArray[np.intp]
Counts = NDArray[np.uint16]

BLOCKS = 5000  # larger strata are summed up in so many blocks, and blocks are drawn: the same spread, a bounded cost
CHUNK = 2_000_000  # draws held in memory at once
SAME = 1e-9  # relative difference below which two statistics count as equal: sums in another order


@dataclass(frozen=True)
class Resampling:
    """Confidence level of the intervals, number of resamples, seed; the units stand in params.yaml."""

    level: float
    resamples: int
    seed: int


class Contrast(NamedTuple):
    """Cells of shape (rows, 4): numerator and denominator of the list, then of those that it is compared with.

    Rows of a stratum are drawn among themselves. With a `value` the list is compared with that number.
    """

    cells: Values
    strata: tuple[Rows, ...]
    value: float | None


class Estimate(NamedTuple):
    """`effect` = `listed` - `against`, with its interval, and the p-values of "it is above 0" and "it is below 0"."""

    listed: float
    against: float
    effect: float
    low: float = math.nan
    high: float = math.nan
    above: float = math.nan
    below: float = math.nan


class _Bca(NamedTuple):
    """Corrections of the bootstrap: `bias` in standard deviations, and `acceleration`."""

    bias: float
    acceleration: float


def estimate(contrast: Contrast, resampling: Resampling) -> Estimate:
    """Bias-corrected and accelerated bootstrap (Efron 1987, doi 10.2307/2289144); NaN where a denominator is 0.

    The p-values invert the interval: `above` is the error rate at which the one-sided interval just reaches 0.
    """
    strata = tuple(_blocks(contrast.cells[rows]) for rows in contrast.strata)
    sums = sum(each.sum(axis=0) for each in strata)
    listed, against = (float(each[0]) for each in _ratios(sums[None, :], contrast.value))
    effect = listed - against
    if math.isnan(effect):
        return Estimate(listed, against, effect)
    effects = np.subtract(*_ratios(_resampled_sums(strata, resampling), contrast.value))
    effects = np.sort(effects[~np.isnan(effects)])
    bca = _Bca(
        bias=float(ndtri(_share_below(effects, effect))),
        acceleration=_acceleration(_influences(strata, sums, listed, None if contrast.value is not None else against)),
    )
    tails = (1 - resampling.level) / 2, (1 + resampling.level) / 2
    low, high = (_quantile(effects, _corrected(tail, bca)) for tail in tails)
    least = 1 / (resampling.resamples + 1)  # the smallest error rate that so many draws can show
    above = min(max(_uncorrected(_share_below(effects, 0.0), bca), least), 1 - least)
    low, high, above = round_off([low, high, above]).tolist()
    return Estimate(listed, against, effect, low, high, above, 1 - above)


def permutation_test(columns: Values, is_listed: NDArray[np.bool_], resampling: Resampling) -> tuple[float, float]:
    """One-sided p-values that the list's ratio is above, and below, that of the others: lists drawn at random.

    `columns`: numerator and denominator of every row. The difference is divided by its standard error, so that the
    test also holds where both groups have the same ratio and another spread (Chung and Romano 2013, doi
    10.1214/13-AOS1090).
    """
    x, y = columns.T
    products = np.column_stack([x, y, x * x, x * y, y * y])
    total, rng = products.sum(axis=0), np.random.default_rng(resampling.seed)
    size = int(is_listed.sum())
    lists = (rng.choice(len(x), size, replace=False, shuffle=False) for _ in range(resampling.resamples))
    sums = np.array([products[rows].sum(axis=0) for rows in lists])
    observed = products[np.flatnonzero(is_listed)].sum(axis=0)[None, :]
    sizes = size, len(x) - size
    return _p_values(float(_studentised(observed, total - observed, sizes)[0]), _studentised(sums, total - sums, sizes))


def paired_permutation_test(cells: Values, resampling: Resampling) -> tuple[float, float]:
    """The same for pairs, shape (pairs, 4) as in Contrast: at random, the two of a pair change places."""
    shape = resampling.resamples, len(cells)
    coins = np.random.default_rng(resampling.seed).random(shape) < 0.5  # noqa: PLR2004 - a fair coin
    swaps = np.vstack([np.zeros((1, len(cells)), bool), coins])  # first the pairs as they are
    x, y, u, v = (np.where(swaps, cells[:, swap], cells[:, keep]) for keep, swap in ((0, 2), (1, 3), (2, 0), (3, 1)))
    tops, bottoms = (x.sum(axis=1), u.sum(axis=1)), (y.sum(axis=1), v.sum(axis=1))
    one, other = (_divide(top, bottom)[:, None] for top, bottom in zip(tops, bottoms, strict=True))
    residuals = _divide(x - one * y, bottoms[0][:, None]) - _divide(u - other * v, bottoms[1][:, None])
    statistics = _divide((one - other)[:, 0], np.sqrt((residuals**2).sum(axis=1)))
    return _p_values(float(statistics[0]), statistics[1:])


def none_if_nan(value: float) -> float | None:
    """As JSON has it."""
    return None if math.isnan(value) else value


def _blocks(cells: Values) -> Values:
    """Sums of blocks of rows, whose order is random; the rows themselves where there are few."""
    if len(cells) <= BLOCKS:
        return cells
    starts = np.linspace(0, len(cells), BLOCKS, endpoint=False).astype(np.intp)
    return np.add.reduceat(cells, starts, axis=0)


def _resampled_sums(strata: Sequence[Values], resampling: Resampling) -> Values:
    """Sums of the cells in each resample, shape (resamples, 4)."""
    counts = _counts(tuple(map(len, strata)), resampling)
    return np.sum([_weighted_sums(*each) for each in zip(counts, strata, strict=True)], axis=0)


def _weighted_sums(counts: Counts, cells: Values) -> Values:
    step = max(1, CHUNK // len(cells))
    parts = [counts[start : start + step] @ cells for start in range(0, len(counts), step)]
    return np.concatenate(parts)


@lru_cache(maxsize=2)  # one claim after the other asks for the same
def _counts(sizes: tuple[int, ...], resampling: Resampling) -> tuple[Counts, ...]:
    """How often each resample draws each row, per stratum: arrays of shape (resamples, rows)."""
    rng = np.random.default_rng(resampling.seed)
    return tuple(_counted(rng, size, resampling.resamples) for size in sizes)


def _counted(rng: np.random.Generator, size: int, resamples: int) -> Counts:
    step, counts = max(1, CHUNK // size), np.empty((resamples, size), np.uint16)  # more than the rows are not drawn
    for start in range(0, resamples, step):
        part = counts[start : start + step]
        drawn = rng.integers(size, size=part.shape) + size * np.arange(len(part))[:, None]
        part[:] = np.bincount(drawn.ravel(), minlength=part.size).reshape(part.shape)
    return counts


def _ratios(sums: Values, value: float | None) -> tuple[Values, Values]:
    listed = _divide(sums[:, 0], sums[:, 1])
    return listed, np.full_like(listed, value) if value is not None else _divide(sums[:, 2], sums[:, 3])


def _influences(strata: Sequence[Values], sums: Values, listed: float, against: float | None) -> Values:
    """What each row contributes to the effect, around the mean of its stratum; `against` None: a fixed number."""
    influences = []
    for cells in strata:
        each = (cells[:, 0] - listed * cells[:, 1]) / sums[1]
        if against is not None:
            each = each - (cells[:, 2] - against * cells[:, 3]) / sums[3]
        influences.append(each - each.mean())
    return np.concatenate(influences)


def _acceleration(influences: Values) -> float:
    """A sixth of their skewness (Efron and Tibshirani 1993, section 14.3)."""
    squares = float((influences**2).sum())
    return float((influences**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0


def _share_below(ordered: Values, value: float) -> float:
    """Share of the draws below the value, equal ones by half; never quite 0 or 1, however few the draws."""
    near = SAME * max(abs(value), float(np.abs(ordered).max(initial=0.0)))
    below, not_above = int((ordered < value - near).sum()), int((ordered <= value + near).sum())
    least = 1 / (len(ordered) + 1)
    return float(np.clip((below + not_above) / 2 / max(len(ordered), 1), least, 1 - least))


def _corrected(tail: float, bca: _Bca) -> float:
    """The quantile of the draws at which the interval leaves `tail` below it."""
    z = bca.bias + float(ndtri(tail))
    return float(ndtr(bca.bias + z / max(1 - bca.acceleration * z, SAME)))


def _uncorrected(share: float, bca: _Bca) -> float:
    """Inverse of `_corrected`: the tail that belongs to this quantile of the draws."""
    z = float(ndtri(share)) - bca.bias
    return float(ndtr(z / max(1 + bca.acceleration * z, SAME) - bca.bias))


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


def _p_values(observed: float, draws: Values) -> tuple[float, float]:
    """How often chance does at least as well; draws without a statistic (NaN) count for chance on both sides."""
    if math.isnan(observed):
        return math.nan, math.nan
    near = SAME * max(abs(observed), 1.0)
    above, below = (np.isnan(draws) | (side * draws >= side * observed - near) for side in (1, -1))
    return float((1 + above.sum()) / (1 + len(draws))), float((1 + below.sum()) / (1 + len(draws)))


def _divide(part: Values, whole: Values) -> Values:
    """NaN where the whole is not positive."""
    part, whole = np.broadcast_arrays(part, whole)
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)

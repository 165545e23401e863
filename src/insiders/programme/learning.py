"""The rule that agrees best with a list: searched among memorable thresholds, not read off a tree and rounded.

The rule explains a list, it does not make it: precision and recall against the list say how well it explains it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.programme.rules import AT_LEAST, EXPIRING, WHOLE, Condition, Flags, Rule, Way, meets, memorable

CONDITIONS_MAX = 5  # of a whole rule
WAY_MAX = 3  # conditions of one way
GOOD = 0.9  # of both precision and recall: a rule that misses it is taken only where no other reaches it
WORTH_A_CONDITION = 0.01  # by which a further condition must raise the smaller of precision and recall
WEIGHTS = (0.25, 0.5, 1.0, 2.0)  # of recall beside precision: a part of a rule may be narrow and sure, or wide
KEPT = 100  # ways kept for each weight and length
LEFT_OUT_MAX = 0.9  # share of the members whom a single threshold may leave out
BLOCK = 50_000  # customers counted at a time
Counts = NDArray[np.float64]


class Fit(NamedTuple):
    rule: Rule
    precision: float
    recall: float


class _Pool(NamedTuple):
    """Ways as numbers of conditions, and who meets each: shape (customers, ways)."""

    ways: list[tuple[int, ...]]
    met: Flags


def learn(customers: pd.DataFrame, is_insider: "pd.Series[bool]") -> Fit | None:
    """The rule of at most 5 conditions with the best of min(precision, recall), less 0.01 for each condition.

    Rules that reach 0.9 in both go before all that do not.
    Each way holds a condition that expires, so that every member can stop being one. None where all or none are on the
    list, or no threshold tells anybody apart.
    """
    member = is_insider.to_numpy(bool)
    if member.all() or not member.any():
        return None
    conditions, met = _conditions(customers, member)
    pool = _expiring(conditions, _grown(conditions, met, member))
    if not pool.ways:
        return None
    rule = tuple(_way(conditions, way) for way in _best_pair(pool, member))
    return Fit(rule, *agreement(rule, customers, member))


def agreement(rule: Rule, customers: pd.DataFrame, member: Flags) -> tuple[float, float]:
    """Precision and recall of the rule against a list; NaN where it names nobody, or the list does."""
    named = meets(rule, customers)
    both, told, listed = int((named & member).sum()), int(named.sum()), int(member.sum())
    return both / told if told else np.nan, both / listed if listed else np.nan


def _conditions(customers: pd.DataFrame, member: Flags) -> tuple[list[Condition], Flags]:
    """Every memorable threshold near the members' figures; of those that tell apart the same customers the first."""
    found: dict[bytes, tuple[Condition, Flags]] = {}
    for column in (each for each in AT_LEAST if each in customers):
        for condition in _thresholds(column, customers.loc[member, column].to_numpy(float)):
            holds = condition.holds(customers)
            if holds[member].any() and not holds.all():
                found.setdefault(holds.tobytes(), (condition, holds))
    kept = list(found.values())
    met = np.array([holds for _, holds in kept]).reshape(len(kept), len(customers)).T
    return [condition for condition, _ in kept], met


def _thresholds(column: str, values: NDArray[np.float64]) -> Iterator[Condition]:
    """From what all members meet to what LEFT_OUT_MAX of them miss."""
    positive = values[values > 0]
    if len(positive):
        low, high = positive.min(), positive.max()
        far = np.quantile(positive, LEFT_OUT_MAX if AT_LEAST[column] else 1 - LEFT_OUT_MAX)
        least, most = (low / 2, far) if AT_LEAST[column] else (far, high * 2)
        yield from (Condition(column, float(each)) for each in memorable(least, most, column in WHOLE))


def _way(conditions: list[Condition], numbers: tuple[int, ...]) -> Way:
    return tuple(conditions[number] for number in numbers)


def _grown(conditions: list[Condition], met: Flags, member: Flags) -> _Pool:
    """Ways of one condition, and those of more that agree best for one of the WEIGHTS; no column twice in a way."""
    columns = np.array([condition.column for condition in conditions])
    last = _Pool([(number,) for number in range(len(conditions))], met)
    pools = [last]
    for _ in range(1, WAY_MAX):
        ways = _extended(last, met, member, columns)
        last = _Pool(ways, _all_of(met, ways))
        pools.append(last)
    return _Pool([way for pool in pools for way in pool.ways], np.hstack([pool.met for pool in pools]))


def _all_of(met: Flags, ways: list[tuple[int, ...]]) -> Flags:
    each = [np.logical_and.reduce([met[:, number] for number in way]) for way in ways]
    return np.array(each, bool).reshape(len(ways), len(met)).T


def _extended(pool: _Pool, met: Flags, member: Flags, columns: NDArray[np.str_]) -> list[tuple[int, ...]]:
    both, named = _common(pool.met[member], met[member]), _common(pool.met, met)
    taken = np.array([np.isin(columns, columns[list(way)]) for way in pool.ways]).reshape(both.shape)
    found: dict[tuple[int, ...], None] = {}
    for weight in WEIGHTS:
        score = np.where(taken, -1.0, (1 + weight**2) * both / (named + weight**2 * member.sum()))
        best = np.argsort(-score, axis=None, kind="stable")[: KEPT * WAY_MAX]  # some are one way in another order
        rows, added = np.unravel_index(best[score.ravel()[best] > 0], score.shape)
        ways = dict.fromkeys(tuple(sorted((*pool.ways[row], int(k)))) for row, k in zip(rows, added, strict=True))
        found |= dict.fromkeys(list(ways)[:KEPT])
    return list(found)


def _expiring(conditions: list[Condition], pool: _Pool) -> _Pool:
    kept = [k for k, way in enumerate(pool.ways) if any(conditions[number].column in EXPIRING for number in way)]
    return _Pool([pool.ways[k] for k in kept], pool.met[:, kept])


def _best_pair(pool: _Pool, member: Flags) -> list[tuple[int, ...]]:
    """One way, or two of which one is enough; of equally good pairs the shorter, then the first."""
    both, named = (_either(_common(met, met)) for met in (pool.met[member], pool.met))
    lengths = np.array([len(way) for way in pool.ways])
    total = lengths[:, None] + lengths[None, :]
    np.fill_diagonal(total, lengths)
    agreed = np.minimum(both / np.maximum(named, 1), both / member.sum())
    worth = np.round(agreed - WORTH_A_CONDITION * total, 9) + (agreed >= GOOD)
    worth[total > CONDITIONS_MAX] = -np.inf
    one, other = np.unravel_index(np.lexsort((total.ravel(), -worth.ravel()))[0], worth.shape)
    return [pool.ways[k] for k in sorted({int(one), int(other)})]


def _either(common: Counts) -> Counts:
    """Customers in one of two sets, from those in both; the diagonal holds the sets themselves."""
    size = np.diag(common)
    return np.asarray(size[:, None] + size[None, :] - common)


def _common(one: Flags, other: Flags) -> Counts:
    """Customers who meet both, for each pair of columns; whole numbers, so the order of the sums changes nothing."""
    total = np.zeros((one.shape[1], other.shape[1]))
    for start in range(0, len(one), BLOCK):
        rows = slice(start, start + BLOCK)
        total += one[rows].T.astype(np.float32) @ other[rows].astype(np.float32)
    return total

"""The rule that agrees best with a list, by a beam search over memorable thresholds.

The rule explains the list and does not make it: its precision and recall against the list say how well it explains it.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.programme.rules import AT_LEAST, EXPIRING, WHOLE, Condition, Flags, Rule, Way, meets, memorable

CONDITIONS_MAX = 5  # of a rule
WAY_CONDITIONS_MAX = 3  # of one of its ways
AGREEMENT_GOAL = 0.9  # of precision and of recall: rules that reach both go before all others
CONDITION_PENALTY = 0.01  # by which a further condition must raise the smaller of precision and recall
BETAS = (0.25, 0.5, 1.0, 2.0)  # of the F score: low for narrow, precise ways, high for wide ones; a rule may need both
BEAM_WIDTH = 100  # ways kept for each beta and number of conditions
MISSED_SHARE_MAX = 0.9  # of the members, by a single threshold
CHUNK = 50_000  # customers counted at a time
Counts = NDArray[np.float64]
WayIndex = tuple[int, ...]  # places of a way's conditions in the list of all conditions


class Fit(NamedTuple):
    rule: Rule
    precision: float
    recall: float


class _Pool(NamedTuple):
    """Candidate ways, and who meets them: shape (customers, ways)."""

    ways: list[WayIndex]
    met: Flags


def learn(customers: pd.DataFrame, is_insider: "pd.Series[bool]") -> Fit | None:
    """The rule of at most two ways and CONDITIONS_MAX conditions with the best min(precision, recall).

    Each condition costs CONDITION_PENALTY, and rules that reach AGREEMENT_GOAL go before those that do not. Every way
    holds an EXPIRING condition, so that every member can stop being one. None where all or none are on the list, or no
    threshold separates anybody.
    """
    member = is_insider.to_numpy(bool)
    if member.all() or not member.any():
        return None
    conditions, met = _conditions(customers, member)
    pool = _keep_expiring(conditions, _grow(conditions, met, member))
    if not pool.ways:
        return None
    rule = tuple(_way(conditions, index) for index in _best_pair(pool, member))
    return Fit(rule, *agreement(rule, customers, member))


def agreement(rule: Rule, customers: pd.DataFrame, member: Flags) -> tuple[float, float]:
    """Precision and recall of the rule against a list; NaN where nobody meets the rule, or nobody is on the list."""
    met = meets(rule, customers)
    both, met_count, listed = int((met & member).sum()), int(met.sum()), int(member.sum())
    return both / met_count if met_count else np.nan, both / listed if listed else np.nan


def _conditions(customers: pd.DataFrame, member: Flags) -> tuple[list[Condition], Flags]:
    """Memorable thresholds in the range of the members' figures; of those that the same customers meet, the first."""
    distinct: dict[bytes, tuple[Condition, Flags]] = {}
    for column in (each for each in AT_LEAST if each in customers):
        for condition in _thresholds(column, customers.loc[member, column].to_numpy(float)):
            holds = condition.holds(customers)
            if holds[member].any() and not holds.all():
                distinct.setdefault(holds.tobytes(), (condition, holds))
    conditions = [condition for condition, _ in distinct.values()]
    return conditions, _as_columns([holds for _, holds in distinct.values()], len(customers))


def _thresholds(column: str, values: NDArray[np.float64]) -> Iterator[Condition]:
    """From a threshold that all members meet to one that MISSED_SHARE_MAX of them miss."""
    positive = values[values > 0]
    if len(positive):
        low, high = positive.min(), positive.max()
        strictest = np.quantile(positive, MISSED_SHARE_MAX if AT_LEAST[column] else 1 - MISSED_SHARE_MAX)
        least, most = (low / 2, strictest) if AT_LEAST[column] else (strictest, high * 2)
        yield from (Condition(column, float(each)) for each in memorable(least, most, column in WHOLE))


def _way(conditions: list[Condition], index: WayIndex) -> Way:
    return tuple(conditions[place] for place in index)


def _grow(conditions: list[Condition], met: Flags, member: Flags) -> _Pool:
    """All ways of one condition, and the best ways of more; no column stands twice in a way."""
    columns = np.array([condition.column for condition in conditions])
    last = _Pool([(place,) for place in range(len(conditions))], met)
    pools = [last]
    for _ in range(1, WAY_CONDITIONS_MAX):
        ways = _extend(last, met, member, columns)
        all_met = [np.logical_and.reduce([met[:, place] for place in way]) for way in ways]
        last = _Pool(ways, _as_columns(all_met, len(met)))
        pools.append(last)
    return _Pool([way for pool in pools for way in pool.ways], np.hstack([pool.met for pool in pools]))


def _as_columns(flags: list[Flags], rows: int) -> Flags:
    return np.array(flags, bool).reshape(len(flags), rows).T


def _extend(pool: _Pool, met: Flags, member: Flags, columns: NDArray[np.str_]) -> list[WayIndex]:
    """The ways with one condition more that have the best F score for one of the BETAS."""
    both, met_count = _count_both(pool.met[member], met[member]), _count_both(pool.met, met)
    taken = np.array([np.isin(columns, columns[list(way)]) for way in pool.ways]).reshape(both.shape)
    extended: dict[WayIndex, None] = {}
    for beta in BETAS:
        score = np.where(taken, -1.0, (1 + beta**2) * both / (met_count + beta**2 * member.sum()))
        # One way is found as often as it has conditions, in another order each time.
        best = np.argsort(-score, axis=None, kind="stable")[: BEAM_WIDTH * WAY_CONDITIONS_MAX]
        rows, added = np.unravel_index(best[score.ravel()[best] > 0], score.shape)
        ways = dict.fromkeys(tuple(sorted((*pool.ways[row], int(k)))) for row, k in zip(rows, added, strict=True))
        extended |= dict.fromkeys(list(ways)[:BEAM_WIDTH])
    return list(extended)


def _keep_expiring(conditions: list[Condition], pool: _Pool) -> _Pool:
    kept = [k for k, way in enumerate(pool.ways) if any(conditions[place].column in EXPIRING for place in way)]
    return _Pool([pool.ways[k] for k in kept], pool.met[:, kept])


def _best_pair(pool: _Pool, member: Flags) -> list[WayIndex]:
    """One way, or two of which one is enough; of equally good pairs the shorter, then the first."""
    both, met_count = (_count_either(_count_both(met, met)) for met in (pool.met[member], pool.met))
    lengths = np.array([len(way) for way in pool.ways])
    total = lengths[:, None] + lengths[None, :]
    np.fill_diagonal(total, lengths)
    agreed = np.minimum(both / np.maximum(met_count, 1), both / member.sum())
    worth = np.round(agreed - CONDITION_PENALTY * total, 9) + (agreed >= AGREEMENT_GOAL)
    worth[total > CONDITIONS_MAX] = -np.inf
    one, other = np.unravel_index(np.lexsort((total.ravel(), -worth.ravel()))[0], worth.shape)
    return [pool.ways[k] for k in sorted({int(one), int(other)})]


def _count_either(both: Counts) -> Counts:
    """Customers who meet way i or way j, from those who meet both; the diagonal counts those who meet way i."""
    size = np.diag(both)
    return np.asarray(size[:, None] + size[None, :] - both)


def _count_both(one: Flags, other: Flags) -> Counts:
    """Customers who meet both, for each pair of columns; sums of whole numbers are exact in any order."""
    total = np.zeros((one.shape[1], other.shape[1]))
    for start in range(0, len(one), CHUNK):
        rows = slice(start, start + CHUNK)
        total += one[rows].T.astype(np.float32) @ other[rows].astype(np.float32)
    return total

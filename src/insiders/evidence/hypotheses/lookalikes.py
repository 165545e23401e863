"""Matched controls: for each customer on the list another who looked the same on that day, and was not on it.

Customers chosen for a high figure have, on average, just had a good time, and some of it wears off (regression to the
mean). The same happens to their look-alikes: a difference that remains between the two is not explained by the figures
on which they are matched.
"""

from typing import NamedTuple, TypedDict

import numpy as np

from insiders.evidence.hypotheses.aftermath import TRAITS, Aftermath, Flags, Rows, Values
from insiders.units import signed_log

NEIGHBOURS = 20  # nearest others that are looked at for each listed customer

BALANCED_BELOW = 0.1  # standardised mean difference (Austin 2009, doi 10.1002/sim.3697)


class Pairs(NamedTuple):
    """Row numbers, pair by pair."""

    insiders: Rows
    lookalikes: Rows


class Balance(TypedDict):
    """Standardised mean differences of a trait, log scale; None where a side is empty or nobody differs."""

    trait: str
    before: float | None  # of the list and all others
    after: float | None  # within the pairs


def match_pairs(aftermath: Aftermath, caliper: float) -> Pairs:
    """Pair each listed customer with at most one other, the closest pairs first; nobody is used twice.

    In no trait may a pair differ by more than `caliper` standard deviations over all customers of that day, on a log
    scale; the distance is the Euclidean one. Pairs without replacement can be drawn as wholes (Abadie and Spiess 2022,
    doi 10.1080/01621459.2020.1840383).
    """
    points = _standardised(aftermath)
    insiders, others = np.flatnonzero(aftermath.insiders), np.flatnonzero(aftermath.others)
    if not len(insiders) or not len(others):
        return Pairs(insiders[:0], others[:0])
    return _closest_first(*_nearest(points[others], points[insiders], caliper), insiders, others)


def balance(aftermath: Aftermath, pairs: Pairs) -> list[Balance]:
    """How far list and others differ in each trait, and how far the pairs do."""
    points, sides = _standardised(aftermath), (aftermath.insiders, aftermath.others)
    return [
        {
            "trait": trait,
            "before": _difference(column[sides[0]], column[sides[1]], deviation),
            "after": _difference(column[pairs.insiders], column[pairs.lookalikes], deviation),
        }
        for trait, column, deviation in zip(TRAITS, points.T, _pooled_deviation(points, sides), strict=True)
    ]


def _standardised(aftermath: Aftermath) -> Values:
    """The traits as signed logarithms, in standard deviations over the customers of the day."""
    logs = signed_log(aftermath.traits.to_numpy())
    own = logs[aftermath.is_customer]
    deviation = own.std(axis=0) if len(own) else np.ones(logs.shape[1])
    return np.asarray(logs / np.where(deviation > 0, deviation, 1.0))


def _nearest(others: Values, insiders: Values, caliper: float) -> tuple[Values, Rows]:
    """Distance and place of the nearest others, both of shape (insiders, neighbours); inf: beyond the caliper."""
    from scipy.spatial import KDTree

    count = min(NEIGHBOURS, len(others))
    gaps, places = KDTree(others).query(insiders, k=count, p=np.inf, distance_upper_bound=caliper)
    gaps, places = (each.reshape(len(insiders), count) for each in (gaps, places))
    offsets = others[np.minimum(places, len(others) - 1)] - insiders[:, None, :]
    return np.where(np.isfinite(gaps), np.sqrt((offsets**2).sum(axis=2)), np.inf), places


def _closest_first(distances: Values, places: Rows, insiders: Rows, others: Rows) -> Pairs:
    """Greedy matching: go through all candidate pairs by distance, keep those whose two customers are still free."""
    partners: dict[int, int] = {}
    used: set[int] = set()
    for cell in np.argsort(distances, axis=None, kind="stable"):
        insider, rank = divmod(int(cell), distances.shape[1])
        other = int(places[insider, rank])
        if np.isfinite(distances[insider, rank]) and insider not in partners and other not in used:
            used.add(other)
            partners[insider] = other
    rows = np.array(sorted(partners), dtype=np.intp)
    return Pairs(insiders[rows], others[np.array([partners[row] for row in rows.tolist()], dtype=np.intp)])


def _pooled_deviation(points: Values, sides: tuple[Flags, Flags]) -> Values:
    variances = [points[side].var(axis=0) if side.any() else np.zeros(points.shape[1]) for side in sides]
    return np.asarray(np.sqrt((variances[0] + variances[1]) / 2))


def _difference(one: Values, other: Values, deviation: float) -> float | None:
    return float((one.mean() - other.mean()) / deviation) if len(one) and len(other) and deviation > 0 else None

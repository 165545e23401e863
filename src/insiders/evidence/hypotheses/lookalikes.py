"""For each customer on the list another who looked the same on that day, and was not on it.

Who is chosen for a high figure has, on average, had a good time; afterwards some of it wears off (regression to the
mean). It does for the look-alikes too: what is left between the two is not explained by the figures they share.
"""

from typing import Any, NamedTuple

import numpy as np

from insiders.evidence.hypotheses.aftermath import TRAITS, Aftermath, Flags, Rows, Values
from insiders.units import signed_log

NEIGHBOURS = 20  # nearest others that are looked at for each listed customer

BALANCED_BELOW = 0.1  # standardised mean difference (Austin 2009, doi 10.1002/sim.3697)


class Pairs(NamedTuple):
    """Row numbers, pair by pair."""

    listed: Rows
    alike: Rows


def pairs(found: Aftermath, caliper: float) -> Pairs:
    """Pair each listed customer with at most one other, the closest pairs first; nobody is used twice.

    In no trait may a pair differ by more than `caliper` standard deviations over all customers of that day, on a log
    scale; the distance is the Euclidean one. Pairs without replacement can be drawn as wholes (Abadie and Spiess 2022,
    doi 10.1080/01621459.2020.1840383).
    """
    places = _scaled(found)
    listed, others = np.flatnonzero(found.chosen & found.known), np.flatnonzero(found.others)
    if not len(listed) or not len(others):
        return Pairs(listed[:0], others[:0])
    return _closest_first(*_near(places[others], places[listed], caliper), listed, others)


def balance(found: Aftermath, matched: Pairs) -> list[dict[str, Any]]:
    """Standardised mean differences of each trait, log scale: list and others, and within the pairs (None: no pair)."""
    places, sides = _scaled(found), (found.chosen & found.known, found.others)
    return [
        {
            "trait": trait,
            "before": _difference(column[sides[0]], column[sides[1]], spread),
            "after": _difference(column[matched.listed], column[matched.alike], spread),
        }
        for trait, column, spread in zip(TRAITS, places.T, _spread(places, sides), strict=True)
    ]


def _scaled(found: Aftermath) -> Values:
    """The traits as signed logarithms, in standard deviations over those who were known."""
    raw = found.traits.to_numpy()
    logs = signed_log(raw)
    known = logs[found.known]
    spread = known.std(axis=0) if len(known) else np.ones(raw.shape[1])
    return np.asarray(logs / np.where(spread > 0, spread, 1.0))


def _near(others: Values, listed: Values, caliper: float) -> tuple[Values, Rows]:
    """Distance and place of the nearest others of each listed customer, shape (listed, neighbours); inf: too far."""
    from scipy.spatial import KDTree

    count = min(NEIGHBOURS, len(others))
    found, nearest = KDTree(others).query(listed, k=count, p=np.inf, distance_upper_bound=caliper)
    found, nearest = (each.reshape(len(listed), count) for each in (found, nearest))
    gaps = others[np.minimum(nearest, len(others) - 1)] - listed[:, None, :]
    return np.where(np.isfinite(found), np.sqrt((gaps**2).sum(axis=2)), np.inf), nearest


def _closest_first(distances: Values, nearest: Rows, listed: Rows, others: Rows) -> Pairs:
    taken, paired = set(), {}
    for place in np.argsort(distances, axis=None, kind="stable"):
        one, rank = divmod(int(place), distances.shape[1])
        other = int(nearest[one, rank])
        if np.isfinite(distances[one, rank]) and one not in paired and other not in taken:
            taken.add(other)
            paired[one] = other
    ones = np.array(sorted(paired), dtype=np.intp)
    return Pairs(listed[ones], others[np.array([paired[one] for one in ones.tolist()], dtype=np.intp)])


def _spread(places: Values, sides: tuple[Flags, Flags]) -> Values:
    variances = [places[side].var(axis=0) if side.any() else np.zeros(places.shape[1]) for side in sides]
    return np.asarray(np.sqrt((variances[0] + variances[1]) / 2))


def _difference(one: Values, other: Values, spread: float) -> float | None:
    return float((one.mean() - other.mean()) / spread) if len(one) and len(other) and spread > 0 else None

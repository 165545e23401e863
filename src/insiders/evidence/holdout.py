"""What happened afterwards: the revenue that a list captured, against the sort, the oracle and a draw by lot.

N is always the size of the list that is judged. Where customers are equal, the sort is given their mean: nobody's place
is decided by an id.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.units import CONFIDENCE, round_each

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Weights = NDArray[np.uint8]  # how often a customer is drawn with replacement: never more than a few times

MEASURES = ("value_capture", "value_lift", "value_oracle", "value_over_random")
BLOCK = 1 << 22  # weights that are reckoned with at once: 32 MB of numbers
TAIL = 50 - 50 * CONFIDENCE  # per cent on each side of an interval; in this form without a rounding error


@dataclass(frozen=True)
class Capture:
    """Shares and ratios, NaN where the period brought nothing or the list is empty."""

    value_capture: float  # share of the next period's revenue that came from the list
    value_lift: float  # value_capture / that of the top N by past net revenue
    value_oracle: float  # value_capture / the best possible at N
    value_over_random: float  # value_capture / N's share of the customers

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def capture(chosen: Flags, past: Values, later: Values) -> Capture:
    """Judge a list by the `later` revenue of each customer, `past` being the revenue known when it was made."""
    return _measures(float(later[chosen].sum()), past, later, int(chosen.sum()))


def _measures(got: float, past: Values, later: Values, n: int) -> Capture:
    captured = _ratio(got, float(later.sum()))
    ratios = {
        "value_capture": captured,
        "value_lift": _ratio(got, top_n_revenue(past, later, n)),
        "value_oracle": _ratio(got, float(np.sort(later)[::-1][:n].sum())),
        "value_over_random": _ratio(captured, n / len(later)),
    }
    return Capture(**round_each(ratios))


def top_n_revenue(score: Values, later: Values, n: int) -> float:
    """Later revenue of the n customers with the highest score; tied customers at the boundary count by their mean."""
    _, ordered = ranked(score, later)
    return float(ordered[:n].sum())


def intervals(chosen: Flags, past: Values, later: Values, weights: Weights) -> dict[str, float]:
    """95 % bootstrap intervals of value lift and of value over random, over customers.

    `weights`: shape (resamples, customers), how often each customer is drawn in each resample.
    """
    return Resamples(past, later, weights).intervals(chosen.astype(float))


class Resamples:
    """Bootstrap resamples of customers in falling order of their past: what every list judged on them is held against.

    The first three arguments are those of `intervals`.
    """

    def __init__(self, past: Values, later: Values, weights: Weights) -> None:
        self.order, self.sorted = ranked(past, later)
        self.weights = weights[:, self.order]
        self.later = later[self.order]

    def intervals(self, places: Values) -> dict[str, float]:
        """Of a list in which each customer has a place, none or a part of one.

        In every resample the sort takes as many customers as the list holds there.
        """
        listed = places[self.order]
        sums = np.column_stack([listed, listed * self.later, self.later])
        parts = [self._ratios(weights, sums) for weights in in_blocks(self.weights)]
        bounds = dict(zip(("value_lift", "value_over_random"), np.concatenate(parts, axis=1), strict=True))
        ends = {f"{name}_{end}": _percentile(draws, q) for name, draws in bounds.items() for end, q in _ENDS.items()}
        return round_each(ends)

    def _ratios(self, weights: Values, sums: Values) -> tuple[Values, Values]:
        """Value lift and value over random in each of these resamples."""
        size, got, total = (weights @ sums).T
        return _divide(got, self._top(weights, size)), _divide(_divide(got, total), size / weights.sum(axis=1))

    def _top(self, weights: Values, size: Values) -> Values:
        """Later revenue of the first `size` draws of each resample; the last one counts in part."""
        near = 2 * int(size.max()) + 100  # a resample that draws fewer from so many is all but impossible ...
        enough = bool((weights[:, :near].sum(axis=1) >= size).all())
        first = weights[:, : near if enough else None]  # ... and then all are looked at
        before = np.cumsum(first, axis=1) - first
        return np.clip(size[:, None] - before, 0, first) @ self.sorted[: first.shape[1]]


def in_blocks(weights: Weights) -> Iterator[Values]:
    """Bootstrap weights to reckon with, some resamples at a time: as small integers they take an eighth of the room."""
    rows = max(1, BLOCK // max(1, weights.shape[1]))
    for start in range(0, len(weights), rows):
        yield weights[start : start + rows].astype(float)


def boundary(score: Values, n: int) -> tuple[float, float]:
    """The n-th highest score, and the part of a place that is left for each customer who has just that."""
    if not n:
        return float("inf"), 0.0
    least = float(np.sort(score)[-n])
    return least, float((n - (score > least).sum()) / (score == least).sum())


def places(score: Values, least: float, part: float) -> Values:
    """A `boundary` applied: everybody above has a place, those on it the same part of one."""
    return np.where(score == least, part, (score > least).astype(float))


def draws(customers: int, resamples: int, seed: int) -> Weights:
    """Bootstrap weights, shape (resamples, customers): the same for every list that is judged on these customers."""
    rng, even = np.random.default_rng(seed), np.full(customers, 1 / customers)
    return np.stack([rng.multinomial(customers, even).astype(np.uint8) for _ in range(resamples)])


def by_score(score: Values, customers: pd.DataFrame, n: int) -> dict[str, float]:
    past, later = customers["net_revenue"].to_numpy(), customers["next_revenue"].to_numpy()
    return _measures(top_n_revenue(score, later, n), past, later, n).as_dict()


def ranked(score: Values, later: Values) -> tuple[NDArray[np.int64], Values]:
    """Customers in falling order of the score, and their later revenue, which those with an equal score share."""
    order = np.lexsort([later, -score])
    _, group = np.unique(-score[order], return_inverse=True)
    means = np.bincount(group, later[order]) / np.bincount(group)
    return order, means[group]


_ENDS = {"low": TAIL, "high": 100 - TAIL}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _divide(part: Values, whole: Values) -> Values:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _percentile(values: Values, q: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.percentile(known, q)) if len(known) else float("nan")

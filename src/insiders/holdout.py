"""What happened afterwards: the revenue that a list captured, against the sort, the oracle and a draw by lot.

N is always the size of the list that is judged. Where customers are equal, the sort is given their mean: nobody's place
is decided by an id.
"""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

MEASURES = ("value_capture", "value_lift", "value_oracle", "value_over_random")
TAIL = 2.5  # per cent on each side of a 95 % interval


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
    return Capture(
        value_capture=captured,
        value_lift=_ratio(got, top_n_revenue(past, later, n)),
        value_oracle=_ratio(got, float(np.sort(later)[::-1][:n].sum())),
        value_over_random=_ratio(captured, n / len(later)),
    )


def top_n_revenue(score: Values, later: Values, n: int) -> float:
    """Later revenue of the n customers with the highest score; tied customers at the boundary count by their mean."""
    ordered = _mean_of_ties(score, later)
    return float(ordered[:n].sum())


def intervals(chosen: Flags, past: Values, later: Values, weights: NDArray[np.float64]) -> dict[str, float]:
    """95 % bootstrap intervals of value lift and of value over random, over customers.

    `weights`: shape (resamples, customers), how often each customer is drawn in each resample. In every resample the
    sort takes as many customers as the list holds there.
    """
    drawn_list = weights @ chosen.astype(float)
    got = weights @ np.where(chosen, later, 0.0)
    total = weights @ later
    lift = _divide(got, _top_by_weight(past, later, weights, drawn_list))
    over_random = _divide(_divide(got, total), drawn_list / weights.sum(axis=1))
    bounds = {"value_lift": lift, "value_over_random": over_random}
    return {f"{name}_{end}": _percentile(draws, q) for name, draws in bounds.items() for end, q in _ENDS.items()}


def draws(customers: int, resamples: int, seed: int) -> NDArray[np.float64]:
    """Bootstrap weights, shape (resamples, customers): the same for every list that is judged on these customers."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(customers, np.full(customers, 1 / customers), size=resamples).astype(float)


def baselines(customers: pd.DataFrame, n: int) -> dict[str, dict[str, float]]:
    """The same measures for the n best by each score that needs no clustering; `customers` has `next_revenue`."""
    past, later = customers["net_revenue"].to_numpy(), customers["next_revenue"].to_numpy()
    return {
        name: _measures(top_n_revenue(score, later, n), past, later, n).as_dict()
        for name, score in scores(customers).items()
    }


def scores(customers: pd.DataFrame) -> dict[str, Values]:
    """Score by which each baseline sorts; net_revenue is the spreadsheet that a clustering has to beat."""
    return {
        "net_revenue": customers["net_revenue"].to_numpy(),
        "gross_revenue": customers["gross_revenue"].to_numpy(),
        "faded_revenue": customers["faded_revenue"].to_numpy(),
        "rfm_quintiles": _rfm(customers),
        "random": np.zeros(len(customers)),  # all tied: every customer counts by the mean
    }


def _rfm(customers: pd.DataFrame) -> Values:
    """Sum of the quintiles 1-5 of recency (recent is high), order count and net revenue: marketing's RFM score."""
    ranks = {
        "recency_days": customers["recency_days"].rank(ascending=False, pct=True),
        "order_count": customers["order_count"].rank(pct=True),
        "net_revenue": customers["net_revenue"].rank(pct=True),
    }
    return np.sum([np.ceil(rank.to_numpy() * 5) for rank in ranks.values()], axis=0)


def _mean_of_ties(score: Values, later: Values) -> Values:
    """Later revenue in falling order of the score, each replaced by the mean of the customers with an equal score."""
    order = np.lexsort([later, -score])
    _, group = np.unique(-score[order], return_inverse=True)
    means = np.bincount(group, later[order]) / np.bincount(group)
    return means[group]


def _top_by_weight(past: Values, later: Values, weights: NDArray[np.float64], size: Values) -> Values:
    """Later revenue of the first `size` draws of each resample in falling order of the past; the last one in part."""
    order = np.lexsort([later, -past])
    ordered = weights[:, order]
    before = np.cumsum(ordered, axis=1) - ordered
    taken = np.clip(size[:, None] - before, 0, ordered)
    return taken @ _mean_of_ties(past, later)


_ENDS = {"low": TAIL, "high": 100 - TAIL}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")


def _divide(part: Values, whole: Values) -> Values:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _percentile(values: Values, q: float) -> float:
    known = values[~np.isnan(values)]
    return float(np.percentile(known, q)) if len(known) else float("nan")

"""How well a score puts first those who will bring most, against the best plain sort, the oracle and chance.

The opponent at a date is the plain sort that did best at the *other* dates: nobody could have chosen it better. Figures
are pooled over the dates with an interval that knows both: which customers there were, and which periods.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from insiders.evidence import holdout
from insiders.evidence.holdout import Weights
from insiders.evidence.windows import Window
from insiders.units import CONFIDENCE, list_size
from insiders.value import score_model, scores
from insiders.value.score_model import Horizon

Values = NDArray[np.float64]

SHARES = (0.03, 0.06, 0.13)  # of the customers: sizes at which every score is judged, beside the programme's own
LEAST = 1e-3  # a lift below this, of a list that got nothing, counts as this


class Date(NamedTuple):
    """A cut-off whose next period has ended. Each array has one entry per customer, in the same order.

    A list is a score too: 1 for those on it, 0 for the others, judged at its own size.
    """

    customer_id: NDArray
    next_revenue: Values
    scores: Mapping[str, Values]

    def size(self, share: float) -> int:
        return list_size(share, len(self.next_revenue))

    def captured(self, name: str, share: float) -> float:
        """Revenue of the first by a score, as many as the share says; tied ones at the boundary count by their mean."""
        return holdout.top_n_revenue(self.scores[name], self.next_revenue, self.size(share))


class Pooled(NamedTuple):
    """A ratio over several dates: its geometric mean, the ends of its 95 % interval, and the worst date's."""

    mean: float
    low: float
    high: float
    worst: float


class Draws(NamedTuple):
    """Of a bootstrap: how many, and the seed they come from."""

    resamples: int
    seed: int


def dates_of(windows: Iterable[Window], horizon: Horizon) -> list[Date]:
    """Every candidate's score at each window, fitted on what was known then; the period after it must have ended."""
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        return [_date(each, horizon) for each in windows]


def _date(window: Window, horizon: Horizon) -> Date:
    customers = window.customers
    parts = score_model.fit_parts(customers, window.lessons, horizon)
    by_name = score_model.candidate_scores(parts, customers) | {scores.CHANCE: np.zeros(len(customers))}
    return Date(customers["customer_id"].to_numpy(dtype=str), customers["next_revenue"].to_numpy(), by_name)


def choose(dates: Sequence[Date], names: Sequence[str], margin: float, shares: Sequence[float] = SHARES) -> str:
    """The first of `names` (the simplest first) that no other beats by more than `margin`, a share of the revenue.

    Compared is what each captured, in geometric mean over dates and sizes.
    """
    pairs = [(date, share) for date in dates for share in shares]
    logs = [np.log(_ratio([date.captured(name, n) for date, n in pairs], _most(pairs))) for name in names]
    means = np.array([np.nanmean(each) if not np.isnan(each).all() else -np.inf for each in logs])
    return names[int(np.argmax(means >= means.max() + np.log1p(-margin)))]


def _most(pairs: Sequence[tuple[Date, float]]) -> list[float]:
    return [holdout.top_n_revenue(date.next_revenue, date.next_revenue, date.size(share)) for date, share in pairs]


def oracle_share(date: Date, name: str, share: float) -> float:
    """Revenue captured / the most that so many customers brought; NaN where nobody brought anything."""
    best = holdout.top_n_revenue(date.next_revenue, date.next_revenue, date.size(share))
    return date.captured(name, share) / best if best > 0 else float("nan")


def hit_rate(date: Date, name: str, share: float) -> float:
    """Share of the truly best N among the first N (Malthouse & Blattberg 2005); who brought nothing is none of them.

    Customers tied at a boundary count by the chance that they are within it.
    """
    later, n = date.next_revenue, date.size(share)
    first, best = (holdout.places(each, *holdout.boundary(each, n)) for each in (date.scores[name], later))
    best = best * (later > 0)
    return float((first * best).sum() / best.sum()) if best.any() else float("nan")


def opponents(dates: Sequence[Date], sorts: Sequence[str], shares: Sequence[float] = SHARES) -> list[str]:
    """For each date the sort with the highest mean oracle share at the others; with one date, at that one itself.

    Equally good ones are chosen in the order of `sorts`.
    """
    found = np.array([[np.mean([oracle_share(date, name, n) for n in shares]) for name in sorts] for date in dates])
    others = ~np.eye(len(dates), dtype=bool) if len(dates) > 1 else np.ones((1, 1), dtype=bool)
    return [sorts[int(np.argmax(found[mask].mean(axis=0)))] for mask in others]


def lifts(dates: Sequence[Date], name: str, rivals: Sequence[str], share: float) -> Values:
    """At each date what a score captured / what its rival there did, at one size; NaN where the rival got nothing."""
    pairs = zip(dates, rivals, strict=True)
    return np.array([_ratio(date.captured(name, share), date.captured(rival, share)) for date, rival in pairs])


def figures(dates: Sequence[Date], name: str, rivals: Sequence[str], own_share: float) -> dict[str, float]:
    """Figures of a score at the programme's own size and at SHARES: lift over the best plain sort, oracle, hits.

    `rivals`: the best plain sort at each date, as `opponents` of these sizes chooses it.
    `sort_lift` is at the own size; `sort_lift_mean` and `sort_lift_min` are over all sizes and dates, as the others.
    """
    shares = (own_share, *SHARES)
    table = np.array([lifts(dates, name, rivals, share) for share in shares])
    return {
        "sort_lift": float(table[0].mean()),
        "sort_lift_mean": float(table.mean()),
        "sort_lift_min": float(table.min()),
        "oracle_share": float(np.mean([oracle_share(date, name, share) for date in dates for share in shares])),
        "hit_rate": float(np.mean([hit_rate(date, name, share) for date in dates for share in shares])),
    }


def pooled(dates: Sequence[Date], pair: tuple[str, Sequence[str]], share: float, draw: Draws) -> Pooled:
    """The lift of a score over its rivals (`pair`: its name, the rival's at each date), pooled over the dates.

    Drawn anew are the customers, each with all their dates since one customer's periods resemble each other, and the
    dates: one fewer than there are, so that the spread of a mean of few is not understated (Rao & Wu 1988). NaN where
    the rivals got nothing at any date.
    """
    name, rivals = pair
    known = np.log(lifts(dates, name, rivals, share))
    rng = np.random.default_rng(draw.seed)
    drawn = zip(dates, rivals, _customer_weights(dates, draw.resamples, rng), strict=True)
    logs = np.array([_drawn_logs(date, (name, rival), share, weights) for date, rival, weights in drawn])
    times = rng.multinomial(max(len(dates) - 1, 1), np.full(len(dates), 1 / len(dates)), size=draw.resamples)
    times = np.where(np.isnan(logs.T), 0, times)
    sums = (times * np.nan_to_num(logs.T)).sum(axis=1)
    means = sums[times.any(axis=1)] / times.sum(axis=1)[times.any(axis=1)]
    return _summary(known[~np.isnan(known)], means)


def _summary(known: Values, drawn: Values) -> Pooled:
    """Of logarithms of lifts at the dates, and of their means in the draws."""
    if not len(known) or not len(drawn):
        return Pooled(*[float("nan")] * 4)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Pooled(*np.exp([known.mean(), low, high, known.min()]).tolist())


def _customer_weights(dates: Sequence[Date], draws: int, rng: np.random.Generator) -> Iterator[Weights]:
    """How often each customer of each date is drawn, shape (draws, customers): the same at every date."""
    everybody = np.unique(np.concatenate([date.customer_id for date in dates]))
    times = np.stack([rng.poisson(1.0, len(everybody)).astype(np.uint8) for _ in range(draws)])
    for date in dates:
        yield times[:, np.searchsorted(everybody, date.customer_id)]


def _drawn_logs(date: Date, pair: tuple[str, str], share: float, weights: Weights) -> Values:
    """Logarithm of the lift of the first of a pair of scores over the second, in each draw."""
    ratios = [_ratio(*(_drawn(date, name, share, block) for name in pair)) for block in holdout.in_blocks(weights)]
    return np.log(np.concatenate(ratios))


def _drawn(date: Date, name: str, share: float, weights: Values) -> Values:
    """What the first by a score brought in each draw: a share of those who were drawn, tied ones by their mean."""
    order, later = holdout.ranked(date.scores[name], date.next_revenue)
    drawn = weights[:, order]
    upto = np.cumsum(drawn, axis=1)
    within = np.clip(share * upto[:, -1:] - (upto - drawn), 0, drawn)
    return np.asarray(within @ later)


def _ratio(own: ArrayLike, other: ArrayLike) -> Values:
    """At least LEAST; NaN where the other one got nothing."""
    mine, theirs = np.asarray(own, dtype=float), np.asarray(other, dtype=float)
    found = np.divide(mine, theirs, out=np.full(mine.shape, np.nan), where=theirs > 0)
    return np.maximum(found, LEAST)

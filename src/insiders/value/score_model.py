"""A score that serves: a plain sort, lifetime value, a learned ranker, or a log-mean of several, told in money.

It is fitted at one date on the customers known there and on what followed earlier dates. All that it needs of other
customers is kept in it, so it scores an unseen one, alone or among a million, and can be stored as arrays.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple, Protocol, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from insiders.units import FITTED_DIGITS, round_off
from insiders.value import lifetime, rankers, scores
from insiders.value.money import Money, Past
from insiders.value.rankers import BOOSTING, TREES
from insiders.value.scores import LIFETIME, SPREADSHEET, Values

PARTS = (*scores.PLAIN, LIFETIME, *rankers.FITS)
# Candidate -> the parts of which it is the log-mean. One part alone is itself.
CANDIDATES: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in PARTS},
    "lifetime_faded": (LIFETIME, "faded_revenue"),
    "boosting_lifetime_net": (BOOSTING, LIFETIME, SPREADSHEET),
    "trees_boosting_lifetime_net": (TREES, BOOSTING, LIFETIME, SPREADSHEET),
}
COINS = 1000  # in the typical score: below one, a logarithm counts as none


class Horizon(NamedTuple):
    """What a fit needs beside tables: the length of the period that follows, and the seed of what is drawn."""

    days: int
    seed: int


class Part(Protocol):
    """One score by itself."""

    def score(self, customers: pd.DataFrame) -> Values: ...


@dataclass(frozen=True)
class Plain:
    """A plain sort; `among` has the figures of the customers among whom RFM's quintiles are counted."""

    name: str
    among: Mapping[str, Values]

    def score(self, customers: pd.DataFrame) -> Values:
        return scores.PLAIN[self.name](customers, self.among)


@dataclass(frozen=True)
class Lifetime:
    """Expected revenue of the lifetime value model."""

    model: lifetime.ValueModel
    days: int

    def score(self, customers: pd.DataFrame) -> Values:
        return lifetime.expected_revenue(self.model, customers, self.days)


@dataclass(frozen=True)
class Score:
    """The log-mean of its parts; each is counted in its own coins, so that none outweighs the others by its unit."""

    parts: tuple[Part, ...]
    coins: tuple[float, ...]

    def of(self, customers: pd.DataFrame) -> Values:
        """Higher is better; of one part in its own unit."""
        return _mean([part.score(customers) for part in self.parts], self.coins)

    def log(self, customers: pd.DataFrame) -> Values:
        return _log_mean([part.score(customers) for part in self.parts], self.coins)


@dataclass(frozen=True)
class ScoreModel:
    """A score with its calibration to money."""

    name: str
    score: Score
    money: Money

    def predict(self, customers: pd.DataFrame) -> pd.DataFrame:
        """`score`, `expected_revenue`, `expected_low`, `expected_high` of each customer, in their order."""
        expected = self.money.expected(self.score.log(customers)).set_index(customers.index)
        return pd.DataFrame({"score": self.score.of(customers)}, index=customers.index).join(expected)


class Scorer(BaseEstimator):
    """A candidate as a scikit-learn estimator: who comes first.

    Parameters
    ----------
    name
        Name of the score, one of CANDIDATES.
    horizon_days
        Length of the period that is looked ahead.
    seed
        Of what is drawn while trees grow.

    """

    def __init__(self, name: str = SPREADSHEET, horizon_days: int = 90, seed: int = 0) -> None:
        self.name = name
        self.horizon_days = horizon_days
        self.seed = seed

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the customers' table that the score looks at."""
        return tuple(dict.fromkeys(column for part in CANDIDATES[self.name] for column in _columns(part)))

    def fit(self, customers: pd.DataFrame, past: pd.DataFrame) -> Self:
        """Fit on customers as of a date, and on those of a `past` one with the `next_revenue` that followed it."""
        self.model_ = fit(self.name, customers, [past], Horizon(self.horizon_days, self.seed))
        return self

    def score(self, customers: pd.DataFrame) -> Values:
        """Score of each customer, in their order; higher is better, and nobody's depends on the others."""
        check_is_fitted(self)
        return self.model_.score.of(customers)

    def score_then(self, customers: pd.DataFrame) -> Values:
        """Score of customers as of another date, by what was known on it; trees rank by what they learned until now."""
        names = CANDIDATES[self.name]
        if any(name in rankers.FITS for name in names):
            return self.score(customers)
        parts = fit_parts(customers, [], Horizon(self.horizon_days, self.seed), names)
        return combine(names, parts, customers).of(customers)


def _columns(part: str) -> tuple[str, ...]:
    if part in rankers.FITS:
        return tuple(rankers.TRAITS)
    return {LIFETIME: lifetime.HISTORY, scores.QUINTILES: tuple(scores.RFM)}.get(part, (part,))


def fit_parts(
    customers: pd.DataFrame, past: Sequence[pd.DataFrame], horizon: Horizon, names: Sequence[str] = PARTS
) -> dict[str, Part]:
    """These parts, each fitted once; a learned one needs a past date (with `next_revenue`), and is left out without."""
    among = rankers.grid(customers, list(scores.RFM))
    fits: dict[str, Callable[[], Part]] = {
        **{name: partial(Plain, name, among) for name in scores.PLAIN},
        # Without its date, which only a calibration asks for, and which is no array or number.
        LIFETIME: lambda: Lifetime(replace(lifetime.fit(customers), as_of=None), horizon.days),
        **{name: partial(rankers.fit, name, customers, past, horizon.seed) for name in rankers.FITS if past},
    }
    return {name: fits[name]() for name in names if name in fits}


def combine(names: Sequence[str], parts: Mapping[str, Part], customers: pd.DataFrame) -> Score:
    """The score of these parts; coins are those of these customers."""
    chosen = tuple(parts[name] for name in names)
    return Score(chosen, tuple(_coin(part.score(customers)) for part in chosen))


def candidate_scores(parts: Mapping[str, Part], customers: pd.DataFrame) -> dict[str, Values]:
    """The score of each candidate whose parts are there: what is judged."""
    own = part_scores(parts, customers)
    return combined(own, own)


def part_scores(parts: Mapping[str, Part], customers: pd.DataFrame) -> dict[str, Values]:
    return {name: part.score(customers) for name, part in parts.items()}


def combined(own: Mapping[str, Values], among: Mapping[str, Values]) -> dict[str, Values]:
    """The score of each candidate out of those of its parts, as far as they are there: trees take long to ask.

    Coins are those of the customers `among` whom the parts were fitted.
    """
    there = {name: parts for name, parts in CANDIDATES.items() if all(each in own for each in parts)}
    coins = {name: _coin(score) for name, score in among.items()}
    return {
        name: _mean([own[each] for each in parts], [coins[each] for each in parts]) for name, parts in there.items()
    }


def fit(name: str, customers: pd.DataFrame, past: Sequence[pd.DataFrame], horizon: Horizon) -> ScoreModel:
    """Fit a candidate on customers as of a date, and tell it in money by what followed the `past` dates."""
    names = CANDIDATES[name]
    score = combine(names, fit_parts(customers, past, horizon, names), customers)
    told = [Past(log_at_past(names, each, horizon), each["next_revenue"].to_numpy(dtype=float)) for each in past]
    return ScoreModel(name, score, Money.fit(told, score.log(customers)))


def log_at_past(names: Sequence[str], past: pd.DataFrame, horizon: Horizon) -> Values:
    """The score that each customer would have had at a past date, by what was known then.

    Of what followed, trees learn only from the other half of the customers: their own outcome is not in their score.
    """
    learned = {name: rankers.cross_scores(name, past, horizon.seed) for name in names if name in rankers.FITS}
    parts = fit_parts(past, [], horizon, names)
    values = [learned[name] if name in learned else parts[name].score(past) for name in names]
    return np.asarray(np.mean([_log(each, _coin(each)) for each in values], axis=0), dtype=np.float64)


def _mean(scores: Sequence[Values], coins: Sequence[float]) -> Values:
    """Of one score itself, in its own unit."""
    return scores[0] if len(scores) == 1 else _log_mean(scores, coins)


def _log_mean(scores: Sequence[Values], coins: Sequence[float]) -> Values:
    logs = [_log(score, coin) for score, coin in zip(scores, coins, strict=True)]
    return round_off(np.mean(logs, axis=0), FITTED_DIGITS)


def _log(score: Values, coin: float) -> Values:
    return np.log1p(np.maximum(score, 0) / coin)


def _coin(score: Values) -> float:
    positive = score[score > 0]
    return float(np.median(positive)) / COINS if len(positive) else 1.0

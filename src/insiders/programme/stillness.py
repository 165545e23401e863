"""How still a policy would have kept the membership in the past, and the policy that this asks for."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.programme.membership import INSIDE, Check, Event, Flags, Policy, replay

MONTHS_A_YEAR = 12
NEVER = -10_000  # a month before all others
MONTHS_MIN = 6  # judged months from which the past of a shop says more than that of others
# What a shop without a past begins with: on two years of one real shop and a year of another this band kept who comes
# and goes to a third at 0.4 and 1.2 % of the value, and wider ones bought little more stillness for more of it.
USUAL = Policy(band=1.25, grace_months=1)


class StillnessTerms(NamedTuple):
    """What the policy is chosen by."""

    flip_share_max: float  # of the members, in one month
    flip_months: int  # a change that is undone within so many months is a flip
    leave_share_max: float  # of the members, in one month
    bands: Sequence[float]  # candidates
    graces: Sequence[int]  # candidates: months


class Choice(NamedTuple):
    """A policy and its past: shares of the members in the worst month (0 where none can be judged), and value kept."""

    policy: Policy
    flip_share: float
    leave_share: float
    score_share: float  # scores of the members / those of as many customers by rank, over all checks
    months: int  # that could be judged

    def excess(self, terms: StillnessTerms) -> float:
        """By how much the worse of the two shares is beyond its maximum."""
        return max(self.flip_share - terms.flip_share_max, self.leave_share - terms.leave_share_max, 0.0)


def choose(checks: Sequence[Check], scores: Sequence[NDArray[np.float64]], terms: StillnessTerms) -> Choice:
    """The policy that keeps flips and leavers below their maximum in every month, and gives up the least of the scores.

    `scores`: of each check's customers, 0 for the absent. Where no policy keeps below both, the one that comes closest;
    where too few months can be judged, the one closest to USUAL.
    """
    candidates = list(_candidates(checks, scores, terms))
    usual = min(candidates, key=lambda each: _distance(each.policy, USUAL))
    if usual.months < MONTHS_MIN:
        return usual
    return min(candidates, key=lambda each: (round(each.excess(terms), 9), -each.score_share, *each.policy))


def _distance(one: Policy, other: Policy) -> tuple[float, int]:
    return abs(one.band - other.band), abs(one.grace_months - other.grace_months)


def _candidates(
    checks: Sequence[Check], scores: Sequence[NDArray[np.float64]], terms: StillnessTerms
) -> Iterator[Choice]:
    days = pd.DatetimeIndex([each.day for each in checks])
    for band in terms.bands:
        for grace in terms.graces:
            walked = replay(checks, Policy(band, grace))
            counts = count_events(walked, days, terms)
            flipped, left = (_worst(counts, name) for name in ("flip_share", "left_share"))
            months = int(counts["judged"].sum())
            yield Choice(Policy(band, grace), flipped, left, _score_share(walked, checks, scores), months)


def _worst(counts: pd.DataFrame, name: str) -> float:
    return float(counts.loc[counts["judged"], name].max()) if counts["judged"].any() else 0.0


def _score_share(walked: NDArray[np.int64], checks: Sequence[Check], scores: Sequence[NDArray[np.float64]]) -> float:
    inside = np.isin(walked, INSIDE)
    first = [np.where(check.rank <= check.size, each, 0.0).sum() for check, each in zip(checks, scores, strict=True)]
    held = [np.where(inside[:, place], each, 0.0).sum() for place, each in enumerate(scores)]
    return round(float(sum(held) / sum(first)), 6) if sum(first) > 0 else 1.0


def month_numbers(days: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Number of each check's calendar month; the last month may hold two checks, at its start and at as_of."""
    return np.asarray(days.year * MONTHS_A_YEAR + days.month, dtype=np.int64)


def flips(walked: NDArray[np.int64], months: NDArray[np.int64], within: int) -> Flags:
    """Who leaves or returns within so many months of their last change, shape (customers, checks).

    Whoever is in at the first check is not new then: the programme is.
    """
    changed = np.full(len(walked), NEVER)
    is_flip = np.zeros(walked.shape, bool)
    for check, month in enumerate(months):
        now = walked[:, check]
        undone = np.isin(now, (Event.LEFT, Event.RETURNED))
        is_flip[:, check] = undone & (month - changed <= within)
        is_change = undone | ((now == Event.JOINED) & (check > 0))
        changed = np.where(is_change, month, changed)
    return is_flip


def count_events(walked: NDArray[np.int64], days: pd.DatetimeIndex, terms: StillnessTerms) -> pd.DataFrame:
    """One row per check: members before and after, each kind of event, flips, and their shares of the members before.

    `judged`: a whole month passed since the check before, and one member is no more than `flip_share_max` of those
    before; in smaller groups a single person would decide.
    """
    kinds = {event.name.lower(): (walked == event).sum(axis=0) for event in Event if event is not Event.OUTSIDE}
    after = np.isin(walked, INSIDE).sum(axis=0)
    before = np.concatenate([[0], after])[: len(after)]
    months = month_numbers(days)
    flipped = flips(walked, months, terms.flip_months).sum(axis=0)
    table = pd.DataFrame({"as_of": days, "before": before, **kinds, "members": after, "flips": flipped})
    changes = {"flip_share": flipped, "left_share": kinds["left"], "returned_share": kinds["returned"]}
    shares = {name: np.where(before > 0, count / np.maximum(before, 1), np.nan) for name, count in changes.items()}
    is_later_month = np.diff(months, prepend=months[:1]) > 0
    return table.assign(**shares, judged=is_later_month & (before * terms.flip_share_max >= 1))

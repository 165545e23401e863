"""The answer `actions`: what marketing can do, and the audiences of all of it."""

from collections.abc import Sequence
from typing import NamedTuple, TypedDict

import pandas as pd

from insiders.programme.actions import entering, leaving, ranking, targeting
from insiders.programme.actions.leaving import Backtest
from insiders.programme.actions.ranking import RankedAction
from insiders.programme.actions.targeting import AUDIENCE, Action, SegmentActions
from insiders.programme.arms import HELD_OUT
from insiders.programme.members import GRACE, MEMBER
from insiders.programme.rules import Rule

LISTED_MAX = 10  # customers listed in the answer; the audiences hold all
ABOUT_TO_LEAVE, ONE_STEP = "about_to_leave", "one_step_from_entering"
WARNINGS = (ABOUT_TO_LEAVE, ONE_STEP)  # audiences beside those of the actions


class Inputs(NamedTuple):
    """Customers with `segment` and `is_insider`, today and in the past, and what they are expected to bring.

    Those of today also hold `status`, `until`, `arm` (empty for who is no member) and `hand`.
    """

    present: pd.DataFrame
    past: pd.DataFrame  # at month starts; empty where none lies far enough back
    expected: pd.DataFrame  # schemas.EXPECTATIONS
    enter: Rule


class ActionTerms(NamedTuple):
    """The actions to choose from, what is assumed of them, and whom to list."""

    actions: Sequence[Action]
    margin_share: float  # of net revenue
    late_probability_max: float
    shortfall_max: float  # share of a threshold
    horizon_days: int
    audience_min: int  # customers whom an action must mean to be ranked


class LeavingMember(TypedDict):
    """One row of leaving.about_to_leave; `until`: end of the grace, null for who is not in it."""

    customer_id: str
    segment: str
    status: str
    until: str | None
    recency_days: float
    gap_mean_days: float
    probability: float
    net_revenue: float
    arm: str


class AboutToLeave(TypedDict):
    """Invited members who are in grace or late; `without_rhythm`: those not in grace of whom nothing can be said."""

    count: int
    in_grace: int
    without_rhythm: int
    probability_max: float
    first: list[LeavingMember]
    tested: Backtest


class NearMiss(TypedDict):
    """One row of entering.near_misses."""

    customer_id: str
    segment: str
    column: str
    bound: str
    threshold: float
    value: float
    missing: float
    shortfall: float
    net_revenue: float
    arm: str


class Step(TypedDict):
    """How many customers lack a condition on this column."""

    column: str
    customers: int


class OneStep(TypedDict):
    """Customers who are one step from entering."""

    count: int
    shortfall_max: float
    first: list[NearMiss]
    steps: list[Step]


class ActionsNumbers(TypedDict):
    """Actions by gain and by segment, who is about to leave, who is one step from entering, and what all assumes."""

    members: int
    held_out: int
    invited: int
    ranked: list[RankedAction]
    segments: list[SegmentActions]
    about_to_leave: AboutToLeave
    one_step: OneStep
    margin_share: float
    horizon_days: int


def numbers(inputs: Inputs, terms: ActionTerms) -> ActionsNumbers:
    arms = inputs.present.loc[inputs.present["is_insider"], "arm"]
    matches = list(targeting.matches(inputs.present, terms.actions))
    return {
        "members": len(arms),
        "held_out": int((arms == HELD_OUT).sum()),
        "invited": int((arms != HELD_OUT).sum()),
        "ranked": ranking.ranked(matches, inputs.expected, terms.margin_share, terms.audience_min),
        "segments": targeting.plan(inputs.present, matches, inputs.expected, terms.margin_share),
        "about_to_leave": _about_to_leave(inputs, terms),
        "one_step": _one_step(inputs, terms),
        "margin_share": terms.margin_share,
        "horizon_days": terms.horizon_days,
    }


def _about_to_leave(inputs: Inputs, terms: ActionTerms) -> AboutToLeave:
    present, probability_max = inputs.present, terms.late_probability_max
    going = leaving.about_to_leave(present, probability_max)
    checks = pd.concat([each[leaving.FOLLOWED] for each in (inputs.past, present)], ignore_index=True)
    return {
        "count": len(going),
        "in_grace": int((going["status"] == GRACE).sum()),
        "without_rhythm": int(((present["status"] == MEMBER) & (leaving.gap_counts(present) == 0)).sum()),
        "probability_max": probability_max,
        "first": _plain(going.head(LISTED_MAX)),
        "tested": leaving.backtest(checks, terms.horizon_days, probability_max),
    }


def _plain(going: pd.DataFrame) -> list[LeavingMember]:
    days = going["until"].dt.strftime("%Y-%m-%d").astype(object)
    rows: list[LeavingMember] = going.assign(until=days.where(going["until"].notna(), None)).to_dict("records")
    return rows


def _one_step(inputs: Inputs, terms: ActionTerms) -> OneStep:
    misses = entering.near_misses(inputs.present, inputs.enter, terms.shortfall_max)
    steps = misses.groupby("column").size().sort_index().sort_values(ascending=False, kind="stable")
    return {
        "count": len(misses),
        "shortfall_max": terms.shortfall_max,
        "first": misses.head(LISTED_MAX).to_dict("records"),
        "steps": [{"column": str(column), "customers": int(count)} for column, count in steps.items()],
    }


def audiences(inputs: Inputs, terms: ActionTerms) -> pd.DataFrame:
    """All customers whom the answer means (AUDIENCE), by action; `column` and `value` say why."""
    going = leaving.about_to_leave(inputs.present, terms.late_probability_max)
    near = entering.near_misses(inputs.present, inputs.enter, terms.shortfall_max)
    tables = [
        targeting.audiences(list(targeting.matches(inputs.present, terms.actions))),
        going.assign(action=ABOUT_TO_LEAVE, column="recency_days", value=going["recency_days"])[AUDIENCE],
        near.assign(action=ONE_STEP)[AUDIENCE],
    ]
    filled = [table for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=AUDIENCE)

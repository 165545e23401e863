"""The answer `leave`: when somebody stops being a member, and who came and went so far."""

from math import fsum
from typing import NamedTuple, TypedDict

import numpy as np
import pandas as pd

from insiders.programme import movement, rules, stillness
from insiders.programme.criteria import Criteria, Timeline
from insiders.programme.decisions import DecisionTerms
from insiders.programme.learning import Fit
from insiders.programme.membership import Event
from insiders.programme.movement import Change, ReasonCount, Since, Walk
from insiders.programme.rules import Flags, PlainRule
from insiders.programme.stillness import StillnessTerms


class Programme(NamedTuple):
    """What happened at every check (schemas.MOVEMENT), how the last was decided, and what is too much of it."""

    movement: pd.DataFrame
    terms: DecisionTerms
    still: StillnessTerms


class Stillness(TypedDict):
    """Shares of the members in one month; null where no month can be judged."""

    worst_flip_share: float | None
    mean_flip_share: float | None
    worst_left_share: float | None


class Kept(TypedDict):
    """Later revenue of the members, divided by that of as many customers by score alone, at past dates."""

    value_share: float | None
    worst_value_share: float | None
    value_dates: int


class CheckCounts(TypedDict):
    """One row of stillness.count_events; `decided`: by a person, not simulated or proposed."""

    as_of: str
    before: int
    joined: int
    returned: int
    stayed: int
    in_grace: int
    left: int
    members: int
    flips: int
    flip_share: float
    left_share: float
    returned_share: float
    judged: bool
    decided: bool


class Conditions(TypedDict):
    """Plain words for the looser border, and how well they describe it; null where none do."""

    ways: PlainRule
    precision: float | None
    recall: float | None
    python: str | None
    sql: str | None


class LeaveNumbers(Stillness, Kept, Conditions):
    """The answer `leave`: members stay above `border`, a rank by score, and then in grace.

    `without`: the stillness of as many customers by score alone, where their places are known.
    """

    count: int
    in_grace: int
    size: int
    band: float
    border: int
    by_rule: bool  # the conditions decide, else the score
    grace_months: int
    flip_share_max: float
    flip_months: int
    leave_share_max: float
    met: bool | None  # whether flips keep below their maximum
    without: Stillness
    decisions: int
    since: Since | None
    months: list[CheckCounts]
    reasons: list[ReasonCount]
    latest: list[Change]


def numbers(criteria: Criteria, timeline: Timeline, programme: Programme) -> LeaveNumbers:
    """How the membership ends, and how still it was; the past holds `next_revenue`, null where none is known yet."""
    walk, terms = Walk.of(programme.movement), programme.terms
    counts = stillness.count_events(walk.events, walk.days, programme.still)
    own = _stillness(counts)
    worst = own["worst_flip_share"]
    return {
        "count": int(timeline.present["is_insider"].sum()),
        "in_grace": int((walk.events[:, -1:] == Event.IN_GRACE).sum()),
        "size": terms["size"],
        "band": terms["band"],
        "border": terms["border"],
        "by_rule": bool(terms["rule"]),
        "grace_months": terms["grace_months"],
        "flip_share_max": programme.still.flip_share_max,
        "flip_months": programme.still.flip_months,
        "leave_share_max": programme.still.leave_share_max,
        "met": None if worst is None else worst <= programme.still.flip_share_max,
        **own,
        **_kept(timeline.past),
        **_conditions(criteria.stay),
        "without": _stillness(stillness.count_events(*_by_score_alone(timeline), programme.still)),
        "decisions": sum(walk.decided),
        "since": movement.since(walk),
        "months": _months(counts, walk),
        "reasons": movement.reasons(programme.movement),
        "latest": movement.latest(programme.movement),
    }


def _stillness(counts: pd.DataFrame) -> Stillness:
    judged = counts[counts["judged"]]
    before = int(judged["before"].sum())
    return {
        "worst_flip_share": float(judged["flip_share"].max()) if before else None,
        "mean_flip_share": float(judged["flips"].sum() / before) if before else None,
        "worst_left_share": float(judged["left_share"].max()) if before else None,
    }


def _kept(past: pd.DataFrame) -> Kept:
    compared = past[past["next_revenue"].notna() & past["place"].notna()]
    shares = [share for _, rows in compared.groupby("as_of") if (share := _value_share(rows)) is not None]
    return {
        "value_share": fsum(shares) / len(shares) if shares else None,
        "worst_value_share": min(shares, default=None),
        "value_dates": len(shares),
    }


def _value_share(rows: pd.DataFrame) -> float | None:
    best = fsum(rows.loc[_first(rows), "next_revenue"])
    return fsum(rows.loc[rows["is_insider"], "next_revenue"]) / best if best > 0 else None


def _first(rows: pd.DataFrame) -> Flags:
    """As many as there are members, by score alone."""
    return (rows["place"] <= rows["is_insider"].sum()).to_numpy(bool)


def _conditions(stay: Fit | None) -> Conditions:
    if stay is None:
        return {"ways": [], "precision": None, "recall": None, "python": None, "sql": None}
    return {
        "ways": rules.to_plain(stay.rule),
        "precision": stay.precision,
        "recall": stay.recall,
        "python": rules.as_python(stay.rule, "stays"),
        "sql": rules.as_sql(stay.rule),
    }


def _by_score_alone(timeline: Timeline) -> tuple[np.ndarray, pd.DatetimeIndex]:
    """The events of a list without border to stay and grace, and their days: those of which all places are known."""
    columns = ["customer_id", "as_of", "is_insider", "place"]
    checks = pd.concat([timeline.past[columns], timeline.present[columns]])
    known = checks[checks.groupby("as_of")["place"].transform(lambda place: place.notna().all())]
    first = {day: rows.loc[_first(rows), "customer_id"] for day, rows in known.groupby("as_of", sort=True)}
    listed = pd.DataFrame({day: pd.Series(True, index=names) for day, names in first.items()})
    flags = listed.notna().to_numpy(bool)
    return movement.of_lists(flags), pd.DatetimeIndex(list(first))


def _months(counts: pd.DataFrame, walk: Walk) -> list[CheckCounts]:
    rows: list[CheckCounts] = counts.assign(
        as_of=counts["as_of"].dt.strftime("%Y-%m-%d"), decided=walk.decided
    ).to_dict("records")
    return rows

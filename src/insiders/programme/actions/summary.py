"""The answer to "what can marketing do", in plain numbers, and the audiences of all of it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from insiders.programme.actions import entering, leaving, rules
from insiders.programme.actions.rules import AUDIENCE, Rule

LISTED = 10  # people named of each kind; the audiences name all
ABOUT_TO_LEAVE, ONE_STEP = "about_to_leave", "one_step_from_entering"  # audiences beside those of the rules
Numbers = dict[str, Any]


class Known(NamedTuple):
    """Customers of today and of the past (with `segment` and `is_insider`), and what they are expected to bring."""

    present: pd.DataFrame
    past: pd.DataFrame  # at month starts; empty where none lies far enough back
    expected: pd.DataFrame  # schemas.EXPECTATIONS
    enter: Sequence[Sequence[Mapping[str, Any]]]  # ways to enter: conditions with column, bound, threshold


class Terms(NamedTuple):
    """What is assumed, and who is named."""

    rules: Sequence[Rule]
    margin_share: float  # of net revenue
    late_probability_max: float
    shortfall_max: float  # share of a threshold
    horizon_days: int


def summary(known: Known, terms: Terms) -> Numbers:
    """Actions by segment, who is about to leave, who is one step from entering, and what all of it assumes."""
    return {
        "segments": rules.plan(known.present, terms.rules, known.expected, terms.margin_share),
        "about_to_leave": _about_to_leave(known, terms),
        "one_step": _one_step(known, terms),
        "margin_share": terms.margin_share,
        "horizon_days": terms.horizon_days,
    }


def _about_to_leave(known: Known, terms: Terms) -> Numbers:
    present, most = known.present, terms.late_probability_max
    found = leaving.late(present, most)
    columns = [name for name in present if name in known.past]
    checks = pd.concat([known.past[columns], present[columns]], ignore_index=True)
    return {
        "count": len(found),
        "without_rhythm": int((present["is_insider"] & (leaving.gaps(present) == 0)).sum()),
        "probability_max": most,
        "first": found.head(LISTED).to_dict("records"),
        "tested": leaving.tested(checks, terms.horizon_days, most),
    }


def _one_step(known: Known, terms: Terms) -> Numbers:
    found = entering.one_step(known.present, known.enter, terms.shortfall_max)
    steps = found.groupby("column").size().sort_index().sort_values(ascending=False, kind="stable")
    return {
        "count": len(found),
        "shortfall_max": terms.shortfall_max,
        "first": found.head(LISTED).to_dict("records"),
        "steps": [{"column": column, "customers": int(count)} for column, count in steps.items()],
    }


def audiences(known: Known, terms: Terms) -> pd.DataFrame:
    """Everybody meant by anything on the page: customer_id, segment, action, and the column and value that say why."""
    leave = leaving.late(known.present, terms.late_probability_max)
    enter = entering.one_step(known.present, known.enter, terms.shortfall_max)
    late = leave.assign(action=ABOUT_TO_LEAVE, column="recency_days", value=leave["recency_days"])
    near = enter.assign(action=ONE_STEP)
    parts = [rules.audiences(known.present, terms.rules), late[AUDIENCE], near[AUDIENCE]]
    filled = [part for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=AUDIENCE)

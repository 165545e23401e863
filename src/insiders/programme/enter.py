"""The answer `enter`: what it takes to become an Insider."""

from math import fsum
from typing import TypedDict

import pandas as pd

from insiders.programme import learning, rules
from insiders.programme.criteria import Criteria, Timeline
from insiders.programme.learning import Fit
from insiders.programme.rules import PlainRule

DATES_MAX = 3  # past dates at which deciding by the conditions alone is tried, the latest


class Agreement(TypedDict):
    """How the rule to enter agrees with the membership of an earlier day."""

    as_of: str
    count: int  # members then
    precision: float
    recall: float


class EnterNumbers(TypedDict):
    """The answer `enter`; null where no rule describes the membership. `named`: customers who meet the rule.

    `value_share`: what a list by such a rule alone brought later, divided by what the members brought; mean over dates.
    """

    count: int
    customers: int
    ways: PlainRule
    conditions: int
    named: int | None
    precision: float | None
    recall: float | None
    python: str | None
    sql: str | None
    past: list[Agreement]
    past_precision: float | None
    past_recall: float | None
    value_share: float | None
    value_dates: int


class _Unknown(TypedDict):
    """EnterNumbers where no rule describes the membership."""

    ways: PlainRule
    conditions: int
    named: None
    precision: None
    recall: None
    python: None
    sql: None
    past: list[Agreement]
    past_precision: None
    past_recall: None
    value_share: None
    value_dates: int


NOTHING: _Unknown = {
    "ways": [],
    "conditions": 0,
    "past": [],
    "named": None,
    "precision": None,
    "recall": None,
    "python": None,
    "sql": None,
    "past_precision": None,
    "past_recall": None,
    "value_share": None,
    "value_dates": 0,
}


def numbers(criteria: Criteria, timeline: Timeline) -> EnterNumbers:
    """The rule to enter, and how it agrees with today's members and with those of the past, which it has not seen.

    The past holds `next_revenue`, null where the horizon has not ended.
    """
    count, customers, fit = int(timeline.present["is_insider"].sum()), len(timeline.present), criteria.enter
    if fit is None:
        return {"count": count, "customers": customers, **NOTHING}
    past_precision, past_recall = _agreement(fit, timeline.past)
    ratios = _value_shares(timeline.past)
    return {
        "count": count,
        "customers": customers,
        "ways": rules.to_plain(fit.rule),
        "conditions": rules.count_conditions(fit.rule),
        "named": int(rules.meets(fit.rule, timeline.present).sum()),
        "precision": fit.precision,
        "recall": fit.recall,
        "python": rules.as_python(fit.rule, "enters"),
        "sql": rules.as_sql(fit.rule),
        "past": [_agreement_at(day, fit, rows) for day, rows in timeline.past.groupby("as_of", sort=True)],
        "past_precision": past_precision,
        "past_recall": past_recall,
        "value_share": fsum(ratios) / len(ratios) if ratios else None,
        "value_dates": len(ratios),
    }


def _value_shares(past: pd.DataFrame) -> list[float]:
    """At each of the latest dates whose horizon has ended: revenue after it, of the rule's list and of the members.

    The rule of a date is learned from its own membership, so nothing known later is in it.
    """
    dates = [rows for _, rows in past[past["next_revenue"].notna()].groupby("as_of", sort=True)][-DATES_MAX:]
    fits = [(learning.learn(rows, rows["is_insider"]), rows) for rows in dates]
    return [
        fsum(rows.loc[rules.meets(fit.rule, rows), "next_revenue"]) / members
        for fit, rows in fits
        if fit is not None and (members := fsum(rows.loc[rows["is_insider"], "next_revenue"])) > 0
    ]


def _agreement(fit: Fit, customers: pd.DataFrame) -> tuple[float, float]:
    return learning.agreement(fit.rule, customers, customers["is_insider"].to_numpy(bool))


def _agreement_at(day: pd.Timestamp, fit: Fit, customers: pd.DataFrame) -> Agreement:
    precision, recall = _agreement(fit, customers)
    return {
        "as_of": f"{day:%Y-%m-%d}",
        "count": int(customers["is_insider"].sum()),
        "precision": precision,
        "recall": recall,
    }

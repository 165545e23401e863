"""The answer `enter`: what it takes to become an Insider."""

from typing import TypedDict

import pandas as pd

from insiders.programme import learning, rules
from insiders.programme.criteria import Criteria, Timeline
from insiders.programme.learning import Fit
from insiders.programme.rules import PlainRule


class Agreement(TypedDict):
    """How the rule to enter agrees with the list of an earlier day."""

    as_of: str
    count: int  # Insiders then
    precision: float
    recall: float


class EnterNumbers(TypedDict):
    """The answer `enter`; null where no rule describes the list. `named`: customers who meet the rule."""

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


def numbers(criteria: Criteria, timeline: Timeline) -> EnterNumbers:
    """The rule to enter, and how it agrees with today's list and with those of the past, which it has not seen."""
    count, customers, fit = int(timeline.present["is_insider"].sum()), len(timeline.present), criteria.enter
    if fit is None:
        return {
            "count": count,
            "customers": customers,
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
        }
    past_precision, past_recall = _agreement(fit, timeline.past)
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
    }


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

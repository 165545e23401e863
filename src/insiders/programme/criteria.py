"""The customers whom the programme looks at, now and in the past, and the plain words for who enters and who stays."""

from typing import NamedTuple

import pandas as pd

from insiders.programme import learning, rules
from insiders.programme.decisions import DecisionTerms
from insiders.programme.learning import Fit

SLACKS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)  # shares by which the conditions to stay may be looser than those to enter


class Timeline(NamedTuple):
    """Customers with `segment`, `is_insider` (a member) and `place` (1: the highest score): now, and at month starts.

    In the `past`, a place is null where only the members' were kept.
    """

    present: pd.DataFrame
    past: pd.DataFrame


class Criteria(NamedTuple):
    """The conditions to enter and to stay, and how well they describe who does; None where there is nobody.

    The conditions to enter describe the members, those to stay the customers above the looser border.
    """

    enter: Fit | None
    stay: Fit | None


def learn(timeline: Timeline, terms: DecisionTerms) -> Criteria:
    """Learn the conditions from today's membership alone; where a rule decides, they are that rule."""
    customers = timeline.present
    if terms["rule"]:
        return _decided(customers, terms)
    enter = learning.learn(customers, customers["is_insider"])
    if enter is None:
        return Criteria(None, None)
    above = (customers["place"] <= terms["border"]).to_numpy(bool)
    looser = [rules.loosen(enter.rule, slack) for slack in SLACKS]
    fits = [Fit(rule, *learning.agreement(rule, customers, above)) for rule in looser]
    return Criteria(enter, max(fits, key=lambda fit: round(min(fit.precision, fit.recall), 9)))


def _decided(customers: pd.DataFrame, terms: DecisionTerms) -> Criteria:
    rule = rules.from_text(terms["rule"])
    if not rule:
        return Criteria(None, None)
    stay = rules.at_band(rule, terms["band"])
    member, above = customers["is_insider"], customers["place"] <= terms["border"]
    return Criteria(
        Fit(rule, *learning.agreement(rule, customers, member.to_numpy(bool))),
        Fit(stay, *learning.agreement(stay, customers, above.to_numpy(bool))),
    )

"""What `insiders explain` says of a customer: the conditions beside their figures, what they lack, past checks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import pandas as pd

from insiders.programme import rules, standing
from insiders.programme.criteria import Criteria
from insiders.programme.decisions import DecisionTerms
from insiders.programme.learning import Fit
from insiders.programme.members import GRACE, LEFT
from insiders.programme.membership import Event
from insiders.programme.rules import Condition, Rule
from insiders.programme.standing import Comparison

EVENT_NAMES = {
    Event.OUTSIDE: "no member",
    Event.JOINED: "joined",
    Event.RETURNED: "returned",
    Event.STAYED: "stayed",
    Event.IN_GRACE: "in grace",
    Event.LEFT: "left",
}
CHECKS_HEAD = "Check by check (simulated: what the same rules would have done before the first decision):"


class Subject(NamedTuple):
    """One customer: their row today, as a table of one row, and what is kept of their membership.

    `record` is their row of schemas.MEMBERS, None for who never was a member; `events` holds one row per check from the
    first at which they were a customer: as_of, event, reason (missing where none is kept), decided.
    """

    customer: pd.DataFrame
    record: "pd.Series | None"
    events: pd.DataFrame


class Vocabulary(Protocol):
    """Columns and reasons (members.REASONS) in words."""

    labels: Mapping[str, str]
    reasons: Mapping[str, str]


def tell(subject: Subject, criteria: Criteria, terms: DecisionTerms, words: Vocabulary) -> list[str]:
    """Lines about a customer."""
    conditions = _conditions(subject, criteria, terms, _Words(words.labels))
    return [*_membership(subject), *conditions, "", CHECKS_HEAD, *_checks(subject.events, words.reasons)]


def _membership(subject: Subject) -> Iterator[str]:
    record = subject.record
    if record is None:
        yield "Never a member of the programme."
    elif record["status"] == LEFT:
        yield f"A member from {record['since']:%Y-%m-%d} until {record['until']:%Y-%m-%d}."
    else:
        arm = record["arm"].replace("_", " ")
        yield f"A member since {record['since']:%Y-%m-%d}, {arm}; rank {record['rank']} of the members by score."


def _conditions(subject: Subject, criteria: Criteria, terms: DecisionTerms, words: "_Words") -> Iterator[str]:
    if criteria.enter is None or criteria.stay is None:
        yield "No conditions describe this membership, so nothing can be said about entering and leaving."
        return
    yield ""
    yield from _entering(criteria.enter, subject.customer, terms, words)
    yield ""
    yield from _leaving(criteria.stay, subject, terms, words)


@dataclass(frozen=True)
class _Words:
    """Conditions and figures in words; `labels` names their columns."""

    labels: Mapping[str, str]

    def ways(self, rule: Rule, customer: pd.DataFrame) -> Iterator[str]:
        """A line for each condition, with the customer's figure."""
        for number, way in enumerate(rule):
            if number:
                yield "  or"
            for each in standing.compare(way, customer):
                figure = _amount(each.condition.column, each.value)
                yield f"  {'met' if each.met else 'missed':<7} {self.condition(each.condition)} (has {figure})"

    def condition(self, condition: Condition) -> str:
        bound = "at least" if condition.at_least else "at most"
        return f"{self.labels[condition.column]}: {bound} {condition.threshold:,g}"

    def lack(self, comparison: Comparison) -> str:
        """What would meet a condition that is missed."""
        column, threshold = comparison.condition
        if column == "recency_days":
            away = _count(comparison.value, "day")
            return f"an order (the last one was {away} ago, at most {threshold:,g} are allowed)"
        return f"{_amount(column, threshold - comparison.value)} more {self.labels[column]}"


def _entering(fit: Fit, customer: pd.DataFrame, terms: DecisionTerms, words: _Words) -> Iterator[str]:
    is_insider, meets = bool(customer["is_insider"].iloc[0]), bool(rules.meets(fit.rule, customer)[0])
    head = "To enter" if terms["rule"] else "The score decides who enters; in plain words"
    yield (
        f"{head}, {_one_of(fit.rule)} must hold: "
        f"{fit.precision:.0%} of those who meet it are members, and {fit.recall:.0%} of the members meet it."
    )
    yield from words.ways(fit.rule, customer)
    if not meets:
        yield f"The shortest way to meet it: {_join(map(words.lack, standing.missing(fit.rule, customer)))}."
    if is_insider != meets:
        yield f"Here the words and the membership differ: this customer is {'a' if is_insider else 'no'} member."


def _leaving(fit: Fit, subject: Subject, terms: DecisionTerms, words: _Words) -> Iterator[str]:
    place, border = int(subject.customer["place"].iloc[0]), terms["border"]
    grace = _count(terms["grace_months"], "month")
    if not terms["rule"]:
        yield f"A member stays up to place {border:,} by score, and for {grace} beyond it. Here: place {place:,}."
    head = f"For {grace} it may be missed;" if terms["rule"] else "In plain words,"
    yield f"{head} {_one_of(fit.rule)} must hold to stay."
    yield from words.ways(fit.rule, subject.customer)
    if subject.record is not None and subject.record["status"] == GRACE:
        back = "it holds again" if terms["rule"] else f"back within place {border:,}"
        yield f"In grace: leaves on {subject.record['until']:%Y-%m-%d} unless {back}."


def _one_of(rule: Rule) -> str:
    return "all of this" if len(rule) == 1 else "one of these ways"


def _checks(events: pd.DataFrame, reasons: Mapping[str, str]) -> Iterator[str]:
    for row in events.itertuples(index=False):
        event = Event[row.event.upper()]
        why = "" if pd.isna(row.reason) else f": {reasons[row.reason]}"
        kind = "decided" if row.decided else "simulated"
        yield f"  {row.as_of:%Y-%m-%d}  {kind:<10}{EVENT_NAMES[event]}{why}"


def _amount(column: str, value: float) -> str:
    return f"{value:,.0f}" if column in rules.WHOLE else f"{value:,.2f}"


def _count(number: float, noun: str) -> str:
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def _join(parts: Iterable[str], by: str = "and") -> str:
    return f" {by} ".join(parts)

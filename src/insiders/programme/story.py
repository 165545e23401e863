"""What `insiders explain` says of a customer: the rules beside their figures, what they lack, their past months."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from insiders.programme import rules, standing
from insiders.programme.criteria import Criteria, Timeline
from insiders.programme.learning import Fit
from insiders.programme.membership import Event
from insiders.programme.rules import Condition, Rule
from insiders.programme.simulation import Grid, Policy
from insiders.programme.standing import Comparison, PlainComparison

EVENT_NAMES = {
    Event.OUTSIDE: "no member",
    Event.JOINED: "joined",
    Event.RETURNED: "returned",
    Event.STAYED: "stayed",
    Event.IN_GRACE: "in grace",
    Event.LEFT: "left",
}
BY_RULE_TO_ENTER = (Event.OUTSIDE, Event.JOINED, Event.RETURNED)  # all other events follow from the rule to stay
MONTHS_HEAD = (
    "Month by month: today's model (segment) and rules (membership) looking back, each date by what was known then.",
    "This is a simulation, not what was decided at the time.",
)


class _Month(NamedTuple):
    """One check of one customer: their row then, and what happened."""

    customer: pd.DataFrame
    event: Event


def tell(customer_id: str, criteria: Criteria, timeline: Timeline, labels: Mapping[str, str]) -> list[str]:
    """Lines about a customer of `timeline.present`; `labels` names columns in words."""
    fit, policy = criteria.enter, criteria.leave
    if fit is None or policy is None:
        return ["No rule describes this list, so nothing can be said about entering and leaving."]
    customer = timeline.present[timeline.present["customer_id"] == customer_id]
    months, words = _months(customer_id, policy, timeline), _Words(labels)
    return [
        *_entering(fit, customer, words),
        "",
        *_leaving(policy, customer, months[-1].event, words),
        "",
        *MONTHS_HEAD,
        *(_month(each, fit.rule if each.event in BY_RULE_TO_ENTER else policy.stay, words) for each in months),
    ]


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

    def fact(self, comparison: PlainComparison) -> str:
        column, bound = comparison["column"], comparison["bound"].replace("_", " ")
        figure = _amount(column, comparison["value"])
        return f"{self.labels[column]} {figure} ({bound} {comparison['threshold']:,g})"

    def lack(self, comparison: Comparison) -> str:
        """What would meet a condition that is missed."""
        column, threshold = comparison.condition
        if column == "recency_days":
            away = _count(comparison.value, "day")
            return f"an order (the last one was {away} ago, at most {threshold:,g} are allowed)"
        return f"{_amount(column, threshold - comparison.value)} more {self.labels[column]}"

    def room(self, comparison: Comparison) -> str:
        """What would miss a condition that is met."""
        column, threshold = comparison.condition
        room = abs(comparison.value - threshold)
        if column == "recency_days":
            return f"{_count(room + 1, 'more day')} without an order"
        return f"more than {_amount(column, room)} less {self.labels[column]}"


def _entering(fit: Fit, customer: pd.DataFrame, words: _Words) -> Iterator[str]:
    is_insider, meets = bool(customer["is_insider"].iloc[0]), bool(rules.meets(fit.rule, customer)[0])
    yield (
        f"To enter, {_one_of(fit.rule)} must hold. The rule describes the list: "
        f"{fit.precision:.0%} of those who meet it are Insiders, and {fit.recall:.0%} of the Insiders meet it."
    )
    yield from words.ways(fit.rule, customer)
    if not meets:
        yield f"The shortest way in: {_join(map(words.lack, standing.missing(fit.rule, customer)))}."
    if is_insider != meets:
        verb = "names" if is_insider else "does not name"
        yield f"Here the rule and the list differ. The rule only describes the list, which {verb} this customer."


def _leaving(policy: Policy, customer: pd.DataFrame, now: Event, words: _Words) -> Iterator[str]:
    grace = _count(policy.grace_months, "month")
    yield f"To stay, {_one_of(policy.stay)} must hold. A member who misses it for {grace} leaves."
    yield from words.ways(policy.stay, customer)
    if now is Event.IN_GRACE:
        yield f"In grace at present. To stay: {_join(map(words.lack, standing.missing(policy.stay, customer)))}."
    elif now not in (Event.OUTSIDE, Event.LEFT):
        way = standing.compare(standing.nearest(policy.stay, customer), customer)
        yield f"Room left before they would miss it: {_join(map(words.room, way), 'or')}."


def _one_of(rule: Rule) -> str:
    return "all of this" if len(rule) == 1 else "one of these ways"


def _months(customer_id: str, policy: Policy, timeline: Timeline) -> list[_Month]:
    """The checks from the first at which they were a customer; the present is last."""
    checks = timeline.checks
    grid = Grid.of(checks)
    own = checks["customer_id"] == customer_id
    rows = checks[own].assign(event=policy.events[grid.row[own], grid.column[own]]).sort_values("as_of")
    return [_Month(rows.iloc[[place]], Event(rows["event"].iloc[place])) for place in range(len(rows))]


def _month(month: _Month, rule: Rule, words: _Words) -> str:
    row, reason = month.customer.iloc[0], standing.reason(rule, month.customer)
    what = f"{EVENT_NAMES[month.event]}: {_join(map(words.fact, reason))}"
    return f"  {row['as_of']:%Y-%m-%d}  {row['segment']:<34} {what}"


def _amount(column: str, value: float) -> str:
    return f"{value:,.0f}" if column in rules.WHOLE else f"{value:,.2f}"


def _count(number: float, noun: str) -> str:
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def _join(parts: Iterable[str], by: str = "and") -> str:
    return f" {by} ".join(parts)

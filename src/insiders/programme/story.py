"""One customer's story: the rules beside their figures, what they lack, how much room is left, and their months."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from insiders.programme import membership, rules, standing
from insiders.programme.learning import Fit
from insiders.programme.membership import Conditions, Event
from insiders.programme.rules import Condition, Rule
from insiders.programme.standing import Point
from insiders.programme.summary import Known, Membership

WORDS = {
    "net_revenue": "net revenue",
    "net_revenue_180d": "net revenue of the last 180 days",
    "net_revenue_90d": "net revenue of the last 90 days",
    "order_count": "orders",
    "order_count_180d": "orders in the last 180 days",
    "order_count_90d": "orders in the last 90 days",
    "recency_days": "days since the last order",
    "distinct_product_count": "different products",
    "net_revenue_per_month": "net revenue per 30 days",
}
EVENTS = {
    Event.OUTSIDE: "no member",
    Event.JOINED: "joined",
    Event.RETURNED: "returned",
    Event.STAYED: "stayed",
    Event.IN_GRACE: "in grace",
    Event.LEFT: "left",
}
BY_ENTRY = (Event.OUTSIDE, Event.JOINED, Event.RETURNED)  # told by the rule to enter, the others by the rule to stay
MONTHS_HEAD = (
    "Month by month: today's model (segment) and rules (membership) looking back, each date by what was known then.",
    "This is a simulation, not what was decided at the time.",
)


def tell(customer_id: str, found: Membership, known: Known) -> list[str]:
    """Lines about a customer of `known.present`."""
    if found.fit is None or found.conditions is None:
        return ["No rule describes this list, so nothing can be said about entering and leaving."]
    present = known.present[known.present["customer_id"] == customer_id]
    months = _months(customer_id, found.conditions, known)
    return [
        *_entering(found.fit, present),
        "",
        *_leaving(found.conditions, present, months[-1][1]),
        "",
        *MONTHS_HEAD,
        *(_month(then, event, found.fit.rule, found.conditions.stay) for then, event in months),
    ]


def _entering(fit: Fit, present: pd.DataFrame) -> Iterator[str]:
    listed, meets = bool(present["is_insider"].iloc[0]), bool(rules.meets(fit.rule, present)[0])
    yield (
        f"To enter, {_one_of(fit.rule)} must hold. The rule describes the list: "
        f"{fit.precision:.0%} of those who meet it are Insiders, and {fit.recall:.0%} of the Insiders meet it."
    )
    yield from _ways(fit.rule, present)
    if not meets:
        yield f"The shortest way in: {_joined(map(_lack, _missed(fit.rule, present)))}."
    if listed != meets:
        names = "names" if listed else "does not name"
        yield f"Here the rule and the list differ. The rule only describes the list, which {names} this customer."


def _leaving(conditions: Conditions, present: pd.DataFrame, now: Event) -> Iterator[str]:
    grace = _counted(conditions.grace_months, "month")
    yield f"To stay, {_one_of(conditions.stay)} must hold. A member who misses it for {grace} leaves."
    yield from _ways(conditions.stay, present)
    if now is Event.IN_GRACE:
        yield f"In grace at present. To stay: {_joined(map(_lack, _missed(conditions.stay, present)))}."
    elif now not in (Event.OUTSIDE, Event.LEFT):
        way = standing.points(standing.nearest(conditions.stay, present), present)
        yield f"Room left before they would miss it: {_joined(map(_room, way), 'or')}."


def _one_of(rule: Rule) -> str:
    return "all of this" if len(rule) == 1 else "one of these ways"


def _ways(rule: Rule, present: pd.DataFrame) -> Iterator[str]:
    for number, way in enumerate(rule):
        if number:
            yield "  or"
        for point in standing.points(way, present):
            figure = _amount(point.condition.column, point.value)
            yield f"  {'met' if point.met else 'missed':<7} {_asked(point.condition)} (has {figure})"


def _missed(rule: Rule, present: pd.DataFrame) -> list[Point]:
    return [point for point in standing.points(standing.nearest(rule, present), present) if not point.met]


def _lack(point: Point) -> str:
    column, threshold = point.condition
    if column == "recency_days":
        return f"an order (the last one was {_counted(point.value, 'day')} ago, at most {threshold:,g} are allowed)"
    return f"{_amount(column, threshold - point.value)} more {WORDS[column]}"


def _room(point: Point) -> str:
    column, threshold = point.condition
    left = abs(point.value - threshold)
    if column == "recency_days":
        return f"{_counted(left + 1, 'more day')} without an order"
    return f"more than {_amount(column, left)} less {WORDS[column]}"


def _months(customer_id: str, conditions: Conditions, known: Known) -> list[tuple[pd.DataFrame, Event]]:
    """The customer's row and event at each check from the first at which they were a customer; the present is last."""
    everything = known.everything
    places = membership.checks(everything)
    own = everything["customer_id"] == customer_id
    rows = everything[own].assign(event=conditions.events[places.row[own], places.column[own]]).sort_values("as_of")
    return [(rows.iloc[[place]], Event(rows["event"].iloc[place])) for place in range(len(rows))]


def _month(then: pd.DataFrame, event: Event, enter: Rule, stay: Rule) -> str:
    why = standing.reason(enter if event in BY_ENTRY else stay, then)
    told = f"{EVENTS[event]}: {_joined(map(_fact, why))}"
    return f"  {then['as_of'].iloc[0]:%Y-%m-%d}  {then['segment'].iloc[0]:<34} {told}"


def _fact(each: dict[str, Any]) -> str:
    column, bound = each["column"], each["bound"].replace("_", " ")
    return f"{WORDS[column]} {_amount(column, each['value'])} ({bound} {each['threshold']:,g})"


def _asked(condition: Condition) -> str:
    bound = "at least" if condition.at_least else "at most"
    return f"{WORDS[condition.column]}: {bound} {condition.threshold:,g}"


def _amount(column: str, value: float) -> str:
    return f"{value:,.0f}" if column in rules.WHOLE else f"{value:,.2f}"


def _counted(number: float, noun: str) -> str:
    return f"{number:,.0f} {noun}{'' if number == 1 else 's'}"


def _joined(parts: Iterable[str], by: str = "and") -> str:
    return f" {by} ".join(parts)

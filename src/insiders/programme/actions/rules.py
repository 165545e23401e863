"""Which action fits which segment, and who of it is meant."""

from collections.abc import Iterator, Mapping, Sequence
from math import fsum
from typing import Any, NamedTuple

import pandas as pd

from insiders.errors import InputError
from insiders.programme.actions.effects import FIGURES, Cost, Uplift, effect, outlook

HOLD = "hold"  # where no rule fits
AUDIENCE = ["customer_id", "segment", "action", "column", "value"]


class Condition(NamedTuple):
    """At least (or at most) `times` the median of all customers, and at least `floor`."""

    column: str
    at_least: bool
    times: float
    floor: float

    def limit(self, customers: pd.DataFrame) -> float:
        if self.column not in customers or not pd.api.types.is_float_dtype(customers[self.column]):
            raise InputError(
                f"report.actions names the column {self.column!r}: expected a number of customers.parquet, such as "
                "recency_days or net_revenue; src/insiders/schemas.py has them all"
            )
        return max(self.times * float(customers[self.column].median()), self.floor)


class Rule(NamedTuple):
    """An action of a kind, the conditions that a segment's medians must meet, and what is assumed of it."""

    kind: str
    for_insiders: bool | None  # None: for any segment
    conditions: tuple[Condition, ...]
    cost: Cost
    uplift: Uplift


class Candidate(NamedTuple):
    """A rule that fits a segment, and the customers who are meant: those who meet its conditions themselves."""

    segment: str
    rule: Rule
    figures: list[dict[str, Any]]  # per condition: column, bound, limit and the two medians
    audience: pd.DataFrame


def candidates(members: pd.DataFrame, rules: Sequence[Rule]) -> Iterator[Candidate]:
    """Each rule with each segment that it fits, the segments by name, the rules in their order.

    `members` holds customers with `segment` and `is_insider`; a segment is the Insiders' where all its customers are.
    """
    for name, group in members.groupby("segment"):
        inside = bool(group["is_insider"].all())
        for rule in rules:
            figures = [_figures(each, group, members) for each in rule.conditions]
            meant = _meeting(group, rule, members)
            if rule.for_insiders in (None, inside) and all(each.pop("holds") for each in figures) and len(meant):
                yield Candidate(str(name), rule, figures, meant)


def _figures(condition: Condition, group: pd.DataFrame, members: pd.DataFrame) -> dict[str, Any]:
    limit, own = condition.limit(members), float(group[condition.column].median())
    return {
        "column": condition.column,
        "bound": "at_least" if condition.at_least else "at_most",
        "limit": limit,
        "segment_value": own,
        "overall_value": float(members[condition.column].median()),
        "holds": own >= limit if condition.at_least else own <= limit,
    }


def _meeting(group: pd.DataFrame, rule: Rule, members: pd.DataFrame) -> pd.DataFrame:
    for condition in rule.conditions:
        values, limit = group[condition.column], condition.limit(members)
        group = group[values >= limit if condition.at_least else values <= limit]
    return group


def plan(
    members: pd.DataFrame, rules: Sequence[Rule], expected: pd.DataFrame, margin_share: float
) -> list[dict[str, Any]]:
    """Per segment, the most net revenue per customer first, what fits it and what that costs and may bring.

    `expected` is schemas.EXPECTATIONS; `margin_share` is what is left of a unit of net revenue when the goods are paid.
    Where nothing fits, the only suggestion is HOLD.
    """
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in _by_worth(members)}
    for found in candidates(members, rules):
        theirs = expected[expected["customer_id"].isin(found.audience["customer_id"])]
        terms = effect(found.rule.cost, outlook(theirs), margin_share, found.rule.uplift)
        told[found.segment].append(_suggestion(found, terms))
    sizes, inside = members.groupby("segment").size(), members.groupby("segment")["is_insider"].all()
    return [
        {
            "segment": name,
            "customers": int(sizes[name]),
            "is_insider": bool(inside[name]),
            "do": each or [dict(NOTHING)],
        }
        for name, each in told.items()
    ]


def _by_worth(members: pd.DataFrame) -> list[str]:
    worth = {str(name): fsum(revenue) / len(revenue) for name, revenue in members.groupby("segment")["net_revenue"]}
    return sorted(worth, key=lambda name: -worth[name])


def _suggestion(found: Candidate, terms: Mapping[str, Any]) -> dict[str, Any]:
    """The first condition's figures stand beside the key; a rule without conditions fits by who is on the list."""
    first = found.figures[0] if found.figures else {"column": "customers", "segment_value": None, "overall_value": None}
    return {
        "key": found.rule.kind,
        **{name: first[name] for name in ("column", "segment_value", "overall_value")},
        "conditions": found.figures,
        "audience": len(found.audience),
        **found.rule.cost._asdict(),
        **terms,
    }


NOTHING: Mapping[str, Any] = {
    "key": HOLD,
    "column": None,
    "segment_value": None,
    "overall_value": None,
    "conditions": [],
    "audience": None,
    **dict.fromkeys([*Cost._fields, *FIGURES]),
}


def audiences(members: pd.DataFrame, rules: Sequence[Rule]) -> pd.DataFrame:
    """One row per candidate and customer meant; column and value of the rule's first condition, null without one."""
    rows = [_meant(found) for found in candidates(members, rules)]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=AUDIENCE)


def _meant(found: Candidate) -> pd.DataFrame:
    first = found.rule.conditions[0].column if found.rule.conditions else None
    value = float("nan") if first is None else found.audience[first]
    told = found.audience.assign(action=found.rule.kind, column=first, value=value)
    order = ["net_revenue", "recency_days", "customer_id"]
    return told.sort_values(order, ascending=[False, True, True])[AUDIENCE].astype({"column": object})

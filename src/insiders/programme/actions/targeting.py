"""Which action fits which segment, and who in it is meant."""

from collections.abc import Iterator, Sequence
from math import fsum
from typing import NamedTuple, TypedDict

import pandas as pd

from insiders.errors import InputError
from insiders.programme.actions.effects import NO_EFFECT, Cost, EffectNumbers, Outlook, Uplift, effect
from insiders.programme.arms import HELD_OUT
from insiders.programme.hands import NEVER

MAJORITY = 0.5  # a segment is the Insiders' where more than this share of it are
HOLD = "hold"  # the key where no action fits
AUDIENCE = ["customer_id", "segment", "action", "column", "value", "arm"]


class Condition(NamedTuple):
    """At least (or at most) `times` the median of all customers, but never less than `floor`."""

    column: str
    at_least: bool
    times: float
    floor: float

    def limit(self, customers: pd.DataFrame) -> float:
        if self.column not in customers or not pd.api.types.is_float_dtype(customers[self.column]):
            raise InputError(
                f"report.actions names the column {self.column!r}: expected a number of customers.parquet, such as "
                "recency_days or net_revenue; src/insiders/schemas/features.py has them all"
            )
        return max(self.times * float(customers[self.column].median()), self.floor)


class Action(NamedTuple):
    """What can be done, for which segments, and what is assumed of it."""

    kind: str
    for_insiders: bool | None  # None: for any segment
    conditions: tuple[Condition, ...]  # on the segment's medians, and on each customer of the audience
    cost: Cost
    uplift: Uplift


class ConditionNumbers(TypedDict):
    """A condition of an action, its limit, and the medians of the segment and of all customers."""

    column: str
    bound: str
    limit: float
    segment_value: float
    overall_value: float


class Suggestion(EffectNumbers):
    """An action for a segment; `column` and its values are those of the first condition.

    `column` is "customers" where the action has no conditions. All but `key` and `conditions` is null for HOLD.
    """

    key: str
    column: str | None
    segment_value: float | None
    overall_value: float | None
    conditions: list[ConditionNumbers]
    audience: int | None
    per_customer: float | None
    per_order: float | None
    share_of_revenue: float | None


class SegmentActions(TypedDict):
    segment: str
    customers: int
    is_insider: bool
    do: list[Suggestion]


class Match(NamedTuple):
    """An action that fits a segment, and the customers of it who meet its conditions themselves."""

    segment: str
    action: Action
    conditions: list[ConditionNumbers]
    audience: pd.DataFrame


def matches(members: pd.DataFrame, actions: Sequence[Action]) -> Iterator[Match]:
    """Each action with each segment that it fits: segments by name, actions in their order.

    `members` holds all customers with `segment`, `is_insider`, `arm` and `hand`; an action for one side fits that side
    of a segment. What is for members only is for those who are invited, so that what it adds can be measured.
    """
    for name, segment in members.groupby("segment"):
        for action in actions:
            group = segment if action.for_insiders is None else segment[segment["is_insider"] == action.for_insiders]
            conditions = [_numbers(each, group, members) for each in action.conditions]
            fits = all(_holds(each, each["segment_value"]) for each in conditions)
            audience = _audience(reachable(group, for_members=action.for_insiders is True), conditions)
            if fits and len(audience):
                yield Match(str(name), action, conditions, audience)


def reachable(customers: pd.DataFrame, *, for_members: bool) -> pd.DataFrame:
    """Whoever may be contacted: nobody who objected, and with what is for members only nobody who is held out."""
    is_held_out = (customers["arm"] == HELD_OUT) & for_members
    return customers[(customers["hand"] != NEVER) & ~is_held_out]


def _numbers(condition: Condition, group: pd.DataFrame, members: pd.DataFrame) -> ConditionNumbers:
    return {
        "column": condition.column,
        "bound": "at_least" if condition.at_least else "at_most",
        "limit": condition.limit(members),
        "segment_value": float(group[condition.column].median()),
        "overall_value": float(members[condition.column].median()),
    }


def _holds(condition: ConditionNumbers, values: "pd.Series[float] | float") -> "pd.Series[bool] | bool":
    return values >= condition["limit"] if condition["bound"] == "at_least" else values <= condition["limit"]


def _audience(group: pd.DataFrame, conditions: Sequence[ConditionNumbers]) -> pd.DataFrame:
    for condition in conditions:
        group = group[_holds(condition, group[condition["column"]])]
    return group


def plan(
    members: pd.DataFrame, fitting: Sequence[Match], expected: pd.DataFrame, margin_share: float
) -> list[SegmentActions]:
    """Per segment, that with the most net revenue per customer first, the actions that fit it and their money.

    `fitting` are the `matches` of the members, `expected` is schemas.EXPECTATIONS; `margin_share` is what is left of a
    unit of net revenue when the goods are paid.
    Where no action fits, the only suggestion is HOLD.
    """
    suggestions: dict[str, list[Suggestion]] = {name: [] for name in _by_worth(members)}
    for match in fitting:
        theirs = expected[expected["customer_id"].isin(match.audience["customer_id"])]
        money = effect(match.action.cost, Outlook.of(theirs), margin_share, match.action.uplift)
        suggestions[match.segment].append(_suggestion(match, money))
    sizes, insiders = members.groupby("segment").size(), members.groupby("segment")["is_insider"].mean() > MAJORITY
    return [
        {
            "segment": name,
            "customers": int(sizes[name]),
            "is_insider": bool(insiders[name]),
            "do": each or [_hold()],
        }
        for name, each in suggestions.items()
    ]


def _by_worth(members: pd.DataFrame) -> list[str]:
    worth = {str(name): fsum(revenue) / len(revenue) for name, revenue in members.groupby("segment")["net_revenue"]}
    return sorted(worth, key=lambda name: -worth[name])


def _suggestion(match: Match, money: EffectNumbers) -> Suggestion:
    first = match.conditions[0] if match.conditions else None
    cost = match.action.cost
    return {
        "key": match.action.kind,
        "column": first["column"] if first else "customers",
        "segment_value": first["segment_value"] if first else None,
        "overall_value": first["overall_value"] if first else None,
        "conditions": match.conditions,
        "audience": len(match.audience),
        "per_customer": cost.per_customer,
        "per_order": cost.per_order,
        "share_of_revenue": cost.share_of_revenue,
        **money,
    }


def _hold() -> Suggestion:
    return {
        "key": HOLD,
        "column": None,
        "segment_value": None,
        "overall_value": None,
        "conditions": [],
        "audience": None,
        "per_customer": None,
        "per_order": None,
        "share_of_revenue": None,
        **NO_EFFECT,
    }


def audiences(fitting: Sequence[Match]) -> pd.DataFrame:
    """One row per match and customer of its audience (AUDIENCE), those with the most net revenue first.

    `column` and `value` are those of the action's first condition, null without one.
    """
    rows = [_targets(match) for match in fitting]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=AUDIENCE)


def _targets(match: Match) -> pd.DataFrame:
    column = match.conditions[0]["column"] if match.conditions else None
    value = float("nan") if column is None else match.audience[column]
    targets = match.audience.assign(action=match.action.kind, column=column, value=value)
    order = ["net_revenue", "recency_days", "customer_id"]
    return targets.sort_values(order, ascending=[False, True, True])[AUDIENCE].astype({"column": object})

"""How one customer stands to a rule: in which way they come closest, and what is met or missed in it."""

import math
from typing import Any, NamedTuple

import pandas as pd

from insiders.programme.rules import Condition, Rule, Way, condition_in_plain


class Point(NamedTuple):
    """A condition beside the customer's own figure."""

    condition: Condition
    value: float
    met: bool

    @property
    def plain(self) -> dict[str, Any]:
        return {**condition_in_plain(self.condition), "value": self.value}


def points(way: Way, customer: pd.DataFrame) -> list[Point]:
    """`customer` is a table of one row."""
    return [Point(each, float(customer[each.column].iloc[0]), bool(each.holds(customer)[0])) for each in way]


def nearest(rule: Rule, customer: pd.DataFrame) -> Way:
    """The way that the customer meets with the most room or misses by the least, as a share of a threshold.

    Of ways that are equally far the one with the least to make up in all its conditions.
    """
    return max(rule, key=lambda way: _nearness(way, customer))


def _nearness(way: Way, customer: pd.DataFrame) -> tuple[float, float]:
    found = [float(each.room(customer)[0]) for each in way]
    return min(found), math.fsum(min(room, 0.0) for room in found)


def reason(rule: Rule, customer: pd.DataFrame) -> list[dict[str, Any]]:
    """Why a customer meets a rule, or what they lack: the met conditions of the nearest way, or those missed in it."""
    found = points(nearest(rule, customer), customer)
    missed = [each.plain for each in found if not each.met]
    return missed or [each.plain for each in found]

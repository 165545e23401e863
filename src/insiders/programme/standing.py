"""How one customer stands to a rule: which of its ways is nearest, and what they meet or miss in it."""

import math
from typing import NamedTuple

import pandas as pd

from insiders.programme.rules import Condition, Rule, Way


class Comparison(NamedTuple):
    """A condition beside the customer's figure."""

    condition: Condition
    value: float
    met: bool


def compare(way: Way, customer: pd.DataFrame) -> list[Comparison]:
    """`customer` is a table of one row."""
    return [Comparison(each, float(customer[each.column].iloc[0]), bool(each.holds(customer)[0])) for each in way]


def nearest(rule: Rule, customer: pd.DataFrame) -> Way:
    """The way whose binding condition has the largest margin; of equal ones, the one that lacks least in total."""
    return max(rule, key=lambda way: _nearness(way, customer))


def _nearness(way: Way, customer: pd.DataFrame) -> tuple[float, float]:
    margins = [float(each.margin(customer)[0]) for each in way]
    return min(margins), math.fsum(min(margin, 0.0) for margin in margins)


def missing(rule: Rule, customer: pd.DataFrame) -> list[Comparison]:
    """The conditions of the nearest way that the customer misses."""
    return [each for each in compare(nearest(rule, customer), customer) if not each.met]

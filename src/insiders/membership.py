"""Conditions to enter and to leave that a person can remember: a shallow rule read off the membership, rounded.

The rule explains a list, it does not make it: precision and recall against the list say how well it explains it.
"""

from collections.abc import Sequence
from itertools import chain, combinations, product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

# What a shop can look up without a model; the order decides between columns that separate equally well.
READABLE = (
    "net_revenue",
    "order_count",
    "recency_days",
    "net_revenue_180d",
    "net_revenue_90d",
    "order_count_180d",
    "order_count_90d",
    "average_order_value",
    "distinct_product_count",
)
WHOLE = frozenset({"order_count", "recency_days", "order_count_180d", "order_count_90d", "distinct_product_count"})
DEPTH = 3
CONDITIONS_MAX = 5
WAYS_MAX = 2
LEAF_SHARE_MIN = 0.002  # of the customers: a way in that fits fewer explains single people
WORTH_A_CONDITION = 0.01  # F1 that a further condition must bring
LISTED = 10  # members named as the closest to leaving
MANTISSAS = np.array([1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10])


class Condition(NamedTuple):
    column: str
    at_least: bool  # else at most
    threshold: float

    def holds(self, customers: pd.DataFrame) -> np.ndarray:
        """Boolean per customer."""
        values = customers[self.column].to_numpy(float)
        return values >= self.threshold if self.at_least else values <= self.threshold

    def loosened(self, slack: float) -> "Condition":
        """The same condition, met by those who miss it by less than `slack` of its threshold."""
        loose = self.threshold * (1 - slack if self.at_least else 1 + slack)
        if self.column in WHOLE:
            loose = float(np.ceil(loose) if self.at_least else np.floor(loose))
        return self._replace(threshold=round(loose, 6))


Way = tuple[Condition, ...]  # all of its conditions must hold
Rule = tuple[Way, ...]  # one of its ways is enough


class Fit(NamedTuple):
    rule: Rule
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


def learn(customers: pd.DataFrame, is_insider: pd.Series) -> Fit | None:
    """The rounded rule of at most 5 conditions that agrees best with the list; None where all or none are on it."""
    member = is_insider.to_numpy(bool)
    if member.all() or not member.any():
        return None
    ways = _ways(customers, member)
    rules = [r for n in range(1, WAYS_MAX + 1) for r in combinations(ways, n) if _length(r) <= CONDITIONS_MAX]
    fits = [_rounded(rule, customers, member) for rule in rules]
    return max(fits, key=lambda fit: fit.f1 - WORTH_A_CONDITION * _length(fit.rule), default=None)


def enter(fit: Fit | None, customers: pd.DataFrame, is_insider: pd.Series) -> dict[str, Any]:
    """The rule to enter in plain values, and how well it agrees with the list; no ways where there is no rule."""
    size = {"count": int(is_insider.sum()), "customers": len(customers)}
    if fit is None:
        return {**size, "ways": [], "named": None, "precision": None, "recall": None}
    named = int(meets(fit.rule, customers).sum())
    return {**size, "ways": _plain(fit.rule), "named": named, "precision": fit.precision, "recall": fit.recall}


def leave(fit: Fit | None, customers: pd.DataFrame, is_insider: pd.Series, slack: float) -> dict[str, Any]:
    """The rule to stay by, where today's members stand to it, and who of them has the least room left.

    `outside`: members who miss even the loosened rule; `between`: who meet it and miss the rule to enter;
    `waiting`: customers who meet the rule to enter and are no members.
    """
    size = {"count": int(is_insider.sum()), "slack": slack}
    if fit is None:
        return {**size, "ways": [], "outside": None, "between": None, "waiting": None, "closest": []}
    member, entry = is_insider.to_numpy(bool), meets(fit.rule, customers)
    stay = loosened(fit.rule, slack)
    staying = meets(stay, customers)
    room = pd.Series(margin(stay, customers), index=customers.index, name="room")
    return {
        **size,
        "ways": _plain(stay),
        "outside": int((member & ~staying).sum()),
        "between": int((member & staying & ~entry).sum()),
        "waiting": int((entry & ~member).sum()),
        "closest": _closest(customers, room, member & staying, stay),
    }


def _closest(customers: pd.DataFrame, room: pd.Series, staying: np.ndarray, rule: Rule) -> list[dict[str, Any]]:
    columns = list(dict.fromkeys(condition.column for way in rule for condition in way))
    near = customers.assign(room=room)[staying].sort_values(["room", "net_revenue", "recency_days"], kind="stable")
    return [dict(row) for row in near[["customer_id", "room", *columns]].head(LISTED).to_dict("records")]


def _plain(rule: Rule) -> list[list[dict[str, Any]]]:
    return [
        [{"column": c.column, "bound": "at_least" if c.at_least else "at_most", "threshold": c.threshold} for c in way]
        for way in rule
    ]


def meets(rule: Rule, customers: pd.DataFrame) -> np.ndarray:
    """Boolean per customer: one of the rule's ways holds."""
    ways = [np.logical_and.reduce([c.holds(customers) for c in way]) for way in rule]
    return np.logical_or.reduce(ways) if ways else np.zeros(len(customers), bool)


def loosened(rule: Rule, slack: float) -> Rule:
    """The rule to stay by: every threshold loosened by `slack` (0-1), so that nobody flickers in and out."""
    return tuple(tuple(condition.loosened(slack) for condition in way) for way in rule)


def margin(rule: Rule, customers: pd.DataFrame) -> np.ndarray:
    """How far each customer is inside the rule, as a share of the threshold that binds; negative: outside."""
    return np.max([np.min([_margin(c, customers) for c in way], axis=0) for way in rule], axis=0)


def _margin(condition: Condition, customers: pd.DataFrame) -> np.ndarray:
    share = customers[condition.column].to_numpy(float) / condition.threshold - 1
    return share if condition.at_least else -share


def _length(rule: Sequence[Sequence[Condition]]) -> int:
    return sum(map(len, rule))


def _ways(customers: pd.DataFrame, member: np.ndarray) -> list[Way]:
    """The tree's paths that end where most are members; the tree's draws only break ties between columns."""
    from sklearn.tree import DecisionTreeClassifier

    columns = [c for c in READABLE if c in customers]
    leaf = max(2, round(LEAF_SHARE_MIN * len(customers)))
    fitted = DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=leaf, random_state=0)
    tree = fitted.fit(customers[columns].to_numpy(float), member).tree_
    found: list[Way] = []
    _walk(tree, 0, {}, columns, found)
    return found


def _walk(tree: Any, node: int, bounds: dict[tuple[str, bool], float], columns: list[str], found: list[Way]) -> None:
    """Collect the paths; on a path the last bound of a column and direction is the tightest one."""
    if tree.children_left[node] < 0:
        if bounds and tree.value[node][0][1] > 0.5:  # noqa: PLR2004 - more members than others
            found.append(tuple(Condition(column, above, at) for (column, above), at in bounds.items()))
        return
    split = columns[tree.feature[node]], float(tree.threshold[node])
    for child, above in ((tree.children_left[node], False), (tree.children_right[node], True)):
        _walk(tree, child, {**bounds, (split[0], above): split[1]}, columns, found)


def _rounded(rule: Sequence[Way], customers: pd.DataFrame, member: np.ndarray) -> Fit:
    """Each threshold as one of the two memorable numbers around it: the combination that agrees best with the list."""
    flat = list(chain.from_iterable(rule))
    lengths = [len(way) for way in rule]
    choices = product(*([c._replace(threshold=t) for t in around(c.threshold, c.column in WHOLE)] for c in flat))
    return max((_fit(_regrouped(c, lengths), customers, member) for c in choices), key=lambda fit: fit.f1)


def _regrouped(flat: Sequence[Condition], lengths: Sequence[int]) -> Rule:
    ends = np.cumsum(lengths)
    return tuple(tuple(flat[end - length : end]) for end, length in zip(ends, lengths, strict=True))


def around(threshold: float, whole: bool) -> tuple[float, ...]:
    """The memorable numbers next to a threshold, below and above it; small whole numbers are memorable as they are."""
    if threshold <= 0:
        return (0.0,)
    if whole and threshold < 20:  # noqa: PLR2004 - a number that people count to
        return float(np.floor(threshold)), float(np.ceil(threshold))
    power = 10.0 ** np.floor(np.log10(threshold))
    below = MANTISSAS[MANTISSAS * power <= threshold].max()
    above = MANTISSAS[MANTISSAS * power >= threshold].min()
    return tuple(sorted({round(float(m * power), 6) for m in (below, above)}))


def _fit(rule: Rule, customers: pd.DataFrame, member: np.ndarray) -> Fit:
    named = meets(rule, customers)
    both = int((named & member).sum())
    return Fit(rule, both / max(int(named.sum()), 1), both / int(member.sum()))

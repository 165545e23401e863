"""Segments in words: what a cluster is called, how it looks, why a customer is in it, and the list that follows."""

import math
from collections.abc import Mapping
from itertools import count
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.units import FIGURE_DIGITS, NO_CLUSTER

Labels = NDArray[np.int64]

UNCLUSTERED = "Unclustered"
INSIDERS = "Insiders"
OTHERS = "Others"

# Medians that describe a segment, and from which it gets its name.
DESCRIBED = (
    "net_revenue",
    "average_order_value",
    "order_count",
    "orders_per_month",
    "recency_days",
    "tenure_days",
    "distinct_product_count",
)


class Condition(NamedTuple):
    """A name for segments whose median of `feature` lies from `low` to `high`, both included."""

    name: str
    feature: str
    low: float
    high: float


# The first that holds gives the name.
CONDITIONS = (
    Condition("Lapsed", "recency_days", 181, math.inf),  # half of them have not ordered for half a year
    Condition("New", "tenure_days", 0, 60),
    Condition("One-time", "order_count", 0, 1),
    Condition("Fading", "recency_days", 91, math.inf),  # a quarter without an order
    Condition("Frequent", "orders_per_month", 1, math.inf),
    Condition("Regular", "order_count", 3, math.inf),
    Condition("Occasional", "order_count", 0, math.inf),
)

# What tells segments of one name apart: feature -> words for the lower and the higher ones.
TRAITS = {
    "average_order_value": ("small orders", "large orders"),
    "order_count": ("few orders", "many orders"),
    "recency_days": ("recently active", "longer away"),
    "distinct_product_count": ("narrow range", "wide range"),
    "tenure_days": ("newer", "long-standing"),
}

# Two segments are one and the same ...
SHARED_LEAST = 0.1  # ... when they share this part of all their members (Jaccard); less is left to the profile,
PROFILE_FAR = 0.1  # which differs by less than this: share of the customers between two medians, mean over DESCRIBED.
MOVED = 0.1  # A median has moved when more than this share of the customers lies between where it was and where it is.
TIE = 1e-6  # weight of the profile where members alone leave a match open

# What decides between customers of equal value at the end of a baseline's list: column, and whether more is better.
TIES = (("recency_days", False), ("order_count", True), ("tenure_days", True), ("distinct_product_count", True))


def profiles(customers: pd.DataFrame, labels: Labels) -> pd.DataFrame:
    """One row per cluster, by number: customers, their share, their share of net revenue, and medians."""
    clusters = customers[list(DESCRIBED)].groupby(np.asarray(labels))
    total = math.fsum(customers["net_revenue"])
    found = clusters.median().rename_axis("cluster")
    shares = {
        "customers": clusters.size(),
        "customer_share": clusters.size() / len(customers),
        "net_revenue_share": clusters["net_revenue"].agg(math.fsum) / (total or 1.0),
    }
    return pd.concat([pd.DataFrame(shares).rename_axis("cluster"), found], axis=1)


def name_segments(customers: pd.DataFrame, labels: Labels) -> dict[int, str]:
    """A name of its own for every cluster, told by its members' medians alone and not by the cluster's number."""
    known = profiles(customers, labels)
    names = _names(known.drop(index=NO_CLUSTER, errors="ignore"))
    return names | ({NO_CLUSTER: UNCLUSTERED} if NO_CLUSTER in known.index else {})


class Champion(NamedTuple):
    """What the serving model says of the same customers: a label of each, and the names of its segments."""

    labels: Labels
    names: Mapping[int, str]


class Identity(NamedTuple):
    """Who a cluster is: a champion's segment that goes on (`matched_from`, told by `matched_by`), or a new one (None).

    `changed` holds, for every median that moved, where the champion's segment has it and where this one has it, among
    the same customers.
    """

    cluster: int
    name: str
    matched_from: str | None
    matched_by: str | None  # "members" or "profile"
    shared_customers: int
    changed: Mapping[str, tuple[float, float]]


def identify(customers: pd.DataFrame, labels: Labels, champion: Champion | None) -> list[Identity]:
    """Names that outlive a retrain: what goes on keeps the champion's, what is new gets one that nobody has or had.

    Without a champion every cluster is new.
    """
    fresh = name_segments(customers, labels)
    if champion is None:
        return [Identity(number, fresh[number], None, None, 0, {}) for number in _clusters(labels)]
    origins = _origins(customers, labels, champion)
    kept = {number: champion.names[old] for number, (old, _) in origins.items()}
    names = _without_clash(kept, fresh, set(champion.names.values()))
    return [_identity(customers, labels, champion, names, number, origins.get(number)) for number in _clusters(labels)]


def _clusters(labels: Labels) -> list[int]:
    return [int(number) for number in np.unique(labels) if number != NO_CLUSTER]


def _origins(customers: pd.DataFrame, labels: Labels, champion: Champion) -> dict[int, tuple[int, str]]:
    """Number of a cluster -> the champion's number for it, and what told so; each goes on once at most (Kuhn 1955)."""
    ours, theirs = _clusters(labels), _clusters(champion.labels)
    shared = _jaccard(labels, champion.labels, ours, theirs)
    far = _distance(customers, labels, champion, ours, theirs)
    by_members = _assigned(np.where(shared >= SHARED_LEAST, shared - TIE * far, 0.0))
    near = np.maximum(PROFILE_FAR - far, 0.0)
    near[list(by_members), :] = 0.0
    near[:, list(by_members.values())] = 0.0
    pairs = [(by_members, "members"), (_assigned(near), "profile")]
    return {ours[row]: (theirs[column], how) for found, how in pairs for row, column in found.items()}


def _assigned(gain: NDArray[np.float64]) -> dict[int, int]:
    """Row -> column of the assignment with the greatest sum; pairs that gain nothing are none."""
    from scipy.optimize import linear_sum_assignment

    pairs = zip(*linear_sum_assignment(gain, maximize=True), strict=True)
    return {int(row): int(column) for row, column in pairs if gain[row, column] > 0}


def _jaccard(one: Labels, other: Labels, ours: list[int], theirs: list[int]) -> NDArray[np.float64]:
    """Shared members by all members, among the customers whom both models put into a cluster."""
    both = (one != NO_CLUSTER) & (other != NO_CLUSTER)
    mine = np.array([(one == number) & both for number in ours]).reshape(len(ours), len(one)).astype(float)
    yours = np.array([(other == number) & both for number in theirs]).reshape(len(theirs), len(one)).astype(float)
    shared = mine @ yours.T
    either = mine.sum(axis=1)[:, None] + yours.sum(axis=1)[None, :] - shared
    return np.asarray(shared / np.maximum(either, 1.0))


def _distance(
    customers: pd.DataFrame, labels: Labels, champion: Champion, ours: list[int], theirs: list[int]
) -> NDArray[np.float64]:
    """Mean over DESCRIBED of the share of the customers who lie between two medians."""
    places = customers[list(DESCRIBED)].rank(pct=True)
    mine = places.groupby(labels).median().loc[ours].to_numpy()
    yours = places.groupby(champion.labels).median().loc[theirs].to_numpy()
    return np.asarray(np.abs(mine[:, None, :] - yours[None, :, :]).mean(axis=2))


def _without_clash(kept: Mapping[int, str], fresh: Mapping[int, str], known: set[str]) -> dict[int, str]:
    """The kept names, and for each further cluster its own, with a number where the champion has it already."""
    names = dict(kept)
    for number in sorted(set(fresh) - set(kept) - {NO_CLUSTER}):
        taken = known | set(names.values())
        numbered = (f"{fresh[number]}, {place}" for place in count(2))
        names[number] = (
            fresh[number] if fresh[number] not in taken else next(each for each in numbered if each not in taken)
        )
    return names


def _identity(
    customers: pd.DataFrame,
    labels: Labels,
    champion: Champion,
    names: Mapping[int, str],
    number: int,
    origin: tuple[int, str] | None,
) -> Identity:
    if origin is None:
        return Identity(number, names[number], None, None, 0, {})
    old, how = origin
    now, before = labels == number, champion.labels == old
    return Identity(
        number, names[number], champion.names[old], how, int((now & before).sum()), _changed(customers, before, now)
    )


def _changed(
    customers: pd.DataFrame, before: NDArray[np.bool_], now: NDArray[np.bool_]
) -> dict[str, tuple[float, float]]:
    known = customers[list(DESCRIBED)]
    places = known.rank(pct=True)
    moved = (places[now].median() - places[before].median()).abs() > MOVED
    medians = known[before].median().round(4), known[now].median().round(4)
    return {name: (float(medians[0][name]), float(medians[1][name])) for name in DESCRIBED if moved[name]}


def _names(found: pd.DataFrame) -> dict[int, str]:
    named = found.apply(_condition, axis=1) if len(found) else pd.Series(dtype="str")
    names: dict[int, str] = {}
    for name in named.unique():
        apart = _apart(found[named == name], tuple(TRAITS))
        names |= {number: ", ".join([name, *words]) for number, words in apart.items()}
    return names


def _condition(profile: "pd.Series[Any]") -> str:
    return next(each.name for each in CONDITIONS if each.low <= profile[each.feature] <= each.high)


def _apart(found: pd.DataFrame, traits: tuple[str, ...]) -> dict[int, tuple[str, ...]]:
    """Words for each of several clusters: split where a trait's medians lie farthest apart, each trait used once."""
    if len(found) == 1:
        return {int(found.index[0]): ()}
    gap, trait, cut = max((_widest(found, trait) for trait in traits), default=(0.0, "", 0.0), key=lambda each: each[0])
    if gap == 0:
        order = found.sort_values(["customers", *DESCRIBED], ascending=False, kind="stable").index
        return {int(number): (str(place),) for place, number in enumerate(order, start=1)}
    rest = tuple(each for each in traits if each != trait)
    lower = found[trait] <= cut
    words: dict[int, tuple[str, ...]] = {}
    for part, word in zip((found[lower], found[~lower]), TRAITS[trait], strict=True):
        words |= {number: (word, *more) for number, more in _apart(part, rest).items()}
    return words


def _widest(found: pd.DataFrame, trait: str) -> tuple[float, str, float]:
    """The widest gap between neighbouring medians, as a ratio's logarithm, and the median below it."""
    values = np.sort(found[trait].to_numpy(dtype=float))
    gaps = np.round(np.diff(np.log1p(np.maximum(values, 0))), FIGURE_DIGITS)
    place = int(np.argmax(gaps))
    return float(gaps[place]), trait, float(values[place])


def baseline(customers: pd.DataFrame, column: str, count: int) -> pd.DataFrame:
    """`cluster`, `segment` and `is_insider` without a model: the `count` customers with the highest value of a column.

    Ties at the end of the list are decided by TIES; those who are equal in everything stay out together, since only
    their names could choose between them.
    """
    ranked = [("value", column, True), *((name, name, more) for name, more in TIES)]
    keys = pd.DataFrame({name: customers[source] * (-1 if more else 1) for name, source, more in ranked})
    place = keys.groupby(list(keys.columns), sort=True).ngroup()
    sizes = place.value_counts().sort_index().cumsum()
    inside = (place.map(sizes) <= count).to_numpy()
    return pd.DataFrame(
        {
            "cluster": np.full(len(customers), NO_CLUSTER, dtype=np.int64),
            "segment": pd.array(np.where(inside, INSIDERS, OTHERS), dtype="str"),
            "is_insider": inside,
        },
        index=customers.index,
    )

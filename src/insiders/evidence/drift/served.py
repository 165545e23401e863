"""What a model makes of new data: features, segments and members that are far from what they were."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

import pandas as pd

from insiders.evidence.drift.profile import Fault, Trained
from insiders.units import round_off

HIGHEST = 0.99  # quantile of a feature
FAR = 2.0  # times that quantile: nobody's tenure doubles in a month


class ServedLimits(NamedTuple):
    """params.yaml, section drift: as far as it concerns what a model makes of the data."""

    far_share_max: float
    segments_change_max: float
    members_leave_max: float


def highest(customers: pd.DataFrame, features: Collection[str]) -> dict[str, float]:
    """Of each feature that is a number the value that one customer of a hundred exceeds."""
    numbers = customers[list(features)].select_dtypes("number")
    return {name: float(round_off(value)) for name, value in numbers.quantile(HIGHEST).items()}


def shares(clusters: pd.Series) -> dict[str, float]:
    """The share of the customers in each cluster, by its number as text."""
    return {str(name): float(share) for name, share in clusters.value_counts(normalize=True).sort_index().items()}


def faults(trained: Trained, customers: pd.DataFrame, clusters: pd.Series, limits: ServedLimits) -> Iterator[Fault]:
    """What is wrong with the customers and the clusters that they are in."""
    far = {name: float((customers[name] > FAR * max(high, 0)).mean()) for name, high in trained.highest.items()}
    name = max(far, key=lambda each: far[each], default=None)
    if name is not None and far[name] > limits.far_share_max:
        yield Fault(
            "features",
            f"{name} of {far[name]:.0%} of the customers is over {FAR:g} times what one of a hundred exceeded "
            f"({trained.highest[name]:,.4g})",
        )
    change = _change(trained.segments, shares(clusters))
    if change > limits.segments_change_max:
        yield Fault("segments", f"{change:.0%} of the customers would have to change segments to be spread as before")


def leaving(before: Collection[str], inside: Collection[str], share_max: float) -> Iterator[Fault]:
    """What is wrong where most of the members of the last list are out at once."""
    out = len(set(before) - set(inside))
    if before and out / len(before) > share_max:
        yield Fault("members", f"{out:,} of the {len(before):,} members would leave at once")


def _change(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    names = sorted(before.keys() | after.keys())
    return sum(abs(before.get(name, 0.0) - after.get(name, 0.0)) for name in names) / 2

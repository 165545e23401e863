"""How well the groups of the serving model lie apart: silhouettes of customers, and distances of centres."""

from collections.abc import Sequence
from math import fsum
from typing import NamedTuple, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders.explore.exploration import LANDMARKS, Matrix, flat
from insiders.explore.profiles import MAJORITY
from insiders.units import NO_CLUSTER, evenly_spaced

LEAST = 2  # groups; of fewer there is nothing to compare
DECIMALS = 6  # to which figures are rounded before anything compares them


class Cohesion(TypedDict):
    """A group: who is in it, the members of the programme among them by arm, and how well it holds together.

    `silhouette` is the mean of its customers, `below_zero_share` of them those who lie closer to another group.
    """

    segment: str
    is_insider: bool  # most of the group's customers are
    customers: int
    invited: int
    held_out: int
    silhouette: float
    below_zero_share: float


class GroupNumbers(Cohesion):
    """Beside it where the centre is drawn, and how far the nearest other one is, in mean distances between centres."""

    x: float
    y: float
    nearest: str
    distance: float


class Apartness(TypedDict):
    """All groups in the order of the model; the means of all customers measured, of whom there are `customers`.

    `shown_share`: of the variance of the centres, what the drawing shows; null where it shows all.
    """

    customers: int
    silhouette: float
    below_zero_share: float
    shown_share: float | None
    groups: list[GroupNumbers]


class Clusters(NamedTuple):
    numbers: Apartness
    silhouettes: pd.DataFrame  # segment, silhouette: of each customer measured


def clusters(placed: pd.DataFrame) -> Clusters | None:
    """`placed`: customers with cluster, segment, place, is_insider and arm; None where there are fewer than two groups.

    Silhouettes (Rousseeuw 1987), distances and centres are of the model's own embedding; silhouettes of an evenly
    spaced part of at most LANDMARKS customers, as they are quadratic.
    """
    known = placed[placed["cluster"] != NO_CLUSTER]
    names = known.drop_duplicates("cluster").sort_values("cluster")["segment"].tolist()
    if not LEAST <= len(names) < len(known):
        return None
    silhouettes = _silhouettes(known)
    if silhouettes["segment"].nunique() < len(names):  # the evenly spaced part has missed a tiny group
        return None
    centres = np.array([_centre(known[known["segment"] == name]) for name in names])
    return Clusters(_numbers(known, names, silhouettes, centres), silhouettes)


def _silhouettes(known: pd.DataFrame) -> pd.DataFrame:
    from sklearn.metrics import silhouette_samples

    points, labels = np.stack(known["place"].tolist()), known["cluster"].to_numpy()
    order = np.lexsort([labels, *points.T[::-1]])
    chosen = order[evenly_spaced(len(order), LANDMARKS)]
    if not LEAST <= len(np.unique(labels[chosen])) < len(chosen):
        return pd.DataFrame({"segment": [], "silhouette": []})
    with threadpool_limits(1):
        values = silhouette_samples(points[chosen], labels[chosen]).round(DECIMALS)
    return pd.DataFrame({"segment": known["segment"].to_numpy()[chosen], "silhouette": values})


def _centre(group: pd.DataFrame) -> Matrix:
    points = np.stack(group["place"].tolist())
    return points[np.lexsort(points.T[::-1])].mean(axis=0)


def _numbers(known: pd.DataFrame, names: Sequence[str], silhouettes: pd.DataFrame, centres: Matrix) -> Apartness:
    drawn, shown = flat(centres)
    apart = _apart(centres)
    nearest = np.where(np.eye(len(names), dtype=bool), np.inf, apart).argmin(axis=1)
    return {
        "customers": len(silhouettes),
        "silhouette": _mean(silhouettes["silhouette"]),
        "below_zero_share": float((silhouettes["silhouette"] < 0).mean()),
        "shown_share": shown,
        "groups": [
            {
                **_group(
                    known[known["segment"] == name], silhouettes.loc[silhouettes["segment"] == name, "silhouette"]
                ),
                "x": float(drawn[place, 0]),
                "y": float(drawn[place, 1]),
                "nearest": names[nearest[place]],
                "distance": float(apart[place, nearest[place]]),
            }
            for place, name in enumerate(names)
        ],
    }


def _group(group: pd.DataFrame, silhouettes: "pd.Series[float]") -> Cohesion:
    return {
        "segment": group["segment"].iloc[0],
        "is_insider": bool(group["is_insider"].mean() > MAJORITY),
        "customers": len(group),
        "invited": int((group["arm"] == "invited").sum()),
        "held_out": int((group["arm"] == "held_out").sum()),
        "silhouette": _mean(silhouettes),
        "below_zero_share": float((silhouettes < 0).mean()),
    }


def _mean(values: "pd.Series[float]") -> float:
    return fsum(values) / len(values)


def _apart(centres: Matrix) -> Matrix:
    """Distances between centres, divided by their mean."""
    distances = np.sqrt(((centres[:, None] - centres[None]) ** 2).sum(axis=2))
    mean: NDArray[np.float64] = distances[np.triu_indices(len(centres), 1)].mean()
    return (distances / mean if mean > 0 else distances).round(DECIMALS)

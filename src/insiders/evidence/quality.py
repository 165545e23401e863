"""Whether clusters are there at all: separation in one common space, agreement of two fits, and how sure a label is.

The common space is the same for every embedding, since a silhouette inside an embedding rewards the shape that the
embedding made: pure noise scores as high there as customers do.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, calinski_harabasz_score, davies_bouldin_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.metrics.pairwise import euclidean_distances

from insiders.units import NO_CLUSTER, NORMAL_QUANTILE, evenly_spaced, round_each

Labels = NDArray[np.int64]
Flags = NDArray[np.bool_]
SEPARATION = ("silhouette", "silhouette_error", "davies_bouldin", "calinski_harabasz")
NEIGHBOURS = 10  # most similar customers who are asked how sure a label is
LANDMARKS = (
    10_000  # customers among whom they are looked for: an evenly spaced part of all, so that millions take minutes
)


@dataclass(frozen=True)
class Space:
    """Customers in one space, in which many labellings of them are measured: distances are worked out once.

    `points` has shape (customers, dimensions), `distances` shape (sample, sample); `sample` are the rows of those
    between whom distances are known.
    """

    points: NDArray[np.float64]
    sample: NDArray[np.int64]
    distances: NDArray[np.float64]

    @classmethod
    def of(cls, points: NDArray[np.float64], rows: int, seed: int) -> Self:
        """Distances among `rows` customers drawn by the seed, or among all if they are fewer: they are quadratic."""
        drawn = np.sort(np.random.default_rng(seed).choice(len(points), min(rows, len(points)), replace=False))
        return cls(points, drawn, euclidean_distances(points[drawn]))


def separation(space: Space, labels: Labels) -> dict[str, float]:
    """Silhouette (of the sample), Davies-Bouldin and Calinski-Harabasz (of all customers).

    `silhouette_error` is the standard error of the silhouette's mean over customers. Customers without a cluster are
    left out; NaN with fewer than two clusters, or where every customer is one.
    """
    known = labels != NO_CLUSTER
    if not 2 <= len(np.unique(labels[known])) < known.sum():  # noqa: PLR2004 (two clusters)
        return dict.fromkeys(SEPARATION, np.nan)
    points, found = space.points[known], labels[known]
    silhouette, error = _silhouette(space, labels)
    measures = {
        "silhouette": silhouette,
        "silhouette_error": error,
        "davies_bouldin": float(davies_bouldin_score(points, found)),
        "calinski_harabasz": float(calinski_harabasz_score(points, found)),
    }
    return round_each(measures)


def control(own: Mapping[str, float], permuted: Mapping[str, float]) -> dict[str, float]:
    """How a separation compares with that of the permuted customers' labels, where what is NaN counts as none.

    `control_gap` is the difference of the silhouettes, with its 95 % interval over customers.
    """
    base, base_error = (0.0 if math.isnan(permuted[name]) else permuted[name] for name in SEPARATION[:2])
    gap, width = own["silhouette"] - base, NORMAL_QUANTILE * math.hypot(own["silhouette_error"], base_error)
    measures = {
        "control_silhouette": permuted["silhouette"],
        "control_gap": gap,
        "control_gap_low": gap - width,
        "control_gap_high": gap + width,
    }
    return round_each(measures)


def permuted(customers: pd.DataFrame, features: tuple[str, ...], seed: int) -> pd.DataFrame:
    """The negative control: the same columns, each shuffled on its own, so that no customer is left in them."""
    rng = np.random.default_rng(seed)
    shuffled = {name: rng.permutation(np.sort(customers[name].to_numpy())) for name in features}
    return customers.assign(**shuffled)


def jaccard(one: Flags, other: Flags) -> float:
    """Customers on both lists / customers on either; 1 where both are empty."""
    either = int((one | other).sum())
    return float((one & other).sum() / either) if either else 1.0


def segment_agreement(base: Labels, refits: list[Labels]) -> dict[str, float]:
    """Mean agreement of the segments of refits with those of the base; labels of the same customers, in one order.

    `jaccard` is each segment's overlap with the most similar one of a refit, weighted by its customers (Hennig 2007:
    below 0.60 not a cluster, above 0.75 valid, above 0.85 highly stable); `rand` is the adjusted Rand index.
    """
    means = {
        "jaccard": float(np.mean([_overlap(base, labels) for labels in refits])),
        "rand": float(np.mean([adjusted_rand_score(base, labels) for labels in refits])),
    }
    return round_each(means)


def _overlap(base: Labels, other: Labels) -> float:
    together = contingency_matrix(base, other).astype(float)
    sizes, others = together.sum(axis=1), together.sum(axis=0)
    jaccards = together / (sizes[:, None] + others - together)
    return float((jaccards.max(axis=1) * sizes).sum() / sizes.sum())


def _silhouette(space: Space, labels: Labels) -> tuple[float, float]:
    """Mean over the sample, and its standard error."""
    drawn = labels[space.sample]
    known = drawn != NO_CLUSTER
    if not 2 <= len(np.unique(drawn[known])) < known.sum():  # noqa: PLR2004 (two clusters)
        return float("nan"), float("nan")
    each = _silhouettes(space.distances, drawn)
    return float(each.mean()), float(each.std(ddof=1) / math.sqrt(len(each)))


def _silhouettes(distances: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """Silhouette (Rousseeuw 1987) of whoever has a cluster; 0 where it is a cluster of one, or all distances are 0.

    All sums of distances are one product of matrices: scikit-learn adds them up customer by customer, in four times
    the time.
    """
    known = labels != NO_CLUSTER
    members = labels[:, None] == np.unique(labels[known])
    sums, mine, sizes = (distances @ members.astype(float))[known], members[known], members.sum(axis=0)
    inside = sums[mine] / np.maximum((mine @ sizes) - 1, 1)
    outside = np.where(mine, np.inf, sums / sizes).min(axis=1)
    furthest = np.maximum(inside, outside)
    is_alone = (mine @ sizes) == 1
    return np.divide(outside - inside, furthest, out=np.zeros(len(sums)), where=(furthest > 0) & ~is_alone)


def confidence(embedded: NDArray[np.float64], labels: Labels) -> NDArray[np.float64]:
    """How sure each label is, 0 to 1: the share of the customer's nearest in the embedding who have it too.

    Asked are NEIGHBOURS of them, or as many as the cluster has further members. One definition for every clusterer,
    also for clusters that are not round; near 0.5 runs the border of two segments. One neighbour at distance 0 is taken
    for the customer and left out. NaN where there are fewer than two customers.
    """
    from scipy.spatial import KDTree

    order = np.lexsort(embedded.T[::-1])
    chosen = order[evenly_spaced(len(order), LANDMARKS)]
    asked = min(NEIGHBOURS, len(chosen) - 1)
    if asked < 1:
        return np.full(len(embedded), np.nan)
    distances, nearest = KDTree(embedded[chosen]).query(embedded, k=asked + 1)
    same = labels[chosen][nearest] == labels[:, None]
    others = np.where(distances[:, :1] == 0, same[:, 1:], same[:, :-1]).cumsum(axis=1)
    found, own = np.unique(labels, return_inverse=True)
    members = np.array([np.sum(labels[chosen] == each) for each in found])
    count = np.clip(members[own] - 1, 1, asked)
    return np.asarray(others[np.arange(len(labels)), count - 1] / count)

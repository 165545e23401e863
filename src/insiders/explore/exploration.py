"""What there is to see before and beside a model: how features are spread, what they share, and how many clusters."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from math import fsum
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders.evidence import quality
from insiders.model.clusterers import CLUSTERERS
from insiders.model.embeddings import LogScaler
from insiders.schemas import FEATURES
from insiders.units import NO_CLUSTER, evenly_spaced, signed_log

Matrix = NDArray[np.float64]
Numbers = dict[str, Any]

BINS = 24
SKEWED = 1.0  # skewness beyond which a feature is drawn, and clustered, on a logarithmic scale
ALIKE = 0.9  # rank correlation beyond which two features say the same
HELD = 0.9  # share of the variance that so many principal components hold
LARGEST = 0.01  # share of the customers whose weight is told
LANDMARKS = 2_000  # customers clustered to see how many clusters there are: an evenly spaced part of all
STEPS = 8  # values tried of a setting that is no whole number


# --- features ---


def features(customers: pd.DataFrame) -> list[Numbers]:
    """One row per feature: how it is spread, what is missing, and its shape before and after the model's scaling.

    `weight` is the part of the sum of squares around the mean that the largest hundredth of the customers makes up: who
    decides a distance in which the feature counts as it is; `weight_scaled` the same after scaling.
    """
    return [_feature(name, customers[name].to_numpy(dtype=float)) for name in FEATURES]


def _feature(name: str, values: Matrix) -> Numbers:
    known = np.sort(values[~np.isnan(values)])
    missing = {"missing_share": 1 - len(known) / len(values) if len(values) else None}
    told: Numbers = {"feature": name, "unit": FEATURES[name].metadata["unit"], "known": len(known), **missing}
    if not len(known):
        return told | {"bins": None}
    scaled = LogScaler().fit(known[:, None]).transform(known[:, None])[:, 0]
    skewness = skew(known)
    is_log = skewness is not None and abs(skewness) > SKEWED
    levels = zip(
        ("least", "lower", "median", "upper", "most"), np.quantile(known, [0, 0.25, 0.5, 0.75, 1]), strict=True
    )
    return {
        **told,
        **{level: float(value) for level, value in levels},
        "zero_share": float(np.mean(known == 0)),
        "negative_share": float(np.mean(known < 0)),
        "skewness": skewness,
        "skewness_scaled": skew(scaled),
        "weight": _weight(known),
        "weight_scaled": _weight(scaled),
        "is_log": is_log,
        "bins": _bins(known, is_log),
    }


def skew(values: Matrix) -> float | None:
    """Third standardised moment (Fisher-Pearson); 0: symmetric. None where all values are equal."""
    apart = values - fsum(values) / len(values)
    spread = fsum(apart**2) / len(values)
    return fsum(apart**3) / len(values) / spread**1.5 if spread > 0 else None


def _weight(values: Matrix) -> float | None:
    apart = np.sort((values - fsum(values) / len(values)) ** 2)[::-1]
    total = fsum(apart)
    return fsum(apart[: max(round(LARGEST * len(apart)), 1)]) / total if total > 0 else None


def _bins(values: Matrix, is_log: bool) -> Numbers:
    """Counts in bins of equal width; on a log scale the width is that of sign(x) log(1 + |x| / unit)."""
    unit = typical_size(values)
    shown = signed_log(values, unit) if is_log else values
    counts, edges = np.histogram(shown, BINS)
    return {"counts": counts.tolist(), "edges": edges.tolist(), "unit": unit if is_log else None}


def typical_size(values: Matrix) -> float:
    """Median of what is not zero, as the model's scaling takes it; 1 where there is nothing else."""
    sizes = np.abs(values[values != 0])
    return float(np.median(sizes)) if len(sizes) else 1.0


# --- what features share ---


def shared(customers: pd.DataFrame, names: Sequence[str]) -> Numbers:
    """Rank correlations of these features, the pairs that say the same, and how many dimensions they fill."""
    known = customers[list(names)]
    ranks = known.rank().corr()
    pairs = [
        {"one": one, "other": other, "correlation": float(ranks.loc[one, other])}
        for place, one in enumerate(names)
        for other in names[place + 1 :]
        if abs(ranks.loc[one, other]) >= ALIKE
    ]
    return {
        "features": list(names),
        "correlation": ranks.to_numpy().tolist(),
        "alike_from": ALIKE,
        "alike": sorted(pairs, key=lambda pair: -abs(pair["correlation"])),
        "held": HELD,
        **_dimensions(known.to_numpy(dtype=float)),
    }


def _dimensions(values: Matrix) -> Numbers:
    """Principal components of the scaled features: how many hold HELD of the variance, and the first's own share."""
    with threadpool_limits(1):
        scaled = in_order(LogScaler().fit(values).transform(values))
        spread = np.clip(np.linalg.eigvalsh(np.cov(scaled.T, ddof=0).reshape(scaled.shape[1], -1))[::-1], 0, None)
    total = spread.sum()
    if not total > 0:
        return {"components": None, "first_share": None}
    held = np.round(spread.cumsum() / total, 9)
    return {"components": int(np.argmax(held >= HELD)) + 1, "first_share": float(held[0])}


def in_order(points: Matrix) -> Matrix:
    """Rows sorted by their figures, so that neither their order nor any name decides a last bit."""
    return points[np.lexsort(points.T[::-1])]


# --- the embedding ---


def flat(places: Matrix) -> tuple[Matrix, float | None]:
    """Two coordinates of each place to draw, and the share of the variance that they show.

    Places on a plane or a line are drawn as they are; more dimensions by their two first principal components, whose
    direction is such that the largest weight of each is positive.
    """
    if places.shape[1] <= 2:  # noqa: PLR2004 (a plane)
        return np.column_stack([places[:, 0], places[:, -1] if places.shape[1] > 1 else np.zeros(len(places))]), None
    with threadpool_limits(1):
        ordered = in_order(places)
        spread, axes = np.linalg.eigh(np.cov(ordered.T, ddof=0))
        first = axes[:, ::-1][:, :2]
        first = first * np.sign(first[np.abs(first).argmax(axis=0), [0, 1]])
        drawn = (places - ordered.mean(axis=0)) @ first
    return drawn, float(spread[::-1][:2].sum() / spread.sum()) if spread.sum() > 0 else None


def clusterings(places: Matrix, clusterer: str, params: Mapping[str, Any], seed: int) -> Numbers | None:
    """Cluster the places again with each value of the clusterer's main setting: how many clusters, and how good.

    `unexplained` is the part of the spread that is left inside of the clusters; `silhouette` is measured in the
    embedding, which is fair here, where only the number of clusters changes. `elbow` is the value beyond which more
    clusters explain little (the point furthest from the line between the ends, Satopaa et al. 2011), where the setting
    is their number. None where the clusterer has no such setting, or the places are too few or all equal.
    """
    from optuna.trial import FixedTrial

    points = in_order(places)
    points = points[evenly_spaced(len(points), LANDMARKS)]
    found = _grid(clusterer, params, seed)
    if found is None or len(points) <= 2 * max(found[1]) or not np.ptp(points, axis=0).any():
        return None
    (setting, values), counted = found, isinstance(found[1][0], int)
    with threadpool_limits(1):
        space = quality.Space.of(points, LANDMARKS, seed)
        told = [_tried(space, CLUSTERERS[clusterer](FixedTrial({**params, setting: value}), seed)) for value in values]
    rows = [{"value": value, **row} for value, row in zip(values, told, strict=True)]
    known = [row for row in rows if row["silhouette"] is not None]
    return {
        "clusterer": clusterer,
        "setting": setting,
        "is_count": counted,
        "chosen": params[setting],
        "customers": len(points),
        "tried": rows,
        "elbow": _elbow(values, [row["unexplained"] for row in rows]) if counted else None,
        "best_silhouette": max(known, key=lambda row: row["silhouette"])["clusters"] if known else None,
    }


def _grid(clusterer: str, params: Mapping[str, Any], seed: int) -> tuple[str, list[Any]] | None:
    """The clusterer's first numeric setting, and the values that a search may try of it."""
    from optuna.distributions import FloatDistribution, IntDistribution
    from optuna.trial import FixedTrial

    trial = FixedTrial(dict(params))
    CLUSTERERS[clusterer](trial, seed)
    for name, each in trial.distributions.items():
        if isinstance(each, IntDistribution):
            return name, list(range(each.low, each.high + 1, each.step))
        if isinstance(each, FloatDistribution):
            return name, [float(value) for value in np.linspace(each.low, each.high, STEPS).round(4)]
    return None


def _tried(space: quality.Space, clusterer: Any) -> Numbers:
    labels = np.asarray(clusterer.fit(space.points).labels_, dtype=np.int64)
    silhouette = quality.separation(space, labels)["silhouette"]
    return {
        "clusters": len(np.unique(labels[labels != NO_CLUSTER])),
        "unexplained": _unexplained(space.points, labels),
        "silhouette": None if np.isnan(silhouette) else float(silhouette),
    }


def _unexplained(points: Matrix, labels: NDArray[np.int64]) -> float:
    """Sum of squares around the clusters' centres / around the common one; who is in no cluster counts in full."""
    whole = _squares(points, points.mean(axis=0))
    inside = [points[labels == each] for each in np.unique(labels) if each != NO_CLUSTER]
    left = [_squares(group, group.mean(axis=0)) for group in inside]
    noise = _squares(points[labels == NO_CLUSTER], points.mean(axis=0))
    return fsum([*left, noise]) / whole


def _squares(points: Matrix, centre: Matrix) -> float:
    return fsum(((points - centre) ** 2).ravel())


def _elbow(clusters: Sequence[int], left: Sequence[float]) -> int | None:
    """The number of clusters whose unexplained part lies furthest below the line between the fewest and the most."""
    x, y = np.array(clusters, dtype=float), np.array(left)
    if len(x) < 3 or y[0] <= y[-1]:  # noqa: PLR2004 (two ends and a point between)
        return None
    below = (x - x[0]) / (x[-1] - x[0]) + (y - y[-1]) / (y[0] - y[-1])
    return int(x[int(np.argmin(below))])


# --- the search ---


def by_choice(trials: pd.DataFrame, column: str) -> list[Numbers]:
    """How the trials of each embedding, clusterer or number of segments did, the best foresight first.

    `best` is the feasible trial with the most foresight on average, `low` and `high` its least and most in a period.
    Null where none was feasible; no rows where no trial came so far.
    """
    if column not in trials:
        return []
    tried = trials[(trials["state"] != "BASELINE") & trials[column].notna()]
    rows = [_choice(name, group) for name, group in tried.groupby(column)]
    return sorted(rows, key=lambda row: (row["best"] is None, -(row["best"] or 0.0)))


def _choice(name: Any, group: pd.DataFrame) -> Numbers:
    feasible = group[(group["state"] == "COMPLETE") & group["feasible"].astype(bool)].dropna(subset=["foresight_mean"])
    told: Numbers = {"name": name, "trials": len(group), "feasible": len(feasible)}
    if feasible.empty:
        return told | dict.fromkeys(("best", "worst_period", "low", "high", "median", "stability"))
    best = feasible.sort_values(["foresight_mean", "number"], ascending=[False, True]).iloc[0]
    periods = [float(best[name]) for name in feasible if re.fullmatch(r"foresight_\d+", str(name))]
    return told | {
        "best": float(best["foresight_mean"]),
        "worst_period": float(best["foresight_min"]),
        "low": min(periods, default=None),
        "high": max(periods, default=None),
        "median": float(feasible["foresight_mean"].median()),
        "stability": None if pd.isna(best["stability_rand"]) else float(best["stability_rand"]),
    }


def tuning(trials: pd.DataFrame) -> Numbers:
    """How many recipes were tried, and what became of them: stopped early, failed, refused, or fit to be chosen.

    `best_of_half` is the most foresight among the first half of the trials, which says whether more would have helped.
    """
    tried = trials[trials["state"] != "BASELINE"]
    whole = tried[tried["state"] == "COMPLETE"]
    fit = whole[whole["feasible"].astype(bool)]
    if "foresight_mean" in fit:
        fit = fit.dropna(subset=["foresight_mean"])
    half = fit[fit["number"] < len(tried) / 2]
    states = tried["state"].value_counts()
    return {
        "trials": len(tried),
        "stopped": int(states.get("PRUNED", 0)),
        "failed": int(states.get("FAIL", 0)),
        "refused": len(whole) - len(fit),
        "fit": len(fit),
        "first_half": len(tried) // 2,
        "best": _most(fit),
        "best_of_half": _most(half),
    }


def _most(trials: pd.DataFrame) -> float | None:
    return float(trials["foresight_mean"].max()) if len(trials) else None


# --- what the tables hold ---


def contents(orders: Any, lines: Any, as_of: date) -> Any:
    """One row, evaluated by the engine: what known customers ordered before `as_of`, in distinct things."""
    known, bought = orders.filter(orders.ordered_at < as_of), lines.filter(lines.ordered_at < as_of)
    counted = known.aggregate(
        orders=known.is_sale.cast("int64").sum(),
        countries=known.country.nunique(),
        first_day=known.ordered_at.min().date(),
        last_day=known.ordered_at.max().date(),
    )
    return counted.cross_join(bought.aggregate(lines=bought.count(), products=bought.product_code.nunique()))


def netting(customers: pd.DataFrame, count: int) -> Numbers:
    """What changes when what came back is taken off: who of the `count` largest by gross is none of them by net."""
    lists = [set(_largest(customers[column], count)) for column in ("gross_revenue", "net_revenue")]
    gross, returned = fsum(customers["gross_revenue"]), fsum(customers["returned_revenue"])
    apart = customers["returned_revenue"].sort_values(ascending=False, kind="stable")
    return {
        "count": count,
        "displaced": len(lists[0] - lists[1]),
        "returned_share": returned / gross if gross else None,
        "returning_customers_share": float((customers["returned_revenue"] > 0).mean()),
        "not_positive": int((customers["net_revenue"] <= 0).sum()),
        "largest_returned": float(apart.iloc[0]) if len(apart) else None,
    }


def _largest(amounts: "pd.Series[float]", count: int) -> list[Any]:
    return list(amounts.sort_values(ascending=False, kind="stable").index[:count])

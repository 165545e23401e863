"""Lists that need no clustering, as trials of their own: the same measures, on the same windows, at the same size.

Where customers tie at the end of such a list, they share its last places in what it captured. Its agreement and its
separation are those of the list that one would really get, with all of them in: two groups, those in and those out.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders.evidence import holdout, quality
from insiders.evidence.judge import PERMUTED, VALIDATION, Judge, Window, over_folds
from insiders.value.scores import CHANCE, LIFETIME, Score, scorer, simple

Values = NDArray[np.float64]
Places = Mapping[str, Values]  # baseline -> each customer's part of a place on its list
Measures = dict[str, float]


def measured(judge: Judge, share: float, horizon_days: int) -> dict[str, Measures]:
    """Baseline -> its measures, for lists of this share of the customers; NaN where a measure means nothing."""
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        folds = {fold: _captured(judge, fold, share, horizon_days) for fold in judge.folds}
        groups = _grouped(judge, share, horizon_days)
    found = {name: {k: v for each in folds.values() for k, v in each[name].items()} for name in groups}
    return {name: found[name] | over_folds(found[name], judge.folds) | groups[name] for name in groups}


def captured(customers: pd.DataFrame, n: int, horizon_days: int) -> dict[str, Measures]:
    """What the first n by each sort captured (holdout.Capture); `customers` has `next_revenue`."""
    scores = scorer(customers, horizon_days)(customers)
    return {name: holdout.by_score(score, customers, n) for name, score in scores.items()}


def on_origins(cut: Mapping[str, Window], share: float, horizon_days: int) -> dict[str, Measures]:
    """The value measures alone, without intervals."""
    folds = [name for name in cut if name != VALIDATION]
    found: dict[str, Measures] = {}
    for fold in folds:
        customers = cut[fold].customers
        for name, measures in captured(customers, round(share * len(customers)), horizon_days).items():
            found.setdefault(name, {}).update({f"{key}_{fold}": value for key, value in measures.items()})
    return {name: measures | over_folds(measures, folds) for name, measures in found.items()}


def _captured(judge: Judge, fold: str, share: float, horizon_days: int) -> dict[str, Measures]:
    """What each list captured after a rolling origin, with its intervals."""
    customers = judge.windows[fold].customers
    n, scores = round(share * len(customers)), scorer(customers, horizon_days)(customers)
    return {
        name: {
            f"{measure}_{fold}": figure
            for measure, figure in {
                **holdout.by_score(score, customers, n),
                **judge.drawn[fold].intervals(holdout.places(score, *holdout.boundary(score, n))),
            }.items()
        }
        for name, score in scores.items()
    }


def _grouped(judge: Judge, share: float, horizon_days: int) -> dict[str, Measures]:
    """What can be said of each list without looking at what happened later."""
    customers = judge.windows[VALIDATION].customers
    score = scorer(customers, horizon_days)
    base = _lists(score, customers, customers, share)
    refits = []
    for name in judge.resamples:
        drawn = judge.windows[name].customers
        refits.append(_lists(scorer(drawn, horizon_days), drawn, customers, share))
    control = _permuted(judge, score, share)
    size = round(share * len(customers)) / len(customers)
    return {
        name: _by_lot(size) if name == CHANCE else _group(judge, name, base, refits, control) | {"insider_share": size}
        for name in base
    }


def _lists(score: Score, among: pd.DataFrame, customers: pd.DataFrame, share: float) -> dict[str, Values]:
    """Places of `customers` on lists whose boundary is that of a share of `among`."""
    n, applied = round(share * len(among)), score(customers)
    return {name: holdout.places(applied[name], *holdout.boundary(own, n)) for name, own in score(among).items()}


def _permuted(judge: Judge, score: Score, share: float) -> dict[str, Values]:
    """The same among permuted customers; nobody's dates fit together there, so that lifetime values are dealt out."""
    customers = judge.windows[PERMUTED].customers
    known = np.sort(score(judge.windows[VALIDATION].customers)[LIFETIME])
    dealt = np.random.default_rng(judge.settings.seed).permutation(known)
    found = {**simple(customers, customers), LIFETIME: dealt}
    n = round(share * len(customers))
    return {name: holdout.places(each, *holdout.boundary(each, n)) for name, each in found.items()}


def _group(judge: Judge, name: str, base: Places, refits: list[dict[str, Values]], control: Places) -> Measures:
    """Agreement and separation of those in and out; a sort draws nothing, so that no seed can change it."""
    labels, listed = _in_and_out(base[name])
    across = quality.agreement((labels, listed), [_in_and_out(each[name]) for each in refits])
    separation = judge.separation(VALIDATION, labels)
    return {
        "segments": float(len(np.unique(labels))),
        "noise_share": 0.0,
        **separation,
        "stability": across["jaccard"],
        "stability_rand": across["rand"],
        "stability_seeds": 1.0,
        "stability_seeds_rand": 1.0,
        **judge.control(_in_and_out(control[name])[0], separation),
    }


def _by_lot(size: float) -> Measures:
    """Two lists of this size, a share of the customers, that are drawn by lot: what they have in common on average."""
    common = size / (2 - size)
    return {"insider_share": size, "stability": common, "stability_seeds": common}


def _in_and_out(places: Values) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    listed = places > 0
    return np.where(listed, 0, 1).astype(np.int64), listed

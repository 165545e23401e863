"""Scores, held against each other: what the list of each captured after every origin, and whether the list stays.

A score makes a list of those who have most of it. Where customers tie at the end of the list, they share its last
places in what it captured; its agreement is that of the list that one would really get, with all of them in.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders.evidence import holdout, quality, scoring
from insiders.evidence.judge import Judge
from insiders.evidence.scoring import Date
from insiders.evidence.windows import VALIDATION
from insiders.units import list_size, round_each
from insiders.value import score_model
from insiders.value.score_model import CANDIDATES
from insiders.value.scores import CHANCE, LIFETIME, QUINTILES, SORTS, SPREADSHEET

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]
Measures = dict[str, float]
Lists = dict[str, Flags]  # by score

# Of scores that are as good, the first is taken: the mean of two that err differently before each alone, and a sort
# before what takes trees to explain.
PREFERRED = (
    *("lifetime_faded", LIFETIME, "faded_revenue", "net_revenue_180d", "net_revenue_365d", SPREADSHEET),
    *("gross_revenue", QUINTILES, "boosting_lifetime_net", "trees_boosting_lifetime_net", "boosting", "trees"),
)


def dates(judge: Judge) -> list[Date]:
    """Every score at each rolling origin."""
    return scoring.dates_of([judge.windows[fold] for fold in judge.folds], judge.settings.horizon)


def measured(judge: Judge, origins: Sequence[Date], fits: Iterable[Lists]) -> dict[str, Measures]:
    """Score -> the measures of its list, as large as the programme; NaN where a measure means nothing.

    `fits`: the `lists` of each of the windows `fitted_at`.
    """
    share, count = judge.settings.share, len(judge.windows[VALIDATION].customers)
    stabilities, size, drawn = _stabilities(*fits), list_size(share, count) / count, _resamples(judge)
    rivals = scoring.opponents(origins, SORTS, (share, *scoring.SHARES))
    found = {
        name: {
            **_on_folds(judge, origins, drawn, name),
            **scoring.figures(origins, name, rivals, share),
            "list_stability": size / (2 - size) if name == CHANCE else stabilities[name],
            "insider_share": size,
        }
        for name in (*CANDIDATES, CHANCE)
    }
    return {name: round_each(measures) for name, measures in found.items()}


def choose(origins: Sequence[Date], share: float, tolerance: float) -> str:
    """The first of PREFERRED that none beats by more than the tolerance, at this share of the customers and others."""
    return scoring.choose(origins, PREFERRED, tolerance, (share, *scoring.SHARES))


def _on_folds(judge: Judge, origins: Sequence[Date], drawn: Mapping[str, holdout.Resamples], name: str) -> Measures:
    """What a list captured after each rolling origin, with its intervals, and over all of them."""
    measures: Measures = {}
    for fold, each in zip(judge.folds, origins, strict=True):
        customers, score = judge.windows[fold].customers, each.scores[name]
        n = list_size(judge.settings.share, len(customers))
        ends = drawn[fold].intervals(holdout.places(score, *holdout.boundary(score, n)))
        own = {**holdout.by_score(score, customers, n), **ends}
        measures |= {f"{key}_{fold}": figure for key, figure in own.items()}
    by_key = {key: [measures[f"{key}_{fold}"] for fold in judge.folds] for key in holdout.MEASURES}
    means = {f"{key}_mean": float(np.mean(figures)) for key, figures in by_key.items()}
    return measures | means | {"value_lift_min": min(by_key["value_lift"])}


def _resamples(judge: Judge) -> dict[str, holdout.Resamples]:
    """Bootstrap resamples of each origin's customers: drawn once, since every score's list is held against the same."""
    return {fold: _resampled(judge, judge.windows[fold].customers) for fold in judge.folds}


def _resampled(judge: Judge, customers: pd.DataFrame) -> holdout.Resamples:
    past, later = customers["net_revenue"].to_numpy(), customers["next_revenue"].to_numpy()
    weights = holdout.draws(len(customers), judge.settings.bootstrap, judge.settings.seed)
    return holdout.Resamples(past, later, weights)


def fitted_at(judge: Judge) -> list[str]:
    """The windows at which scores are fitted to see whether their lists stay, the validation date first."""
    return [VALIDATION, *judge.resamples]


def lists(judge: Judge, name: str) -> Lists:
    """The customers of the validation date on each score's list, by scores that were fitted on another window.

    Borders are those of the programme's share of that window.
    """
    window, customers = judge.windows[name], judge.windows[VALIDATION].customers
    n = list_size(judge.settings.share, len(window.customers))
    with threadpool_limits(1):
        parts = score_model.fit_parts(window.customers, [window.past], judge.settings.horizon)
        among, asked = (score_model.part_scores(parts, each) for each in (window.customers, customers))
    borders = {name: holdout.boundary(each, n)[0] for name, each in score_model.combined(among, among).items()}
    return {name: each >= borders[name] for name, each in score_model.combined(asked, among).items()}


def _stabilities(base: Lists, *refits: Lists) -> dict[str, float]:
    """Mean Jaccard index of each score's list, and of those that scores fitted on bootstrap samples make."""
    return {name: float(np.mean([quality.jaccard(own, each[name]) for each in refits])) for name, own in base.items()}

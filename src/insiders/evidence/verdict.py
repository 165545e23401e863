"""The verdict on a candidate, and what serves from now on: pure, from windows, fitted models and thresholds.

A candidate's recipe is fitted twice: on what was known before the untouched last period, by which it is judged, and on
everything, which is what may serve. What serves is in one of three regimes: a `model` that passed every gate, a
`baseline` (the best plain sort), or `none`, where the past says nothing about the future and nobody is named.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from insiders.evidence import gates, validation
from insiders.evidence.gates import Gate, GateRecord, Thresholds
from insiders.evidence.judge import Recipe, RecipeRecord, Settings
from insiders.evidence.search import Candidate
from insiders.evidence.validation import BaselineRecord, Flags, Period, ServingRecord, Validation
from insiders.model.segment_model import SegmentModel
from insiders.value.forecast import SpanOutcome

Regime = Literal["model", "baseline", "none"]


class Case(NamedTuple):
    """A candidate with its two fits: `judged_model` knows nothing of the last period, `final_model` everything.

    `customers` are today's.
    """

    candidate: Candidate
    search: Settings
    period: Period
    customers: pd.DataFrame
    judged_model: SegmentModel
    final_model: SegmentModel


class Verdict(NamedTuple):
    """Figures of the last period, the gates, and the agreement of the judged list with the final model's (Jaccard)."""

    validation: Validation
    gates: list[Gate]
    agreement: float

    @property
    def passed(self) -> bool:
        return all(gate.passed for gate in self.gates)

    def gate_records(self) -> list[GateRecord]:
        return [gate.as_record() for gate in self.gates]


class Serving(NamedTuple):
    """What serves, what is known of it, and its list at the start of the last period (in the period's order)."""

    regime: Regime
    baseline: BaselineRecord | None
    serving: ServingRecord
    validation: Validation
    backtest: list[SpanOutcome]
    listed: Flags


def fit(candidate: Candidate, search: Settings, period: Period, customers: pd.DataFrame) -> Case:
    recipe = Recipe.from_record(candidate)
    judged = recipe.model(search).fit(period.window.customers, period.window.past)
    final = recipe.model(search).fit(customers, period.later)
    return Case(candidate, search, period, customers, judged, final)


def judge(case: Case, thresholds: Thresholds, rival: Recipe | None) -> Verdict:
    """Look at the last period once. `rival` is the champion's recipe; None where none serves or it cannot be refitted.

    The gates on size ask both of the candidate's fits.
    """
    figures = validation.judge(validation.members(case.judged_model), case.period, case.search)
    shares = (case.judged_model.insider_share_, case.final_model.insider_share_)
    measures = {
        **case.candidate["measures"],
        "value_lift": figures["value_lift"],
        "value_lift_low": figures["value_lift_low"],
        "value_over_random_low": figures["value_over_random_low"],
        "insider_share_least": min(shares),
        "insider_share_most": max(shares),
        "segment_share": validation.smallest_segment(case.judged_model),
    }
    rival_lift = _on_last_period(case, rival)[0]["value_lift"] if rival else None
    return Verdict(
        validation=figures,
        gates=gates.gates(measures, thresholds, rival_lift),
        agreement=validation.list_agreement(case.judged_model, case.final_model, case.period.window.customers),
    )


def rebuild(record: RecipeRecord, search: Settings) -> Recipe | None:
    """The recipe behind a record; None where it names an embedding, a clusterer or a param that is no more."""
    recipe = Recipe.from_record(record)
    try:
        recipe.model(search)
    except (KeyError, ValueError):
        return None
    return recipe


def serving_candidate(case: Case, verdict: Verdict) -> Serving:
    recipe, measures = Recipe.from_record(case.candidate), case.candidate["measures"]
    return _serving_model(case, recipe, measures, (verdict.validation, validation.members(case.judged_model)))


def serving_recipe(case: Case, recipe: Recipe, measures: Mapping[str, float | None]) -> Serving:
    """An earlier version serves: its recipe, fitted and judged on the same period."""
    return _serving_model(case, recipe, measures, _on_last_period(case, recipe))


def serving_record(
    case: Case, record: RecipeRecord, measures: Mapping[str, float | None], figures: Validation
) -> Serving:
    """An earlier version serves that today's code cannot refit: its figures are those it was registered with.

    Its list of the last period is not known, so nobody is on it.
    """
    own: ServingRecord = {"embedding": record["embedding"], "clusterer": record["clusterer"], "measures": measures}
    return Serving("model", None, own, figures, [], _nobody(case))


def serving_baseline(case: Case, over_random_min: float) -> Serving:
    """No model may serve: the best plain sort, as large as the candidate; nobody where it does not beat chance."""
    low, high = case.search.insider_share_min, case.search.insider_share_max
    share = min(max(case.final_model.insider_share_, low), high)
    fallback, listed = validation.fallback(case.customers, share, case.period, case.search)
    lower_bound = fallback.validation["value_over_random_low"]
    if lower_bound is not None and lower_bound > over_random_min:
        return Serving("baseline", *fallback, listed)
    return Serving("none", *fallback._replace(baseline=None), _nobody(case))


def _serving_model(
    case: Case, recipe: Recipe, measures: Mapping[str, float | None], judged: tuple[Validation, Flags]
) -> Serving:
    own: ServingRecord = {"embedding": recipe.embedding, "clusterer": recipe.clusterer, "measures": measures}
    figures, listed = judged
    return Serving("model", None, own, figures, validation.backtest(recipe, case.period, case.search), listed)


def _on_last_period(case: Case, recipe: Recipe) -> tuple[Validation, Flags]:
    """The figures and the list of another recipe on the last period, fitted on what was known before it."""
    window = case.period.window
    listed = validation.members(recipe.model(case.search).fit(window.customers, window.past))
    return validation.judge(listed, case.period, case.search), listed


def _nobody(case: Case) -> Flags:
    return np.zeros(len(case.period.later), bool)

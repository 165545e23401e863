"""The verdict on a candidate, and what serves from now on: pure, from windows, fitted models and thresholds.

A candidate's recipe is fitted twice: on what was known before the untouched last period, by which it is judged, and on
everything, which is what may serve. What serves is in one of three regimes: a `model` that passed every gate, a
`baseline` (the best plain sort), or `none`, where the past says nothing about the future and nobody is named.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple, Self

import numpy as np
import pandas as pd

from insiders.evidence import ageing, gates, validation
from insiders.evidence.ageing import AgeRecord
from insiders.evidence.gates import Gate, GateRecord, Thresholds
from insiders.evidence.judge import Recipe, RecipeRecord, Settings
from insiders.evidence.search import Candidate
from insiders.evidence.validation import BaselineRecord, Flags, Period, ServingRecord, Validation
from insiders.model.segment_model import SegmentModel
from insiders.value.forecast import SpanOutcome
from insiders.value.score_model import CANDIDATES

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


class ModelRecord(RecipeRecord):
    """All that decides a model besides its data, as a version's tag holds it."""

    score: str
    share: float


class Contender(NamedTuple):
    """A recipe of segments, and the settings that name its score and its share of the customers."""

    recipe: Recipe
    settings: Settings

    @classmethod
    def from_record(cls, record: ModelRecord, search: Settings) -> Self:
        return cls(Recipe.from_record(record), replace(search, score=record["score"], share=record["share"]))

    def as_record(self) -> ModelRecord:
        return {**self.recipe.as_record(), "score": self.settings.score, "share": self.settings.share}

    def at(self, share: float) -> Self:
        """The same with a list of another size."""
        return self._replace(settings=replace(self.settings, share=share))


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
    ageing: Sequence[AgeRecord] = ()  # of a model that today's code can refit


def fit(candidate: Candidate, search: Settings, period: Period, customers: pd.DataFrame) -> Case:
    """`search` has the score and the share of the candidate."""
    recipe = Recipe.from_record(candidate)
    judged = recipe.model(search).fit(period.window.customers, period.window.past)
    final = recipe.model(search).fit(customers, period.later)
    return Case(candidate, search, period, customers, judged, final)


def judge(case: Case, thresholds: Thresholds, rival: Contender | None) -> Verdict:
    """Look at the last period once. `rival` is the champion; None where none serves or it cannot be refitted.

    The gates on segments ask both of the candidate's fits. The rival's list is judged at the candidate's size.
    """
    listed = validation.listed(case.judged_model, case.period, case.search.score)
    figures = validation.judge(listed, case.period, case.search)
    smallest = min(validation.smallest_segment(each) for each in (case.judged_model, case.final_model))
    served = float(case.final_model.listed(case.customers).mean())
    measures = {
        **case.candidate["measures"],
        **_asked(figures),
        "value_over_random_low": figures["value_over_random_low"],
        "sort_lift_low": figures["sort_lift_low"],
        "foresight_over_rfm": _foresight_over_rfm(case.candidate, figures),
        "segment_share": smallest,
        "share_ratio": served / float(listed.flags.mean()),
    }
    champion = _asked(_on_last_period(case.period, rival.at(case.search.share))[0]) if rival else None
    return Verdict(
        validation=figures,
        gates=gates.gates(measures, thresholds, champion),
        agreement=validation.list_agreement(case.judged_model, case.final_model, case.period.window.customers),
    )


def _asked(figures: Validation) -> dict[str, float | None]:
    """What candidate and champion are compared by."""
    return {"sort_lift": figures["sort_lift"], "foresight": figures["foresight"]}


def _foresight_over_rfm(candidate: Candidate, figures: Validation) -> float | None:
    """By how much segments foretell more than RFM's cells, on average over the origins and the last period."""
    folds, measures = candidate["folds"], candidate["measures"]
    own, rfm = measures.get("foresight_mean"), measures.get("foresight_rfm_mean")
    last, last_rfm = figures["foresight"], figures["foresight_rfm"]
    if own is None or rfm is None or last is None or last_rfm is None:
        return None
    return (folds * (own - rfm) + last - last_rfm) / (folds + 1)


def rebuild(record: ModelRecord, search: Settings) -> Contender | None:
    """The contender behind a record; None where it names a score, an embedding or a clusterer that is no more."""
    try:
        own = Contender.from_record(record, search)
        own.recipe.model(own.settings)
    except (KeyError, ValueError):
        return None
    return own if own.settings.score in CANDIDATES else None


def serving_candidate(case: Case, verdict: Verdict) -> Serving:
    own, measures = Contender(Recipe.from_record(case.candidate), case.search), case.candidate["measures"]
    flags = case.judged_model.listed(case.period.window.customers)
    return _serving_model(case.period, own, measures, (verdict.validation, flags))


def serving_recipe(period: Period, own: Contender, measures: Mapping[str, float | None]) -> Serving:
    """An earlier version serves: its recipe, fitted and judged on the same period."""
    return _serving_model(period, own, measures, _on_last_period(period, own))


def serving_record(
    period: Period, record: RecipeRecord, measures: Mapping[str, float | None], figures: Validation
) -> Serving:
    """An earlier version serves that today's code cannot refit: its figures are those it was registered with.

    Its list of the last period is not known, so nobody is on it.
    """
    own: ServingRecord = {"embedding": record["embedding"], "clusterer": record["clusterer"], "measures": measures}
    return Serving("model", None, own, figures, [], _nobody(period))


def serving_baseline(customers: pd.DataFrame, period: Period, search: Settings, over_random_min: float) -> Serving:
    """No model may serve: the best sort, as large as the programme; nobody where it cannot be defended."""
    fallback, listed = validation.fallback(customers, period, search)
    if _is_defended(fallback.validation, period, over_random_min):
        return Serving("baseline", *fallback, listed)
    return Serving("none", *fallback._replace(baseline=None), _nobody(period))


def _is_defended(figures: Validation, period: Period, over_random_min: float) -> bool:
    """Whether a sort may name customers: in the last period its list was better than chance.

    Where that period brought nothing (a shop that is closed) it is enough that the sort was the best of the origins.
    Where there are no origins (a young shop) it is enough that the last period does not speak against it: the margin
    of few customers and a short history is wide.
    """
    low, high = figures["value_over_random_low"], figures["value_over_random_high"]
    if low is None or high is None:
        return bool(period.folds)
    return (low if period.folds else high) > over_random_min


def _serving_model(
    period: Period, own: Contender, measures: Mapping[str, float | None], judged: tuple[Validation, Flags]
) -> Serving:
    record: ServingRecord = {
        "embedding": own.recipe.embedding,
        "clusterer": own.recipe.clusterer,
        "measures": measures,
    }
    figures, flags = judged
    fits = validation.fits(own.recipe, period, own.settings)
    backtest, aged = validation.backtest(fits, period), ageing.ageing(fits, own.settings.share)
    return Serving("model", None, record, figures, backtest, flags, aged)


def _on_last_period(period: Period, own: Contender) -> tuple[Validation, Flags]:
    """The figures and the list of another contender on the last period, fitted on what was known before it."""
    window = period.window
    model = own.recipe.model(own.settings).fit(window.customers, window.past)
    listed = validation.listed(model, period, own.settings.score)
    return validation.judge(listed, period, own.settings), listed.flags


def _nobody(period: Period) -> Flags:
    return np.zeros(len(period.later), bool)

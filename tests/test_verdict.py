"""The verdict on small shops: which gate refuses a candidate, and what serves then."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from insiders.evidence import validation, verdict
from insiders.evidence.gates import Thresholds
from insiders.evidence.judge import windows
from insiders.evidence.search import Candidate
from insiders.evidence.validation import Period
from insiders.evidence.verdict import Case
from population import FEATURES, customers, snapshots
from test_search import RECIPE, SETTINGS

OPEN = Thresholds(
    value_lift_margin=1.0,
    value_over_random_min=0.0,
    stability_min=0.0,
    control_gap_min=-1.0,
    champion_margin=10.0,
    insider_share_min=0.0,
    insider_share_max=1.0,
    segment_share_min=0.0,
)
MEASURES: dict[str, float | None] = {"stability": 0.9, "control_gap_low": 0.1}


def candidate(measures: dict[str, float | None] = MEASURES) -> Candidate:
    return {
        **RECIPE.as_record(),
        "features": [],
        "trial": 0,
        "feasible": True,
        "reason": "",
        "folds": 1,
        "rule": {},
        "measures": measures,
    }


@pytest.fixture(scope="module")
def period() -> Period:
    brought = customers(300)[["customer_id", "next_revenue"]]
    return validation.last_period(windows(snapshots(300), 90, FEATURES), brought, 90)


@pytest.fixture(scope="module")
def case(period: Period) -> Case:
    return verdict.fit(candidate(), SETTINGS, period, period.window.customers)


def test_a_candidate_that_meets_every_threshold_passes(case: Case) -> None:
    judged = verdict.judge(case, OPEN, None)
    assert judged.passed
    assert "champion" not in {gate.name for gate in judged.gates}
    assert judged.agreement > 0


@pytest.mark.parametrize(
    ("gate", "demand"),
    [
        ("value_lift_low", {"value_lift_margin": -10.0}),
        ("value_over_random_low", {"value_over_random_min": 1000.0}),
        ("stability", {"stability_min": 0.95}),
        ("control_gap_low", {"control_gap_min": 0.5}),
        ("insider_share_min", {"insider_share_min": 0.99}),
        ("insider_share_max", {"insider_share_max": 0.0}),
        ("segment_share", {"segment_share_min": 0.99}),
    ],
)
def test_each_gate_alone_refuses(gate: str, demand: dict[str, float], case: Case) -> None:
    judged = verdict.judge(case, replace(OPEN, **demand), None)
    assert [each.name for each in judged.gates if not each.passed] == [gate]
    assert not judged.passed


def test_a_measure_that_is_missing_never_passes(case: Case) -> None:
    unmeasured = case._replace(candidate=candidate({"stability": None}))
    refused = {gate.name for gate in verdict.judge(unmeasured, OPEN, None).gates if not gate.passed}
    assert refused == {"stability", "control_gap_low"}


def test_a_candidate_is_compared_with_the_champion_on_the_same_period(case: Case) -> None:
    judged = verdict.judge(case, replace(OPEN, champion_margin=0.0), RECIPE)
    [gate] = [each for each in judged.gates if each.name == "champion"]
    assert gate.passed
    assert gate.value == gate.threshold == judged.validation["value_lift"]


def test_a_recipe_that_is_no_more_cannot_be_rebuilt() -> None:
    record = RECIPE.as_record()
    assert verdict.rebuild(record, SETTINGS) == RECIPE
    assert verdict.rebuild({**record, "embedding": "horoscope"}, SETTINGS) is None
    assert verdict.rebuild({**record, "params": {}}, SETTINGS) is None


def test_the_candidate_serves_with_the_list_that_was_judged(case: Case) -> None:
    judged = verdict.judge(case, OPEN, None)
    serving = verdict.serving_candidate(case, judged)
    assert serving.regime == "model"
    assert serving.validation == judged.validation
    assert serving.listed.sum() == judged.validation["n"]
    assert serving.serving["measures"] == MEASURES


def test_an_earlier_recipe_is_judged_anew(case: Case) -> None:
    serving = verdict.serving_recipe(case, RECIPE, {"stability": 0.5})
    assert serving.validation == verdict.judge(case, OPEN, None).validation
    assert serving.serving["measures"] == {"stability": 0.5}
    assert serving.backtest == verdict.serving_candidate(case, verdict.judge(case, OPEN, None)).backtest


def test_of_a_champion_that_cannot_be_refitted_nobody_is_known(case: Case) -> None:
    figures = verdict.judge(case, OPEN, None).validation
    serving = verdict.serving_record(case, RECIPE.as_record(), MEASURES, figures)
    assert (serving.regime, serving.backtest) == ("model", [])
    assert not serving.listed.any()


def test_the_best_sort_serves_at_the_candidates_size(case: Case) -> None:
    serving = verdict.serving_baseline(case, over_random_min=0.0)
    assert serving.regime == "baseline"
    assert serving.baseline is not None
    assert serving.baseline["n"] >= round(case.final_model.insider_share_ * len(case.customers))
    assert serving.listed.any()


def test_where_the_past_says_nothing_nobody_is_named(case: Case) -> None:
    serving = verdict.serving_baseline(case, over_random_min=1000.0)
    assert (serving.regime, serving.baseline) == ("none", None)
    assert not serving.listed.any()


def test_a_period_without_revenue_proves_nothing(case: Case) -> None:
    idle = replace(case.period, later=case.period.later.assign(next_revenue=0.0))
    judged = verdict.judge(case._replace(period=idle), OPEN, None)
    assert judged.validation["value_lift"] is None
    assert not judged.passed
    assert verdict.serving_baseline(case._replace(period=idle), 0.0).regime == "none"


def test_the_rows_of_equal_customers_may_stand_in_any_order(case: Case, period: Period) -> None:
    order = np.random.default_rng(1).permutation(len(period.window.customers))
    shuffled: pd.DataFrame = period.window.customers.iloc[order].reset_index(drop=True)
    again = verdict.fit(candidate(), SETTINGS, period, shuffled)
    assert verdict.judge(again, OPEN, None).gates == verdict.judge(case, OPEN, None).gates

"""The verdict on small shops: which gate refuses a candidate, and what serves then."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from insiders.evidence import validation, verdict
from insiders.evidence.gates import Thresholds
from insiders.evidence.search import Candidate
from insiders.evidence.validation import Period
from insiders.evidence.verdict import Case, Contender, Serving
from insiders.evidence.windows import VALIDATION, windows
from insiders.value.score_model import Horizon
from insiders.value.scores import SPREADSHEET
from population import FEATURES, customers, snapshots
from test_search import RECIPE, SETTINGS

OPEN = Thresholds(
    sort_lift_margin=1.0,
    value_over_random_min=0.0,
    list_stability_min=0.0,
    foresight_margin=1.0,
    stability_min=0.0,
    champion_margin=10.0,
    segment_share_min=0.0,
)
CONTENDER = Contender(RECIPE, SETTINGS)
MEASURES: dict[str, float | None] = {
    "foresight_mean": 0.2,
    "foresight_rfm_mean": 0.1,
    "foresight_gap": 0.2,
    "stability_rand": 0.9,
    "list_stability": 0.9,
}


def candidate(measures: dict[str, float | None] = MEASURES) -> Candidate:
    return {
        **RECIPE.as_record(),
        "score": SETTINGS.score,
        "share": SETTINGS.share,
        "features": [],
        "trial": 0,
        "feasible": True,
        "reason": "",
        "folds": 3,
        "rule": {},
        "measures": measures,
        "judged_from": None,
    }


@pytest.fixture(scope="module")
def period() -> Period:
    brought = customers(300)[["customer_id", "next_revenue"]]
    return validation.last_period(windows(snapshots(300), 90, FEATURES), brought, Horizon(90, 1), 1.24)


@pytest.fixture(scope="module")
def case(period: Period) -> Case:
    return verdict.fit(candidate(), SETTINGS, period, period.window.customers)


def baseline(case: Case, period: Period, over_random_min: float) -> Serving:
    return verdict.serving_baseline(case.customers, period, case.search, over_random_min)


def test_a_candidate_that_meets_every_threshold_passes(case: Case) -> None:
    judged = verdict.judge(case, OPEN, None)
    assert judged.passed
    assert not any(gate.name.startswith("champion") for gate in judged.gates)
    assert judged.agreement > 0


@pytest.mark.parametrize(
    ("gate", "demand"),
    [
        ("sort_lift_low", {"sort_lift_margin": -10.0}),
        ("value_over_random_low", {"value_over_random_min": 1000.0}),
        ("list_stability", {"list_stability_min": 0.95}),
        ("foresight_over_rfm", {"foresight_margin": -10.0}),
        ("stability_rand", {"stability_min": 0.95}),
        ("segment_share", {"segment_share_min": 0.99}),
    ],
)
def test_each_gate_alone_refuses(gate: str, demand: dict[str, float], case: Case) -> None:
    judged = verdict.judge(case, replace(OPEN, **demand), None)
    assert [each.name for each in judged.gates if not each.passed] == [gate]
    assert not judged.passed


def test_a_measure_that_is_missing_never_passes(case: Case) -> None:
    unmeasured = case._replace(candidate=candidate({"stability_rand": None}))
    refused = {gate.name for gate in verdict.judge(unmeasured, OPEN, None).gates if not gate.passed}
    assert refused == {"stability_rand", "foresight_gap", "foresight_over_rfm", "list_stability"}


def test_foresight_is_pooled_over_the_origins_and_the_last_period(case: Case) -> None:
    judged = verdict.judge(case, OPEN, None)
    [gate] = [each for each in judged.gates if each.name == "foresight_over_rfm"]
    own, rfm = judged.validation["foresight"], judged.validation["foresight_rfm"]
    assert own is not None
    assert rfm is not None
    assert gate.value == pytest.approx((3 * (0.2 - 0.1) + own - rfm) / 4)


def test_a_candidate_is_compared_with_the_champion_on_the_same_period(case: Case) -> None:
    champion = Contender(RECIPE, replace(SETTINGS, share=0.5))
    judged = verdict.judge(case, replace(OPEN, champion_margin=0.0), champion)
    gates = {each.name: each for each in judged.gates if each.name.startswith("champion")}
    assert set(gates) == {"champion_list", "champion_segments"}
    for gate, key in (("champion_list", "sort_lift"), ("champion_segments", "foresight")):
        assert gates[gate].passed
        assert gates[gate].value == gates[gate].threshold == judged.validation[key]  # type: ignore[literal-required]


def test_a_recipe_that_is_no_more_cannot_be_rebuilt() -> None:
    record = CONTENDER.as_record()
    assert verdict.rebuild(record, replace(SETTINGS, score="", share=0.9)) == CONTENDER
    assert verdict.rebuild({**record, "embedding": "horoscope"}, SETTINGS) is None
    assert verdict.rebuild({**record, "score": "horoscope"}, SETTINGS) is None
    assert verdict.rebuild({**record, "params": {}}, SETTINGS) is None


def test_the_candidate_serves_with_the_list_that_was_judged(case: Case) -> None:
    judged = verdict.judge(case, OPEN, None)
    serving = verdict.serving_candidate(case, judged)
    assert serving.regime == "model"
    assert serving.validation == judged.validation
    assert serving.listed.sum() == judged.validation["n"]
    assert serving.serving["measures"] == MEASURES


def test_an_earlier_recipe_is_judged_anew(case: Case) -> None:
    serving = verdict.serving_recipe(case.period, CONTENDER, {"stability": 0.5})
    assert serving.validation == verdict.judge(case, OPEN, None).validation
    assert serving.serving["measures"] == {"stability": 0.5}
    assert serving.backtest == verdict.serving_candidate(case, verdict.judge(case, OPEN, None)).backtest


def test_of_a_champion_that_cannot_be_refitted_nobody_is_known(case: Case) -> None:
    figures = verdict.judge(case, OPEN, None).validation
    serving = verdict.serving_record(case.period, CONTENDER.as_record(), MEASURES, figures)
    assert (serving.regime, serving.backtest) == ("model", [])
    assert not serving.listed.any()


def test_the_best_score_serves_at_the_programmes_size(case: Case) -> None:
    serving = baseline(case, case.period, 0.0)
    assert serving.regime == "baseline"
    assert serving.baseline is not None
    assert serving.baseline["n"] == round(SETTINGS.share * len(case.customers))
    assert serving.listed.any()


def test_where_the_past_says_nothing_nobody_is_named(case: Case) -> None:
    serving = baseline(case, case.period, 1000.0)
    assert (serving.regime, serving.baseline) == ("none", None)
    assert not serving.listed.any()


def test_a_period_without_revenue_proves_nothing(case: Case) -> None:
    idle = replace(case.period, later=case.period.later.assign(next_revenue=0.0))
    judged = verdict.judge(case._replace(period=idle), OPEN, None)
    assert judged.validation["value_lift"] is None
    assert judged.validation["foresight"] is None
    assert not judged.passed
    assert baseline(case, idle, 1.0).regime == "baseline"  # as the origins chose it: the shop may be closed
    never = replace(idle, cut={VALIDATION: idle.window})
    assert baseline(case, never, 1.0).regime == "none"


def test_a_young_shop_has_a_list_unless_its_last_period_speaks_against_it(case: Case) -> None:
    young = replace(case.period, cut={VALIDATION: replace(case.period.window, past=case.period.window.past.iloc[:0])})
    serving = baseline(case, young, 1.0)
    assert serving.regime == "baseline"
    assert serving.baseline is not None
    assert serving.baseline["name"] == SPREADSHEET
    assert (serving.serving["measures"], len(serving.backtest)) == ({}, 1)
    assert serving.validation["foresight_rfm"] is None
    assert baseline(case, young, 1000.0).regime == "none"


def test_the_rows_of_equal_customers_may_stand_in_any_order(case: Case, period: Period) -> None:
    order = np.random.default_rng(1).permutation(len(period.window.customers))
    shuffled: pd.DataFrame = period.window.customers.iloc[order].reset_index(drop=True)
    again = verdict.fit(candidate(), SETTINGS, period, shuffled)
    assert verdict.judge(again, OPEN, None).gates == verdict.judge(case, OPEN, None).gates

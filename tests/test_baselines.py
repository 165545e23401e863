import numpy as np
import pytest

from insiders.evidence import holdout
from insiders.evidence.baselines import measured, on_origins
from insiders.evidence.judge import Judge, Window, windows
from insiders.evidence.search import rows
from population import FEATURES, snapshots
from test_search import RECIPE, SETTINGS, trial

SHARE = 0.05


@pytest.fixture(scope="module")
def cut():
    return windows(snapshots(300), 90, FEATURES)


@pytest.fixture(scope="module")
def judge(cut):
    return Judge(cut, SETTINGS)


@pytest.fixture(scope="module")
def found(judge):
    return measured(judge, SHARE, 90)


def test_a_baseline_has_every_measure_that_a_trial_has(judge, found):
    wanted = set(judge.score(RECIPE)[0])
    for name in ("net_revenue", "gross_revenue", "faded_revenue", "rfm_quintiles", "lifetime_value"):
        assert set(found[name]) == wanted
        assert not any(np.isnan(value) for value in found[name].values())


def test_the_sort_is_its_own_measure(found):
    sort = found["net_revenue"]
    assert sort["value_lift_mean"] == 1 == sort["value_lift_min"]
    assert sort["value_lift_low_1"] <= 1 <= sort["value_lift_high_1"]
    assert sort["insider_share"] == SHARE
    assert sort["stability_seeds"] == 1
    assert sort["control_gap"] == pytest.approx(sort["silhouette"] - sort["control_silhouette"])


def test_a_draw_by_lot_stays_an_expectation(found):
    lot = found["random"]
    assert lot["value_over_random_low_1"] == pytest.approx(1) == lot["value_over_random_high_1"]
    assert lot["stability"] == pytest.approx(SHARE / (2 - SHARE))
    assert "silhouette" not in lot


def test_intervals_of_a_sort_are_those_of_a_list_of_the_same_customers(judge, found):
    customers = judge.windows["2"].customers
    score = customers["faded_revenue"].to_numpy()
    chosen = score >= np.sort(score)[-15]
    past, later = customers["net_revenue"].to_numpy(), customers["next_revenue"].to_numpy()
    weights = holdout.draws(300, SETTINGS.bootstrap, SETTINGS.seed)
    for name, value in holdout.intervals(chosen, past, later, weights).items():
        assert found["faded_revenue"][f"{name}_2"] == value


def test_the_lifetime_value_knows_nothing_of_what_it_is_held_against(cut, found):
    blind = {name: Window(each.customers.assign(next_revenue=1.0), each.past) for name, each in cut.items()}
    other = measured(Judge(blind, SETTINGS), SHARE, 90)["lifetime_value"]
    assert other["stability"] == found["lifetime_value"]["stability"]
    assert other["value_over_random_mean"] == pytest.approx(1)


def test_baselines_do_not_depend_on_the_order_or_the_names_of_the_customers(found):
    shuffled = snapshots(300).sample(frac=1, random_state=3)
    shuffled["customer_id"] = "c" + shuffled["customer_id"].str[::-1]
    assert measured(Judge(windows(shuffled, 90, FEATURES), SETTINGS), SHARE, 90) == found


def test_in_the_table_baselines_follow_the_trials(found):
    table = rows([trial(0, 1.0, 0.9), trial(3, 1.1, 0.9)], found)
    assert table["number"].tolist() == [0, 3, *range(4, 4 + len(found))]
    assert (table["state"][2:] == "BASELINE").all()
    assert table["stability"].notna().all()


def test_without_a_judge_they_stand_on_the_same_origins(cut, found):
    bare = on_origins(cut, SHARE, 90)
    for name, measures in bare.items():
        assert {key: found[name][key] for key in measures} == pytest.approx(measures)

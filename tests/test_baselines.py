from dataclasses import replace

import numpy as np
import pytest

from insiders.evidence import baselines, holdout
from insiders.evidence.baselines import PREFERRED, choose, dates
from insiders.evidence.judge import Judge
from insiders.evidence.scoring import Date
from insiders.evidence.search import rows
from insiders.evidence.windows import Window, windows
from insiders.value import scores
from insiders.value.score_model import CANDIDATES
from population import FEATURES, snapshots
from test_search import SETTINGS, trial

SHARE = 0.05


def measured(judge):
    fits = (baselines.lists(judge, name) for name in baselines.fitted_at(judge))
    return baselines.measured(judge, dates(judge), fits)


@pytest.fixture(scope="module")
def cut():
    return windows(snapshots(300), 90, FEATURES)


@pytest.fixture(scope="module")
def judge(cut):
    return Judge(cut, replace(SETTINGS, share=SHARE))


@pytest.fixture(scope="module")
def found(judge):
    return measured(judge)


def test_every_score_has_every_measure(found):
    assert set(found) == {*CANDIDATES, scores.CHANCE}
    wanted = set(found["net_revenue"])
    for name, measures in found.items():
        assert set(measures) == wanted
        assert not any(np.isnan(value) for value in measures.values()), name


def test_the_sort_is_its_own_measure(found):
    sort = found["net_revenue"]
    assert sort["value_lift_mean"] == 1 == sort["value_lift_min"]
    assert sort["value_lift_low_1"] <= 1 <= sort["value_lift_high_1"]
    assert sort["insider_share"] == SHARE
    assert 0 < sort["list_stability"] <= 1


def test_a_list_has_a_place_however_small_the_programme_is(cut):
    alone = measured(Judge(cut, replace(SETTINGS, share=1 / 1000)))
    assert alone["net_revenue"]["insider_share"] == pytest.approx(1 / 300)
    assert not any(np.isnan(value) for name in alone for value in alone[name].values())


def test_a_draw_by_lot_stays_an_expectation(found):
    lot = found["random"]
    assert lot["value_over_random_low_1"] == pytest.approx(1) == lot["value_over_random_high_1"]
    assert lot["list_stability"] == pytest.approx(SHARE / (2 - SHARE))


def test_of_scores_that_are_as_good_the_preferred_one_is_chosen():
    later = np.array([100.0, 90, 80, 1, 0, 0, 0, 0, 0, 0])
    first, poor = -np.arange(10.0), np.arange(10.0)
    known = dict.fromkeys(PREFERRED, poor) | {"net_revenue": first, "faded_revenue": first}
    origin = Date(np.arange(10).astype(str), later, known)
    assert choose([origin], 0.2, 0.0) == "faded_revenue"
    nearly = known | {"lifetime_faded": np.array([9.0, 7, 8, 6, 5, 4, 3, 2, 1, 0])}  # 180 of 190 at two places
    assert choose([origin._replace(scores=nearly)], 0.2, 0.02) == "lifetime_faded"
    assert choose([origin._replace(scores=nearly)], 0.2, 0.001) == "faded_revenue"
    assert choose([origin._replace(next_revenue=np.zeros(10))], 0.2, 0.01) == PREFERRED[0]


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
    other = measured(Judge(blind, replace(SETTINGS, share=SHARE)))["lifetime_value"]
    assert other["list_stability"] == found["lifetime_value"]["list_stability"]
    assert other["value_over_random_mean"] == pytest.approx(1)


def test_baselines_do_not_depend_on_the_order_or_the_names_of_the_customers(found):
    shuffled = snapshots(300).sample(frac=1, random_state=3)
    shuffled["customer_id"] = "c" + shuffled["customer_id"].str[::-1]
    other = Judge(windows(shuffled, 90, FEATURES), replace(SETTINGS, share=SHARE))
    assert measured(other) == found


def test_in_the_table_baselines_follow_the_trials(found):
    table = rows([trial(0, 1.0, 0.9), trial(3, 1.1, 0.9)], found)
    assert table["number"].tolist() == [0, 3, *range(4, 4 + len(found))]
    assert (table["state"][2:] == "BASELINE").all()
    assert table["list_stability"][2:].notna().all()

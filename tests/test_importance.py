import time

import numpy as np
import pandas as pd
import pytest

import report_tables as shop
from insiders.report.figures import importance, style

TRIALS = shop.trials()
TRIALS["params"] = [
    f'{{"pca.components": {place % 5}, "quantile.shape": "{"ab"[place % 2]}"}}' for place in TRIALS.index
]


def trials(lifts, params, **columns):
    rows = {"state": "COMPLETE", "embedding": "pca", "clusterer": "ward", "feasible": True, "stability_rand": 0.9}
    return pd.DataFrame({**rows, "params": params, "foresight_mean": lifts, **columns})


def test_a_setting_that_decides_explains_all_and_one_without_a_link_nothing():
    decides = pd.Series(["a", "a", "b", "b"])
    assert importance.explained(decides, pd.Series([1.0, 1.0, 2.0, 2.0])) == 1
    assert importance.explained(decides, pd.Series([1.0, 2.0, 1.0, 2.0])) == 0


def test_the_share_by_hand():
    # Around the mean 2.5 the squares sum to 5, within the groups to 1: 1 - (1 / 2) / (5 / 3).
    share = importance.explained(pd.Series(["a", "a", "b", "b"]), pd.Series([1.0, 2.0, 3.0, 4.0]))
    assert share == pytest.approx(0.7)


def test_a_number_with_many_values_explains_no_noise():
    rng = np.random.default_rng(1)
    shares = [importance.explained(pd.Series(rng.random(60)), pd.Series(rng.random(60))) for _ in range(50)]
    assert np.mean(shares) < 0.05


def test_too_little_is_known_of_a_setting():
    assert np.isnan(importance.explained(pd.Series(["a", "b"]), pd.Series([1.0, 2.0])))
    assert np.isnan(importance.explained(pd.Series(["a", None]), pd.Series([1.0, np.nan])))
    assert np.isnan(importance.explained(pd.Series([], dtype=object), pd.Series([], dtype=float)))


def test_only_settings_that_vary_and_that_enough_trials_have():
    params = [
        '{"k": 1, "same": 3}',
        '{"k": 2, "same": 3}',
        '{"k": 3, "same": 3}',
        '{"k": 3, "same": 3, "rare": 1}',
        "{}",
    ]
    table = trials([1.0, 1.1, 1.2, 1.3, 1.4], params)
    table.loc[4, "state"] = "BASELINE"
    assert list(importance.settings(table)) == ["k"]
    assert importance.settings(table)["k"].tolist() == [1, 2, 3, 3]


@pytest.mark.parametrize("draw", [importance.importances, importance.slices])
@pytest.mark.parametrize("table", [TRIALS, TRIALS.head(1), trials([1.0, np.nan], ["{}", "{}"])])
def test_pictures_are_drawn_whatever_the_trials(draw, table):
    drawings = [style.svg(draw(table), "settings", "what mattered") for _ in range(2)]
    assert drawings[0] == drawings[1]


def test_the_pictures_are_cheap():
    started = time.process_time()
    importance.importances(TRIALS)
    importance.slices(TRIALS)
    assert time.process_time() - started < 2

"""The stage itself, on a small shop: what it leaves in reports/trials.csv and in MLflow, also when it runs again."""

import shutil
from contextlib import chdir
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import small_shop
from insiders.io.tracking import connection
from insiders.value import score_model, scores

BASELINES = {*score_model.CANDIDATES, scores.CHANCE}


@pytest.fixture(scope="module")
def project(easy_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(easy_shop, tmp_path_factory.mktemp("tuned") / "shop"))


def children(folder: Path) -> list[Any]:
    with chdir(folder):
        opened = connection.connect()
        return list(opened.client.search_runs([opened.experiment], "tags.`insiders.stage` = 'trial'"))


def test_baselines_are_trials_in_the_table_and_in_mlflow(project):
    table = pd.read_csv(project / "reports/trials.csv")
    own = table[table["state"] == "BASELINE"].set_index("clusterer")
    logged = {run.data.tags["clusterer"]: run for run in children(project) if run.data.tags["state"] == "BASELINE"}
    assert set(own.index) == BASELINES == set(logged)
    for name, run in logged.items():
        assert run.data.tags["embedding"] == "none" == own.loc[name, "embedding"]
        assert run.data.tags["insiders.trial"] == str(own.loc[name, "number"])
        overall = {key: value for key, value in run.data.metrics.items() if f"{key}_1" not in own.columns}
        assert overall == pytest.approx(own.loc[name, list(overall)].astype(float).to_dict())
        assert {"list_stability", "sort_lift", "insider_share"} <= set(overall)
        assert run.data.metrics["value_lift_low"] == pytest.approx(own.loc[name, "value_lift_low_1"])


def test_a_second_run_logs_nothing_twice_and_writes_the_same(project):
    before = (project / "reports/trials.csv").read_bytes(), len(children(project))
    small_shop.run(project, ["tune"], pictures=True)
    assert ((project / "reports/trials.csv").read_bytes(), len(children(project))) == before


def test_the_search_keeps_its_pictures_in_mlflow(project):
    with chdir(project):
        opened = connection.connect()
        [parent] = opened.client.search_runs([opened.experiment], "tags.`insiders.stage` = 'tune'")
        kept = {each.path for each in opened.client.list_artifacts(parent.info.run_id)}
    assert {"front.png", "history.png", "importances.png", "slices.png", "clusters.png", "trials.csv"} <= kept


def test_every_trial_on_the_front_has_its_picture_and_its_segments(project):
    table = pd.read_csv(project / "reports/trials.csv")
    tried = table[(table["state"] == "COMPLETE") & table["feasible"].astype(bool)]
    beaten = {
        one.number
        for one in tried.itertuples()
        for other in tried.itertuples()
        if (other.foresight_mean > one.foresight_mean and other.stability_rand >= one.stability_rand)
        or (other.foresight_mean >= one.foresight_mean and other.stability_rand > one.stability_rand)
    }
    with chdir(project):
        client = connection.connect().client
        kept = {
            int(run.data.tags["insiders.trial"]): {each.path for each in client.list_artifacts(run.info.run_id)}
            for run in children(project)
        }
    illustrated = {number for number, files in kept.items() if {"clusters.png", "segments.json"} <= files}
    assert illustrated
    assert illustrated <= set(tried["number"]) - beaten


def test_embedding_and_clusterer_are_params_and_origins_are_steps(project):
    run = next(run for run in children(project) if run.data.tags["state"] == "COMPLETE")
    assert {"embedding", "clusterer"} <= set(run.data.params)
    assert "foresight" in run.data.metrics
    assert not any(name.startswith("foresight_1") for name in run.data.metrics)
    assert run.inputs.dataset_inputs[0].dataset.name == "snapshots"

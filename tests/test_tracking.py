"""Runs of stages and trials, in a store of the test's own."""

import json
import math
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from insiders.errors import InputError
from insiders.io import tables
from insiders.io.tracking import connection, datasets, runs
from insiders.io.tracking.runs import SearchRun, TrialRun

pytestmark = pytest.mark.usefixtures("store")


def stage_runs(stage: str) -> list[Any]:
    opened = connection.connect()
    query = f"tags.`insiders.stage` = '{stage}'"
    return list(opened.client.search_runs([opened.experiment], query, order_by=["attributes.start_time"]))


def log(stage: str, params: dict[str, Any], metrics: dict[str, Any]) -> None:
    with runs.stage_run(stage, params) as record:
        record(metrics)


def trial(number: int, **changes: Any) -> TrialRun:
    tags = {"embedding": "pca", "clusterer": "kmeans", "state": "COMPLETE", "feasible": True}
    given = {"params": {"k": number}, "measures": {"value_lift_mean": 1.01, "stability": 0.9}, "tags": tags}
    return TrialRun(number, f"pca-kmeans-{number}", **{**given, **changes})


def test_a_stage_logs_one_run_with_its_params_and_metrics(store: Path) -> None:
    log("featurize", {"as_of": None, "folds": {"count": 3}}, {"customers": 12, "share": 0.25})
    [run] = stage_runs("featurize")
    assert run.info.run_name == "featurize"
    assert run.info.status == "FINISHED"
    assert run.data.params == {"as_of": "None", "folds.count": "3"}
    assert run.data.metrics == {"customers": 12.0, "share": 0.25}
    assert run.info.artifact_uri.startswith((store / "artifacts").as_uri())


def test_a_run_that_was_posted_is_logged_as_if_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    params, used = {"as_of": None, "folds": {"count": 3}}, datasets.Used("lines", "abc", "data/lines.parquet", "input")
    with runs.posted_run("featurize", params) as record:
        record({"customers": 12, "share": 1 / 3, "undefined": math.nan}, [used])
    with pytest.raises(ZeroDivisionError), runs.posted_run("preprocess", {}):
        _ = 1 / 0
    assert stage_runs("featurize") == []
    runs.deliver()
    runs.deliver()
    [run] = stage_runs("featurize")
    assert run.info.status == "FINISHED"
    assert run.data.params == {"as_of": "None", "folds.count": "3"}
    assert run.data.metrics == {"customers": 12.0, "share": 1 / 3}
    assert [each.dataset.name for each in run.inputs.dataset_inputs] == ["lines"]
    with runs.stage_run("featurize", params) as record:  # the same, at once
        record({"customers": 12, "share": 1 / 3}, [used])
    assert len(stage_runs("featurize")) == 1
    assert stage_runs("preprocess") == []


@pytest.mark.parametrize("later", ["stage_run", "search_run"])
def test_a_later_run_delivers_what_waits_in_its_order(
    later: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # two runs of one millisecond have no order in MLflow, and a machine's clock may stand still that long
    moments = count(runs.now_ms())
    monkeypatch.setattr(runs, "now_ms", lambda: next(moments))
    for rows in (1, 2):
        with runs.posted_run("ingest", {}) as record:
            record({"rows": rows})
    with getattr(runs, later)("report", {}):
        assert [run.data.metrics["rows"] for run in stage_runs("ingest")] == [1.0, 2.0]
    assert list(runs.OUTBOX.iterdir()) == []


def test_the_experiment_opens_on_model_training() -> None:
    opened = connection.connect()
    experiment = opened.client.get_experiment(opened.experiment)
    assert experiment.name == "insiders"
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_the_experiment_has_a_view_of_the_trials() -> None:
    with runs.search_run("study", {}) as run:
        run.log_trial(trial(0))
    opened = connection.connect()
    saved = json.loads(opened.client.get_experiment(opened.experiment).tags["mlflow.sharedViewState.trials"])
    view = json.loads(saved["state"])
    assert saved["name"] == "trials"
    assert len(opened.client.search_runs([opened.experiment])) == 2
    [found] = opened.client.search_runs([opened.experiment], view["searchFilter"])
    assert found.info.run_name == "pca-kmeans-0"
    assert {"metrics.`foresight_mean`", "metrics.`stability_rand`"} < set(view["selectedColumns"])
    drawn, sections = view["compareRunCharts"], {each["uuid"] for each in view["compareRunSections"]}
    assert {chart["metricSectionId"] for chart in drawn} < sections


def test_a_deleted_experiment_comes_back() -> None:
    opened = connection.connect()
    opened.client.delete_experiment(opened.experiment)
    log("ingest", {}, {"rows": 1})
    assert len(stage_runs("ingest")) == 1


def test_an_unchanged_result_adds_no_run() -> None:
    for customers in (12, 12, 13, 12):
        log("assign", {"horizon_days": 90}, {"customers": customers})
    assert [run.data.metrics["customers"] for run in stage_runs("assign")] == [12.0, 13.0, 12.0]


def test_a_stage_that_fails_leaves_no_run() -> None:
    with pytest.raises(ZeroDivisionError), runs.stage_run("ingest", {}):
        raise ZeroDivisionError
    assert stage_runs("ingest") == []


def test_measures_without_a_value_are_left_out() -> None:
    log("ingest", {}, {"none": None, "nan": math.nan, "infinite": math.inf, "known": 1})
    assert stage_runs("ingest")[0].data.metrics == {"known": 1.0}


def test_trials_are_children_of_one_run() -> None:
    with runs.search_run("study-1", {"trials": 2}) as search:
        search.log_trial(trial(0))
        search.log_trial(trial(1, tags={"embedding": "pca", "clusterer": "ward", "state": "PRUNED", "feasible": False}))
    [parent] = stage_runs("tune")
    first, second = sorted(stage_runs("trial"), key=lambda run: run.data.tags["insiders.trial"])
    assert (parent.info.run_name, parent.data.params, parent.info.status) == ("tune", {"trials": "2"}, "FINISHED")
    assert first.data.tags["mlflow.parentRunId"] == second.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert first.data.tags.items() >= {"embedding": "pca", "clusterer": "kmeans", "feasible": "True"}.items()
    assert first.data.metrics == {"value_lift_mean": 1.01, "stability": 0.9}
    assert (first.info.status, second.info.status) == ("FINISHED", "FINISHED")


def test_origins_are_steps_of_a_series_and_a_trial_has_its_own_duration() -> None:
    with runs.search_run("study-1", {}) as search:
        search.log_trial(trial(0, series={"foresight": {1: 0.2, 2: 0.3}}, seconds=7.5))
    [run] = stage_runs("trial")
    history = search.connection.client.get_metric_history(run.info.run_id, "foresight")
    assert [(each.step, each.value) for each in history] == [(1, 0.2), (2, 0.3)]
    assert 7_500 <= run.info.end_time - run.info.start_time < 60_000


def test_search_and_trials_name_the_table_that_they_saw(tmp_path: Path) -> None:
    table = tmp_path / "snapshots.parquet"
    table.write_bytes(b"rows")
    with runs.search_run("study-1", {}, datasets.of_tables(table, context="training")) as search:
        search.log_trial(trial(0))
    for [run] in (stage_runs("tune"), stage_runs("trial")):
        [used] = run.inputs.dataset_inputs
        assert (used.dataset.name, json.loads(used.dataset.source)) == ("snapshots", {"uri": table.as_posix()})
        assert tables.digest(table).startswith(used.dataset.digest)
        assert {tag.key: tag.value for tag in used.tags} == {"mlflow.data.context": "training"}


def test_another_table_with_the_same_result_is_another_run(tmp_path: Path) -> None:
    table = tmp_path / "lines.parquet"
    for content in (b"one", b"one", b"other"):
        table.write_bytes(content)
        with runs.stage_run("featurize", {}) as record:
            record({"customers": 12}, datasets.of_tables(table))
    assert len(stage_runs("featurize")) == 2


def test_a_delivery_without_a_digest_has_that_of_its_table(tmp_path: Path) -> None:
    table = tmp_path / "transactions.parquet"
    table.write_bytes(b"rows")
    assert datasets.delivery({"source": "shop.csv", "sha256": "ab"}, table).digest == "ab"
    assert datasets.delivery({"source": "postgresql://host/shop"}, table).digest == tables.digest(table)


def test_a_trial_gets_a_picture_and_a_table_also_where_the_search_goes_on() -> None:
    from matplotlib.figure import Figure

    with runs.search_run("study-1", {}) as search:
        search.log_trial(trial(0))
    with runs.search_run("study-1", {}) as search:
        search.illustrate(0, Figure(), pd.DataFrame({"cluster": [0], "revenue": [1.5]}))
    [run] = stage_runs("trial")
    client = search.connection.client
    assert [each.path for each in client.list_artifacts(run.info.run_id)] == ["clusters.png", "segments.json"]
    found = search.connection.client.load_table(search.connection.experiment, "segments.json", [run.info.run_id])
    assert found.to_dict("list") == {"cluster": [0], "revenue": [1.5]}


def test_the_experiment_says_what_its_measures_mean() -> None:
    opened = connection.connect()
    note = opened.client.get_experiment(opened.experiment).tags["mlflow.note.content"]
    assert "foresight_mean" in note
    assert "stability_rand" in note


def test_a_study_that_was_killed_goes_on_in_its_run() -> None:
    killed = kill_after_one_trial()
    assert stage_runs("tune")[0].info.status == "KILLED"
    cut_off(killed)
    with runs.search_run("study-1", {}) as search:
        assert search.logged == killed.logged
        for number in range(3):
            search.log_trial(trial(number))
    assert search.logged.items() > killed.logged.items()
    assert sorted(run.data.tags["insiders.trial"] for run in stage_runs("trial")) == ["0", "1", "2"]
    assert [run.info.status for run in stage_runs("tune")] == ["FINISHED"]


def kill_after_one_trial() -> SearchRun:
    try:
        with runs.search_run("study-1", {}) as search:
            search.log_trial(trial(0))
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        return search


def cut_off(search: SearchRun) -> None:
    """A child run that was begun and never ended."""
    tags = {"mlflow.parentRunId": search.run_id, "insiders.trial": "1", "insiders.stage": "trial"}
    search.connection.client.create_run(search.connection.experiment, tags=tags)


def test_another_study_has_its_own_run() -> None:
    for study in ("one", "two"):
        with runs.search_run(study, {}) as search:
            search.log_trial(trial(0))
    assert (len(stage_runs("tune")), len(stage_runs("trial"))) == (2, 2)


def test_figures_and_files_stand_with_their_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.figure import Figure

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))  # there, what a killed run leaves is not found
    note = tmp_path / "note.txt"
    note.write_text("x")
    with runs.search_run("study-1", {}) as search:
        search.log_trial(trial(0))
        search.log_figure(Figure(), "front")
        search.log_file(note)
        search.log_measures({"value_lift_mean": 1.0})
        search.illustrate(0, Figure(), pd.DataFrame({"segment": ["Segment 1"], "customers": [3]}))
    client = search.connection.client
    assert [file.path for file in client.list_artifacts(search.run_id)] == ["front.png", "note.txt"]
    of_trial = client.list_artifacts(search.logged[0])
    assert [file.path for file in of_trial] == ["clusters.png", "segments.json"]


@pytest.mark.parametrize("uri", ["sqlite:////proc/none/mlflow.db", "http://127.0.0.1:9", "nonsense://somewhere"])
def test_a_store_out_of_reach_is_named(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(InputError, match=uri):
        connection.connect()


def test_a_dead_database_is_named_at_once_and_its_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it is tried again and again"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:secret@127.0.0.1:9/none")  # pragma: allowlist secret
    with pytest.raises(InputError, match=r"me:\*\*\*@127") as caught:
        connection.connect()
    assert "secret" not in str(caught.value)


def test_the_store_of_the_project_is_the_default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from insiders.io.tracking import address as places

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    assert places.tracking_uri() == f"sqlite:///{tmp_path.resolve()}/mlruns/mlflow.db"
    assert places.database_file("http://127.0.0.1:5000") is None
    assert places.database_file("postgresql://host/name") is None


def test_a_moved_store_finds_its_artifacts(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with runs.search_run("study-1", {}) as search:
        search.log_file(Path(__file__))
    moved = tmp_path / "another place" / "mlruns"
    moved.parent.mkdir()
    shutil.move(store, moved)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{moved / 'mlflow.db'}")
    [run] = stage_runs("tune")
    assert run.info.artifact_uri.startswith((moved / "artifacts").as_uri())
    assert [file.path for file in connection.connect().client.list_artifacts(run.info.run_id)] == ["test_tracking.py"]
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert str(moved) in lines[0]

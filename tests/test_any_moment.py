"""A stage that is killed at any moment: repaired and run again, it ends as if nothing had happened."""

import shutil
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

import kills
import small_shop
from insiders.io import repair, tables
from insiders.io.tracking import connection, registry, runs
from small_shop import EASY, LESS, STAGES, TOP

DECLARED: dict[str, Any] = yaml.safe_load((TOP / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
PLACES = ("data", "models", "reports")
MOMENTS, PIPELINES = 30, 8  # kills of each stage, and of the whole
SEARCH = {"tune": LESS["tune"] | {"trials": 3, "batch": 2, "resamples": 2, "bootstrap": 20}}
OWN_STORE = ("tune", "register")  # nothing of theirs stands in MLflow before they run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")  # a pool would keep the store that was replaced
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "project"


def before(stage: str, shop: Path, store: Path, folder: Path) -> Path:
    """Make the project in which the earlier stages have run, and this one has not; returns a copy of it."""
    shutil.copytree(shop, folder)
    for each in (*DECLARED[stage]["outs"], *DECLARED[stage].get("metrics", [])):
        made = folder / next(iter(each) if isinstance(each, dict) else iter([each]))
        (shutil.rmtree if made.is_dir() else Path.unlink)(made)
    (folder / "mlruns/fresh.json").unlink()
    if stage in OWN_STORE:
        shutil.rmtree(folder / "mlruns/artifacts")
        (folder / "mlruns/optuna.db").unlink()
        shutil.copy(store, folder / "mlruns/mlflow.db")
    if stage == "tune":
        small_shop.write_params(folder, EASY, SEARCH)
    with small_shop.inside(folder):
        opened = connection.connect()
        for run in opened.client.search_runs([opened.experiment], f"tags.`{runs.STAGE_TAG}` = '{stage}'"):
            opened.client.delete_run(run.info.run_id)
    return Path(shutil.copytree(folder, folder.with_name("kept")))


def tracked(folder: Path) -> tuple[Any, ...]:
    """What MLflow has of a project: runs that ended, by stage, all trials, those that go on, versions and models."""
    with small_shop.inside(folder):
        runs.deliver()
        opened = connection.connect()
        known = opened.client.search_runs([opened.experiment], max_results=1000)
        ended = Counter(run.data.tags[runs.STAGE_TAG] for run in known if run.info.status == "FINISHED")
        trials = Counter(run.data.tags[runs.TRIAL_TAG] for run in known if runs.TRIAL_TAG in run.data.tags)
        going_on = [run for run in known if run.info.status == "RUNNING"]
        logged = opened.client.search_logged_models([opened.experiment])
        return ended, trials, going_on, [each.aliases for each in registry.versions()], len(logged)


def repaired(folder: Path) -> list[str]:
    with small_shop.inside(folder):
        return repair.repair()


def left_behind(folder: Path) -> list[Path]:
    """Files of no run that ended: half written, or outside the project."""
    names = (f".*{tables.TEMPORARY}", ".ingest*", repair.UPLOADING)
    hidden = [path for name in names for path in folder.rglob(name)]
    outside = folder.with_name("tmp").iterdir()
    return [*hidden, *(each for each in outside if not each.name.startswith("pymp-"))]  # Python's own, with a socket


def ends_the_same(stage: str, moment: float, folder: Path, kept: Path) -> bool:
    """Kill the stage in a fresh copy of `kept`, repair, run it again; whether it was cut off."""
    kills.restore(kept, folder)
    is_cut_off = kills.killed_at(moment, (f"insiders.stages.{stage}",), folder)
    assert kills.outliving(folder) == []
    repaired(folder)
    assert left_behind(folder) == []
    assert repaired(folder) == []
    small_shop.run(folder, [stage], pictures=True)
    assert repaired(folder) == []
    return is_cut_off


@pytest.mark.parametrize("stage", ["ingest", "featurize"])
def test_a_stage_that_is_killed_once(stage: str, project: Path, easy_shop: Path, empty_store: Path) -> None:
    kept = before(stage, easy_shop, empty_store, project)
    assert ends_the_same(stage, 0.2, project, kept)
    assert kills.content(project, PLACES) == kills.content(easy_shop, PLACES)


@pytest.mark.battery
def test_a_pipeline_that_is_killed_again_and_again(project: Path, easy_shop: Path, empty_store: Path) -> None:
    small_shop.new_project(project, empty_store, EASY)
    (project / ".dvc").mkdir()
    (project / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    (project / "dvc.yaml").write_text(yaml.safe_dump({"stages": dict(map(without_code, DECLARED))}, sort_keys=False))
    random = Random(7)
    for _ in range(PIPELINES):
        cut_off = kills.killed_at(random.uniform(6, 20), ("insiders", "run"), project)
        assert kills.outliving(project) == []
        kills.ended(("insiders", "doctor", "--repair"), project)
        assert "Traceback" not in (project / "log").read_text(encoding="utf-8")
        assert (left_behind(project), repaired(project)) == ([], [])
        if not cut_off:
            break
    kills.taken(("insiders", "run"), project)
    kills.taken(("dvc", "repro"), project)
    assert kills.content(project, PLACES) == kills.content(easy_shop, PLACES)
    assert tracked(project) == tracked(Path(shutil.copytree(easy_shop, project.with_name("undisturbed"))))


def without_code(stage: str) -> tuple[str, Any]:
    """A stage of dvc.yaml for a folder in which the code does not lie."""
    declared = DECLARED[stage]
    return stage, declared | {"deps": [each for each in declared.get("deps", []) if not each.startswith("src/")]}


@pytest.mark.battery
@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_that_is_killed_at_any_moment(stage: str, project: Path, easy_shop: Path, empty_store: Path) -> None:
    kept, random = before(stage, easy_shop, empty_store, project), Random(STAGES.index(stage))
    whole = kills.taken((f"insiders.stages.{stage}",), project)
    undisturbed, record = kills.content(project, PLACES), tracked(project)
    cut_off = 0
    for number in range(MOMENTS):
        moment = whole * (number + random.random()) / MOMENTS
        cut_off += ends_the_same(stage, moment, project, kept)
        assert kills.content(project, PLACES) == undisturbed, moment
        assert tracked(project) == record, moment
    assert cut_off > MOMENTS / 2  # beside other work a run takes more or less of the processor than the first one

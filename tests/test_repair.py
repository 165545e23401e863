"""What a killed run leaves: nothing half written is visible, the lock is free, and `doctor --repair` ends the rest."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from customer_tables import copy_params
from insiders.cli import app
from insiders.errors import InputError
from insiders.io import paths, repair, tables, workspace
from insiders.io.tracking import connection, registry, runs
from test_registry import add_version_without_model, champion_number, promote


@pytest.fixture(autouse=True)
def project(store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(store.parent)
    copy_params()
    return store.parent


# --- files ---


def test_two_writers_of_a_file_do_not_meet(project: Path) -> None:
    file = project / "list.csv"
    with tables.atomic_write(file) as first, tables.atomic_write(file) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
        assert not file.exists()
    assert file.read_text() == "first"  # which ended last
    assert sorted(project.glob(".list*")) == []


@pytest.mark.parametrize(("code", "mend"), [(errno.ENOSPC, "make room on the disk"), (errno.EROFS, "can be written")])
def test_a_disk_that_takes_nothing_is_said_and_the_file_stays(
    project: Path, monkeypatch: pytest.MonkeyPatch, code: int, mend: str
) -> None:
    file = project / "list.csv"
    file.write_text("before")

    def refuse(_path: Path) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(tables, "_sync", refuse)
    with pytest.raises(InputError, match=rf"list.csv cannot be written: .*{mend}"):
        tables.write_text("after", file)
    assert file.read_text() == "before"
    assert sorted(project.glob(".list*")) == []


def test_a_full_width_formula_is_a_formula() -> None:
    texts = pd.DataFrame({"name": pd.array(["\uff1d1+1", "\uff0b1", "\uff0dA1", "\uff20x", "plain"], dtype="str")})
    safe = tables.spreadsheet_safe(texts)
    assert safe["name"].str.startswith("'").tolist() == [True, True, True, True, False]
    assert tables.spreadsheet_read(safe)["name"].tolist() == texts["name"].tolist()


# --- one run at a time ---


def test_a_second_run_is_told_who_holds_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "WAIT_SECONDS", 0.1)
    with workspace.alone("assign"):
        with pytest.raises(InputError, match=rf"locked by `assign` \(process {os.getpid()}, since 20"):
            workspace.alone("enrol").__enter__()
        with pytest.raises(InputError):
            workspace.alone("enrol").__enter__()
    with workspace.alone("enrol"):
        assert "enrol" in workspace.HOLDER.read_text(encoding="utf-8")


def test_a_run_that_failed_holds_nothing() -> None:
    with pytest.raises(ValueError, match="a bug"), workspace.alone("assign"):
        raise ValueError("a bug")
    with workspace.alone("assign"):
        pass


HOLD = """
import time
from insiders.io import workspace
with workspace.alone("tune"):
    print("held", flush=True)
    time.sleep(60)
"""


def started(code: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=os.environ | environment
    )


def test_a_killed_run_holds_nothing() -> None:
    with started(HOLD) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.kill()
    with workspace.alone("assign"):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's death")
def test_a_stage_ends_with_the_dvc_that_started_it() -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLD!r}])"
    with started(code, DVC_STAGE="tune") as dvc:
        assert dvc.stdout is not None
        assert dvc.stdout.readline() == "held\n"
        dvc.send_signal(signal.SIGKILL)
    with workspace.alone("assign"):  # waits until the stage is gone
        pass


ENDING = """
import atexit
from insiders.io import workspace
class Circle:
    def __init__(self): self.own = self
    def __del__(self): print("taken apart")
atexit.register(print, "done")
Circle()
workspace.end()
"""


def test_a_stage_that_ends_does_what_was_put_off_but_does_not_take_its_objects_apart() -> None:
    with started(ENDING) as stage:
        assert stage.stdout is not None
        assert stage.stdout.read() == "done\n"
    assert stage.returncode == 0


# --- a promotion that is cut off ---


@pytest.fixture
def two_versions(project: Path) -> None:  # noqa: ARG001 (its store)
    """Version 1 serves, promoted by a gate; version 2 is the challenger."""
    for key in ("a", "b"):
        add_version_without_model(key)
    registry.promote("1", by="gate")


class Killed(BaseException):
    """As SIGKILL ends a process: nothing that comes after runs."""


def cut_off(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Promote version 2 by a gate, and be killed at that step."""

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(registry._Registry, name, die)
        with pytest.raises(Killed):
            registry.promote("2", by="gate")


@pytest.mark.usefixtures("two_versions")
@pytest.mark.parametrize("step", ["_record", "write_history"])
def test_a_promotion_that_is_cut_off_is_the_gates_all_the_same(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(monkeypatch, step)
    assert champion_number() == "2"
    registry.sync_champion()
    first, second = registry.versions()
    assert (second.tags["promoted_by"], first.is_set_aside) == ("gate", False)
    assert registry.rollback().number == "1"


@pytest.mark.usefixtures("two_versions")
def test_a_promotion_that_never_moved_the_alias_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    client = type(connection.connect().client)

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(client, "set_registered_model_alias", die)
        with pytest.raises(Killed):
            registry.promote("2", by="gate")
    assert repair.repair() == ["a promotion that was cut off is recorded"]
    assert (champion_number(), repair.repair()) == ("1", [])
    assert promote("2").number == "2"


# --- repair ---


def test_repair_takes_away_what_a_killed_run_left() -> None:
    opened = connection.connect()
    running = opened.client.create_run(opened.experiment, run_name="register").info.run_id
    trial = opened.client.create_run(opened.experiment, run_name="trial", tags={runs.TRIAL_TAG: "3"}).info.run_id
    stray = opened.client.create_logged_model(opened.experiment, "insiders", running).model_id
    others = opened.client.create_logged_model(opened.experiment, "somebody", running).model_id
    uploading = paths.MLRUNS / "artifacts/1/.artifact.uploading.x2"
    uploading.parent.mkdir(parents=True)
    uploading.touch()
    (paths.DATA / ".ingest-x1").mkdir(parents=True)
    (paths.DATA / ".ingest-x1/landed.parquet").write_text("names and addresses")
    (paths.DATA / f"{paths.SPILLED}1").mkdir()
    (paths.DATA / f".lines.parquet.1-ab{tables.TEMPORARY}").touch()
    Path("dvc.lock").write_text("stages:\n  ingest:\n    cmd: [unclosed")
    result = CliRunner().invoke(app, ["doctor", "--repair"])
    told = result.output
    for piece in (
        running,
        trial,
        stray,
        uploading.name,
        ".ingest-x1",
        f"{paths.SPILLED}1",
        ".lines.parquet.1-ab",
        "dvc.lock was cut off",
    ):
        assert piece in told
    ended = opened.client.get_run(running).info
    assert (ended.status, ended.lifecycle_stage) == ("KILLED", "deleted")  # with the model that it logged
    assert opened.client.get_run(trial).info.lifecycle_stage == "deleted"
    assert [each.model_id for each in opened.client.search_logged_models([opened.experiment])] == [others]
    assert [each.name for each in (*paths.DATA.iterdir(), *uploading.parent.iterdir())] == []
    assert not Path("dvc.lock").exists()
    assert "nothing to repair" in CliRunner().invoke(app, ["doctor", "--repair"]).output


def test_repair_leaves_what_is_whole() -> None:
    Path("dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    add_version_without_model("a")
    tables.write_text("kept", paths.INSIDERS)
    assert repair.repair() == []
    assert (Path("dvc.lock").exists(), paths.INSIDERS.read_text(encoding="utf-8")) == (True, "kept")


def test_repair_ends_no_run_of_a_store_that_others_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert repair.repair() == []


def test_repair_says_what_it_cannot_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Any:
        raise InputError("the store is damaged")

    monkeypatch.setattr(runs, "end_killed", fail)
    assert repair.repair() == ["not repaired: the store is damaged"]


def test_no_one_waits_long() -> None:
    before = time.monotonic()
    with workspace.alone("assign"), pytest.raises(InputError):
        workspace.alone("enrol").__enter__()
    assert time.monotonic() - before < 5

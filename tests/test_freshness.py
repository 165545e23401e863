"""What makes a stage run again, and that nothing else does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from insiders.io import freshness
from insiders.io.tracking import address

INPUT, OUTPUT, DATABASE = Path("in.csv"), Path("out.csv"), Path("mlruns/mlflow.db")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project in which the stage `assign` has just ended."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(address.VARIABLE, raising=False)
    monkeypatch.setattr(freshness, "CODE", tmp_path / "code")
    for path in (INPUT, OUTPUT, DATABASE, Path("params.yaml"), Path("code/module.py")):
        path.parent.mkdir(exist_ok=True)
        path.write_text("before")
    freshness.record("assign", [INPUT], [OUTPUT])


def fresh(stage: str = "assign") -> bool:
    return freshness.is_fresh(stage, [INPUT], [OUTPUT])


def test_nothing_changed() -> None:
    assert fresh()
    INPUT.touch()
    assert fresh()


CHANGES: dict[str, Callable[[], object]] = {
    "an input": lambda: INPUT.write_text("after"),
    "an output": lambda: OUTPUT.write_text("after"),
    "an output is gone": OUTPUT.unlink,
    "the settings": lambda: Path("params.yaml").write_text("after"),
    "the code": lambda: Path("code/module.py").write_text("after"),
    "the texts of a language": lambda: Path("code/texts.po").write_text("new"),
    "a new module": lambda: Path("code/other.py").write_text("new"),
    "the registry": lambda: DATABASE.write_text("after"),
    "the registry is being written": lambda: Path("mlruns/mlflow.db-wal").write_text("new"),
    "the registry is gone": DATABASE.unlink,
    "the stamp is damaged": lambda: freshness.STAMPS.write_text("{"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_any_change_counts(change: Callable[[], object]) -> None:
    change()
    assert not fresh()


def test_another_stage_has_a_stamp_of_its_own() -> None:
    assert not fresh("register")


def test_a_remote_store_may_always_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(address.VARIABLE, "http://127.0.0.1:5000")
    freshness.record("assign", [INPUT], [OUTPUT])
    assert not fresh()


def test_back_to_old_inputs_is_a_change() -> None:
    INPUT.write_text("after")
    freshness.record("assign", [INPUT], [OUTPUT])
    INPUT.write_text("before")
    assert not fresh()


def test_the_run_of_a_later_stage_changes_nothing() -> None:
    freshness.record("register", [INPUT], [OUTPUT])
    with freshness.keep_stamps():
        DATABASE.write_text("the report's run")
    assert fresh()
    assert fresh("register")


def test_such_a_run_hides_no_change_before_it() -> None:
    DATABASE.write_text("a promotion in MLflow's UI")
    freshness.record("assign", [INPUT], [OUTPUT])
    DATABASE.write_text("another promotion")
    with freshness.keep_stamps():
        DATABASE.write_text("the report's run")
    assert not fresh()


def test_asking_imports_nothing_that_takes_time() -> None:
    code = "import sys, insiders.stages.assign; print(sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert not {"pandas", "numpy", "mlflow", "pandera", "ibis", "sklearn", "pydantic"} & set(eval(done.stdout))

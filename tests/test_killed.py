"""A run that is killed at any step on the disk: what is read afterwards is old or new, never a mixture or a half."""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from customer_tables import customers, write_project
from insiders import schemas
from insiders.errors import InputError
from insiders.io import paths, repair, tables, written
from insiders.io.tracking import address
from insiders.stages import assign

STEPS = 60  # more than assign takes
# A server that has imported all that assign needs, once for all steps, and forks a process for each.
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(
    ["insiders.answers.assignments", "insiders.answers.list_forecast", "mlflow.store.tracking.sqlalchemy_store"]
)


def run_until(step: int, folder: Path, store: str) -> None:
    """Run assign and die, as by SIGKILL, before this step: a file laid on the disk, renamed or deleted."""
    left = iter(range(step))

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def take(*given: Any, **named: Any) -> Any:
            if next(left, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return act(*given, **named)

        return take

    os.chdir(folder)
    os.environ[address.VARIABLE] = store  # the server has that of the test that started it
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(Path, "replace", counted(Path.replace))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        assign.main()


@pytest.fixture
def project(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list, and customers of whom it knows nothing yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(written, "WAIT_SECONDS", 0)
    paths.MLRUNS.mkdir()
    (paths.MLRUNS / "mlflow.db").write_bytes(empty_store.read_bytes())
    monkeypatch.delenv(address.VARIABLE, raising=False)
    monkeypatch.setenv(address.VARIABLE, address.tracking_uri())
    write_project()
    serving = {"regime": "baseline", "baseline": {"name": "net_revenue", "n": 6, "horizon_days": 90}}
    tables.write_json(serving, paths.REGISTERED)
    assign.main()
    tables.write(customers(50), paths.CUSTOMERS, schemas.CUSTOMERS)
    return tmp_path


def outputs() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in assign.OUTPUTS}


def killed_before(step: int) -> bool:
    """Run assign until that step; whether there is one."""
    process = FORKS.Process(target=run_until, args=(step, Path.cwd(), address.tracking_uri()))
    process.start()
    process.join()
    return process.exitcode == -signal.SIGKILL


def is_refused() -> bool:
    """Whether whoever reads the outputs is told that they are not what a run wrote to its end."""
    try:
        for path in assign.OUTPUTS:
            written.refuse_changed(path)
    except InputError:
        return True
    return False


@pytest.mark.parametrize("step", [0, 5, 14, *(pytest.param(each, marks=pytest.mark.battery) for each in range(STEPS))])
def test_assign_that_is_killed_at_any_step_leaves_the_old_list_or_the_new_one(step: int, project: Path) -> None:
    before = outputs()
    is_cut_off = killed_before(step)
    left, is_mixture = outputs(), is_refused()
    repair.repair()
    assign.main()
    after = outputs()
    assert after != before
    assert all(content in (before[path], after[path]) for path, content in left.items())  # each file is whole
    assert is_mixture or left in (before, after)
    assert is_cut_off or left == after
    assert not [path for path in project.rglob(f".*{tables.TEMPORARY}")]
    assert repair.repair() == []

"""Readers and writers of one project at the same time, and a store that somebody else keeps locked for a while."""

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from os import chdir, environ, getpid
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

import kills
from customer_tables import customers, write_project
from insiders import schemas
from insiders.errors import InputError
from insiders.evidence import search
from insiders.io import leases, paths, studies, tables, written
from insiders.io.tracking import address
from insiders.stages import assign
from test_search import SETTINGS, cheap, study

SIZES = (60, 50)  # how many customers there are, by turns
RELEASES = (paths.ASSIGNMENTS, paths.MEMBERS, paths.TERMS)  # tables that name the release they belong to
END = Path("end")  # stands there once the readers may stop
LOCKED_SECONDS = 5.0
PAUSE_SECONDS = 0.1  # of a reader, so that assign gets on too


class Sight(NamedTuple):
    """What a reader found at one time."""

    customers: int
    releases: frozenset[str]


@pytest.fixture
def project(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a list, by a plain sort."""
    monkeypatch.chdir(tmp_path)
    paths.MLRUNS.mkdir()
    (paths.MLRUNS / "mlflow.db").write_bytes(empty_store.read_bytes())
    monkeypatch.setenv(address.VARIABLE, f"sqlite:///{tmp_path / 'mlruns/mlflow.db'}")
    write_project()
    serving = {"regime": "baseline", "baseline": {"name": "net_revenue", "n": 6, "horizon_days": 90}}
    tables.write_json(serving, paths.REGISTERED)
    assign.main()
    return tmp_path


def enter(folder: Path) -> None:
    chdir(folder)
    environ[address.VARIABLE] = f"sqlite:///{folder / 'mlruns/mlflow.db'}"


@contextmanager
def processes(count: int, folder: Path) -> Iterator[ProcessPoolExecutor]:
    kills.prepare_server()
    with ProcessPoolExecutor(count, get_context("forkserver"), enter, (folder,)) as pool:
        try:
            yield pool
        finally:
            (folder / END).touch()


def deliver(turn: int) -> None:
    tables.write(customers(SIZES[turn % 2]), paths.CUSTOMERS, schemas.CUSTOMERS)


# --- readers ---


def read_on() -> "Counter[Sight]":
    """Read until the end: several tables as commands do, and the plain files as other programs do."""
    sights = Counter([listed()])
    Path(f"reads-{getpid()}").touch()
    while parent_process().is_alive() and not END.exists():
        sights[listed()] += 1
        sights[plain()] += 1
        time.sleep(PAUSE_SECONDS)
    return sights


def listed() -> Sight:
    frames = written.together(lambda: [tables.read(path) for path in RELEASES])
    assert set(frames[0].loc[frames[0]["is_insider"], "customer_id"]) == set(frames[1]["customer_id"])
    return Sight(len(frames[0]), frozenset().union(*(frame["release"] for frame in frames)))


def plain() -> Sight:
    """Each file whole, whichever release it is of."""
    assigned, members = pd.read_parquet(paths.ASSIGNMENTS), pd.read_csv(paths.INSIDERS)
    assert members["release"].nunique() == assigned["release"].nunique() == 1
    assert assigned["is_insider"].sum() == 6
    assert list(members["rank"]) == list(range(1, len(members) + 1))
    return Sight(len(assigned), frozenset())


@pytest.mark.parametrize("assigns", [3, pytest.param(50, marks=pytest.mark.battery)])
def test_readers_see_one_whole_release(assigns: int, project: Path) -> None:
    with processes(4, project) as pool:
        readers = [pool.submit(read_on) for _ in range(4)]
        while len(list(project.glob("reads-*"))) < len(readers):
            assert not any(reader.done() for reader in readers)
            time.sleep(0.05)
        for turn in range(assigns):
            deliver(turn + 1)
            assign.main()
        END.touch()
        sights = sum((reader.result() for reader in readers), Counter())
    assert {each.customers for each in sights} == {*SIZES}
    assert [each for each in sights if len(each.releases) > 1] == []


# --- writers ---


def assign_on(seconds: float) -> list[tuple[float, str]]:
    """Assign again and again; how long each took, and why it was refused, if it was."""
    until, ends = time.monotonic() + seconds, []
    while (started := time.monotonic()) < until:
        paths.MLRUNS.joinpath("fresh.json").unlink(missing_ok=True)  # so that there is something to do
        try:
            assign.main()
            said = ""
        except SystemExit as end:
            said = str(end.code)
        ends.append((time.monotonic() - started, said))
    return ends


@pytest.mark.parametrize("seconds", [2, pytest.param(30, marks=pytest.mark.battery)])
def test_of_two_writers_none_fails_but_is_told_who_writes(seconds: float, project: Path) -> None:
    with processes(2, project) as pool:
        writers = [pool.submit(assign_on, seconds) for _ in range(2)]
        ends = [end for writer in writers for end in writer.result()]
    assert [said for _, said in ends if said and "this project is locked by `assign` (process " not in said] == []
    assert max([took for took, said in ends if said], default=0) < LOCKED_SECONDS
    assert "" in {said for _, said in ends}
    assert len(pd.read_csv(paths.INSIDERS)) == 6
    assert list(project.rglob(f".*{tables.TEMPORARY}")) == []


# --- a store that somebody else keeps locked ---


@contextmanager
def locked(database: Path, seconds: float) -> Iterator[float]:
    """Somebody else writes in the database, for so long; yields when that began."""
    connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(seconds, connection.rollback)
    timer.start()
    try:
        yield time.monotonic()
    finally:
        timer.cancel()
        timer.join()
        connection.close()  # what was not rolled back yet is now


LOCKED = [3, pytest.param(60, marks=pytest.mark.battery)]


@pytest.mark.parametrize("seconds", LOCKED)
def test_assign_waits_for_the_store_or_leaves_the_last_list(seconds: float, project: Path) -> None:
    before = {path: path.read_bytes() for path in assign.OUTPUTS}
    deliver(1)
    with locked(paths.MLRUNS / "mlflow.db", seconds) as since:
        process = kills.started(("insiders.stages.assign",), project)
        process.join()
        took = time.monotonic() - since
    after, said = {path: path.read_bytes() for path in assign.OUTPUTS}, (project / "log").read_text(encoding="utf-8")
    if process.exitcode == 0:
        assert took > seconds
        assert after != before
    else:
        assert seconds > LOCKED[0]
        assert after == before
        assert "assign: MLflow's store " in said
        assert "database is locked" in said
        assert len(said.splitlines()) == 1
    deliver(1)
    assign.main()
    assert len(pd.read_parquet(paths.ASSIGNMENTS)) == SIZES[1]


@pytest.mark.parametrize("seconds", LOCKED)
@pytest.mark.filterwarnings("ignore:.*:optuna.exceptions.ExperimentalWarning")
def test_a_search_waits_for_its_study(seconds: float, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'study.db'}"
    opened, alone = studies.open_study(url, "study"), list(search.run(study(), SETTINGS, cheap))
    trials = search.run(opened, SETTINGS, cheap)
    scored = [next(trials)]
    with locked(tmp_path / "study.db", seconds) as since:
        scored.append(next(trials))
        assert time.monotonic() - since > seconds
    assert [*scored, *trials] == alone


@pytest.mark.filterwarnings("ignore:.*:optuna.exceptions.ExperimentalWarning")
def test_a_study_that_stays_locked_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BUSY_SECONDS", 0.1)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    trials = search.run(studies.open_study(url, "study"), SETTINGS, cheap)
    next(trials)
    with (
        locked(tmp_path / "study.db", 60),  # Optuna tries again for some seconds
        pytest.raises(InputError, match=r"study\.db cannot be used: .*database is locked"),
        studies.explain_failures(url),
    ):
        next(trials)

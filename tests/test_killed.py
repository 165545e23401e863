"""A run that is killed at any step that writes: what is read afterwards is old or new, never a mixture or a half."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import kills
import small_shop
from customer_tables import NOW, customers, write_project
from insiders import schemas
from insiders.cli import app
from insiders.errors import InputError
from insiders.io import ledger, paths, repair, tables, written
from insiders.io.tracking import address, connection, registry
from insiders.stages import assign
from test_registry import add_version_without_model

SOME, ALL = 29, pytest.param(1, marks=pytest.mark.battery)  # how many steps the next kill is further on


@pytest.fixture
def project(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A list, and customers of whom it knows nothing yet."""
    folder = tmp_path / "project"
    folder.mkdir()
    enter(folder, monkeypatch)
    paths.MLRUNS.mkdir()
    (paths.MLRUNS / "mlflow.db").write_bytes(empty_store.read_bytes())
    write_project()
    serving = {"regime": "baseline", "baseline": {"name": "net_revenue", "n": 6, "horizon_days": 90}}
    tables.write_json(serving, paths.REGISTERED)
    assign.main()
    tables.write(customers(50), paths.CUSTOMERS, schemas.CUSTOMERS)
    return folder


def enter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a project whose store is replaced again and again: no connection to it is kept."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(written, "WAIT_SECONDS", 0)
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    monkeypatch.delenv(address.VARIABLE, raising=False)
    monkeypatch.setenv(address.VARIABLE, address.tracking_uri())


def outputs() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in assign.OUTPUTS}


def is_refused() -> bool:
    """Whether whoever reads the outputs is told that they are not what a run wrote to its end."""
    try:
        for path in assign.OUTPUTS:
            written.refuse_changed(path)
    except InputError:
        return True
    return False


def half_written(folder: Path) -> list[Path]:
    return [*folder.rglob(f".*{tables.TEMPORARY}")]


@pytest.mark.parametrize("stride", [SOME, ALL])
def test_assign_leaves_the_old_list_or_the_new_one(stride: int, project: Path) -> None:
    before = outputs()
    for is_cut_off in kills.before_every_step(("insiders.stages.assign",), project, stride):
        left, is_mixture = outputs(), is_refused()
        repair.repair()
        assign.main()
        after = outputs()
        assert after != before
        assert all(content in (before[path], after[path]) for path, content in left.items())  # each file is whole
        assert is_mixture or left in (before, after)
        assert is_cut_off or left == after
        assert half_written(project) == []
        assert repair.repair() == []


def champions() -> tuple[Any, ...]:
    """Who serves, who challenges, and what is recorded of that: by whom, who was set aside, which came before."""
    with registry._registry() as opened:
        facts = [(each.aliases, each.tags.get("promoted_by"), each.is_set_aside) for each in opened.versions()]
        return facts, opened.history()


@pytest.mark.parametrize("stride", [3, ALL])
def test_promote_leaves_the_old_champion_or_the_new_one(stride: int, project: Path) -> None:
    for key in ("a", "b"):
        add_version_without_model(key)
    registry.promote("1", by="gate")
    before, seen = champions(), []
    for is_cut_off in kills.before_every_step(("insiders", "promote", "2"), project, stride):
        repair.repair()
        seen.append(champions())
        assert repair.repair() == []
        registry.promote("2")
        after = champions()
        assert seen[-1] in (before, after)
        assert is_cut_off or seen[-1] == after
    assert before in seen
    assert after == ([((), "gate", True), (("challenger", "champion"), "person", False)], ["1", "2"])


@pytest.mark.parametrize("stride", [3, ALL])
def test_enrol_records_a_decision_or_none(stride: int, project: Path) -> None:
    decided = set()
    for is_cut_off in kills.before_every_step(("insiders", "enrol"), project, stride):
        repair.repair()
        assert ledger.days() in ([[], [NOW.date()]] if is_cut_off else [[NOW.date()]])
        assert CliRunner().invoke(app, ["enrol"]).exit_code == 0
        decided.add(kills.content(project, ["data/programme"])[f"data/programme/{NOW:%Y-%m-%d}.parquet"])
        assert half_written(project) == []
        assert repair.repair() == []
    assert len(decided) == 1


@pytest.fixture
def another_candidate(easy_shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop whose champion serves, and a candidate that was not there when it was registered."""
    folder = Path(shutil.copytree(easy_shop, tmp_path / "project"))
    enter(folder, monkeypatch)
    candidate = tables.read_json(paths.CANDIDATE)
    candidate["measures"]["stability_rand"] += 1e-9
    paths.CANDIDATE.write_text(json.dumps(candidate), encoding="utf-8")
    written.DIGESTS.unlink()  # as if a run had written it
    connection.connect()  # the store was moved
    return folder


@pytest.mark.parametrize("stride", [50, ALL])
def test_register_leaves_the_old_version_or_a_whole_new_one(stride: int, another_candidate: Path) -> None:
    program = ("insiders.stages.register",)
    after = ([((), "gate", False), (("challenger", "champion"), "gate", False)], ["1", "2"])
    results = set()
    for is_cut_off in kills.before_every_step(program, another_candidate, stride):
        repair.repair()
        for version in registry.versions():
            registry.load(version)
        assert is_cut_off or champions() == after
        small_shop.run(another_candidate, ["register"])
        assert champions() == after
        results.add(tuple(kills.content(another_candidate, ["models", "data"]).items()))
        assert half_written(another_candidate) == []
        assert repair.repair() == []
        assert left_in_mlflow() == (0, 2)
    assert len(results) == 1


def left_in_mlflow() -> tuple[int, int]:
    """Runs that seem to go on, and models."""
    opened = connection.connect()
    running = opened.client.search_runs([opened.experiment], "attributes.status = 'RUNNING'")
    return len(running), len(opened.client.search_logged_models([opened.experiment]))

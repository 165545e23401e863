"""dvc.yaml cannot lie: each stage, run with no more than it declares, must need all of that and make all of that."""

import ast
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

import small_shop
from insiders.io import params
from small_shop import STAGES, TOP

SRC = TOP / "src"
DECLARED: dict[str, Any] = yaml.safe_load((TOP / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
# Wings, which a stage declares whole: readable, at the price of a run when a part changes that the stage does not use.
# Not `answers` and `report` outside the report stage: a search must not run again because a sentence was reworded.
WINGS = tuple(
    f"src/insiders/{name}"
    for name in (
        *("schemas", "simulate", "tables", "value", "model", "programme", "affinity", "evidence", "explore"),
        *("io/delivery", "report/figures", "report", "answers"),
    )
)
# Imported without being a dependency, since no table's content can change with them: they only carry something.
PLUMBING = {
    "insiders.errors": "the form of a message",
    "insiders.io.params": "values, which each stage declares one by one",
    "insiders.io.paths": "places, which each stage declares as its dependencies and outputs",
    "insiders.io.leases": "who of several processes scores which trial: the result does not depend on it",
    "insiders.io.tracking": "the way to MLflow; what comes from there concerns stages that run every time",
    "insiders.io.pipeline": "how processes are started, not what they do",
    "insiders.io.workspace": "one run at a time: whether a stage runs, not what comes of it",
    "insiders.io.written": "whether a file is as it was written: it is refused, or read as it is",
    "insiders.io.freshness": "whether a stage that runs every time has anything to do",
}
# Read, and left out of dvc.yaml on purpose.
WITHOUT_EFFECT = {
    "tune.workers": "the result does not depend on the number of processes",
    "tune.storage": "nor on the place where the study is kept",
    "engine.memory_limit": "nor on how much of a table lies in the memory",
    "engine.spill_folder": "nor on where the rest lies",
    "engine.kind": "nor on what works the tables out",
    "engine.spark": "nor on how it does",
}
# Written, and no output.
BESIDE = {"data/truth.parquet": "only the sample has it, and only tests read it"}
EVERY_TIME = ("register", "assign")
# Looked at before a stage asks whether it has anything to do.
LOOKED_AT = {"register": {"data/source.json"}, "assign": set()}


def names(entries: list[Any]) -> list[str]:
    """The paths of a list in which each may carry options."""
    return [next(iter(entry)) if isinstance(entry, dict) else entry for entry in entries]


def files(stage: str) -> set[str]:
    return {name for name in names(DECLARED[stage].get("deps", [])) if not name.startswith("src/")}


def made(stage: str) -> set[str]:
    return set(names(DECLARED[stage]["outs"] + DECLARED[stage].get("metrics", [])))


def test_the_seven_stages_stand_in_order_without_arguments() -> None:
    assert tuple(DECLARED) == STAGES
    for stage, declared in DECLARED.items():
        assert declared["cmd"] == f"python -m insiders.stages.{stage}"


def test_a_stage_reads_only_what_an_earlier_one_makes() -> None:
    known: set[str] = set()
    for stage in STAGES:
        assert files(stage) <= known
        known |= made(stage)


def test_what_is_made_stays_where_a_stage_fails() -> None:
    for declared in DECLARED.values():
        assert all(options == {"persist": True} for each in declared["outs"] for options in each.values())


def test_only_what_follows_the_registry_runs_every_time() -> None:
    assert [stage for stage in STAGES if DECLARED[stage].get("always_changed")] == list(EVERY_TIME)


# --- code ---


def source(module: str) -> Path | None:
    place = SRC / module.replace(".", "/")
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.exists()), None)


def imported(path: Path) -> Iterator[str]:
    """Modules of the project that a file names in an import, wherever it stands."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_plumbing(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in PLUMBING)


def closure(stage: str) -> set[Path]:
    """The files that a stage's module imports, and what these import."""
    found: dict[str, Path] = {}
    todo = [f"insiders.stages.{stage}"]
    while todo:
        module = todo.pop()
        path = source(module) if module.startswith("insiders.") else None
        if path and module not in found and not is_plumbing(module):
            found[module] = path
            todo += imported(path)
    return {path for path in found.values() if path.stat().st_size}


def declared_as(path: Path, stage: str) -> str:
    """The file's own name, or that of its wing where the stage declares all of it."""
    name = path.relative_to(TOP).as_posix()
    whole = set(WINGS) & set(names(DECLARED[stage]["deps"]))
    return next((wing for wing in whole if name.startswith(f"{wing}/")), name)


@pytest.mark.parametrize("stage", STAGES)
def test_code_that_is_declared_is_code_that_is_imported(stage: str) -> None:
    assert {name for name in names(DECLARED[stage]["deps"]) if name.startswith("src/")} == {
        declared_as(path, stage) for path in closure(stage)
    }


def test_plumbing_is_real() -> None:
    assert all(source(module) for module in PLUMBING)


# --- files and params ---


@dataclass
class Observed:
    """What a stage did in a folder that held its declared files and nothing else."""

    folder: Path
    read: set[str] = field(default_factory=set)  # params, "section.name"
    wrote: set[str] = field(default_factory=set)


class Noted(dict[str, Any]):
    """Settings as a dict that notes whose value is taken, also by `**`, but not a print of all of them into a log."""

    def __init__(self, values: dict[str, Any], note: Callable[[str], None]) -> None:
        super().__init__(values)
        self.note = note

    def __iter__(self) -> Iterator[str]:  # its own, so that `**` asks for each value instead of copying the table
        return super().__iter__()

    def __getitem__(self, name: str) -> Any:
        self.note(name)
        return super().__getitem__(name)


def watch(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Note every setting that is asked for from now on."""
    read: set[str] = set()
    section = params._Section
    dump, get = section.model_dump, section.__getattribute__

    def note(owner: Any, name: str) -> None:
        prefix = "" if isinstance(owner, params.Params) else f"{type(owner).__name__.lower()}."
        if prefix or name == "seed":
            read.add(prefix + name)

    def noting(self: Any, name: str) -> Any:
        if name in type(self).__pydantic_fields__:
            note(self, name)
        return get(self, name)

    monkeypatch.setattr(section, "__getattribute__", noting)
    monkeypatch.setattr(
        section, "model_dump", lambda self, **options: Noted(dump(self, **options), lambda name: note(self, name))
    )
    return read


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file below the folder but MLflow's and Optuna's own, with what changes when it is written."""
    found = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (facts.st_ino, facts.st_mtime_ns) for name, facts in found.items() if not name.startswith("mlruns/")}


def prepared(folder: Path, stage: str, done: Path, changes: dict[str, Any]) -> Path:
    """A folder with the settings and copies of the files that the stage declares."""
    folder.mkdir()
    small_shop.write_params(folder, changes)
    for name in files(stage):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(done / name, folder / name)
    return folder


def observe(folder: Path, stage: str) -> Observed:
    before = listing(folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        read = watch(monkeypatch)
        small_shop.run(folder, [stage], pictures=True)
    after = listing(folder)
    return Observed(folder, set(read), {name for name in after if before.get(name) != after[name]} - set(BESIDE))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Path]:
    """Where the outputs of the stages gather, beside a store for all of them."""
    folder = tmp_path_factory.mktemp("done")
    store = shutil.copy(empty_store, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
        yield folder


SHOP = {"simulate": {"customers": 150}, "tune": {"trials": 4}}


@pytest.fixture(scope="module")
def observed(done: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Observed]:
    found: dict[str, Observed] = {}
    for stage in STAGES:
        found[stage] = observe(prepared(tmp_path_factory.mktemp("stages") / stage, stage, done, SHOP), stage)
        shutil.copytree(found[stage].folder, done, dirs_exist_ok=True, ignore=shutil.ignore_patterns("mlruns"))
    return found


@pytest.fixture(scope="module")
def other_sources(observed: dict[str, Observed], tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Settings that ingest reads where the source is no sample."""
    import pandas as pd
    from sqlalchemy import create_engine

    folder = tmp_path_factory.mktemp("sources")
    rows = pd.read_parquet(observed["ingest"].folder / "data/transactions.parquet").head(100)
    rows = rows.drop(columns=["amount", "status", "line_type", "rest"]).assign(currency="GBP")
    rows = rows.astype({"unit_price": "float64", "invoiced_at": "str"})
    rows.to_csv(folder / "rows.csv", index=False)
    database = f"sqlite:///{folder / 'rows.db'}"
    with create_engine(database).begin() as connection:
        rows.to_sql("rows", connection)
    changes = [{"source": str(folder / "rows.csv")}, {"source": database, "table": "rows"}]
    read: set[str] = set()
    for number, change in enumerate(changes):
        read |= observe(prepared(folder / str(number), "ingest", folder, {"ingest": change}), "ingest").read
    return read


@pytest.mark.parametrize("stage", STAGES)
def test_outputs_that_are_declared_are_files_that_are_written(stage: str, observed: dict[str, Observed]) -> None:
    folders = {Path(out) for out in made(stage) if not Path(out).suffix}
    wrote = {
        next((str(each) for each in Path(name).parents if each in folders), name) for name in observed[stage].wrote
    }
    assert wrote == made(stage)


@pytest.mark.parametrize(("stage", "missing"), [(stage, name) for stage in STAGES for name in sorted(files(stage))])
def test_every_file_that_is_declared_is_needed(
    stage: str, missing: str, observed: dict[str, Observed], done: Path, tmp_path: Path
) -> None:
    assert observed[stage].wrote
    folder = prepared(tmp_path / stage, stage, done, SHOP)
    (folder / missing).unlink()
    before = listing(folder)
    with pytest.raises(SystemExit, match=f"{missing} is missing: run `dvc repro`"):
        small_shop.run(folder, [stage])
    assert listing(folder) == before


def fields(entry: str) -> set[str]:
    """The settings behind one entry of `params`: one value, or a section with all of its own."""
    section, _, name = entry.partition(".")
    every = {each.alias or key: each.annotation for key, each in params.Params.model_fields.items()}
    if name or section == "seed":
        assert not name or name in every[section].model_fields
        return {entry}
    return {f"{section}.{each}" for each in every[section].model_fields}


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage not in EVERY_TIME])
def test_params_that_are_declared_are_params_that_are_read(
    stage: str, observed: dict[str, Observed], request: pytest.FixtureRequest
) -> None:
    read = observed[stage].read
    if stage == "ingest":
        read = read | request.getfixturevalue("other_sources")
    declared: set[str] = set().union(*(fields(entry) for entry in DECLARED[stage]["params"]))
    assert declared == read - set(WITHOUT_EFFECT)


@pytest.mark.parametrize("stage", EVERY_TIME)
def test_a_stage_that_runs_every_time_declares_whole_sections(stage: str, observed: dict[str, Observed]) -> None:
    read = observed[stage].read
    sections = [fields(entry) for entry in DECLARED[stage]["params"]]
    assert read - set(WITHOUT_EFFECT) <= set().union(*sections)
    assert all(section & read for section in sections)


@pytest.mark.parametrize("stage", EVERY_TIME)
def test_what_a_stage_compares_before_it_runs_is_what_it_declares(stage: str, observed: dict[str, Observed]) -> None:
    stamp = json.loads((observed[stage].folder / "mlruns/fresh.json").read_text(encoding="utf-8"))[stage]
    assert set(stamp["inputs"]) == files(stage) - LOOKED_AT[stage] | {"params.yaml"}
    assert set(stamp["outputs"]) == made(stage)

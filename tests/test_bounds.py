"""A full list is never replaced by an empty or a foreign one: each way to lose or to swap what serves is refused."""

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from customer_tables import customers, fitted, write_project
from insiders import schemas
from insiders.answers import bounds
from insiders.errors import InputError
from insiders.io import package, params, paths, tables
from insiders.io.tracking import address, connection, registry
from insiders.io.tracking.registry import Facts
from insiders.model.segments import name_segments
from insiders.stages import assign

TODAY = customers()["as_of"].iloc[0]


def submit() -> str:
    """Version 1, bound to today's features."""
    model = fitted()
    model.segment_names_ = name_segments(customers(), model.labels_)
    tags = bounds.bound(params.read().featurize, TODAY)
    return registry.register(model, customers(5), Facts("a", {}, {}, tags, "")).number


def manifest(regime: str, **changes: Any) -> None:
    tables.write_json({"regime": regime, "baseline": None, "champion_version": "1", **changes}, paths.REGISTERED)


@pytest.fixture(autouse=True)
def project(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose list was made by version 1; returns the store's folder."""
    monkeypatch.chdir(tmp_path)
    write_project()
    submit()
    registry.promote()
    manifest("model")
    assign.main()
    assert not pd.read_csv(paths.INSIDERS).empty
    return store


def outputs() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in assign.OUTPUTS)


def refused() -> str:
    """The message of an `assign` that has something to do, fails, and leaves every file as it was."""
    paths.REGISTERED.write_text(paths.REGISTERED.read_text(encoding="utf-8") + " ", encoding="utf-8")
    before = outputs()
    with pytest.raises(SystemExit) as ended:
        assign.main()
    assert outputs() == before
    return str(ended.value.code)  # the message, which Python writes to stderr, with status 1


def agreed() -> bool:
    """Whether an `assign` that has something to do writes what was there."""
    paths.REGISTERED.write_text(paths.REGISTERED.read_text(encoding="utf-8") + " ", encoding="utf-8")
    before = outputs()
    assign.main()
    return outputs() == before


def test_data_that_come_back_give_the_same_list() -> None:
    first, people = outputs(), paths.CUSTOMERS.read_bytes()
    tables.write(customers(50), paths.CUSTOMERS, schemas.CUSTOMERS)
    assign.main()
    assert outputs() != first
    paths.CUSTOMERS.write_bytes(people)
    assign.main()
    assert outputs() == first


def test_a_registry_that_comes_back_gives_the_same_list(
    project: Path, empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"sqlite:///{project / 'mlflow.db'}"
    (tmp_path / "elsewhere").mkdir()
    other = f"sqlite:///{shutil.copy(empty_store, tmp_path / 'elsewhere')}"
    for _ in range(2):
        monkeypatch.setenv(address.VARIABLE, other)
        assert f"correct {address.VARIABLE}" in refused()
        monkeypatch.setenv(address.VARIABLE, own)
        assert agreed()


def test_a_registry_that_moved_agrees(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = tmp_path / "another place"
    shutil.move(project, moved)
    project.mkdir()
    monkeypatch.setenv(address.VARIABLE, f"sqlite:///{moved / 'mlflow.db'}")
    assert agreed()


def test_a_registry_that_was_emptied_is_refused() -> None:
    connection.connect().client.delete_registered_model("insiders")
    assert "has no champion (versions: none)" in refused()


def test_a_registry_that_is_gone_is_refused(project: Path) -> None:
    for each in project.iterdir():
        shutil.rmtree(each) if each.is_dir() else each.unlink()
    # Within one process MLflow still holds the database that is gone; the model's files are.
    assert "has no model of this project" in refused()


def test_another_registry_is_refused(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "elsewhere"
    other.mkdir()
    monkeypatch.setenv(address.VARIABLE, f"sqlite:///{shutil.copy(empty_store, other)}")
    assert f"correct {address.VARIABLE}" in refused()


def test_a_champion_without_its_alias_is_refused_with_the_way_back() -> None:
    connection.connect().client.delete_registered_model_alias("insiders", "champion")
    assert "`insiders promote 1` puts it back" in refused()


def test_a_deleted_version_is_refused() -> None:
    connection.connect().client.delete_model_version("insiders", "1")
    assert "has no champion (versions: none)" in refused()


@pytest.mark.parametrize("setting", ["fade_days: 90", "horizon_days: 90"])
def test_other_features_are_refused_by_name(setting: str) -> None:
    name, value = setting.split(": ")
    settings = Path("params.yaml").read_text(encoding="utf-8")
    assert f"  {name}: " in settings
    [line] = [each for each in settings.splitlines() if each.startswith(f"  {name}: ")]
    Path("params.yaml").write_text(settings.replace(line, f"  {name}: {int(value) + 31}"), encoding="utf-8")
    told = refused()
    assert f"featurize.{name}" in told
    assert f"(now {int(value) + 31})" in told


def test_another_definition_of_the_features_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schemas, "FEATURES_VERSION", schemas.FEATURES_VERSION + 1)
    assert f"version {schemas.FEATURES_VERSION - 1} (now {schemas.FEATURES_VERSION})" in refused()


def test_an_old_champion_is_refused() -> None:
    connection.connect().client.set_model_version_tag("insiders", "1", bounds.AS_OF_TAG, "2009-01-31")
    assert "more than register.champion_days_max, 400" in refused()


def test_a_champion_of_just_the_age_serves() -> None:
    version = registry.champion()
    assert version is not None
    bounds.refuse_old(version, TODAY + pd.Timedelta(days=400), 400)
    with pytest.raises(InputError, match="401 days before"):
        bounds.refuse_old(version, TODAY + pd.Timedelta(days=401), 400)


def test_a_model_whose_files_were_changed_is_refused(project: Path) -> None:
    [file] = project.rglob(package.MODEL)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    # Whoever changes the model changes the digest beside it too: the registry's own counts.
    (file.parent / package.DIGEST).write_text(package.digest(file.parent))
    assert "is not the one that was registered" in refused()


def test_a_packaged_model_checks_its_own_digest(project: Path, tmp_path: Path) -> None:
    [file] = project.rglob(package.MODEL)
    folder = tmp_path / "copy"
    shutil.copytree(file.parent, folder)
    assert package.load(folder).contract
    with (folder / package.CONTRACT).open("a") as contract:
        contract.write("\n")
    with pytest.raises(InputError, match="another digest"):
        package.load(folder)


def test_an_empty_list_after_a_full_one_is_refused() -> None:
    with pytest.raises(InputError, match="nobody would be on the list, where 6 were before"):
        bounds.refuse_empty(set(), pd.Series(["1", "1"]), paths.MEMBERS)


def test_a_verdict_that_names_nobody_says_so_aloud(capsys: pytest.CaptureFixture[str]) -> None:
    bounds.refuse_empty(set(), pd.Series(["none"]), paths.MEMBERS)
    assert "the 6 members of the last list are out" in capsys.readouterr().err


def test_a_full_list_and_a_first_one_are_welcome(tmp_path: Path) -> None:
    bounds.refuse_empty({"c000"}, pd.Series(["1"]), paths.MEMBERS)
    bounds.refuse_empty(set(), pd.Series(["1"]), tmp_path / "none.parquet")


def test_a_champion_that_the_registry_forgot_is_known_from_the_manifest() -> None:
    assert bounds.lost_champion() is None
    manifest("model", champion_version="7")
    assert bounds.lost_champion() == "7"
    manifest("baseline", champion_version=None)
    assert bounds.lost_champion() is None
    paths.REGISTERED.unlink()
    assert bounds.lost_champion() is None

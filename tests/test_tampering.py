"""Ways to put another model in place of the one that was registered: each is refused before anything is read of it."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import skops.io

from customer_tables import customers, fitted
from insiders.errors import InputError
from insiders.io import package
from insiders.io.tracking import packaging, registry
from insiders.io.tracking.registry import Facts
from insiders.model.clusterers import Ward

Tamper = Callable[[Path, Path], None]  # with the folder of version 1, and that of version 2


def segments(folder: Path) -> Path:
    return folder / packaging.DATA


def seal(folder: Path) -> None:
    """Write the digest beside the files anew, as whoever changes them on purpose would."""
    (segments(folder) / package.DIGEST).write_text(package.digest(segments(folder)) + "\n", encoding="ascii")


def rewritten(folder: Path, change: Callable[[str, bytes], bytes]) -> None:
    """Change what the archive of the model holds."""
    path = segments(folder) / package.MODEL
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, change(name, data))
    seal(folder)


def floats(folder: Path, _other: Path) -> None:
    rewritten(folder, lambda name, data: data[:-8] + bytes(8) if name.endswith(".npy") else data)


def schema(old: bytes, new: bytes) -> Tamper:
    return lambda folder, _other: rewritten(folder, lambda _name, data: data.replace(old, new))


def contract(old: str, new: str) -> Tamper:
    def tamper(folder: Path, _other: Path) -> None:
        changed(f"{packaging.DATA}/{package.CONTRACT}", old, new)(folder, _other)
        seal(folder)

    return tamper


def changed(name: str, old: str, new: str) -> Tamper:
    def tamper(folder: Path, _other: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return tamper


def removed(name: str) -> Tamper:
    return lambda folder, _other: (folder / name).unlink()


def added(name: str) -> Tamper:
    return lambda folder, _other: (folder / name).touch() or None


def swapped(name: str) -> Tamper:
    """With the same of version 2."""

    def tamper(folder: Path, other: Path) -> None:
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
            shutil.copytree(other / name, folder / name)
        else:
            shutil.copy(other / name, folder / name)
            seal(folder)

    return tamper


WAYS: dict[str, Tamper] = {
    "numbers of the model": floats,
    "its segments' names": schema(b"Insiders", b"Outsider"),
    "its types": schema(b"LogScaler", b"LogScaled"),
    "its features": schema(b"recency_days", b"tenure_daysx"),
    "the model of another version": swapped(f"{packaging.DATA}/{package.MODEL}"),
    "all files of another version": swapped(packaging.DATA),
    "the whole folder of another version": swapped("."),
    "the contract's limits": contract('"low": 1', '"low": -1'),
    "the contract's names": contract("net_revenue", "gross_revenue"),
    "the contract's definitions": contract('"nullable": false', '"nullable": true'),
    "the digest alone": lambda folder, _other: (segments(folder) / package.DIGEST).write_text("0" * 64) and None,
    "no digest": removed(f"{packaging.DATA}/{package.DIGEST}"),
    "no contract": removed(f"{packaging.DATA}/{package.CONTRACT}"),
    "no model": removed(f"{packaging.DATA}/{package.MODEL}"),
    "a file more": added("code/insiders/more.py"),
    "MLmodel": changed("MLmodel", "flavors:", "flavors :"),
    "the signature": changed("MLmodel", "double", "string"),
    "the environment": changed("python_env.yaml", "python:", "python :"),
    "the requirements": changed("requirements.txt", "mlflow", "mlflow-evil"),
}
# Code that MLflow runs before any of ours: this project, which runs none of it, refuses it all the same.
CODE: dict[str, Tamper] = {
    "the code": changed("code/insiders/io/package.py", "sha256", "sha512"),
    "the loader": changed("served.py", "package.load", "package.load "),
}


@pytest.fixture(scope="module")
def made(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two versions."""
    folder = tmp_path_factory.mktemp("versions") / "mlruns"
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        for key, clusters in (("a", 3), ("b", 4)):
            model = fitted(clusterer=Ward(clusters))
            model.segment_names_ = {cluster: "Insiders" for cluster in range(clusters)}
            registry.register(model, customers(5), Facts(key, {}, {}, {}, ""))
    return folder


@pytest.fixture
def folders(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The folders of both versions, in a copy of the store; to deserialise anything fails the test."""
    store = tmp_path / "mlruns"
    shutil.copytree(made, store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store / 'mlflow.db'}")
    first, second = sorted(registry.versions(), key=lambda each: each.number)
    by_files = {package.files_digest(path.parent): path.parent for path in store.rglob("MLmodel")}
    return by_files[first.tags[package.FILES_TAG]], by_files[second.tags[package.FILES_TAG]]


def never(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: object, **_named: object) -> None:
        pytest.fail("a model was deserialised")

    monkeypatch.setattr(skops.io, "load", fail)


@pytest.mark.parametrize("way", [*WAYS, *CODE])
def test_another_model_is_refused_unread(way: str, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    [version] = [each for each in registry.versions() if each.number == "1"]
    (WAYS | CODE)[way](*folders)
    never(monkeypatch)
    with pytest.raises(InputError, match=r"version 1 of insiders has no model|is not the one that was registered"):
        registry.load(version)


@pytest.mark.parametrize("way", WAYS)
def test_the_packaged_loader_refuses_it_too(
    way: str, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow.pyfunc

    WAYS[way](*folders)
    never(monkeypatch)
    mlflow.set_tracking_uri(f"sqlite:///{folders[0].parents[3] / 'mlflow.db'}")
    with pytest.raises(Exception, match=r"is not the one that was registered|No such file|has another"):
        mlflow.pyfunc.load_model("models:/insiders/1")


def test_the_model_that_was_registered_is_read(folders: tuple[Path, Path]) -> None:
    import mlflow.pyfunc

    mlflow.set_tracking_uri(f"sqlite:///{folders[0].parents[3] / 'mlflow.db'}")
    own = [registry.load(version).predict(customers()) for version in registry.versions()]
    theirs = mlflow.pyfunc.load_model("models:/insiders/1").predict(customers()[[*fitted().features]])
    assert theirs["cluster"].tolist() == own[0]["cluster"].tolist()
    assert own[0]["cluster"].tolist() != own[1]["cluster"].tolist()
    assert [registry.load(version) for version in registry.versions()]  # whatever MLflow left beside the files


def test_there_are_enough_ways() -> None:
    assert len(WAYS) >= 16

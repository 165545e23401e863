"""Fixtures that several files share. What takes seconds is made once for all workers of a run."""

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from filelock import FileLock  # DVC brings it

import databases
import small_shop
from insiders.io.tracking import address

# A worker for each core: more threads would only wait for each other. NumPy, which reads this, is not imported yet.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Files that begin first, the longest of all, so that no worker is left alone with one of them at the end.
FIRST = (
    *("test_processors.py", "test_pipeline.py", "test_one_membership.py", "test_dvc.py", "test_readme.py"),
    *("test_project.py", "test_browser.py"),
)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        databases.open_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        databases.close_run()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: FIRST.index(item.path.name) if item.path.name in FIRST else len(FIRST))


def pytest_collection_finish() -> None:
    """Every module is imported by now: the collector of garbage need not look through them again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def address_of_the_store() -> Iterator[None]:
    """MLflow leaves the address of its last store in the environment, where the next test would find it."""
    before = os.environ.get(address.VARIABLE)
    yield
    if before is None:
        os.environ.pop(address.VARIABLE, None)
    else:
        os.environ[address.VARIABLE] = before


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """A test of the dashboard leaves its page behind as the main module, which the next forked process would run."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that `make` fills: by the worker that asks first, while the others wait; a test must not change it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    whole = folder.with_suffix(".whole")
    with FileLock(folder.with_suffix(".lock")):
        if not whole.exists():
            shutil.rmtree(folder, ignore_errors=True)  # what a worker left that failed
            folder.mkdir()
            make(folder)
            whole.touch()
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without a row of ours: making them costs seconds, copying them none."""
    from insiders.io.tracking import connection

    def make(folder: Path) -> None:
        uri = f"sqlite:///{folder / 'mlflow.db'}"
        with pytest.MonkeyPatch.context() as monkeypatch:  # MLflow leaves the address of its last store behind
            monkeypatch.setenv(address.VARIABLE, uri)
            connection.open_client(uri).search_experiments()

    return made_once(tmp_path_factory, "store", make) / "mlflow.db"


@pytest.fixture(scope="session")
def easy_shop(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose seven stages have run, and whose model serves; a test that changes something copies it."""

    def make(folder: Path) -> None:
        small_shop.new_project(folder, empty_store, small_shop.EASY)
        with pytest.MonkeyPatch.context() as monkeypatch:
            monkeypatch.delenv(address.VARIABLE, raising=False)
            small_shop.run(folder, pictures=True)

    return made_once(tmp_path_factory, "easy_shop", make)


@pytest.fixture
def store(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the test's own, which MLFLOW_TRACKING_URI names; returns its folder."""
    folder = tmp_path / "mlruns"
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    return folder

"""Fixtures that several files share."""

import os
import shutil
from pathlib import Path

import pytest

# A worker for each core: more threads would only wait for each other. NumPy, which reads this, is not imported yet.
os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without a row of ours: making them costs seconds, copying them none."""
    from insiders.io.tracking import connection

    database = tmp_path_factory.mktemp("store") / "mlflow.db"
    connection.open_client(f"sqlite:///{database}").search_experiments()
    return database


@pytest.fixture
def store(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store of the test's own, which MLFLOW_TRACKING_URI names; returns its folder."""
    folder = tmp_path / "mlruns"
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
    return folder

"""A project on a small shop: params.yaml with less of everything, and the stages run in it, in this process."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from insiders.io.tracking import address

TOP = Path(__file__).parents[1]
STAGES = ("ingest", "preprocess", "featurize", "tune", "register", "assign", "report")
LESS: Mapping[str, Any] = {
    "simulate": {"customers": 200, "products": 100},
    "featurize": {"folds": 2},
    "tune": {
        "trials": 5,
        "workers": 1,
        "batch": 4,
        "resamples": 3,
        "seeds": 1,
        "silhouette_rows": 200,
        "bootstrap": 50,
    },
}
# So few customers rarely convince the gates of params.yaml.
EASY: Mapping[str, Any] = {
    "tune": {"hopeless_foresight": -9.0},
    "register": {
        "sort_lift_margin": 0.5,
        "list_stability_min": 0.2,
        "foresight_margin": 1.0,
        "stability_min": 0.1,
        "champion_margin": 1.0,
    },
}


def write_params(folder: Path, *changes: Mapping[str, Any]) -> None:
    """The project's own params.yaml with other values, section by section."""
    settings = yaml.safe_load((TOP / "params.yaml").read_text(encoding="utf-8"))
    for change in (LESS, *changes):
        for name, value in change.items():
            settings[name] = settings[name] | value if isinstance(value, Mapping) else value
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def new_project(folder: Path, store: Path, *changes: Mapping[str, Any]) -> Path:
    """A project in which nothing ran yet, with MLflow's tables copied from `store`."""
    (folder / "mlruns").mkdir(parents=True)
    shutil.copy(store, folder / "mlruns" / "mlflow.db")
    write_params(folder, *changes)
    return folder


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in this project as a process of its own would: MLflow leaves the address of its last store behind."""
    with chdir(folder), pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(address.VARIABLE, address.tracking_uri())
        yield


def run(folder: Path, stages: Sequence[str] = STAGES, *, pictures: bool = False) -> None:
    """Run the stages; without their pictures, half of the report's work, they write the same numbers."""
    with inside(folder), pytest.MonkeyPatch.context() as monkeypatch:
        if "tune" in stages and not pictures:
            monkeypatch.setattr("insiders.answers.search._illustrate", lambda *_: None)
            monkeypatch.setattr("insiders.io.tracking.runs.SearchRun.log_figure", lambda *_: None)
        if "report" in stages and not pictures:
            monkeypatch.setattr("insiders.answers.outputs.draw", lambda *_: {})
            monkeypatch.setattr("insiders.report.figures.exploration.pictures", lambda *_: {})
        for stage in stages:
            import_module(f"insiders.stages.{stage}").main()

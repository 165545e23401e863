"""What each stage may import: a stage that takes a second of work must not take three of imports."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import small_shop
from insiders.io.tracking import connection
from small_shop import EASY, STAGES
from test_dvc import closure

DATA = STAGES[:3]
TABLES = {"numpy", "pandas", "pandera", "pyarrow", "ibis"}
ENGINE = {*TABLES, "duckdb", "pyspark", "py4j"}
MODELS = {"babel", "cachetools", "joblib", "scipy", "sklearn", "threadpoolctl"}
SEARCH = {"hdbscan", "optuna", "umap"}
FORECAST = {"prophet"}
# Libraries that the code of a stage may name, at the top of a module or where it uses them.
ALLOWED: Mapping[str, set[str]] = {
    "ingest": {*ENGINE, "python_calamine", "sqlalchemy"},
    "preprocess": ENGINE,
    "featurize": ENGINE,
    "tune": {*TABLES, *MODELS, *SEARCH, "matplotlib", "rich", "sqlalchemy"},
    "register": {*ENGINE, *MODELS, *FORECAST, *SEARCH, "sqlalchemy"},
    "assign": {*ENGINE, *MODELS, *FORECAST},
    "report": {*ENGINE, *MODELS, *FORECAST, *SEARCH, "jinja2", "matplotlib", "xlsxwriter"},
}
SLOW = (
    "mlflow",
    "sklearn",
    "scipy.stats",
    "matplotlib",
    "optuna",
    "hdbscan",
    "skops",
    "babel",
    "jinja2",
    "dvc",
)
RUN = f"""\
import importlib, json, sys
for stage in {DATA}:
    importlib.import_module(f"insiders.stages.{{stage}}").main()
print(json.dumps([name for name in {SLOW} if name in sys.modules]))
"""


def libraries(files: set[Path]) -> Iterator[str]:
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


@pytest.mark.parametrize("stage", STAGES)
def test_the_code_of_a_stage_names_no_other_library(stage: str) -> None:
    assert {*libraries(closure(stage))} - sys.stdlib_module_names - {"insiders"} == ALLOWED[stage]


def test_the_data_stages_do_without_mlflow_and_a_later_one_logs_their_runs(empty_store: Path, tmp_path: Path) -> None:
    folder = small_shop.new_project(tmp_path / "shop", empty_store, EASY)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    ended = subprocess.run(
        [sys.executable, "-c", RUN], cwd=folder, env=kept, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "[]"
    with small_shop.inside(folder), pytest.raises(SystemExit, match=r"candidate\.json is missing"):
        small_shop.run(folder, ["register"])
    with small_shop.inside(folder):
        opened = connection.connect()
        runs = opened.client.search_runs([opened.experiment], order_by=["attributes.start_time"])
    assert [run.info.run_name for run in runs] == [*DATA]
    assert {run.info.status for run in runs} == {"FINISHED"}

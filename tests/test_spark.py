"""Apache Spark in DuckDB's place: the same tables, byte by byte, and a version of the registry that labels there."""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from insiders.errors import InputError
from insiders.io import engine, params, paths, spark, tables
from small_shop import EASY, inside, run, write_params

IS_HERE = find_spec("pyspark") is not None and bool(os.environ.get("JAVA_HOME") or shutil.which("java"))
needs_spark = pytest.mark.skipif(not IS_HERE, reason="needs pyspark (make spark) and Java 17")

SETTINGS = {
    "spark.master": "local[2]",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # less for who lives a minute
    "spark.sql.shuffle.partitions": "2",
}
ON_SPARK = {"engine": {"kind": "spark", "spark": SETTINGS}}
MADE = (
    *(paths.LINES, paths.ORDERS, paths.LEDGER, paths.INTAKE),
    *(paths.CUSTOMERS, paths.SNAPSHOTS, paths.HOLDOUT, paths.HISTORY),
)


@pytest.fixture(scope="module")
def shop(easy_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The easy shop whose lines and customers are made anew on Spark, in a folder whose name has a blank."""
    folder = tmp_path_factory.mktemp("spark") / "a shop"
    shutil.copytree(easy_shop, folder)
    for path in MADE:
        (folder / path).unlink()
    write_params(folder, EASY, ON_SPARK)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        run(folder, ("preprocess", "featurize"))
        yield folder


@needs_spark
def test_the_tables_are_duckdbs_byte_by_byte(shop: Path, easy_shop: Path) -> None:
    assert [path for path in MADE if (shop / path).read_bytes() != (easy_shop / path).read_bytes()] == []


@needs_spark
def test_nothing_of_spark_stays_behind(shop: Path) -> None:
    assert list((shop / paths.DATA).glob(f"{paths.SPILLED}*")) == []


@needs_spark
def test_a_version_of_the_registry_labels_customers_on_spark(shop: Path) -> None:
    import mlflow

    with inside(shop), engine.session() as con:
        session = con.raw_sql("SELECT 1").sparkSession
        types = "cluster long, segment string, is_insider boolean"
        label = mlflow.pyfunc.spark_udf(session, "models:/insiders@champion", types, env_manager="local")
        labels = session.read.parquet(str(paths.CUSTOMERS.absolute())).select("customer_id", label().alias("label"))
        rows = [(row.customer_id, *row.label) for row in labels.collect()]
        columns = ["customer_id", "cluster", "segment", "is_insider"]
        here = mlflow.pyfunc.load_model("models:/insiders@champion").predict(tables.read(paths.CUSTOMERS))
    customers = tables.read(shop / paths.CUSTOMERS)["customer_id"]
    pd.testing.assert_frame_equal(
        pd.DataFrame(rows, columns=columns).sort_values("customer_id", ignore_index=True),
        pd.concat([customers, here[columns[1:]]], axis=1).sort_values("customer_id", ignore_index=True),
        check_dtype=False,
    )


@pytest.mark.parametrize(
    ("missing", "message"), [("pyspark", "run `make spark`"), ("java", "install Java 17 or newer")]
)
def test_what_is_missing_is_named(missing: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_params(tmp_path, ON_SPARK)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(spark, "find_spec", lambda name: None if name == missing else object())
    monkeypatch.setattr(spark.shutil, "which", lambda name: None if name == missing else name)
    with (
        pytest.raises(InputError, match=rf"engine.kind is spark, but .*{message}.*or set engine.kind to duckdb"),
        engine.session(),
    ):
        raise AssertionError("no engine was expected")
    assert list(tmp_path.glob("data")) == []


@pytest.mark.parametrize("setting", [{"kind": "polars"}, {"spark": {"master": "local[2]"}}, {"spark": {"spark.x": 1}}])
def test_a_wrong_setting_is_refused(setting: dict[str, object], tmp_path: Path) -> None:
    write_params(tmp_path, {"engine": setting})
    with pytest.raises(InputError, match=r"params.yaml: engine\.(kind|spark)"):
        params.read(tmp_path / "params.yaml")

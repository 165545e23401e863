"""Apache Spark as the engine of preprocess and featurize (engine.kind: spark): on this machine, or on a cluster.

A table that Spark has worked out leaves it as a folder of Parquet files. The folder lies in
engine.spill_folder, which every executor has to reach under the same path, as it reaches the project's own files.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insiders.errors import InputError
from insiders.io import params, paths

if TYPE_CHECKING:
    import ibis.expr.types as ir
    from ibis.backends.pyspark import Backend
    from pyspark.sql import DataFrame, SparkSession

NAME = "pyspark"  # of the engine, as Ibis has it
BACK = "or set engine.kind to duckdb in params.yaml"
QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
# What the definitions of the tables rely on: a time has no zone, and a number that does not fit is an error.
FIXED = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "true",
}

_numbers = count()


@contextmanager
def session(settings: params.Engine) -> Iterator["Backend"]:
    """Spark with the settings of params.yaml (engine.spark), until the block ends.

    Raises InputError where pyspark or Java is missing, or Spark does not start.
    """
    _require_installed()
    import ibis

    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        running = _start(QUIET | {"spark.local.dir": str(folder)} | dict(settings.spark) | FIXED)
        try:
            yield ibis.pyspark.connect(running)
        finally:
            running.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _folder(settings: params.Engine) -> Path:
    """Of this process alone; `repair` deletes it where the process was killed."""
    return Path(settings.spill_folder).absolute() / f"{paths.SPILLED}{os.getpid()}-spark"


def _require_installed() -> None:
    if find_spec(NAME) is None:
        raise InputError(f"engine.kind is spark, but pyspark is not installed: run `make spark`, {BACK}")
    if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise InputError(
            "engine.kind is spark, but neither is `java` on the PATH nor does JAVA_HOME name one: install Java 17 or "
            f"newer (Debian: openjdk-17-jre-headless), {BACK}"
        )


def _start(settings: dict[str, str]) -> "SparkSession":
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    try:
        return SparkSession.builder.appName("insiders").config(map=settings).getOrCreate()
    except (PySparkException, Py4JError) as error:
        raise InputError(
            f"Spark does not start: {_reason(error)}; expected Java 17 or newer, and in engine.spark of "
            f"params.yaml a spark.master that answers. Mend that, {BACK}"
        ) from error


def _reason(error: Exception) -> str:
    """What the cause at the bottom says, of an error whose text is a page of Java."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("\tat ")]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith(("Caused by: ", ": "))]
    return (causes or lines or [type(error).__name__])[-1].removeprefix(": ")


@contextmanager
def _explained() -> Iterator[None]:
    """InputError where a job of Spark's fails: a lost executor, a full disk, a file that an executor does not see."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import AnalysisException, PySparkException

    try:
        yield
    except AnalysisException:  # an expression that Spark does not understand: a bug of ours
        raise
    except (PySparkException, Py4JJavaError) as error:
        raise InputError(
            f"Spark cannot work out the tables: {_reason(error)}; expected room on the disks, and executors that reach "
            f"the project's folder and engine.spill_folder under the same paths. Mend that, {BACK}"
        ) from error


def scan(con: "Backend", path: Path) -> "ir.Table":
    """Open a Parquet table, one file or a folder of them."""
    # Without its scheme a cluster would look for it in its own file system.
    return con.read_parquet(f"file://{path.absolute().as_posix()}")


def materialize(con: "Backend", expr: "ir.Table") -> "ir.Table":
    """Keep what an expression evaluates to in Spark's memory, and on its disks where that is full."""
    name = f"materialized_{next(_numbers)}"
    _frame(con, expr).persist().createOrReplaceTempView(name)
    return con.table(name)


def rows(con: "Backend", expr: "ir.Table") -> list[tuple[Any, ...]]:
    """Evaluate a small table into Python values."""
    with _explained():
        return [tuple(row) for row in _frame(con, expr).collect()]


@contextmanager
def parts(con: "Backend", expr: "ir.Table") -> Iterator[list[Path]]:
    """Evaluate a table of any size into Parquet files, which are there until the block ends."""
    folder = _folder(params.read().engine) / f"table-{next(_numbers)}"
    try:
        with _explained():
            _frame(con, expr).write.parquet(f"file://{folder.as_posix()}")
        yield sorted(folder.glob("*.parquet"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _frame(con: "Backend", expr: "ir.Table") -> "DataFrame":
    return con.raw_sql(con.compile(expr))

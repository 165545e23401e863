"""Preprocess, featurize and labels on DuckDB and on Spark: equal tables, and what each costs beside Spark's bare scan.

    python benchmarks/engines.py PROJECT [--times N] [--customers N] [--folder DIR]

The transactions of a finished project, repeated as benchmarks/memory.py does it, go through both stages on each engine,
every stage a process of its own; their files must have the same bytes. Then so many of its customers, repeated as
benchmarks/assign.py does it, are labelled by its champion: as a function of Spark's, and block by block without it. The
scan reads every column of the same file in Spark and keeps nothing. CPU is that of a process and of all below it.
"""

import argparse
import filecmp
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import psutil
import yaml

import assign
import memory
from processes import apart

ENGINES = ("duckdb", "spark")
POLL_SECONDS = 0.05
OPEN = """
import sys
from insiders.io import params, spark
table, target = sys.argv[1:]
"""
MODEL = """
import mlflow
from insiders.io.tracking import connection
mlflow.set_tracking_uri(connection.connect().uri)
"""
SCAN = """
with spark.session(params.read().engine) as con:
    con._session.read.parquet(f"file://{table}").write.format("noop").mode("overwrite").save()
"""
THERE = """
types = "cluster long, segment string, is_insider boolean"
with spark.session(params.read().engine) as con:
    label = mlflow.pyfunc.spark_udf(con._session, "models:/insiders@champion", types, env_manager="local")
    labels = con._session.read.parquet(f"file://{table}").select("customer_id", label().alias("label"))
    labels.select("customer_id", "label.*").write.parquet(f"file://{target}")
"""
HERE = """
import pandas as pd
customers = pd.read_parquet(table)
labels = mlflow.pyfunc.load_model("models:/insiders@champion").predict(customers)
labels.assign(customer_id=customers["customer_id"]).to_parquet(target)
"""


class Spent(NamedTuple):
    wall: float  # seconds
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--times", type=int, default=1, help="repeat the lines so often")
    parser.add_argument("--customers", type=int, default=100_000, help="that are labelled")
    parser.add_argument("--folder", type=Path, help="where the copies lie; left out: the system's temporary folder")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folders = {engine: Path(name) / engine for engine in ENGINES}
        folders["duckdb"].mkdir()
        memory.repeat(asked.project, asked.times, folders["duckdb"])
        shutil.copytree(folders["duckdb"], folders["spark"])
        for engine, folder in folders.items():
            choose(engine, asked.project / "params.yaml", folder)
            for stage in memory.STAGES:
                report(f"{engine} {stage}", spent(["-m", f"insiders.stages.{stage}"], folder))
        transactions = folders["spark"] / "data/transactions.parquet"
        report("spark scan", spent(["-c", OPEN + SCAN, str(transactions), ""], folders["spark"]))
        compare(*folders.values())
        label(asked.project, asked.customers, Path(name) / "customers.parquet")


def choose(engine: str, params: Path, folder: Path) -> None:
    settings = yaml.safe_load(params.read_text(encoding="utf-8"))
    settings["engine"]["kind"] = engine
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def report(what: str, each: Spent) -> None:
    print(f"{what:20}{each.wall:8.1f} s wall {each.cpu:8.1f} s CPU", flush=True)


def spent(words: list[str], folder: Path) -> Spent:
    """Run Python with these words; the JVM, which is no child of its own, is asked while it runs."""
    start, seconds = time.perf_counter(), dict[int, float]()
    process = subprocess.Popen([sys.executable, *words], cwd=folder)
    while process.poll() is None:
        with suppress(psutil.Error):
            own = psutil.Process(process.pid)
            for each in (own, *own.children(recursive=True)):
                seconds[each.pid] = sum(each.cpu_times()[:2])
        time.sleep(POLL_SECONDS)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return Spent(time.perf_counter() - start, sum(seconds.values()))


def compare(one: Path, other: Path) -> None:
    """Say of each table whether both engines have made the same file."""
    for name in sorted(path.name for path in (*(one / "data").glob("*.parquet"), one / "data/ledger.csv")):
        files = [folder / "data" / name for folder in (one, other)]
        print(f"{name:24}{'equal' if filecmp.cmp(*files, shallow=False) else 'DIFFERENT'}", flush=True)


def label(project: Path, customers: int, table: Path) -> None:
    """Label customers by the project's champion, here and on Spark, and scan their table there."""
    apart(assign.write_customers, project, customers, table)
    ways = {"labels here": MODEL + HERE, "labels on Spark": MODEL + THERE, "spark scan": SCAN}
    for what, code in ways.items():
        report(what, spent(["-c", OPEN + code, str(table), str(table.with_name(what))], project))
    here, there = (labels(table.with_name(name)) for name in list(ways)[:2])
    print(f"{len(here):,} labels{'':12}{'equal' if here.equals(there) else 'DIFFERENT'}")


def labels(path: Path) -> pd.DataFrame:
    columns = {"customer_id": str, "cluster": int, "segment": str, "is_insider": bool}
    return pd.read_parquet(path)[[*columns]].astype(columns).sort_values("customer_id", ignore_index=True)


if __name__ == "__main__":
    main()

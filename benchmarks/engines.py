"""Preprocess and featurize on DuckDB and on Spark: equal tables, and what each costs beside Spark's bare scan.

    python benchmarks/engines.py PROJECT [--times N] [--folder DIR]

The transactions of a finished project, repeated as benchmarks/memory.py does it, go through both stages on each engine,
every stage a process of its own. All tables are compared value by value and row by row; the ledger as bytes. The scan
reads every column of the transactions in Spark and keeps nothing. CPU is that of a process and of all below it.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import pyarrow.parquet as pq
import yaml

import memory

ENGINES = ("duckdb", "spark")
POLL_SECONDS = 0.05
ROWS = 50_000  # that are compared at once
SCAN = """
from insiders.io import engine, paths
with engine.session() as con:
    con._session.read.parquet(f"file://{paths.TRANSACTIONS.absolute()}").write.format("noop").mode("overwrite").save()
"""


class Spent(NamedTuple):
    wall: float  # seconds
    cpu: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--times", type=int, default=1, help="repeat the lines so often")
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
        report("spark scan", spent(["-c", SCAN], folders["spark"]))
        compare(*folders.values())


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
    """Say of each table whether both engines have made the same."""
    names = sorted(path.name for path in (one / "data").glob("*.parquet"))
    for name in names:
        same = same_rows(one / "data" / name, other / "data" / name)
        print(f"{name:24}{'equal' if same else 'DIFFERENT'}", flush=True)
    ledgers = {(folder / "data/ledger.csv").read_bytes() for folder in (one, other)}
    print(f"{'ledger.csv':24}{'equal' if len(ledgers) == 1 else 'DIFFERENT'}")


def same_rows(one: Path, other: Path) -> bool:
    """Whether two files hold the same values of the same types in the same order; empty marks aside."""
    files = [pq.ParquetFile(path) for path in (one, other)]
    types = [[(field.name, field.type) for field in file.schema_arrow] for file in files]
    if types[0] != types[1] or files[0].metadata.num_rows != files[1].metadata.num_rows:
        return False
    batches = zip(*(file.iter_batches(batch_size=ROWS) for file in files), strict=True)
    return all(mine.columns == theirs.columns for mine, theirs in batches)


if __name__ == "__main__":
    main()

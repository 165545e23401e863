"""How long a publish takes, and how much memory: of a finished run, and of the same with its customers many times over.

    python benchmarks/publish.py FOLDER ADDRESS [--times N ...]

FOLDER is a project in which all stages have run; ADDRESS a store whose tables of ours may be replaced. For each N a
copy of the project's published files holds every customer N times, under ids of their own.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import duckdb

import processes

PER_CUSTOMER = (
    "customers",
    "assignments",
    "expectations",
    "confidence",
    "memberships",
    "members",
    "movement",
    "orders",
    "places",
)
MONTHS = ("memberships", "movement")  # one row per customer and day, in the order of the days
LISTS = {"insiders": "rank", "audiences": "customer_id", "recommendations": "customer_id, rank::BIGINT"}  # their orders
KEPT = (
    *("params.yaml", "data/terms.parquet", "data/outlook.json", "data/ledger.csv", "models/registered.json"),
    "reports/intake.md",
)
ROW = "| {times:,} | {customers:,} | {seconds:.1f} | {cpu:.1f} | {memory:,.0f} | {rows} |"


def multiplied(project: Path, folder: Path, times: int) -> int:
    """Write the published files with every customer so many times, in their orders; returns the number."""
    duckdb.sql("SET enable_progress_bar = false")  # it would stand between the rows of the table
    for name in KEPT:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / name, folder / name)
    own = "customer_id || CASE WHEN copy = 0 THEN '' ELSE '-' || copy END AS customer_id"
    copies = f"range({times}) AS copies(copy)"
    for name in PER_CUSTOMER:
        path = f"data/{name}.parquet"
        order = "as_of, customer_id" if name in MONTHS else "customer_id"
        query = f"SELECT * EXCLUDE copy REPLACE ({own}) FROM '{project / path}', {copies} ORDER BY {order}"  # noqa: S608 - paths of our own
        duckdb.sql(f"COPY ({query}) TO '{folder / path}' (FORMAT parquet)")
    for name, order in LISTS.items():
        path = f"reports/{name}.csv"
        source = f"read_csv('{project / path}', all_varchar = true)"
        [(count,)] = duckdb.sql(f"SELECT count(*) FROM {source}").fetchall()  # noqa: S608
        rank = f", rank::BIGINT + copy * {count} AS rank" if name == "insiders" else ""
        query = f"SELECT * EXCLUDE copy REPLACE ({own}{rank}) FROM {source}, {copies} ORDER BY {order}"  # noqa: S608
        duckdb.sql(f"COPY ({query}) TO '{folder / path}' (FORMAT csv, HEADER)")
    answers = json.loads((project / "reports/answers.json").read_text())
    answers["who"]["count"] *= times
    (folder / "reports/answers.json").write_text(json.dumps(answers))
    return int(duckdb.sql(f"SELECT count(*) FROM '{folder}/data/customers.parquet'").fetchall()[0][0])  # noqa: S608


def measured(folder: Path, address: str) -> dict[str, object]:
    """Publish in a process of its own; its seconds, its CPU seconds and its peak of memory in MB."""
    words = [sys.executable, "-c", "from insiders.cli import app; app()", "publish", "--to", address, "--note", "bench"]
    with TemporaryFile("w+", encoding="utf-8") as output:
        used = processes.spent(words, folder, output)
        output.seek(0)
        said = output.read()
    return {"seconds": used.wall, "cpu": used.cpu, "memory": used.memory, "rows": said.split(", ")[-1].strip()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("address")
    parser.add_argument("--times", type=int, nargs="*", default=[1])
    chosen = parser.parse_args()
    print("| times | customers | seconds | CPU seconds | peak MB | published |\n| --- | --- | --- | --- | --- | --- |")
    for times in chosen.times:
        with TemporaryDirectory() as folder:
            customers = processes.apart(multiplied, chosen.folder.resolve(), Path(folder), times)
            print(ROW.format(times=times, customers=customers, **measured(Path(folder), chosen.address)), flush=True)


if __name__ == "__main__":
    main()

"""Segments of a million customers, Parquet to Parquet, against the model alone on the same arrays.

    python benchmarks/assign.py PROJECT [--customers N ...]

PROJECT has run, and its champion serves. Its customers are held many times, under new ids. Each way is a process of its
own:

- model: `predict` alone, of features that lie in memory already;
- labels: `insiders assign --customers FILE --out FILE`, less what the same takes for one customer (start, registry).
"""

import argparse
import math
import os
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from processes import Spent, apart, spent

GOAL = 2  # times the model alone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--customers", type=int, nargs="+", default=[1_000_000, 4_000_000])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        apart(write_customers, asked.project, 1, folder / "one.parquet")
        start = min((labels(asked.project, folder / "one.parquet") for _ in range(3)), key=lambda each: each.cpu)
        for count in asked.customers:
            table = folder / "many.parquet"
            apart(write_customers, asked.project, count, table)
            compare(count, apart(model, asked.project, table), labels(asked.project, table), start)


def compare(count: int, alone: float, whole: Spent, start: Spent) -> None:
    own = whole.cpu - start.cpu
    print(
        f"{count:,} customers: model {alone:.2f} s CPU; labels {own:.2f} s CPU and {start.cpu:.1f} s to start, "
        f"{whole.memory:,.0f} MB; {own / alone:.2f} times the model; the goal is {GOAL}",
        flush=True,
    )


def write_customers(project: Path, count: int, target: Path) -> None:
    """The project's customers over and over, as many as are asked for; ids begin with the number of their time."""
    once = pd.read_parquet(project / "data/customers.parquet")
    times = range(math.ceil(count / len(once)))
    ids = pd.concat([f"{number:06}-" + once["customer_id"] for number in times], ignore_index=True)
    every = pd.concat([once] * len(times), ignore_index=True).assign(customer_id=ids)
    every.head(count).to_parquet(target, index=False)


def model(project: Path, table: Path) -> float:
    """CPU seconds of the champion's prediction alone."""
    from insiders.io.tracking import registry

    os.chdir(project)
    champion = registry.champion()
    if champion is None:
        sys.exit(f"no model serves in {project}: nothing to compare with")
    package = registry.load(champion)
    features = pd.read_parquet(table, columns=list(package.contract))
    package.predict(features.head(1))  # what is imported at the first call
    started = time.process_time()
    package.predict(features)
    return time.process_time() - started


def labels(project: Path, table: Path) -> Spent:
    """What `insiders assign` takes of a table, a whole process."""
    words = ["insiders", "assign", "--customers", str(table), "--out", str(table.with_name("labels.parquet"))]
    return spent(words, project)


if __name__ == "__main__":
    main()

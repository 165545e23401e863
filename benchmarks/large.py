"""From many lines in Parquet to customers with all features: this project beside pandas, in cold processes in turn.

    python benchmarks/large.py PROJECT [--times N] [--limit 3GB] [--folder DIR] [--only WAY ...]

PROJECT is a folder in which ingest ran; its lines are repeated under new customers and invoices. The ways:

- notebook: plain pandas as people write it, customer by customer where that is simpler (notebook.py);
- pandas: the same with sums over all customers at once;
- project: the rules, the ledger's lines, orders and features on the engine, within `--limit` of memory.

All must give the same features of every customer. 54 million lines need 15 GB of disk, and pandas 20 GB of memory.
"""

import argparse
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

import clean_features
import memory
import processes
from processes import Spent


def by_notebook(lines: Path, out: Path) -> None:
    import notebook

    notebook.run(lines, out, horizon_days=90, fade_days=240)


def by_pandas(lines: Path, out: Path) -> None:
    import notebook

    notebook.run(lines, out, horizon_days=90, fade_days=240, at_once=True)


def by_project(lines: Path, out: Path) -> None:
    from insiders.io import engine

    with chdir(lines.parents[1]):  # whose params.yaml has the limit
        con = engine.connect()
        clean_features.write_customers(con, con.read_parquet(lines), out)


WAYS = {"notebook": by_notebook, "pandas": by_pandas, "project": by_project}


def main() -> None:
    if "--way" in sys.argv:
        processes.asked(lines_parser(), WAYS)
    asked = options().parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        lines = Path(folder) / "data/transactions.parquet"
        processes.apart(memory.repeat, asked.project, asked.times, Path(folder))
        memory.limit(asked.project / "params.yaml", asked.limit, Path(folder))
        spent = {way: measured(way, lines, Path(folder)) for way in asked.only}
        processes.apart(check, Path(folder), asked.only)
    base = spent[asked.only[0]].cpu
    print(", ".join(f"{way} {each.cpu / base:.3f}" for way, each in spent.items()), f"of {asked.only[0]}'s CPU time")


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--times", type=int, default=10, help="repeat the lines so often")
    parser.add_argument("--limit", default="3GB", help="engine.memory_limit")
    parser.add_argument("--folder", type=Path, help="where the lines lie; left out: the system's temporary folder")
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS), help="the first is the measure of all")
    return parser


def lines_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("csv", type=Path)
    return parser


def measured(way: str, lines: Path, folder: Path) -> Spent:
    spent = processes.cold(__file__, way, lines, folder / f"{way}.parquet")
    print(
        f"{way:9} {spent.wall:8.1f} s wall {spent.cpu:8.1f} s CPU, peak {spent.memory / 1024:5.2f} GiB",
        flush=True,
    )
    return spent


def check(folder: Path, ways: list[str]) -> None:
    """Stop where two ways do not give the same customers and features."""
    import pandas as pd

    first, *others = (pd.read_parquet(folder / f"{way}.parquet").set_index("customer_id").sort_index() for way in ways)
    for other in others:
        same = first.columns.intersection(other.columns)
        pd.testing.assert_frame_equal(
            first[same], other[same], check_dtype=False, check_names=False, rtol=clean_features.TOLERANCE, atol=1e-6
        )
    print(f"{len(first):,} customers: equal")


if __name__ == "__main__":
    main()

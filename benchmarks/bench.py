"""Time, peak memory and how both grow, from invoice lines to customers and features: this project beside its peers.

    python benchmarks/bench.py CSV [--times N ...]      # make bench FILE=CSV

CSV is Online Retail's; for each N its rows are repeated under new customers and invoices. Cold processes in turn:

- scan: the engine reads the file and adds up quantity times price, which no way can do without;
- SQL: `by_hand.sql`, what a person writes in DuckDB: fewer features, no returns matched, no row accounted for;
- Polars: by_polars.py, all features, no row accounted for;
- notebook: plain pandas as people write it (notebook.py), all features;
- project: ingest's own reading with all checks, clean lines, orders and features.

The last four must agree on every customer's net revenue. An exponent is the slope of log time over log lines between
the smallest and the largest size: 1 where twice the lines take twice as long. Writes benchmarks/bench.md and bench.svg.
"""

import argparse
import math
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path

import duckdb

import clean_features
import processes
from processes import Spent

HERE = Path(__file__).parent
HEAD = """\
# From invoice lines to customers

Written by `make bench FILE=CSV` (`benchmarks/bench.py` says what each way does) on {day}, {cores} cores, load
{load:.1f}. Cold processes, start of Python included; CPU seconds and peak memory of each.

![CPU seconds by the number of lines](bench.svg)

| way | {sizes} | exponent | ÷ notebook, largest |
| --- | {rule} | --- | --- |
"""


Measured = Mapping[str, list[Spent]]  # by way, in the order of the sizes


def by_scan(csv: Path, out: Path) -> None:
    duckdb.sql(f"COPY (SELECT sum(Quantity * UnitPrice) AS amount FROM {read(csv)}) TO '{out}'")  # noqa: S608 (our own words)


def by_sql(csv: Path, out: Path) -> None:
    query = (HERE / "by_hand.sql").read_text(encoding="utf-8").replace("$lines", read(csv))
    duckdb.sql(f"COPY ({query}) TO '{out}'")


def read(csv: Path) -> str:
    types = ", ".join(f"'{theirs}': '{dtype}'" for theirs, dtype in clean_features.COLUMNS.values())
    return f"read_csv('{csv}', encoding = 'latin-1', timestampformat = '%m/%d/%Y %H:%M', columns = {{{types}}})"


def by_polars(csv: Path, out: Path) -> None:
    import by_polars

    by_polars.run(csv, out, horizon_days=90, fade_days=240)


WAYS: dict[str, Callable[[Path, Path], None]] = {
    "scan": by_scan,
    "SQL": by_sql,
    "Polars": by_polars,
    "notebook": clean_features.by_notebook,
    "project": clean_features.by_project,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 3, 10], help="repeat the rows so often")
    asked = processes.asked(parser, WAYS)
    lines, spent = list[int](), {way: list[Spent]() for way in WAYS}
    for times in sorted(asked.times):
        with tempfile.TemporaryDirectory() as folder:
            csv = processes.apart(clean_features.replicated, asked.csv, times, Path(folder))
            lines.append(len(duckdb.sql(f"FROM {read(csv)}")))
            for way, each in spent.items():
                each.append(processes.cold(__file__, way, csv, Path(folder) / f"{way}.parquet"))
                print(f"{lines[-1]:>12,} lines {way:9}{each[-1]}", flush=True)
            agree(Path(folder))
    (HERE / "bench.md").write_text(table(lines, spent), encoding="utf-8")
    draw(lines, spent)


def agree(folder: Path) -> None:
    """Stop where the ways do not give the same customers with the same net revenue."""
    [project, *others] = [
        duckdb.read_parquet(f"{folder}/{way}.parquet").project("customer_id, net_revenue").set_alias(way)
        for way in reversed(WAYS)
        if way != "scan"
    ]
    for other in others:
        both = project.join(other, "customer_id", how="outer")
        same = len(both.filter(f"abs({project.alias}.net_revenue - {other.alias}.net_revenue) < 0.005"))
        if not same == len(project) == len(other):
            raise SystemExit(
                f"{other.alias}: net revenue differs from the project's for {len(project) - same} customers"
            )


def table(lines: list[int], spent: Measured) -> str:
    """The page: one row per way, of each size CPU seconds and peak memory."""
    head = HEAD.format(
        day=f"{date.today():%d %B %Y}",
        cores=os.cpu_count(),
        load=os.getloadavg()[0],
        sizes=" | ".join(f"{count:,} lines" for count in lines),
        rule=" | ".join("---" for _ in lines),
    )
    return head + "".join(f"| {' | '.join(row(way, lines, spent))} |\n" for way in spent)


def row(way: str, lines: list[int], spent: Measured) -> Iterable[str]:
    own = spent[way]
    yield way
    yield from (f"{each.cpu:.1f} s, {each.memory:,.0f} MB" for each in own)
    yield f"{exponent(lines, [each.cpu for each in own]):.2f}"
    yield f"{own[-1].cpu / spent['notebook'][-1].cpu:.2f}"


def exponent(lines: list[int], seconds: list[float]) -> float:
    return math.log(seconds[-1] / seconds[0]) / math.log(lines[-1] / lines[0]) if len(lines) > 1 else math.nan


def draw(lines: list[int], spent: Measured) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for way, each in spent.items():
        axes.loglog(lines, [one.cpu for one in each], marker="o", label=way)
    axes.set(xlabel="invoice lines", ylabel="CPU seconds, cold process")
    axes.legend(frameon=False)
    figure.savefig(HERE / "bench.svg", metadata={"Date": None, "Creator": None})


if __name__ == "__main__":
    main()

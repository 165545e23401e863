"""Clean lines and customer features, from the CSV to customers.parquet, in cold processes: this project against pandas.

    python benchmarks/clean_features.py CSV [--times N] [--runs N]

`--times` repeats the rows under new customer ids and invoices, so that there are as many more customers. Three ways:

- notebook: plain pandas, see notebook.py;
- project: what ingest, preprocess and featurize do. Reading finds out encoding and formats, takes the file's digest and
  gives every row that cannot be read a reason;
- trusting: the same on the engine's own CSV reader, told encoding and formats like pandas; what is left of the
  project's time is the price of finding out.

The processes alternate. Wall and CPU time are the medians of the runs, start of Python included. The goal on the real
data set is a project 3 times as fast as the notebook, and 8 times with `--times 10`.
"""

import argparse
import os
import statistics
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import processes
from processes import Spent

HERE = Path(__file__).parent
SETTINGS = HERE.parent / "params.yaml"
TOLERANCE = 1e-9  # relative, of features that are not whole numbers

COLUMNS = {
    "invoice": ("InvoiceNo", "VARCHAR"),
    "product_code": ("StockCode", "VARCHAR"),
    "description": ("Description", "VARCHAR"),
    "quantity": ("Quantity", "BIGINT"),
    "invoiced_at": ("InvoiceDate", "TIMESTAMP"),
    "unit_price": ("UnitPrice", "DECIMAL(18, 4)"),
    "customer_id": ("CustomerID", "VARCHAR"),
    "country": ("Country", "VARCHAR"),
}


def by_notebook(csv: Path, out: Path) -> None:
    import notebook

    notebook.run(csv, out, horizon_days=90, fade_days=240)


def by_trusting(csv: Path, out: Path) -> None:
    import ibis

    from insiders.io import engine

    con = engine.connect()
    types = dict(COLUMNS.values())
    raw = con.read_csv(csv, encoding="latin-1", header=True, columns=types, timestampformat="%m/%d/%Y %H:%M")
    named = raw.rename({ours: theirs for ours, (theirs, _dtype) in COLUMNS.items()})
    missing = dict.fromkeys(("status", "line_type", "rest"), ibis.null("string"))
    write_customers(con, named.mutate(amount=named.quantity * named.unit_price, **missing), out)


def by_project(csv: Path, out: Path) -> None:
    from insiders.io import engine, params, paths
    from insiders.io.delivery import intake, sources

    settings = params.read(SETTINGS)
    ingest = settings.ingest.model_copy(update={"source": str(csv)})
    source = sources.open_source(settings.model_copy(update={"ingest": ingest}))
    folder = out.with_suffix(".delivery")
    intake.take(source, ingest, folder)
    con = engine.connect()
    write_customers(con, con.read_parquet(folder / paths.TRANSACTIONS.name), out)


def write_customers(con: Any, transactions: Any, out: Path) -> None:
    """From the lines that ingest has read to the customers of the day after the last."""
    from insiders.answers import cleaning
    from insiders.io import engine, params
    from insiders.tables import cutoffs, features, lines, orders
    from insiders.tables.features import Windows

    settings = params.read(SETTINGS)
    clean = engine.materialize(con, lines.clean(cleaning.clean(con, transactions, settings.preprocess).judged))
    by_order = engine.materialize(con, orders.orders(clean))
    first, last = engine.fetch_row(con, cutoffs.span(clean))
    as_of, period = last + timedelta(days=1), settings.featurize
    windows = Windows(first, period.horizon_days, period.fade_days)
    customers = features.customers(by_order, clean, [as_of], windows)
    engine.write(con, customers, out, None, ["customer_id"])


WAYS = {"notebook": by_notebook, "project": by_project, "trusting": by_trusting}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("csv", type=Path)
    parser.add_argument("--times", type=int, default=1, help="repeat the rows so often")
    parser.add_argument("--runs", type=int, default=5, help="runs of each way")
    asked = processes.asked(parser, WAYS)
    with tempfile.TemporaryDirectory() as folder:
        compare(replicated(asked.csv, asked.times, Path(folder)), asked.runs, Path(folder))


def replicated(csv: Path, times: int, folder: Path) -> Path:
    """Write the rows `times` over, each time for other customers with other invoices."""
    if times == 1:
        return csv
    import pandas as pd

    raw = pd.read_csv(csv, encoding="latin-1", dtype=str, keep_default_na=False)
    letter, number = raw["InvoiceNo"].str.extract(r"^(\D*)(.*)$").T.to_numpy()
    path = folder / "replicated.csv"
    for copy in range(times):
        ids = raw["CustomerID"].where(raw["CustomerID"] == "", f"{copy}" + raw["CustomerID"])
        shifted = raw.assign(InvoiceNo=letter + f"{copy}" + number, CustomerID=ids)
        shifted.to_csv(path, mode="a", header=copy == 0, index=False, encoding="latin-1", lineterminator="\r\n")
    return path


def compare(csv: Path, runs: int, folder: Path) -> None:
    print(f"{csv.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    seconds: dict[str, list[Spent]] = {way: [] for way in WAYS}
    for run in range(runs):
        for way, spent in seconds.items():
            spent.append(processes.cold(__file__, way, csv, folder / f"{way}.parquet"))
            print(f"run {run + 1}: {way:8} {spent[-1].wall:7.2f} s wall {spent[-1].cpu:7.2f} s CPU", flush=True)
    check(folder)
    report({way: tuple(map(statistics.median, zip(*spent, strict=True))) for way, spent in seconds.items()})


def check(folder: Path) -> None:
    """Stop where the ways do not give the same customers and features."""
    import pandas as pd

    tables = {way: pd.read_parquet(folder / f"{way}.parquet").set_index("customer_id").sort_index() for way in WAYS}
    pd.testing.assert_frame_equal(tables["project"], tables["trusting"])
    ours = tables["project"].drop(columns=["as_of", "products"])  # a notebook makes no text of the products bought
    pd.testing.assert_frame_equal(ours, tables["notebook"][ours.columns], check_dtype=False, rtol=TOLERANCE, atol=1e-6)
    print(f"{len(ours):,} customers x {len(ours.columns)} features: equal")


def report(medians: dict[str, tuple[float, ...]]) -> None:
    base = medians["notebook"]
    for way, (wall, cpu, _) in medians.items():
        print(
            f"{way:8} {wall:7.2f} s wall {cpu:7.2f} s CPU; {base[0] / wall:5.1f} and {base[1] / cpu:5.1f} times as fast"
        )


if __name__ == "__main__":
    main()

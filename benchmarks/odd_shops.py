"""Simulated shops of odd shapes, each taken from its export to the page: what ends otherwise is a fault.

    python benchmarks/odd_shops.py FOLDER [--only TEXT] [--workers N] [--cases CASES]

Each shop is a project of its own under FOLDER, with a short search; with CASES, a folder of exports with the settings
that their users made (benchmarks/cases.py), these instead. A run ends in one of ENDS: with the page, with one refusal
before anything was registered, with a refusal that comes too late, or with a traceback. Ends with status 1 where one
is of the last two, or took more than 3 minutes or 2 GB.
"""

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import chdir
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import yaml

from cases import set_up_case

TOP = Path(__file__).parents[1]
STAGES = ("ingest", "preprocess", "featurize", "tune", "register", "assign", "report")
ENDS = ("page", "refused", "refused late", "traceback")
SECONDS, MEGABYTES = 180, 2048
FEW: Mapping[str, Mapping[str, Any]] = {
    "tune": {
        "trials": 3,
        "workers": 1,
        "batch": 3,
        "resamples": 2,
        "seeds": 1,
        "silhouette_rows": 200,
        "bootstrap": 50,
    },
    "report": {"resamples": 200},
}
END = pd.Timestamp("2025-06-30")
Rows = pd.DataFrame  # order, customer, date, product, text, quantity, price


class Ending(NamedTuple):
    """How a run ended."""

    shop: str
    end: str  # one of ENDS
    detail: str  # regime and members, or the message
    seconds: float
    megabytes: float


# --- shops ---


def trade(customers: int = 250, days: int = 420, orders: float = 6, seed: int = 1, products: int = 40) -> Rows:
    """An ordinary shop: customers with a rate and a size of order of their own, some of whom leave."""
    rng = np.random.default_rng(seed)
    counts = 1 + rng.poisson(orders * rng.gamma(0.8, 1 / 0.8, customers))
    who = np.repeat(np.arange(customers), counts)
    arrival, stay = rng.uniform(0, days * 0.6, customers), rng.exponential(days * 0.7, customers) + 5
    day = np.minimum(arrival[who] + rng.uniform(0, 1, len(who)) * np.minimum(stay, days - arrival)[who], days - 1)
    worth = rng.lognormal(3, 0.7, customers)[who]
    return lines(who, day, worth * rng.lognormal(0, 0.4, len(who)), days, rng.integers(products, size=(len(who), 2)))


def lines(who: Any, day: Any, price: Any, days: int, what: Any) -> Rows:
    """Two lines to an order, at the same price; the last day of `days` is END."""
    order = np.arange(len(who))
    first = END - pd.Timedelta(days=days - 1)
    when = first.normalize() + pd.to_timedelta(np.floor(day), unit="D") + pd.to_timedelta(10 + order % 8, unit="h")
    parts = [
        {
            "Order": [f"{each + 1001}" for each in order],
            "Customer ID": [f"K{each:05d}" for each in who],
            "Date": when.strftime("%Y-%m-%d %H:%M"),
            "Product code": [f"P{each:03d}" for each in what[:, column]],
            "Description": [f"Thing number {each}" for each in what[:, column]],
            "Quantity": 1 + (order + column) % 3,
            "Unit price": np.round(price, 2),
        }
        for column in range(what.shape[1])
    ]
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)


def between(rows: Rows, *, without: tuple[str, str] | None = None, first: str = "", last: str = "9999") -> Rows:
    """Only what lies between two days, or all but that."""
    day = rows["Date"].str[:10]
    outside = (day >= without[0]) & (day <= without[1]) if without else (day < first) | (day > last)
    return rows[~outside]


def seasonal() -> Rows:
    rows = trade(days=1100, orders=12)
    return rows[rows["Date"].str[5:7].isin(["11", "12"])]


def stray_date() -> Rows:
    rows = trade()
    return pd.concat([rows, rows.head(1).assign(Order="999999", Date="2026-01-20 10:00")])


def once_each() -> Rows:
    rows = trade(customers=1200, orders=0)
    return rows.drop_duplicates(["Customer ID", "Product code"])


def alike() -> Rows:
    """Sixty customers who order on the first of every month, the same at the same price."""
    who, month = (each.ravel() for each in np.meshgrid(np.arange(60), np.arange(14)))
    return lines(who, month * 30.0, np.full(len(who), 20.0), 420, np.zeros((len(who), 1), int))


def subscriptions() -> Rows:
    """Monthly plans of three prices, some of which end."""
    rng = np.random.default_rng(5)
    plan, start, length = rng.integers(3, size=300), rng.integers(0, 12, 300), 1 + rng.geometric(0.12, 300)
    who, month = (each.ravel() for each in np.meshgrid(np.arange(300), np.arange(14)))
    keep = (month >= start[who]) & (month < start[who] + length[who])
    who, month = who[keep], month[keep]
    price = np.array([9.99, 19.99, 49.0])[plan[who]]
    return lines(who, month * 30.0 + who % 28, price, 420, plan[who][:, None]).assign(Quantity=1)


def one_product() -> Rows:
    rows = trade(products=1)
    return rows.drop_duplicates("Order")


def giant() -> Rows:
    rows = trade()
    return rows.assign(**{"Unit price": rows["Unit price"].where(rows["Customer ID"] != "K00007", 9999.0)})


def business() -> Rows:
    """Forty firms that order every week, for thousands."""
    rows = trade(customers=40, orders=60)
    return rows.assign(Quantity=rows["Quantity"] * 50)


def superstore() -> Rows:
    """The form of a well-known training file: no text of a product, a line's total, dates without a clock."""
    rows = trade(days=1400, orders=8)
    total = (rows["Unit price"] * rows["Quantity"]).round(4)
    dates = pd.to_datetime(rows["Date"]).dt.strftime("%m/%d/%Y")
    named = rows.assign(**{"Order Date": dates, "Sales": total}).rename(
        columns={"Order": "Order ID", "Product code": "Product ID"}
    )
    return named[["Order ID", "Order Date", "Customer ID", "Product ID", "Sales", "Quantity"]]


def weights() -> Rows:
    """Kilograms with three digits, and net prices with six."""
    rows = trade()
    rng = np.random.default_rng(9)
    return rows.assign(
        Quantity=rng.uniform(0.05, 4, len(rows)).round(3), **{"Unit price": (rows["Unit price"] / 1.23).round(6)}
    )


def orders_only() -> Rows:
    """Customer, date and amount, and nothing else."""
    rows = trade()
    rows = rows.assign(Amount=(rows["Unit price"] * rows["Quantity"]).round(2))
    sums = rows.groupby(["Order", "Customer ID", "Date"], as_index=False)["Amount"].sum()
    return sums[["Customer ID", "Date", "Amount"]]


def all_taken_back() -> Rows:
    """In the last quarter every sale of the quarter before is taken back, and nothing is sold."""
    rows = between(trade(), last="2025-03-31")
    back = between(rows, first="2025-01-01").copy()
    moved = (pd.to_datetime(back["Date"]) + pd.Timedelta(days=85)).dt.strftime("%Y-%m-%d %H:%M")
    return pd.concat([rows, back.assign(Order="C" + back["Order"], Date=moved, Quantity=-back["Quantity"])])


def all_new() -> Rows:
    """The shop is two years old, but all customers of today came in the last two months."""
    old, new = trade(customers=80, days=760, orders=3, seed=3), trade(customers=300, days=60, orders=2, seed=4)
    renamed = new.assign(**{"Customer ID": "N" + new["Customer ID"], "Order": "N" + new["Order"]})
    return pd.concat([between(old, last="2025-04-30"), renamed])


def priced(factor: float) -> Rows:
    rows = trade()
    return rows.assign(**{"Unit price": (rows["Unit price"] * factor).round(6)})


def returning_only_late() -> Rows:
    """For a year everybody buys once; in the last month everybody comes back."""
    rows = trade(customers=300, orders=0, days=420)
    back = rows.assign(Order="B" + rows["Order"], Date="2025-06-15 12:00")
    return pd.concat([rows, back])


SHOPS: dict[str, Callable[[], Rows]] = {
    "ordinary": trade,
    "closed for three months": lambda: between(trade(days=500), without=("2025-01-01", "2025-03-31")),
    "closed in the last months": lambda: pd.concat(
        [between(trade(days=500), last="2025-02-15"), trade(days=500).tail(1).assign(Order="9999", Date="2025-06-30")]
    ),
    "open in November and December": seasonal,
    "one stray date": stray_date,
    "nobody returns": once_each,
    "everybody returns late": returning_only_late,
    "all taken back": all_taken_back,
    "one day": lambda: trade(days=1),
    **{f"{days} days": partial(trade, days=days, orders=4) for days in (60, 121, 150, 215, 280)},
    **{f"{count} customers": partial(trade, customers=count, orders=12) for count in (2, 7, 25)},
    "all alike": alike,
    "all new": all_new,
    "one product": one_product,
    "a giant": giant,
    "forty firms": business,
    "subscriptions": subscriptions,
    "superstore": superstore,
    "weights": weights,
    "orders only": orders_only,
    "millions": partial(priced, 1e6),
    "fractions of a cent": partial(priced, 1e-4),
    "many products": partial(trade, customers=400, products=30_000),
}


# --- runs ---


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="part of the names of the shops to run")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cases", type=Path, help="folder of exports to run instead of the simulated shops")
    options = parser.parse_args()
    cases = options.cases and options.cases.resolve()
    names = sorted(each.parent.name for each in cases.glob("*/input*")) if cases else SHOPS
    chosen = [name for name in names if options.only in name]
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.workers, fresh, max_tasks_per_child=1) as pool:
        endings = []
        for each in pool.map(partial(take, options.folder.resolve(), cases), chosen):
            print(
                f"{each.shop:<30}{each.end:<14}{each.seconds:>5.0f} s{each.megabytes:>6.0f} MB  {each.detail[:170]}",
                flush=True,
            )
            endings.append(each)
    counts = Counter(each.end for each in endings)
    slow = sum(each.seconds > SECONDS or each.megabytes > MEGABYTES for each in endings)
    print(", ".join(f"{end} {counts[end]}" for end in ENDS) + f", over the limits {slow}")
    sys.exit(bool(counts["refused late"] + counts["traceback"] + slow))


def take(folder: Path, cases: Path | None, shop: str) -> Ending:
    """Run all stages on a shop in a project of its own, and look at what they left."""
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "true"}
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    project = folder / shop.replace(" ", "-")
    shutil.rmtree(project, ignore_errors=True)
    project.mkdir(parents=True)
    start = time.process_time()
    with chdir(project):
        set_up_case(cases / shop) if cases else set_up(SHOPS[shop]())
        end, detail = _end()
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Ending(shop, end, detail.replace("\n", " "), time.process_time() - start, used)


def set_up(rows: Rows) -> None:
    """Write the export and the settings into this folder."""
    rows.to_csv("export.csv", index=False)
    settings = yaml.safe_load((TOP / "params.yaml").read_text(encoding="utf-8"))
    for section, values in FEW.items():
        settings[section] |= values
    settings["ingest"]["source"] = "export.csv"
    Path("params.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")


def _end() -> tuple[str, str]:
    """Run the stages; one of ENDS and what there is to say."""
    stage = ""
    try:
        for stage in STAGES:
            import_module(f"insiders.stages.{stage}").main()
    except SystemExit as error:
        return ("refused late" if _registered() else "refused"), f"{stage}: {error}"
    except Exception:  # noqa: BLE001 - a traceback is what is looked for
        Path("traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
        return "traceback", f"{stage}: {traceback.format_exc().strip().splitlines()[-1]}"
    return "page", _page()


def _registered() -> bool:
    from insiders.io.tracking import registry

    return bool(registry.versions())


def _page() -> str:
    import json

    regime = json.loads(Path("models/registered.json").read_text(encoding="utf-8"))["regime"]
    size = Path("reports/index.html").stat().st_size
    return f"{regime}, {len(pd.read_csv('reports/insiders.csv'))} members, page of {size / 1e6:.1f} MB"


if __name__ == "__main__":
    main()

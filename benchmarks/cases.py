"""Exports in the forms that shops have, put through ingest and preprocess and held against what is rightly expected.

    python benchmarks/cases.py FOLDER [--expected FILE] [--only TEXT]

FOLDER has one folder per case: `input.*` (a file or a folder of files) and, where its user would have set something, a
`params.yaml` that goes over the project's. The expectations are one row per case: whether the export is to be read
(how many customers and sale orders, what net revenue), refused with a message that holds a word, or either of the two.
Each case counts as one of VERDICTS; ends with status 1 where one is wrong or ends in a traceback.
"""

import argparse
import csv
import multiprocessing
import os
import re
import sys
import tempfile
import traceback
from collections import Counter
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import yaml

TOP = Path(__file__).parents[1]
EXPECTATIONS = TOP / "tests" / "fixtures" / "cases.csv"
VERDICTS = ("read", "refused", "wrong", "traceback")
CENT = Decimal("0.005")


class Expectation(NamedTuple):
    """What is rightly expected of a case; the figures are empty where it is to be refused."""

    case: str
    outcome: str  # read | refused | either
    customers: str
    orders: str
    net: str
    within: str  # how far the net revenue may be away, where lines are rounded
    message: str  # regular expression that the refusal matches, whatever the case of its letters


class Verdict(NamedTuple):
    """How a case ended: one of VERDICTS, and the figures or the message."""

    case: str
    verdict: str
    detail: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--expected", type=Path, default=EXPECTATIONS)
    parser.add_argument("--only", default="", help="part of the names of the cases to run")
    options = parser.parse_args()
    chosen = [each for each in expectations(options.expected) if options.only in each.case]
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        verdicts = pool.map(partial(judge, options.folder.resolve()), chosen, chunksize=1)
    for each in verdicts:
        print(f"{each.case:<32}{each.verdict:<11}{each.detail[:150]}")
    counts = Counter(each.verdict for each in verdicts)
    right = counts["read"] + counts["refused"]
    print(", ".join(f"{name} {counts[name]}" for name in VERDICTS) + f": {right} of {len(verdicts)} as expected")
    sys.exit(right < len(verdicts))


def expectations(path: Path) -> list[Expectation]:
    """Read one expectation per row."""
    with path.open(encoding="utf-8", newline="") as stream:
        return [Expectation(**row) for row in csv.DictReader(stream)]


def judge(folder: Path, expected: Expectation) -> Verdict:
    """Run a case in a project of its own and compare."""
    with tempfile.TemporaryDirectory() as project:
        os.chdir(project)
        set_up_case(folder / expected.case)
        try:
            message = _run()
            return _read(expected) if message is None else _refused(expected, message)
        except Exception:  # noqa: BLE001 - a traceback is what is looked for
            return Verdict(expected.case, "traceback", traceback.format_exc().strip().splitlines()[-1])
        finally:
            os.chdir(TOP)


def set_up_case(case: Path) -> None:
    """Write the project's settings, with those of the case over them, into this folder."""
    settings = yaml.safe_load((TOP / "params.yaml").read_text(encoding="utf-8"))
    own = case / "params.yaml"
    for section, values in (yaml.safe_load(own.read_text(encoding="utf-8")) if own.exists() else {}).items():
        settings[section] |= values
    (source,) = case.glob("input*")
    settings["ingest"]["source"] = str(source)
    Path("params.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")


def _run() -> str | None:
    """Run the two stages; the message where one of them refuses the export."""
    from insiders.stages import ingest, preprocess

    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{tempfile.gettempdir()}/cases-{os.getpid()}.db")
    try:
        ingest.main()
        preprocess.main()
    except SystemExit as error:
        return str(error)
    return None


def _read(expected: Expectation) -> Verdict:
    customers, orders, net = figures()
    detail = f"{customers} customers, {orders} orders, {net:,.2f}"
    if expected.outcome == "refused":
        return Verdict(expected.case, "wrong", f"{detail}: expected a refusal that says {expected.message!r}")
    right = (
        customers == int(expected.customers)
        and orders == int(expected.orders)
        and abs(net - Decimal(expected.net)) <= max(CENT, Decimal(expected.within))
    )
    wanted = "" if right else f": expected {expected.customers}, {expected.orders}, {expected.net}"
    return Verdict(expected.case, "read" if right else "wrong", detail + wanted)


def figures() -> tuple[int, int, Decimal]:
    """Give the customers, sale orders and net revenue of the orders that the stages made in this folder."""
    import pandas as pd

    orders: Any = pd.read_parquet("data/orders.parquet")
    return orders["customer_id"].nunique(), int(orders["is_sale"].sum()), sum(orders["net_revenue"], Decimal(0))


def _refused(expected: Expectation, message: str) -> Verdict:
    right = expected.outcome != "read" and re.search(expected.message, message, re.IGNORECASE)
    return Verdict(expected.case, "refused" if right else "wrong", message.replace("\n", " "))


if __name__ == "__main__":
    main()

"""The stages preprocess and featurize on files: what they write, refuse and leave alone."""

import random
import shutil
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from insiders import schemas
from insiders.io import params, paths, tables
from insiders.stages import featurize, preprocess
from ledgers import real_data, real_transactions, transaction, transactions_in_memory

SETTINGS = Path(__file__).parents[1] / "params.yaml"
DAY_AFTER = pd.Timestamp("2023-12-28")  # after the last visit of the year below
RECORD = {  # of ingest, as far as reports/intake.md tells of it
    "source": "shop.csv",
    "kind": "csv",
    "preset": None,
    "columns": dict.fromkeys(("quantity", "product_code", "unit_price"), "x") | {"description": None},
    "several": {},
    "not_read": [],
    "date_format": ["%Y-%m-%d"],
    "offsets": [],
    "dates_filled": False,
    "decimal": ".",
    "currency_signs": [],
    "currencies": [],
    "money": {"column": "unit_price", "is_unit": True, "discount": "none"},
    "rows_read": 1,
    "rows": 1,
    "reasons": {},
    "total": "1",
    "amounts_above_price": "0",
    "first_day": "2023-01-01",
    "last_day": "2023-01-01",
}
OUTPUTS = (paths.LINES, paths.ORDERS, paths.LEDGER, paths.CUSTOMERS, paths.SNAPSHOTS, paths.HOLDOUT)


@pytest.fixture
def project(tmp_path, monkeypatch, store):
    """An empty project folder with the settings as they are delivered."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(SETTINGS, "params.yaml")
    paths.DATA.mkdir()
    return store


def deliver(transactions, reasons=()):
    pq.write_table(transactions, paths.TRANSACTIONS)
    refused = {"Quantity": ["many"] * len(reasons), "reason": list(reasons)}
    pq.write_table(pa.table(refused, pa.schema({"Quantity": pa.string(), "reason": pa.string()})), paths.QUARANTINE)
    tables.write_json(RECORD, paths.SOURCE)


def year_of_visits():
    """Three customers over a year: each month an order, now and then something comes back."""
    start = date(2023, 1, 1)
    for customer, every, price in (("ann", 20, 9), ("bob", 35, 4), ("cat", 50, 1)):
        for number, day in enumerate(range(0, 365, every)):
            at = start + timedelta(days=day)
            yield transaction(f"{customer}{number} A{number % 3} 4 {at}T09:00 {price}.25 {customer}")
            if number % 3 == 2:
                yield transaction(f"C{customer}{number} A{number % 3} -1 {at}T17:00 {price}.25 {customer}")


def run():
    preprocess.main()
    featurize.main()
    return {path: path.read_bytes() for path in OUTPUTS}


@pytest.mark.usefixtures("project")
def test_the_tables_keep_their_contracts():
    deliver(transactions_in_memory(year_of_visits()), ["quantity is not a number"])
    run()
    ledger = pd.read_csv(paths.LEDGER, dtype={"amount": str}).set_index("rule")
    assert ledger.loc["quarantined: quantity is not a number", "rows"] == 1
    assert ledger.loc["delivered", "rows"] == ledger.loc["kept", "rows"] + 1
    customers = tables.read(paths.CUSTOMERS, schemas.CUSTOMERS)
    assert set(customers["as_of"]) == {DAY_AFTER}
    assert f"{customers['net_revenue'].sum():.4f}" == ledger.loc["kept", "amount"]
    snapshots = tables.read(paths.SNAPSHOTS, schemas.SNAPSHOTS)
    validation = DAY_AFTER - pd.Timedelta(days=params.read().featurize.horizon_days)
    assert snapshots["as_of"].max() == validation
    assert snapshots.loc[snapshots["as_of"] == validation, "next_revenue"].isna().all()
    assert set(tables.read(paths.HOLDOUT, schemas.HOLDOUT)["as_of"]) == {validation}


@pytest.mark.usefixtures("project")
def test_rows_in_any_order_give_the_same_bytes():
    rows = list(year_of_visits())
    deliver(transactions_in_memory(rows))
    first = run()
    deliver(transactions_in_memory(random.Random(1).sample(rows, len(rows))))
    assert run() == first


@pytest.mark.usefixtures("project")
def test_a_delivery_without_customers_is_refused_and_leaves_the_last_tables_alone():
    deliver(transactions_in_memory(year_of_visits()))
    before = run()
    deliver(transactions_in_memory([transaction("1 A 1 2023-01-01 1 -")]))
    with pytest.raises(SystemExit, match="preprocess: no sale is left after cleaning"):
        preprocess.main()
    assert {path: path.read_bytes() for path in OUTPUTS} == before


@pytest.mark.usefixtures("project")
def test_a_short_history_is_refused():
    deliver(transactions_in_memory([transaction("1 A 1 2023-01-01 1 ann"), transaction("2 A 1 2023-02-01 1 ann")]))
    preprocess.main()
    with pytest.raises(SystemExit, match="featurize: the history is too short: 32 days"):
        featurize.main()


@pytest.mark.usefixtures("project")
def test_what_an_earlier_stage_makes_must_be_there():
    with pytest.raises(SystemExit, match=r"transactions.parquet is missing: run `dvc repro`"):
        preprocess.main()


@pytest.mark.usefixtures("project")
@pytest.mark.real
@real_data
def test_the_real_file():
    deliver(real_transactions())
    run()
    customers = pd.read_parquet(paths.CUSTOMERS).set_index("customer_id")
    assert len(customers) == 4_334
    assert customers.loc["12346", ["gross_revenue", "net_revenue", "unmatched_revenue"]].tolist() == [77183.6, 0, 0]
    assert customers.loc["16446", "net_revenue"] == pytest.approx(2.90)
    assert customers.loc["15749", ["gross_revenue", "net_revenue"]].tolist() == pytest.approx([44534.30, 21535.90])
    days = pd.read_parquet(paths.SNAPSHOTS)["as_of"].drop_duplicates().dt.strftime("%Y-%m-%d").tolist()
    assert days == ["2011-01-14", "2011-02-13", "2011-03-15", "2011-04-14", "2011-05-14", "2011-06-13", "2011-09-11"]

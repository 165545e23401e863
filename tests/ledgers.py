"""Small ledgers made by hand, and the real one, as tables of the engine."""

import zipfile
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pytest

from insiders.tables import lines, profile
from insiders.tables.rules import Policy

REAL = Path(__file__).parents[2] / "shared/data/online-retail.csv.zip"
real_data = pytest.mark.skipif(not REAL.exists(), reason=f"the real data set is not at {REAL}")

POLICY = Policy(cancellation_prefix="C", service_codes=["POST", "TEST*"], credit_codes=["M", "D"])
_MONEY, _STAMP = pa.decimal128(18, 4), pa.timestamp("us")
_TRANSACTION = {
    "invoice": pa.string(),
    "product_code": pa.string(),
    "description": pa.string(),
    "quantity": pa.int64(),
    "invoiced_at": _STAMP,
    "unit_price": _MONEY,
    "customer_id": pa.string(),
    "country": pa.string(),
    "amount": _MONEY,
    "status": pa.string(),
    "line_type": pa.string(),
    "rest": pa.string(),
}


def transaction(text: str, **changes: Any) -> dict[str, Any]:
    """Read "invoice product quantity day[Thour:minute] price customer"; - is a missing customer."""
    invoice, product, quantity, at, price, customer = text.split()
    row = {
        "invoice": invoice,
        "product_code": product,
        "description": "A THING",
        "quantity": int(quantity),
        "invoiced_at": datetime.fromisoformat(at),
        "unit_price": Decimal(price),
        "customer_id": None if customer == "-" else customer,
        "country": "United Kingdom",
        **dict.fromkeys(("status", "line_type", "rest")),
        **changes,
    }
    return {"amount": row["quantity"] * row["unit_price"], **row}


def table(rows: Iterable[Mapping[str, Any]]) -> Any:
    return ibis.memtable(transactions_in_memory(rows))


def transactions_in_memory(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=pa.schema(_TRANSACTION))


def judged(rows: Iterable[Mapping[str, Any]], policy: Policy = POLICY) -> Any:
    return lines.judge(profile.distinct(table(rows)), policy)


def cleaned(rows: Iterable[Mapping[str, Any]]) -> Any:
    return lines.clean(judged(rows))


def fetched(expr: Any, *order: str) -> pd.DataFrame:
    """Evaluate a table, its rows in order."""
    from insiders.io import engine

    con = engine.connect(threads=1)
    frame = engine.fetch(con, expr)
    con.disconnect()
    return frame.sort_values(list(order) or list(frame.columns), ignore_index=True)


@cache
def real_transactions() -> pa.Table:
    """Read the real file as ingest does, but by another way."""
    with zipfile.ZipFile(REAL) as archive, archive.open("data.csv") as stream:
        raw = pa.csv.read_csv(
            stream,
            pa.csv.ReadOptions(encoding="latin-1"),
            convert_options=pa.csv.ConvertOptions(
                column_types={
                    "InvoiceNo": pa.string(),
                    "StockCode": pa.string(),
                    "CustomerID": pa.string(),
                    "UnitPrice": _MONEY,
                },
                timestamp_parsers=["%m/%d/%Y %H:%M"],
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    named = dict(
        zip(
            raw.column_names,
            (
                "invoice",
                "product_code",
                "description",
                "quantity",
                "invoiced_at",
                "unit_price",
                "customer_id",
                "country",
            ),
            strict=True,
        )
    )
    read = raw.rename_columns(named)
    amount = pa.compute.multiply(
        read["quantity"].cast(pa.decimal128(19, 0)), read["unit_price"].cast(pa.decimal128(12, 4))
    )
    nothing = pa.nulls(len(read), pa.string())
    return pa.table(
        {**{name: read[name] for name in read.column_names}, "amount": amount}
        | dict.fromkeys(("status", "line_type", "rest"), nothing)
    ).cast(pa.schema(_TRANSACTION))

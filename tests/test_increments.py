"""A database read again by days: whatever became of its rows, the tables are those of a full reading."""

import hashlib
import random
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sql

from deliveries import settings, taken
from insiders.errors import InputError
from insiders.io import paths
from insiders.io.delivery import blocks, database, database_sample, increments

URL = "sqlite:///shop.db"
START = datetime(2024, 1, 1, 9)
DAYS = 40
COLUMNS = {
    "Line": sql.Integer(),
    "InvoiceNo": sql.Text(),
    "StockCode": sql.Text(),
    "Description": sql.Text(),
    "Quantity": sql.Integer(),
    "InvoiceDate": sql.DateTime(),
    "UnitPrice": sql.Double(),
    "CustomerID": sql.Text(),
}
Row = dict[str, Any]


def line(draw: random.Random, number: int) -> Row:
    """One line of any day; one in a hundred cannot be read."""
    return {
        "Line": number,
        "InvoiceNo": f"{draw.randrange(500)}",
        "StockCode": f"P{draw.randrange(30)}",
        "Description": "HEART",
        "Quantity": draw.randrange(1, 9),
        "InvoiceDate": START + timedelta(draw.randrange(DAYS), hours=draw.randrange(9)),
        "UnitPrice": draw.randrange(100, 999) / 100 if draw.random() > 0.01 else None,
        "CustomerID": draw.choice(["A1", "A2", "B3", "B4", None]),
    }


class Shop:
    """A table of lines to which things happen."""

    def __init__(self, name: str = "sales", rows: int = 600) -> None:
        self.draw = random.Random(7)
        self.engine = sql.create_engine(URL)
        columns = [sql.Column(each, kind, primary_key=each == "Line") for each, kind in COLUMNS.items()]
        self.table = sql.Table(name, sql.MetaData(), *columns)
        self.table.create(self.engine)
        self.count = 0
        self.add(rows)

    def run(self, statement: Any, *parameters: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(statement, *parameters)

    def add(self, rows: int) -> None:
        """Lines of today and late ones."""
        self.count += rows
        self.run(sql.insert(self.table), [line(self.draw, self.count - each) for each in range(rows)])

    def change(self, **values: Any) -> None:
        """Other values in a row drawn by lot."""
        self.run(sql.update(self.table).where(self.one()).values(**values))

    def delete(self) -> None:
        self.run(sql.delete(self.table).where(self.one()))

    def one(self) -> Any:
        with self.engine.begin() as connection:
            numbers = connection.execute(sql.select(self.table.c.Line)).scalars().all()
        return self.table.c.Line == self.draw.choice(numbers)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def content(names: tuple[str, ...], rows: Iterable[pa.RecordBatch]) -> list[list[Any]]:
    """The rows in the order of what they hold, since a database sends them as it likes."""
    return sorted((list(row.values()) for each in rows for row in each.select(names).to_pylist()), key=str)


def agrees(capsys: pytest.CaptureFixture[str], **ingest: Any) -> tuple[int, int]:
    """Read what changed, see that a full reading gives the same rows; returns how many were read, of how many."""
    chosen = settings(URL, **{"table": "sales", **ingest}).ingest
    capsys.readouterr()
    changed = content(*increments.read(chosen, paths.LAST_READING))
    said = re.search(r"ingest: ([\d,]+) of ([\d,]+) rows are read", capsys.readouterr().err)
    full = database.rows(chosen)
    assert changed == content(full.names, blocks.from_values(full.values, full.names))
    assert said
    read, rows = (int(number.replace(",", "")) for number in said.groups())
    assert rows == len(changed)
    return read, rows


def tables(reread: str, **ingest: Any) -> list[Any]:
    """What the stage makes: the record, and the digests of the files."""
    record = taken(URL, table="sales", reread=reread, quarantine_share_max=0.1, **ingest)
    files = (paths.TRANSACTIONS, paths.QUARANTINE)
    return [record, *(hashlib.sha256(each.read_bytes()).hexdigest() for each in files)]


def happen(shop: Shop) -> None:
    """Late, corrected, moved and deleted lines."""
    shop.add(3)
    shop.change(Quantity=shop.draw.randrange(10, 90))
    shop.change(InvoiceDate=START + timedelta(shop.draw.randrange(DAYS)))
    shop.delete()


def test_the_tables_are_those_of_a_full_reading() -> None:
    shop = Shop()
    for _ in range(2):
        made = tables("changed")
        assert made == tables("all")
        assert made[0]["rows_quarantined"] > 0
        happen(shop)


def test_late_corrected_and_deleted_lines_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop()
    assert agrees(capsys) == (600, 600)
    for _ in range(10):
        happen(shop)
        read, rows = agrees(capsys)
        assert 0 < read < rows / 2
    assert agrees(capsys) == (0, rows)


@pytest.mark.parametrize("column", [each for each in COLUMNS if each != "Line"])
def test_another_value_of_any_column_is_seen(column: str, capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop(rows=200)
    agrees(capsys)
    values = {"Quantity": 77, "InvoiceDate": START + timedelta(3, minutes=1), "UnitPrice": 2.501}
    shop.change(**{column: values.get(column, "other")})
    assert 0 < agrees(capsys)[0] < 50


def test_text_that_moves_to_the_next_column_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop(rows=100)
    shop.run(sql.update(shop.table).values(StockCode="a", Description="bc"))
    agrees(capsys)
    shop.run(sql.update(shop.table).values(StockCode="ab", Description="c"))
    assert agrees(capsys) == (100, 100)


def test_a_lost_or_damaged_reading_is_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    Shop()
    agrees(capsys)
    content = paths.LAST_READING.read_bytes()
    for damaged in (content[: len(content) // 2], content[:500] + b"\x00\xff\x00" + content[503:], b""):
        paths.LAST_READING.write_bytes(damaged)
        increments.read(settings(URL, table="sales").ingest, paths.LAST_READING)
        assert f"{paths.LAST_READING} is damaged" in capsys.readouterr().err
        paths.LAST_READING.write_bytes(damaged)
        assert agrees(capsys) == (600, 600)
    paths.LAST_READING.unlink()
    assert agrees(capsys) == (600, 600)


def test_another_table_and_back(capsys: pytest.CaptureFixture[str]) -> None:
    Shop()
    other = Shop("others", 300)
    assert agrees(capsys) == (600, 600)
    other.change(Quantity=80)
    assert agrees(capsys, table="others")[1] == 300
    assert agrees(capsys)[1] == 600


def test_a_further_column_is_read_from_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop()
    agrees(capsys)
    shop.run(sql.text("ALTER TABLE sales ADD COLUMN Country TEXT"))
    shop.run(sql.text("UPDATE sales SET Country = 'France'"))
    assert agrees(capsys) == (600, 600)


@pytest.mark.parametrize(
    "ingest",
    [
        {"sample": 0.5},
        {"table": None, "query": "SELECT * FROM sales WHERE Quantity > 1;"},
        {"columns": {"customer_id": "CustomerID"}, "sample": 0.5, "identities": "people.csv"},
    ],
)
def test_samples_and_queries(ingest: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop()
    _, rows = agrees(capsys, **ingest)
    for _ in range(2):
        shop.add(3)
        shop.delete()
        assert agrees(capsys, **ingest)[0] < rows / 2


def test_dates_as_text_and_missing_ones(capsys: pytest.CaptureFixture[str]) -> None:
    shop = Shop()
    with shop.engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE texts AS SELECT InvoiceNo, StockCode, Quantity, UnitPrice, CustomerID, CASE WHEN Line = 9 "
            "THEN NULL ELSE strftime('%d/%m/%Y %H:%M', InvoiceDate) END AS InvoiceDate FROM sales"
        )
    agrees(capsys, table="texts")
    shop.run(sql.text("UPDATE texts SET Quantity = 70 WHERE InvoiceNo = '7' OR InvoiceDate IS NULL"))
    assert 0 < agrees(capsys, table="texts")[0] < 300


def test_a_database_that_works_out_no_digests_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    Shop(rows=50)
    monkeypatch.setattr(database_sample, "DIALECTS", ("postgresql",))
    with pytest.raises(InputError, match=r"ingest\.reread: changed is for postgresql, not for sqlite: write .*: all"):
        increments.read(settings(URL, table="sales").ingest, paths.LAST_READING)
    assert not paths.LAST_READING.exists()


def test_rows_that_change_while_they_are_read_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that shows the changes of others within a transaction, as MySQL's old tables do."""
    Shop()
    digested = increments._digests

    def digests(*given: Any) -> Any:
        found = digested(*given)
        return {name: each._replace(rows=each.rows + 1) for name, each in found.items()}

    monkeypatch.setattr(increments, "_digests", digests)
    with pytest.raises(InputError, match="its rows changed while they were read"):
        increments.read(settings(URL, table="sales").ingest, paths.LAST_READING)
    assert not paths.LAST_READING.exists()

"""Blocks of lines on disk: the real file's form, the same bytes again, and never half a file."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from insiders.errors import InputError
from insiders.io.sinks import write_shop
from insiders.simulate import Settings, Shop, shop

SHOP = Shop(Settings(customers=60, start=date(2024, 12, 1), days=120, products=50, anonymous_share=0.2), 7)


@pytest.fixture(autouse=True)
def _several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop, "BLOCK", 25)


def test_csv_has_the_real_file_s_form(tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    write_shop(SHOP.blocks(), path)
    head, *lines, end = path.read_bytes().split(b"\r\n")
    assert head == b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    assert end == b""
    assert len(lines) == sum(len(block) for block in SHOP.blocks())
    form = re.compile(rb"C?\d{6},[^,]+,[^,]*,-?\d+,([1-9]\d?/){2}\d{4} [1-9]\d?:\d\d,-?\d+\.\d\d,(\d{5})?,[^,]+")
    assert all(form.fullmatch(line) for line in lines)
    assert any("CAFÉ".encode("latin-1") in line for line in lines)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_same_seed_same_bytes(tmp_path: Path, ending: str) -> None:
    for name in ("once", "again"):
        write_shop(SHOP.blocks(), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"once.{ending}").read_bytes() == (tmp_path / f"again.{ending}").read_bytes()


def test_both_forms_hold_the_same_lines(tmp_path: Path) -> None:
    for ending in ("csv", "parquet"):
        write_shop(SHOP.blocks(), tmp_path / f"shop.{ending}")
    typed = "types={'UnitPrice': 'DECIMAL(12,2)', 'InvoiceNo': 'VARCHAR', 'StockCode': 'VARCHAR'}"
    text = (
        f"SELECT * FROM read_csv('{tmp_path}/shop.csv', encoding='latin-1', timestampformat='%m/%d/%Y %H:%M', {typed})"
    )
    columns = "InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID::VARCHAR, Country"
    with duckdb.connect() as engine:
        csv, parquet = (
            engine.sql(f"SELECT {columns} FROM ({source})").fetchall()
            for source in (text, f"SELECT * FROM '{tmp_path}/shop.parquet'")
        )
    assert csv == parquet


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'\.xlsx'.*expected \.parquet or \.csv"):
        write_shop(SHOP.blocks(), tmp_path / "shop.xlsx")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_failure_leaves_the_last_good_file(tmp_path: Path, ending: str) -> None:
    def broken() -> Iterator[pa.Table]:
        yield next(SHOP.blocks())
        raise RuntimeError("half way")

    path = tmp_path / f"shop.{ending}"
    path.write_text("good")
    with pytest.raises(RuntimeError, match="half way"):
        write_shop(broken(), path)
    assert path.read_text() == "good"
    assert list(tmp_path.iterdir()) == [path]

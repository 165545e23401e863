"""Rows to transactions and quarantine: every row in one of them, and the same bytes whatever the order."""

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st
from pyarrow import parquet

from deliveries import HEADER, REAL, REPOSITORY, ROWS, changed, quarantined, taken, transactions, write_csv
from insiders.errors import InputError
from insiders.io import paths, tables
from insiders.io.delivery import files
from insiders.stages import ingest

GOOD = [changed(ROWS[1], InvoiceNo=str(number)) for number in range(20)]
real = pytest.mark.skipif(not REAL.exists(), reason="the real data set is not beside the checkout")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


REASONS = {
    "InvoiceNo is missing": {"InvoiceNo": " "},
    "StockCode is missing": {"StockCode": "nan", "Description": ""},
    "InvoiceNo was rounded by a spreadsheet": {"InvoiceNo": "5.36E+05"},
    "CustomerID was rounded by a spreadsheet": {"CustomerID": "1.5e+12"},
    "InvoiceDate is missing": {"InvoiceDate": "", "InvoiceNo": "alone"},
    "InvoiceDate is not a date in the form of the column": {"InvoiceDate": "2010-12-13 8:26"},
    "InvoiceDate lies outside the years 1900 to 2199": {"InvoiceDate": "12/13/0210 8:26"},
    "Quantity is missing": {"Quantity": ""},
    "Quantity is not a number": {"Quantity": "six"},
    "Quantity is above 1000000000 pieces": {"Quantity": "1000000001"},
    "UnitPrice is missing": {"UnitPrice": ""},
    "UnitPrice holds a currency sign": {"UnitPrice": "£2.55"},
    "UnitPrice is not a number": {"UnitPrice": "2,5"},
    "UnitPrice is too large": {"UnitPrice": "100000000000000"},
    "Quantity x UnitPrice is too large": {"UnitPrice": "99999999999", "Quantity": "-1001"},
}


def test_rows_that_cannot_be_read_are_kept_with_their_reason(tmp_path):
    bad = [changed(ROWS[1], **values) for values in REASONS.values()]
    record = taken(write_csv(tmp_path / "shop.csv", [*GOOD[:5], *bad, *GOOD[5:]]), quarantine_share_max=0.5)
    assert (record["rows_read"], record["rows"], record["rows_quarantined"]) == (20 + len(bad), 20, len(bad))
    assert record["reasons"] == dict.fromkeys(sorted(REASONS), 1)
    expected = pd.DataFrame(bad, columns=HEADER, dtype="str").replace("", None)
    expected = expected.assign(source_row=range(7, 7 + len(bad)), reason=pd.Series([*REASONS], dtype="str"))
    pd.testing.assert_frame_equal(quarantined(), expected)


def test_rows_with_another_number_of_fields_are_kept(tmp_path):
    path = write_csv(tmp_path / "shop.csv", GOOD)
    text = path.read_text().splitlines()
    text[3:3] = ["a,b", "a,b,c,d,e,f,g,h,i"]
    text += ['1,A,"never closed,6,12/13/2010 8:26,3.39,17850,France', text[1]]
    path.write_text("\n".join(text))
    record = taken(path, quarantine_share_max=0.2)
    assert record["reasons"] == {"wrong number of fields, or a quote that is never closed": 4}
    found = quarantined()
    assert found["source_row"].tolist() == [4, 5, 24, 24]
    assert found["Country"].tolist()[1] == "h,i"
    assert record["rows"] == 20


def test_a_line_of_spaces_is_no_row(tmp_path):
    path = write_csv(tmp_path / "shop.csv", GOOD)
    path.write_text(path.read_text().replace("\n", "\n   \n", 3))
    record = taken(path)
    assert (record["rows_read"], record["rows"]) == (20, 20)


def test_line_breaks_inside_quotes_belong_to_the_text(tmp_path):
    taken(write_csv(tmp_path / "shop.csv", [changed(GOOD[0], Description='two\nlines, "quoted"')]))
    assert transactions()["description"].tolist() == ['two\nlines, "quoted"']


def test_rows_are_numbered_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("insiders.io.delivery.csv_file.BLOCK", 1000)
    bad = [number for number in range(2, 300) if number % 7 == 0]
    rows = [changed(GOOD[0], Quantity="x") if number in bad else GOOD[0] for number in range(2, 300)]
    path = write_csv(tmp_path / "shop.csv", rows)
    lines = path.read_text().splitlines()
    for misfit in bad[::2]:
        lines[misfit - 1] = "too,few"
    path.write_text("\n".join(lines))
    taken(path, quarantine_share_max=0.5)
    assert quarantined()["source_row"].tolist() == bad


IDS = {
    "17850.0": "17850",
    " 17850\t": "17850",
    "\xa017850": "17850",
    "00017850": "00017850",
    "A-17.0": "A-17.0",
    "17850.5": "17850.5",
    "NA": "NA",
    "0": "0",
} | dict.fromkeys(["", "nan", "NaN", "NULL", "None", "N/A"])


def test_ids_are_texts_without_traces_of_numbers(tmp_path):
    rows = [changed(GOOD[0], CustomerID=written, InvoiceNo=f"{n}.0") for n, written in enumerate(IDS, 10)]
    taken(write_csv(tmp_path / "shop.csv", rows))
    expected = pd.DataFrame({"invoice": [str(n) for n in range(10, 10 + len(IDS))], "customer_id": [*IDS.values()]})
    pd.testing.assert_frame_equal(transactions()[["invoice", "customer_id"]], expected.astype("str"))


def test_a_decimal_comma_is_told_or_declared(tmp_path):
    rows = [changed(GOOD[0], UnitPrice="1.234"), changed(GOOD[0], UnitPrice="2,5")]
    path = tmp_path / "shop.csv"
    path.write_text(
        "\n".join(";".join(row) for row in [HEADER, *[[cell.replace(";", "") for cell in row] for row in rows]])
    )
    assert taken(path)["decimal"] == ","
    assert transactions()["unit_price"].tolist() == ["2.5000", "1234.0000"]
    path = write_csv(path, rows[:1])
    with pytest.raises(InputError, match=r"'Quantity' and 'UnitPrice': numbers such as '1.234'"):
        taken(path)
    assert taken(path, decimal=".")["total"] == "7.4040"
    assert taken(path, decimal=",")["total"] == "7404.0000"


def test_an_ambiguous_date_is_refused_or_declared(tmp_path):
    path = write_csv(tmp_path / "shop.csv", ROWS[:1])
    with pytest.raises(InputError, match="column 'InvoiceDate' holds dates such as '12/1/2010 8:26'"):
        taken(path)
    taken(path, date_format="%d/%m/%Y %H:%M")
    assert transactions()["invoiced_at"].tolist() == [pd.Timestamp("2010-01-12 08:26")]
    with pytest.raises(InputError, match="not a date in the form"):
        taken(path, date_format="%Y-%m-%d")
    with pytest.raises(InputError, match=r"ingest\.date_format '%Q'"):
        taken(path, date_format="%Q")


def test_too_many_unreadable_rows_refuse_the_file_and_leave_the_last_good_one(tmp_path):
    taken(write_csv(tmp_path / "shop.csv", GOOD))
    before = {path.name: path.read_bytes() for path in paths.DATA.iterdir()}
    bad = [changed(GOOD[0], Quantity="x"), changed(GOOD[0], Quantity="y"), changed(GOOD[0], UnitPrice="€1")]
    with pytest.raises(InputError) as caught:
        taken(write_csv(tmp_path / "shop.csv", [*GOOD, *bad]))
    text = str(caught.value)
    assert "3 of 23 rows (13.04%) cannot be read; ingest.quarantine_share_max allows 1.00%" in text
    assert "2 x Quantity is not a number, first in row 22: 0 | 071053" in text
    assert "1 x UnitPrice holds a currency sign, first in row 24" in text
    assert {path.name: path.read_bytes() for path in paths.DATA.iterdir()} == before


def test_a_file_without_one_readable_row_is_refused_whatever_the_share(tmp_path):
    with pytest.raises(InputError, match="1 of 1 rows"):
        taken(write_csv(tmp_path / "shop.csv", [changed(GOOD[0], Quantity="x")]), quarantine_share_max=1.0)


def test_columns_named_like_ours_survive(tmp_path):
    header = [*HEADER[:-1], "Reason", ""]
    rows = [[*GOOD[0][:-1], "gift", "k"], [*changed(GOOD[0], Quantity="x")[:-1], "none", "l"]]
    record = taken(write_csv(tmp_path / "shop.csv", rows, header), quarantine_share_max=0.5)
    assert record["columns"]["country"] is None
    assert quarantined().columns.tolist() == [*HEADER[:-1], "Reason_", "column_9", "source_row", "reason"]


def delivered(rows: list[list[str]], folder: Path, parts: int) -> Path:
    folder.mkdir()
    for part in range(parts):
        columns = zip(*rows[part::parts], strict=True)
        parquet.write_table(pa.table(dict(zip(HEADER, map(list, columns), strict=True))), folder / f"{part}.parquet")
    return folder


@profile(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations(range(12)), st.integers(1, 4))
def test_neither_order_nor_split_changes_a_byte(tmp_path_factory, order, parts):
    rows = [changed(ROWS[number % 4], StockCode=str(number % 5)) for number in range(12)]
    found = []
    for each, count in ([*range(12)], 1), (order, parts):
        taken(delivered([rows[number] for number in each], tmp_path_factory.mktemp("shop") / "parts", count))
        found.append(paths.TRANSACTIONS.read_bytes())
    assert found[0] == found[1]


def declare(source: str) -> None:
    content = yaml.safe_load((REPOSITORY / "params.yaml").read_text(encoding="utf-8"))
    content["ingest"]["source"] = source
    Path("params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")


@pytest.mark.usefixtures("store")
def test_the_stage_writes_the_same_bytes_in_any_time_zone(tmp_path):
    taken(write_csv(tmp_path / "shop.csv"))
    expected = [paths.TRANSACTIONS.read_bytes(), paths.QUARANTINE.read_bytes()]
    declare("shop.csv")
    paths.TRUTH.write_bytes(b"of an earlier sample")
    environment = os.environ | {"TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-m", "insiders.stages.ingest"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert [paths.TRANSACTIONS.read_bytes(), paths.QUARANTINE.read_bytes()] == expected
    assert not paths.TRUTH.exists()
    assert not files.changed_since(tables.read_json(paths.SOURCE))


@pytest.mark.usefixtures("store")
def test_the_stage_ends_with_a_message_and_no_output():
    declare("no.csv")
    with pytest.raises(SystemExit, match=r"no\.csv: there is no such file or folder"):
        ingest.main()
    assert not paths.TRANSACTIONS.exists()
    assert not paths.SOURCE.exists()


@real
@pytest.mark.real
def test_the_facts_of_the_real_data():
    record = taken(REAL)
    assert (record["rows_read"], record["rows"], record["rows_quarantined"]) == (541_909, 541_909, 0)
    assert record["encoding"] == "latin-1"
    assert Decimal(record["total"]) == Decimal("9747747.934")
    table = pd.read_parquet(paths.TRANSACTIONS)
    distinct = table[["invoice", "product_code", "country", "customer_id"]].nunique().tolist()
    assert distinct == [25_900, 4_070, 38, 4_372]
    assert table["customer_id"].isna().sum() == 135_080
    assert table.duplicated().sum() == 5_268
    assert table["description"].isna().sum() == 1_454
    assert table["invoice"].str.startswith("C").sum() == 9_288
    assert (table["quantity"] < 0).sum() == 10_624
    assert table["description"].str.contains("£").sum() > 0
    assert table["invoiced_at"].agg(["min", "max"]).astype(str).tolist() == [
        "2010-12-01 08:26:00",
        "2011-12-09 12:50:00",
    ]
    assert table["invoiced_at"].is_monotonic_increasing

"""Every kind of source gives the same rows, and what is wrong with a source is said."""

import gzip
import zipfile
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy as sql
from pyarrow import parquet

from deliveries import (
    HEADER,
    ROWS,
    TRANSACTIONS,
    changed,
    csv_text,
    settings,
    taken,
    transactions,
    write_csv,
    write_workbook,
)
from insiders.errors import InputError
from insiders.io.delivery import blocks, files, sources
from insiders.io.digests import digest_of

TYPED = pa.table(
    {
        "Invoice": ["536365", "536365", "C536379", "536414"],
        "StockCode": pa.array(["85123A", "071053", "D", "22139"]).dictionary_encode(),
        "Description": ["WHITE HEART", 'LANTERN, 7" TALL', "Discount £5", None],
        "Quantity": pa.array([6, 6, -1, 56], pa.int32()),
        "InvoiceDate": pa.array(TRANSACTIONS["invoiced_at"], pa.timestamp("ns")),
        "Price": [2.55, 3.39, 27.5, 0.0],
        "Customer ID": [17850.0, 17850.0, 14527.0, None],
        "Country": ["United Kingdom", "United Kingdom", "France", "United Kingdom"],
        "tags": [["a"], [], None, ["b", "c"]],
    }
)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plain(folder: Path) -> Path:
    return write_csv(folder / "shop.csv")


def gzipped(folder: Path) -> Path:
    path = folder / "shop.csv.gz"
    path.write_bytes(gzip.compress(csv_text(ROWS).encode()))
    return path


def zipped(folder: Path) -> Path:
    path = folder / "shop.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("folder/data.csv", csv_text(ROWS))
        archive.writestr("__MACOSX/folder/._data.csv", "x")
    return path


def semicolons(folder: Path) -> Path:
    path = folder / "shop.csv"
    path.write_text(csv_text(ROWS, separator=";"), newline="")
    return path


def tabs(folder: Path) -> Path:
    path = folder / "shop.tsv"
    path.write_text(csv_text(ROWS, separator="\t"), newline="")
    return path


def marked(folder: Path) -> Path:
    path = folder / "shop.csv"
    path.write_text(csv_text(ROWS), encoding="utf-8-sig", newline="")
    return path


def latin(folder: Path) -> Path:
    path = folder / "shop.csv"
    path.write_text(csv_text(ROWS), encoding="latin-1", newline="")
    return path


def utf16(folder: Path) -> Path:
    path = folder / "shop.csv"
    path.write_text(csv_text(ROWS), encoding="utf-16", newline="")
    return path


def workbook(folder: Path) -> Path:
    rows = [
        [536365, "85123A", "WHITE HEART", 6, datetime(2010, 12, 1, 8, 26), 2.55, 17850, "United Kingdom"],
        [536365, "071053", 'LANTERN, 7" TALL', 6, datetime(2010, 12, 13, 8, 26), 3.39, 17850.0, "United Kingdom"],
        ["C536379", "D", "Discount £5", -1, datetime(2010, 12, 13, 9, 41), 27.5, "14527", "France"],
        [None] * 8,
        [536414, 22139, None, 56, datetime(2010, 12, 14, 11, 52), 0, None, "United Kingdom"],
    ]
    notes, first, second = [["read me"]], [HEADER, *rows[:2]], [HEADER, *rows[2:]]
    return write_workbook(folder / "shop.xlsx", {"notes": notes, "2009": first, "2010": second, "empty": []})


def zipped_workbook(folder: Path) -> Path:
    path = folder / "online+retail.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(workbook(folder), "Online Retail.xlsx")
    return path


def parquet_file(folder: Path) -> Path:
    path = folder / "shop.parquet"
    parquet.write_table(TYPED, path)
    return path


def parquet_folder(folder: Path) -> Path:
    path = folder / "shop"
    (path / "year=2010").mkdir(parents=True)
    parquet.write_table(TYPED.slice(2), path / "year=2010" / "a.parquet")
    shuffled = TYPED.slice(0, 2).select(TYPED.column_names[::-1])
    parquet.write_table(shuffled.set_column(5, "Quantity", pa.array(["6", "6"])), path / "b.parquet")
    return path


KINDS = [plain, gzipped, zipped, semicolons, tabs, marked, latin, utf16]
KINDS += [workbook, zipped_workbook, parquet_file, parquet_folder]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_every_kind_of_source_gives_the_same_transactions(make, tmp_path):
    record = taken(make(tmp_path))
    assert (record["rows_read"], record["rows"], record["rows_quarantined"]) == (4, 4, 0)
    assert record["total"] == "8.1400"  # 6 x 2.55 + 6 x 3.39 - 27.50
    pd.testing.assert_frame_equal(transactions(), TRANSACTIONS)


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    engine = sql.create_engine(url)
    table = sql.Table(
        "sales",
        sql.MetaData(),
        *(sql.Column(name, sql.Text) for name in HEADER if name not in ("InvoiceDate", "UnitPrice", "Quantity")),
        sql.Column("Quantity", sql.Integer),
        sql.Column("InvoiceDate", sql.DateTime),
        sql.Column("UnitPrice", sql.Float),
    )
    table.metadata.create_all(engine)
    typed = {"InvoiceDate": lambda text: datetime.strptime(text, "%m/%d/%Y %H:%M"), "Quantity": int, "UnitPrice": float}
    rows = [{name: typed.get(name, str)(value) for name, value in zip(HEADER, row, strict=True)} for row in ROWS]
    with engine.begin() as connection:
        connection.execute(table.insert(), rows)
    engine.dispose()
    return url


@pytest.mark.parametrize("which", [{"table": "sales"}, {"query": "select * from sales"}])
def test_a_database_gives_the_same_transactions(which, database):
    assert taken(database, **which)["rows"] == 4
    pd.testing.assert_frame_equal(transactions(), TRANSACTIONS)


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        ({}, "ingest.table or ingest.query"),
        ({"table": "a", "query": "select 1"}, "not both"),
        ({"table": "nothing"}, "nothing"),
        ({"query": "select * from elsewhere"}, "no such table: elsewhere"),
        ({"query": "select * from sales where 1 = 0"}, "no rows"),
    ],
)
def test_a_database_that_cannot_be_read_says_why(which, expected, database):
    with pytest.raises(InputError, match=expected):
        taken(database, **which)


def test_a_password_is_never_shown():
    url = "nonsense://ann:secret@host/db"  # pragma: allowlist secret
    with pytest.raises(InputError) as caught:
        taken(url, table="sales")
    assert "secret" not in str(caught.value)
    assert sources.shown(url) == "nonsense://host/db"
    assert sources.shown("data/a@b.csv") == "data/a@b.csv"


def zip_of(folder: Path, **files: str) -> Path:
    path = folder / "shop.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("_", "."), text)
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def parquet_of_no_text(folder: Path) -> Path:
    """A flipped byte in a text: whoever wrote the file has not seen it, and Arrow's reader does not look."""
    broken = pa.StringArray.from_buffers(1, pa.array([0, 6], pa.int32()).buffers()[1], pa.py_buffer(b"85\xb723A"))
    table = TYPED.slice(0, 1).set_column(1, "StockCode", broken)
    parquet.write_table(table, folder / "a.parquet", use_dictionary=False, write_statistics=False)
    return folder / "a.parquet"


UNREADABLE = {
    "missing": (lambda folder: folder / "no.csv", "no such file or folder"),
    "empty": (lambda folder: written(folder / "a.csv", b""), "it is empty"),
    "header only": (lambda folder: write_csv(folder / "a.csv", []), "no rows below its header"),
    "unknown ending": (lambda folder: written(folder / "a.doc", b"x"), "ending '.doc' is not known"),
    "empty folder": (lambda folder: folder, "no file that is read"),
    "two in a zip": (
        lambda folder: zip_of(folder, a_csv="x", b_csv="y"),
        "b.csv has the columns \\['y'\\], a.csv has \\['x'\\]",
    ),
    "none in a zip": (lambda folder: zip_of(folder, a_doc="x"), "found a.doc"),
    "broken zip": (lambda folder: written(folder / "a.zip", b"PK no"), "damaged"),
    "broken gzip": (
        lambda folder: written(folder / "a.csv.gz", gzip.compress(csv_text(ROWS * 99).encode())[:-20]),
        "damaged",
    ),
    "no gzip": (lambda folder: written(folder / "a.csv.gz", b"a,b"), "damaged"),
    "broken workbook": (lambda folder: written(folder / "a.xlsx", b"no"), "not a readable XLSX"),
    "broken parquet": (lambda folder: written(folder / "a.parquet", b"no"), "not a Parquet file"),
    "no text in parquet": (parquet_of_no_text, "Invalid UTF8"),
    "binary": (lambda folder: written(folder / "a.csv", b"PK\x03\x04\x00\x00"), "not text"),
    "UTF-16 without a mark": (lambda folder: written(folder / "a.csv", csv_text(ROWS).encode("utf-16-le")), "UTF-16"),
    "empty workbook": (lambda folder: write_workbook(folder / "a.xlsx", {"a": []}), "workbook is empty"),
    "other workbook": (lambda folder: write_workbook(folder / "a.xlsx", {"a": [["x", "y"], ["1", "2"]]}), "'x', 'y'"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_cannot_be_read_is_named_and_leaves_nothing(case, tmp_path):
    make, expected = UNREADABLE[case]
    path = make(tmp_path)
    with pytest.raises(InputError, match=expected) as caught:
        taken(path)
    assert str(path) in str(caught.value)
    assert not list(tmp_path.glob("data/*"))
    assert not list(tmp_path.glob("data/.*"))


def test_workbook_sheets_must_agree(tmp_path):
    sheets = {"a": [HEADER, ROWS[0]], "b": [HEADER[::-1], ROWS[0][::-1]]}
    with pytest.raises(InputError, match="sheet 'b' has the columns"):
        taken(write_workbook(tmp_path / "shop.xlsx", sheets))


def test_rows_that_two_sheets_share_come_twice(tmp_path):
    record = taken(write_workbook(tmp_path / "shop.xlsx", {"a": [HEADER, *ROWS[:3]], "b": [HEADER, *ROWS[2:]]}))
    assert (record["rows"], record["sheets"]) == (5, ["a", "b"])


def test_files_of_a_folder_must_have_the_same_columns(tmp_path):
    folder = parquet_folder(tmp_path)
    parquet.write_table(TYPED.drop_columns("Country"), folder / "c.parquet")
    with pytest.raises(InputError, match=r"c\.parquet has the columns"):
        taken(folder)


def test_a_folder_of_parquet_and_csv_is_refused_and_none_of_it_left_out(tmp_path):
    folder = parquet_folder(tmp_path)
    write_csv(folder / "late.csv", ROWS)
    with pytest.raises(InputError, match=r"files of several kinds"):
        taken(folder)


def test_what_lies_in_a_folder_and_is_no_data_is_not_read(tmp_path):
    folder = parquet_folder(tmp_path)
    whole = taken(folder)["rows"]
    for name in ("~$shop.xlsx", ".hidden.csv", "README.txt", "_log.csv", "notes.md"):
        (folder / name).write_text("not data")
    assert taken(folder)["rows"] == whole


def test_a_declared_encoding_is_used(tmp_path):
    path = written(tmp_path / "shop.csv", csv_text([changed(ROWS[0], Description="Łódź")] * 2).encode("iso8859-2"))
    taken(path, date_format="%m/%d/%Y %H:%M", encoding="iso8859-2")
    assert transactions()["description"].tolist() == ["Łódź", "Łódź"]
    with pytest.raises(InputError, match=r"ingest\.encoding 'utf-9'"):
        taken(path, encoding="utf-9")
    with pytest.raises(InputError, match="'utf-8' does not fit"):
        taken(path, encoding="utf-8")


def test_windows_letters_survive(tmp_path):
    path = written(tmp_path / "shop.csv", csv_text([changed(ROWS[1], Description="€ “x” £")]).encode("cp1252"))
    assert taken(path)["encoding"] == "cp1252"
    assert transactions()["description"].tolist() == ["€ “x” £"]


def test_another_digest_is_refused(tmp_path):
    path = plain(tmp_path)
    found = digest_of(path)
    assert taken(path, sha256=found.upper())["sha256"] == found
    with pytest.raises(InputError, match=f"its sha256 is {found}"):
        taken(path, sha256="0" * 64)


def test_changed_since(tmp_path):
    path = plain(tmp_path)
    record = taken(path)
    assert not files.changed_since(record)
    write_csv(path, ROWS[::-1])
    assert files.changed_since(record)  # as many bytes, others
    path.unlink()
    assert files.changed_since(record)
    assert not files.changed_since({"source": "sample"})


def test_a_changed_folder_is_seen(tmp_path):
    folder = parquet_folder(tmp_path)
    record = taken(folder)
    assert not files.changed_since(record)
    parquet.write_table(TYPED.slice(0, 1), folder / "c.parquet")
    assert files.changed_since(record)


def test_the_sample_is_read_like_any_file():
    small = settings("sample").model_copy(
        update={
            "simulate": settings("sample").simulate.model_copy(update={"customers": 40, "days": 60, "products": 60})
        }
    )
    source = sources.open_source(small)
    assert source.columns == tuple(HEADER)
    rows = sum(batch.num_rows for batch in source.blocks)
    assert rows == sum(table.num_rows for table in sources.shop(small).blocks())


def test_values_are_written_in_full():
    rows = [[Decimal("1E+3"), b"caf\xc3\xa9", "", 123456789012.0, 2.55]]
    batch = next(blocks.from_values(rows, list("abcde")))
    assert [each for each in batch.to_pylist()[0].values()][:5] == ["1000", "café", None, "123456789012", "2.55"]
    typed = pa.record_batch(
        {
            "float": [123456789012.0, 2.55, float("nan"), None, 1e300],
            "small": pa.array([2.5, 17850, None, 0, -1], pa.float32()),
            "list": [[1], None, [], [2, 3], [4]],
        }
    )
    assert next(blocks.as_text([typed], typed.schema.names)).select([0, 1, 2]).to_pydict() == {
        "float": ["123456789012", "2.55", None, None, "1e+300"],
        "small": ["2.5", "17850", None, "0", "-1"],
        "list": ["[1]", None, "[]", "[2, 3]", "[4]"],
    }


def test_a_time_is_the_one_that_the_clock_showed():
    stamps = pa.array([0], pa.timestamp("ns", "Asia/Tokyo"))
    typed = next(blocks.as_text([pa.record_batch({"at": stamps})], ["at"]))
    assert typed.to_pylist()[0]["at"] == "1970-01-01 09:00:00.000000"
    value = datetime(1970, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    assert next(blocks.from_values([[value]], ["at"])).to_pylist()[0]["at"] == "1970-01-01 09:00:00"


def test_a_file_that_changed_after_it_was_read_stops_the_run_and_says_what_to_do(tmp_path):
    path = tmp_path / "shop.csv"
    path.write_text("a\n1\n")
    record = {"source": str(path), **files.identity(path)}
    files.refuse_changed(record)
    path.write_text("a\n2\n")
    with pytest.raises(InputError, match=r"has changed since it was ingested.*dvc repro --force --single-item ingest"):
        files.refuse_changed(record)
    path.unlink()
    files.refuse_changed(record)  # what was read from it stands

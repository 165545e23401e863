"""Files, workbooks and MongoDB's protocol as stores: what is read back, by others' means, is what was published."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from pyarrow import csv, dataset

import databases
from insiders.errors import InputError
from insiders.io import stores
from insiders.io.stores import reading
from insiders.io.stores.folder import part
from insiders.io.stores.release import Outcome, Release, Store
from insiders.schemas.published import BY_NAME, TABLES
from published_tables import PUBLISHER, assert_read_back, release


def publish(address: str, made: Release) -> Outcome:
    return stores.open_store(address, "unused").publish(made, PUBLISHER)


def members(store: Store) -> int:
    current = store.current()
    return int(current["members"]) if current else 0


def rows(made: Release, name: str) -> list[dict[str, Any]]:
    [table] = [each for each in made.tables if each.shape.name == name]
    return [row for block in table.blocks() for row in block.to_pylist()]


def files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


# --- folders ---


def test_parquet_is_read_by_release_with_its_types(tmp_path: Path) -> None:
    first, second = release(1), release(2, 5)
    assert publish(f"parquet:{tmp_path}", first) == (True, 3 * len(TABLES))
    publish(f"parquet:{tmp_path}", second)
    for shape in TABLES:
        found = dataset.dataset(tmp_path / shape.name, partitioning="hive").to_table()
        assert found.num_rows == 8
        here = found.filter(pa.compute.field("release") == second.name).select(list(shape.columns))
        plain = [{**row, "release": str(row["release"])} for row in here.to_pylist()]
        assert plain == rows(second, shape.name)
    newest = f"(SELECT release FROM '{tmp_path}/releases.parquet' ORDER BY publication DESC LIMIT 1)"
    assert_read_back(stores.open_store(f"parquet:{tmp_path}", "unused"), second)
    listed = f"read_parquet('{tmp_path}/insiders/*/*.parquet', hive_partitioning = true)"
    [counted] = duckdb.sql(f"SELECT count(*) FROM {listed} WHERE release = {newest}").fetchall()
    assert counted == (5,)


def test_csv_is_safe_in_a_spreadsheet(tmp_path: Path) -> None:
    made = release(1)
    publish(f"csv:{tmp_path}", made)
    [path] = (tmp_path / "insiders").rglob("*.csv")
    found = csv.read_csv(path).to_pylist()
    assert [row["rank"] for row in found] == [1, 2, 3]
    assert [row["customer_id"] for row in found] == ["c0", "c1", "c2"]
    assert [row["net_revenue"] for row in found] == [-0.9, None, 1.1]
    formula = made.tables[0]._replace(blocks=lambda: iter([block_with(made, "=1+1")]))
    publish(f"csv:{tmp_path}", made._replace(digest="other", tables=(formula,)))
    [path] = (tmp_path / "customers").rglob("*.csv")
    assert {row["country"] for row in csv.read_csv(path).to_pylist()} == {"'=1+1"}


@pytest.mark.parametrize("place", ["csv:{}/folder", "{}/book.xlsx"])
def test_what_is_made_for_spreadsheets_is_not_read_back(place: str, tmp_path: Path) -> None:
    if place.endswith(".xlsx"):
        pytest.importorskip("xlsxwriter")
    address = place.format(tmp_path)
    publish(address, release(1))
    with pytest.raises(InputError, match=r"for (spreadsheets|people): publish "):
        reading.read(stores.open_store(address, "unused"), {"insiders": ["rank"]})


def block_with(made: Release, text: str) -> pa.RecordBatch:
    block = next(made.tables[0].blocks())
    place = block.schema.get_field_index("country")
    return block.set_column(place, "country", pa.array([text] * block.num_rows))


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_folder_follows_the_last_publication(form: str, tmp_path: Path) -> None:
    address = f"{form}:{tmp_path / 'new'}"
    store = stores.open_store(address, "unused")
    assert members(store) == 0
    publish(address, release(1, 4))
    before = files(tmp_path)
    assert publish(address, release(1, 4)) == (False, 0)
    assert files(tmp_path) == before
    publish(address, release(2, 3))
    assert members(store) == 3
    publish(address, release(1, 4))
    assert members(store) == 4
    publish(address, release(1, 2, " new"))  # the same name, another content
    assert members(store) == 2
    assert [path for path in tmp_path.rglob("*") if path.name.startswith(".new")] == []
    publish(address, release(1, 2, " third", without=("segments",)))
    assert [path.name for path in (tmp_path / "new" / "segments").iterdir()] == [part(release(2).name)]


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_a_release_that_fails_leaves_the_one_before(form: str, tmp_path: Path) -> None:
    address = f"{form}:{tmp_path}"
    publish(address, release(1))
    before = files(tmp_path)
    broken = release(2)
    last = broken.tables[-1]._replace(blocks=fails)
    with pytest.raises(RuntimeError, match="half way"):
        publish(address, broken._replace(tables=(*broken.tables[:-1], last)))
    assert files(tmp_path) == before


def fails() -> Iterator[pa.RecordBatch]:
    raise RuntimeError("half way")
    yield


@pytest.mark.parametrize("form", ["parquet:{}", "csv:{}", "{}.xlsx"])
def test_a_place_that_cannot_be_written_is_named(form: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    if form.endswith("xlsx"):
        pytest.importorskip("xlsxwriter")
    with pytest.raises(InputError, match="cannot be written: "):
        publish(form.format(tmp_path / "file" / "shop"), release(1))


def test_what_names_no_store_is_refused() -> None:
    with pytest.raises(InputError, match=r"shop names no store: expected parquet:FOLDER, .*FILE\.xlsx, mongodb://"):
        stores.open_store("shop", "unused")


# --- a workbook ---


def test_a_workbook_has_a_sheet_per_table_and_one_release(tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="xlsxwriter, an extra, is not installed: `make stores` installs it")
    from python_calamine import CalamineWorkbook

    path = tmp_path / "list.xlsx"
    publish(str(path), release(1, 4))
    assert publish(str(path), release(2)).is_new
    content = path.read_bytes()
    assert publish(str(path), release(2)) == (False, 0)
    assert path.read_bytes() == content
    assert members(stores.open_store(str(path), "unused")) == 3
    book = CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == ["releases", *(name for name in BY_NAME if name != "documents")]
    header, *found = book.get_sheet_by_name("insiders").to_python()
    expected = rows(release(2), "insiders")
    assert header == list(expected[0])
    assert [[cell_value(value) for value in row.values()] for row in expected] == found
    (tmp_path / "other.xlsx").write_bytes(b"no workbook")
    with pytest.raises(InputError, match="is no workbook that insiders publish wrote"):
        publish(str(tmp_path / "other.xlsx"), release(1))


def cell_value(value: Any) -> Any:
    return "" if value is None else float(value) if isinstance(value, int | Decimal) and value is not True else value


def test_a_table_that_no_sheet_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xlsxwriter")
    monkeypatch.setattr("insiders.io.stores.workbook.SHEET_ROWS", 2)
    with pytest.raises(InputError, match=r"customers has more than the 2 rows .*customers: \[\]"):
        publish(str(tmp_path / "list.xlsx"), release(1))
    assert list(tmp_path.iterdir()) == []


# --- MongoDB's protocol ---


@pytest.fixture(scope="module")
def mongo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of nx-27017, which keeps documents in SQLite: a double of MongoDB, not MongoDB."""
    if find_spec("pymongo") is None or find_spec("nx_27017") is None:
        pytest.skip("pymongo or nx-27017 is not installed: `make servers` installs them")
    port, folder = databases.free_port(), tmp_path_factory.mktemp("mongo")
    kept = ["--log-file", str(folder / "log"), "--pid-file", str(folder / "pid")]
    server = subprocess.Popen(
        [Path(sys.executable).parent / "nx-27017", "--port", str(port), "--db", "memory", *kept],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, server.poll)
        yield f"mongodb://127.0.0.1:{port}/insiders"
    finally:
        server.terminate()
        server.wait(30)


def wait_for(port: int, ended: Callable[[], int | None]) -> None:
    for _ in range(300):
        assert ended() is None
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail("the server does not answer")


def test_documents_have_their_keys_and_follow_the_last_publication(mongo: str) -> None:
    from pymongo import MongoClient

    first, second = release(1), release(2, 5)
    for made in (first, second):
        publish(mongo, made)
    assert publish(mongo, second) == (False, 0)
    assert_read_back(stores.open_store(mongo, "unused"), second)
    with MongoClient(mongo) as client:
        database = client.get_default_database()
        for shape in TABLES:
            found = list(database[shape.name].find({"release": second.name}))
            assert len(found) == 5
            expected = {identity(shape.key, row): plain(row) for row in rows(second, shape.name)}
            assert {each.pop("_id"): plain(each) for each in found} == expected
        publish(mongo, first)
        publish(mongo, release(1, 3, " new", without=("segments",)))
        assert database["segments"].distinct("release") == [second.name]
        publish(mongo, first)
        newest = next(iter(database["releases"].find().sort("publication", -1).limit(1)))
        assert (newest["release"], newest["publication"], newest["note"]) == (first.name, 5, "first list")


def identity(key: tuple[str, ...], row: dict[str, Any]) -> str:
    return "|".join(str(row[name]) for name in dict.fromkeys(("release", *key)))


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A document, or a row as one: money as a double, a day as a date at midnight."""

    def value(each: Any) -> Any:
        return each.date() if isinstance(each, datetime) else float(each) if isinstance(each, Decimal) else each

    return {name: value(each) for name, each in row.items()}


def test_a_server_out_of_reach_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pymongo")
    monkeypatch.setattr("insiders.io.stores.documents.PATIENCE_MS", 200)
    with pytest.raises(InputError, match=r"127\.0\.0\.1:1/shop: the database cannot be written: "):
        publish("mongodb://127.0.0.1:1/shop", release(1))

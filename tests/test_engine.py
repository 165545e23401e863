"""Tables on disk: the same bytes whatever wrote them, and nothing half written."""

from collections.abc import Iterator
from pathlib import Path

import ibis
import pandas as pd
import pandera.pandas as in_memory
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from customer_tables import customers
from insiders import schemas
from insiders.errors import InputError
from insiders.io import engine, paths, tables


@pytest.fixture(params=[1, 2, 5])
def con(request):
    opened = engine.connect(request.param)
    yield opened
    opened.disconnect()


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """More rows than one row group, with ties in the column that they are ordered by."""
    path = tmp_path_factory.mktemp("engine") / "rows.parquet"
    numbers = range(300_000)
    pq.write_table(pa.table({"at": [n * 7919 % 1000 for n in numbers], "text": [f"{n % 977}" for n in numbers]}), path)
    return path


@pytest.fixture(scope="module")
def seen():
    return set()


def test_threads_and_the_order_of_rows_change_no_byte(con, rows, seen, tmp_path):
    table = engine.scan(con, rows)
    engine.write(con, table, tmp_path / "once.parquet", None, ["at"])
    engine.write(con, table.order_by(table.text), tmp_path / "again.parquet", None, ["at"])
    seen |= {path.read_bytes() for path in tmp_path.iterdir()}
    assert len(seen) == 1


def test_sums_are_written_as_the_integers_that_they_are(con, rows, tmp_path):
    table = engine.scan(con, rows)
    written = engine.write(con, table.aggregate(total=table["at"].sum()), tmp_path / "sum.parquet", None, [])
    assert pq.read_schema(tmp_path / "sum.parquet").field("total").type == pa.int64()
    assert engine.fetch(con, written)["total"].tolist() == [149_850_000]


def test_a_table_that_breaks_its_contract_is_not_written(con, rows, tmp_path):
    from pandera.errors import SchemaErrors

    path = tmp_path / "orders.parquet"
    path.write_text("the last good one")
    with pytest.raises(SchemaErrors):
        engine.write(con, engine.scan(con, rows), path, schemas.ORDERS, ["at"])
    assert path.read_text() == "the last good one"
    assert [each.name for each in tmp_path.iterdir()] == ["orders.parquet"]


def test_a_table_that_is_not_there_is_named(con, tmp_path):
    with pytest.raises(InputError, match=r"lines.parquet is missing: run `dvc repro`"):
        engine.scan(con, tmp_path / "lines.parquet")


# --- more than fits ---


def test_what_does_not_fit_goes_to_the_disk_and_is_gone_at_the_end(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = (Path(__file__).parents[1] / "params.yaml").read_text(encoding="utf-8")
    Path("params.yaml").write_text(settings.replace("memory_limit: 3GB", "memory_limit: 60MB"), encoding="utf-8")
    Path("data").mkdir()
    con = engine.connect(1)
    numbers = ibis.range(0, 3_000_000).unnest().name("number").as_table()
    engine.materialize(con, numbers.mutate(text=numbers.number.cast("string").hexdigest("md5")))
    (spill,) = Path("data").iterdir()
    assert spill.name.startswith(paths.SPILLED)
    assert sum(file.stat().st_size for file in spill.iterdir()) > 10_000_000
    con.disconnect()
    assert list(Path("data").iterdir()) == []


def numbered_texts() -> ibis.Table:
    """A million rows, which are to be sorted."""
    numbers = ibis.range(0, 1_000_000).unnest().name("number").as_table()
    return numbers.mutate(text=numbers.number.cast("string").hexdigest("md5")).order_by("text")


def all_in_one_row(con, rows) -> object:
    return engine.fetch_row(con, rows.aggregate(texts=rows.text.collect()))


@pytest.mark.parametrize(
    "evaluate", [engine.materialize, all_in_one_row, lambda con, rows: list(engine.stream(con, rows))]
)
def test_too_little_memory_names_the_setting_that_mends_it(con, evaluate):
    con.raw_sql("SET memory_limit = '20MB'; SET temp_directory = ''")
    with pytest.raises(InputError, match=r"Out of Memory Error: .*; raise engine\.memory_limit in params\.yaml"):
        evaluate(con, numbered_texts())


def test_an_error_while_blocks_are_read_is_a_clear_one(con, monkeypatch):
    """Then the engine's own error comes by way of Arrow, as one of the operating system."""

    def blocks(*_: object) -> Iterator[object]:
        yield "block"
        raise OSError("Out of Memory Error: could not allocate block\nand more")

    monkeypatch.setattr(engine, "_reader", blocks)
    with pytest.raises(InputError, match=r"Out of Memory Error: could not allocate block; raise engine\.memory_limit"):
        list(engine.stream(con, numbered_texts()))


def test_a_table_in_parts_has_the_bytes_of_one_in_whole_as_far_as_a_part_goes(con, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frame = customers(60)
    parts = engine.frames(con, engine.scan_frame(con, frame), ["as_of", "customer_id"])
    tables.write_parts_together({Path("parts.parquet"): (parts, schemas.CUSTOMERS)})
    tables.write(frame.sort_values("customer_id"), Path("whole.parquet"), schemas.CUSTOMERS)
    assert Path("parts.parquet").read_bytes() == Path("whole.parquet").read_bytes()


def test_parts_are_row_groups_and_an_empty_table_is_one(con, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "ROW_GROUP", 2048)
    frame = pd.DataFrame({"customer_id": [f"{number:05d}" for number in range(5000)], "place": 1})
    schema = in_memory.DataFrameSchema({"customer_id": in_memory.Column("str"), "place": in_memory.Column("int64")})
    table = engine.scan_frame(con, frame).order_by("customer_id")
    for rows, expected in ((table, 3), (table.limit(0), 1)):
        tables.write_parts_together({tmp_path / "rows.parquet": (engine.frames(con, rows, ["customer_id"]), schema)})
        assert pq.ParquetFile(tmp_path / "rows.parquet").num_row_groups == expected
        assert (
            len(tables.read(tmp_path / "rows.parquet", schema)) == engine.fetch(con, rows.count().as_table()).iloc[0, 0]
        )


def test_a_key_that_two_parts_share_is_refused(tmp_path):
    from pandera.errors import SchemaErrors

    schema = in_memory.DataFrameSchema({"customer_id": in_memory.Column("str")}, unique=["customer_id"])
    parts = [pd.DataFrame({"customer_id": ids}, dtype="str") for ids in (["ann", "ben"], ["ben", "carl"])]
    with pytest.raises(SchemaErrors):
        tables.write_parts_together({tmp_path / "rows.parquet": (parts, schema)})
    assert list(tmp_path.iterdir()) == []

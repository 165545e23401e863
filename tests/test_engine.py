"""Tables on disk: the same bytes whatever wrote them, and nothing half written."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from insiders import schemas
from insiders.errors import InputError
from insiders.io import engine


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

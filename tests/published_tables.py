"""Releases of a few rows: every published table, with all kinds of values, as a store is handed it."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pyarrow as pa

from insiders.io.stores import reading
from insiders.io.stores.release import Publisher, Release, Store, Table, schema_of
from insiders.schemas.published import TABLES, Field, Published

PUBLISHER = Publisher(datetime(2026, 1, 2, 3, 4, 5), "ana", "first list")
AS_OF = date(2025, 12, 10)


def release(number: int, rows: int = 3, mark: str = "", without: tuple[str, ...] = ()) -> Release:
    """The release of month `number`, of so many rows a table; another `mark` is another content."""
    name = f"r/2025-{number:02d}-10/{number}"  # a text that began with a day the double of MongoDB takes for a day
    tables = [
        Table(shape, tuple(shape.columns), partial(blocks, shape, name, rows, mark))
        for shape in TABLES
        if shape.name not in without
    ]
    as_of = AS_OF.replace(month=number)
    return Release(name, as_of, str(number), "model", rows, "GBP", f"digest of {name}{mark}{rows}", tuple(tables))


def assert_read_back(store: Store, made: Release) -> None:
    """What a reader gets of the current release is what was published, money as a float."""
    wanted = {shape.name: [name for name in shape.columns if name != "release"] for shape in TABLES}
    found = reading.read(store, wanted)
    assert found is not None
    assert {name: found.row[name] for name in ("release", "digest", "members")} == {
        "release": made.name,
        "digest": made.digest,
        "members": made.members,
    }
    for table in made.tables:
        key = [name for name in table.shape.key if name != "release"]
        frame = found.tables[table.shape.name].sort_values(key)
        rows = [each for block in table.blocks() for each in block.to_pylist()]
        expected = sorted(rows, key=lambda each: tuple(each[name] for name in key))
        for name in wanted[table.shape.name]:
            values = frame[name].astype(object).where(frame[name].notna(), None)
            assert [_plain(each) for each in values] == [_plain(each[name]) for each in expected], name


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return float(value)
        case datetime():
            return value.date()
        case _:
            return value


def narrowed(made: Release, name: str) -> Release:
    """The release with no more of one table than the columns that cannot be left out."""

    def narrow(table: Table) -> Table:
        columns = tuple(each for each in table.columns if each in table.shape.fixed)
        return table._replace(columns=columns, blocks=lambda: (each.select(columns) for each in table.blocks()))

    return made._replace(tables=tuple(narrow(each) if each.shape.name == name else each for each in made.tables))


def blocks(shape: Published, name: str, rows: int, mark: str) -> Iterator[pa.RecordBatch]:
    """Half of the rows, and the other half."""
    schema = schema_of(shape)
    for numbers in (range(rows // 2), range(rows // 2, rows)):
        each = [{column: value(shape, column, number, name, mark) for column in shape.columns} for number in numbers]
        yield pa.RecordBatch.from_pylist(each, schema)


def value(shape: Published, column: str, number: int, release: str, mark: str) -> Any:
    """A value that tells the row apart, with everything that a text may hold; in every third row none, if it may."""
    if column == "release":
        return release
    where = shape.where
    if where and column == where.column:
        return where.values[0]
    if column not in shape.fixed and number % 3 == 1:
        return None
    return _of(shape.columns[column], column, number, mark)


def _of(field: Field, column: str, number: int, mark: str) -> Any:
    text = "" if number % 3 == 2 else f"{column} {number}{mark}: “é”, \"q\", 'a', \\N, 100%\n=1+1"
    kinds = {
        "id": f"c{number}" if column == "customer_id" else f"{column} {number}",
        "text": text,
        "day": AS_OF + timedelta(days=number),
        "money": Decimal(f"{number}.10") - 1,
        "share": 1 / (number + 3),
        "number": 1 / (number + 3),
        "count": number + 1,
        "flag": number % 2 == 0,
    }
    return kinds[field.kind]

"""MongoDB, or what speaks its protocol, as a store: a collection per table, a document per row.

Money is a double, rounded to two places, and a day a date at midnight. `_id` is the table's key, with the release
before it, joined by |. Readers take the documents of the release with the highest `publication` in `releases`, which a
single write moves. A release that is published again with other content is taken out of `releases` first: meanwhile
the one before it is current.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from insiders.errors import InputError
from insiders.io import addresses
from insiders.io.stores.release import (
    Columns,
    Outcome,
    Publisher,
    Release,
    Row,
    Rows,
    Table,
    is_current,
    newest,
    schema_to_read,
    with_release,
)
from insiders.schemas.published import BY_NAME, CUSTOMER_ID, RELEASES

if TYPE_CHECKING:
    import pyarrow as pa
    from pymongo.database import Database

DATABASE = "insiders"  # where the address names none
BATCH = 5_000  # documents sent together
PATIENCE_MS = 5_000  # until a server counts as out of reach


class Documents:
    """A store in the database that a mongodb:// address names."""

    def __init__(self, address: str) -> None:
        self.address = address

    def current(self) -> Row | None:
        with self._open("read") as database:
            return newest(_releases(database))

    def tables(self, columns: Columns, release: str) -> "dict[str, pa.Table]":
        with self._open("read") as database:
            return {name: _table(database, name, columns[name], release) for name in columns}

    def holds(self, row: Row) -> bool:
        with self._open("read") as database:
            return row in _releases(database)

    def publish(self, release: Release, publisher: Publisher) -> Outcome:
        with self._open("written") as database:
            rows = _releases(database)
            if is_current(release, rows):
                return Outcome(is_new=False, rows=0)
            database[RELEASES.name].delete_one({"_id": release.name})
            written = sum(_replace(database, table, release.name) for table in release.tables)
            for left_out in set(BY_NAME) - {table.shape.name for table in release.tables}:
                database[left_out].delete_many({"release": release.name})
            document = _document(with_release(rows, release, publisher)[-1])
            database[RELEASES.name].insert_one({"_id": release.name, **document})
        return Outcome(is_new=True, rows=written)

    @contextmanager
    def _open(self, done: str) -> "Iterator[Database[dict[str, Any]]]":
        try:
            import pymongo
        except ModuleNotFoundError as error:
            raise InputError(
                "the driver pymongo is not installed: `make stores` in a clone, or `pip install pymongo`, does it"
            ) from error
        try:
            with pymongo.MongoClient(addresses.expanded(self.address), serverSelectionTimeoutMS=PATIENCE_MS) as client:
                yield client.get_default_database(DATABASE)
        except pymongo.errors.PyMongoError as error:
            raise InputError(
                f"{addresses.shown(self.address)}: the database cannot be {done}: {_brief(error)}"
            ) from error


def _brief(error: Exception) -> str:
    """What the server says, without the documents that it says it of."""
    details: dict[str, Any] = getattr(error, "details", None) or {}
    refused = details.get("writeErrors") or [{"errmsg": str(error)}]
    return str(refused[0]["errmsg"]).splitlines()[0]


def _releases(database: "Database[dict[str, Any]]") -> Rows:
    return list(database[RELEASES.name].find())


def _table(database: "Database[dict[str, Any]]", name: str, columns: Sequence[str], release: str) -> "pa.Table":
    """The columns that the documents have; all of them where there are no documents."""
    import pyarrow as pa

    found = list(database[name].find({"release": release}, {"_id": False, **dict.fromkeys(columns, True)}))
    there = [each for each in columns if each in found[0]] if found else columns
    return pa.Table.from_pylist(found, schema_to_read(BY_NAME[name], there))


def _replace(database: "Database[dict[str, Any]]", table: Table, release: str) -> int:
    """Write a table's documents in place of those of the same release."""
    collection = database[table.shape.name]
    collection.create_index("release")
    if CUSTOMER_ID in table.columns:
        collection.create_index(CUSTOMER_ID)
    collection.delete_many({"release": release})
    key = tuple(dict.fromkeys(("release", *table.shape.key)))
    written = 0
    for documents in _batches(table):
        for each in documents:
            each["_id"] = "|".join(_plain(each[name]) for name in key)
        collection.insert_many(documents, ordered=False)
        written += len(documents)
    return written


def _batches(table: Table) -> Iterator[Rows]:
    for block in table.blocks():
        for start in range(0, block.num_rows, BATCH):
            yield [_document(row) for row in block.slice(start, BATCH).to_pylist()]


def _document(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    """What is exact or a mere day elsewhere, in the types that every tool on MongoDB adds up and sorts."""
    match value:
        case datetime():
            return value
        case date():
            return datetime.combine(value, time())
        case Decimal():
            return float(value)
        case _:
            return value


def _plain(value: Any) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, datetime) else str(value)

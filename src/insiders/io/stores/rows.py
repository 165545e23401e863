"""Rows into a table of a database: by COPY in its own binary form to PostgreSQL, else many in one statement."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sql

from insiders.io.stores.release import Table, schema_of

STATEMENT_ROWS = 5_000
INDEX_MEMORY = "256MB"  # of PostgreSQL's server, while it makes an index


def write(connection: sql.Connection, target: sql.Table, table: Table) -> int:
    """Append all rows of a table, block by block; returns their number."""
    write_all = _copy if connection.dialect.driver == "psycopg" else _insert
    return write_all(connection, target, table)


@contextmanager
def indexed_at_the_end(connection: sql.Connection, tables: Iterable[sql.Table]) -> Iterator[None]:
    """Have PostgreSQL work out keys and indexes of new tables once their rows are there: in half of the time."""
    if connection.dialect.name != "postgresql":
        yield
        return
    tables = list(tables)
    for table in tables:
        connection.execute(sql.schema.DropConstraint(table.primary_key))
        for index in _indexes(table):
            connection.execute(sql.schema.DropIndex(index))
    yield
    connection.exec_driver_sql(f"SET LOCAL maintenance_work_mem = '{INDEX_MEMORY}'")
    for table in tables:
        connection.execute(sql.schema.AddConstraint(table.primary_key))
        for index in _indexes(table):
            connection.execute(sql.schema.CreateIndex(index))


def _indexes(table: sql.Table) -> list[sql.Index]:
    return sorted(table.indexes, key=lambda index: str(index.name))


def _copy(connection: sql.Connection, target: sql.Table, table: Table) -> int:
    """Send all blocks by one COPY, each while PostgreSQL still stores those before it."""
    from pgpq import ArrowToPostgresBinaryEncoder
    from psycopg.copy import QueuedLibpqWriter

    quote = connection.dialect.identifier_preparer
    names = ", ".join(map(quote.quote, table.columns))
    statement = f"COPY {quote.format_table(target)} ({names}) FROM STDIN (FORMAT binary)"
    encoder = ArrowToPostgresBinaryEncoder(schema_of(table.shape, table.columns))
    driver: Any = connection.connection.driver_connection
    written = 0
    try:
        with driver.cursor() as cursor, cursor.copy(statement, writer=QueuedLibpqWriter(cursor)) as copy:
            copy.write(encoder.write_header())
            for block in table.blocks():
                copy.write(encoder.write_batch(block))
                written += block.num_rows
            copy.write(encoder.finish())
    except connection.dialect.loaded_dbapi.Error as error:
        raise sql.exc.DBAPIError(statement, None, error) from error
    return written


def _insert(connection: sql.Connection, target: sql.Table, table: Table) -> int:
    written = 0
    for block in table.blocks():
        for start in range(0, block.num_rows, STATEMENT_ROWS):
            connection.execute(sql.insert(target), block.slice(start, STATEMENT_ROWS).to_pylist())
        written += block.num_rows
    return written

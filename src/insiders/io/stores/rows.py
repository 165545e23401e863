"""Rows into a table of a database: by COPY where PostgreSQL takes it, else many in one statement."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from insiders.io.stores.release import Table

if TYPE_CHECKING:
    import pyarrow as pa

STATEMENT_ROWS = 5_000


def write(connection: sql.Connection, target: sql.Table, table: Table) -> int:
    """Append all rows of a table, block by block; returns their number."""
    write_block = _copy if connection.dialect.driver == "psycopg" else _insert
    written = 0
    for block in table.blocks():
        write_block(connection, target, block)
        written += block.num_rows
    return written


def _copy(connection: sql.Connection, target: sql.Table, block: "pa.RecordBatch") -> None:
    """Send a block as CSV; text stands in quotes and what is missing does not, so that both can be told apart."""
    from pyarrow import csv

    buffer = BytesIO()
    csv.write_csv(block, buffer, csv.WriteOptions(include_header=False))
    quote = connection.dialect.identifier_preparer
    names = ", ".join(map(quote.quote, block.schema.names))
    statement = f"COPY {quote.format_table(target)} ({names}) FROM STDIN (FORMAT csv)"
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(buffer.getbuffer())
    except connection.dialect.loaded_dbapi.Error as error:
        raise sql.exc.DBAPIError(statement, None, error) from error


def _insert(connection: sql.Connection, target: sql.Table, block: "pa.RecordBatch") -> None:
    for start in range(0, block.num_rows, STATEMENT_ROWS):
        connection.execute(sql.insert(target), block.slice(start, STATEMENT_ROWS).to_pylist())

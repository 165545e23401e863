"""The engine that evaluates the tables of invoice lines: DuckDB, on this machine's cores."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from insiders.io.tables import atomic_write, require

Table = Any  # Ibis has no types that mypy could follow
Connection = Any

_numbers = count()


def connect(threads: int | None = None) -> Connection:
    """Open an engine in memory, on all cores unless told. The time zone of the machine plays no part."""
    import ibis

    con = ibis.duckdb.connect(**({} if threads is None else {"threads": threads}))
    con.raw_sql("SET TimeZone = 'UTC'")
    return con


def scan(con: Connection, path: Path) -> Table:
    """Open a Parquet table that an earlier stage made; its rows are read when they are needed."""
    require(path)
    return con.read_parquet(path)


def materialize(con: Connection, expr: Table) -> Table:
    """Evaluate once what is used more than once."""
    return con.create_table(f"kept_{next(_numbers)}", expr, temp=True)


def fetch(con: Connection, expr: Table) -> Any:
    """Evaluate a small table into a pandas frame."""
    return con.to_pyarrow(expr).to_pandas()


def fetch_row(con: Connection, expr: Table) -> tuple[Any, ...]:
    """Evaluate a table of one row into Python values; unlike `fetch` it does without pandas, which takes a while."""
    (found,) = con.raw_sql(con.compile(expr)).fetchall()
    return found


def fetch_records(expr: Table) -> list[dict[str, Any]]:
    """Evaluate a small table into one dictionary per row; it does without pandas too."""
    con = expr.get_backend()
    kept = materialize(con, expr)
    return [dict(zip(kept.columns, each, strict=True)) for each in con.raw_sql(con.compile(kept)).fetchall()]


def write(con: Connection, expr: Table, path: Path, schema: Any, order_by: Sequence[str]) -> Table:
    """Check a table against its contract and write it as Parquet, its rows in an order that leaves nothing open.

    So the bytes are the same whatever the order of the input's rows and the number of threads.
    """
    table = materialize(con, expr)
    checked = table if schema is None else schema.validate(table, lazy=True).select(list(schema.columns))
    rest = [name for name in checked.columns if name not in order_by]
    with atomic_write(path) as temporary:
        con.to_parquet(checked.order_by([*order_by, *rest]), temporary, compression="zstd", row_group_size=122_880)
    return checked

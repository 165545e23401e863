"""The engine that evaluates the tables of invoice lines: DuckDB, on this machine's cores, or for two stages Spark."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

from insiders.errors import InputError
from insiders.io import params, paths, spark, written
from insiders.io.tables import atomic_write, require

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd
    import pyarrow as pa
    from ibis.backends.duckdb import Backend as DuckDB
    from ibis.backends.pyspark import Backend as Spark
    from pandera.ibis import DataFrameSchema

STREAM_ROWS = 50_000  # of a block
CODED_ROWS = 1_000_000  # of a block whose texts become numbers: each names its own texts once
ROW_GROUP = 122_880  # rows, DuckDB's own unit of work
MORE_MEMORY = "raise engine.memory_limit in params.yaml, or make room where engine.spill_folder is"

Backend = Union["DuckDB", "Spark"]

_numbers = count()


@contextmanager
def session() -> Iterator["Backend"]:
    """The engine that params.yaml names (`engine.kind`), until the block ends. The tables are the same of either."""
    settings = params.read().engine
    if settings.kind == "duckdb":
        yield connect()
        return
    with spark.session(settings) as con:
        yield con


def connect(threads: int | None = None) -> "DuckDB":
    """Open DuckDB on all cores, or on so many threads, within the limits of params.yaml (`engine`).

    Its tables lie in memory, and on the disk where they are too large. The machine's time zone has no effect.
    """
    import ibis

    con = ibis.duckdb.connect(**({} if threads is None else {"threads": threads}))
    con.raw_sql("SET TimeZone = 'UTC'")
    con.raw_sql("SET enable_progress_bar = false")  # it would stand between the lines that a command prints
    _limit(con)
    return con


def _limit(con: "DuckDB") -> None:
    """Outside of a project, where nothing is set, the engine takes what it takes by itself."""
    folder = tempfile.gettempdir()
    if params.PATH.exists():
        limits = params.read().engine
        con.raw_sql(f"SET memory_limit = '{limits.memory_limit}'")
        folder = limits.spill_folder
    # Of this process alone: two engines in one folder would write into each other's files.
    spill = str(Path(folder) / f"{paths.SPILLED}{os.getpid()}").replace("'", "''")
    con.raw_sql(f"SET temp_directory = '{spill}'")


@contextmanager
def _explained() -> Iterator[None]:
    """InputError where the disk or the memory is full; what was there stays."""
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException, OSError) as error:  # OSError: while Arrow reads blocks
        reason = str(error).splitlines()[0]
        mend = MORE_MEMORY if reason.startswith("Out of Memory") else "make room on the disk"
        raise InputError(f"the tables cannot be worked out: {reason}; {mend}") from error


def scan(con: "Backend", path: Path) -> "ir.Table":
    """Open a Parquet table as an earlier stage wrote it; its rows are read when an expression needs them."""
    require(path)
    written.refuse_changed(path)
    return _scan(con, path)


def _scan(con: "Backend", path: Path) -> "ir.Table":
    return spark.scan(con, path) if con.name == spark.NAME else con.read_parquet(path)


def scan_csv(con: "DuckDB", path: Path) -> "ir.Table":
    """Open a CSV table that an earlier stage made: every column is text, what is empty is missing."""
    require(path)
    written.refuse_changed(path)
    return con.read_csv(path, all_varchar=True, header=True, delim=",", quote='"', escape='"', strict_mode=True)


def scan_frame(con: "DuckDB", frame: "pd.DataFrame") -> "ir.Table":
    """Open a small table that lies in memory."""
    import pyarrow as pa

    name = f"frame_{next(_numbers)}"  # Ibis 12's own way writes a statement that DuckDB 2.0 does not read
    con.con.register(name, pa.Table.from_pandas(frame, preserve_index=False))
    return con.table(name)


def materialize(con: "Backend", expr: "ir.Table") -> "ir.Table":
    """Evaluate an expression into a temporary table, for what is used more than once."""
    if con.name == spark.NAME:
        return spark.materialize(con, expr)
    with _explained():
        return con.create_table(f"materialized_{next(_numbers)}", expr, temp=True)


def view(expr: "ir.Table") -> "ir.Table":
    """The same rows as a table of its own: what is asked of it is worked out without the columns that it leaves out.

    Ibis binds every column of a table anew for each expression, which of thousands of columns takes seconds.
    """
    con: DuckDB = expr.get_backend()
    return con.create_view(f"view_{next(_numbers)}", expr)


def fetch(con: "Backend", expr: "ir.Table") -> "pd.DataFrame":
    """Evaluate a small table into a pandas frame."""
    with _on_duckdb(con, expr) as (local, table), _explained():
        return local.to_pyarrow(table).to_pandas()


def fetch_coded(con: "DuckDB", expr: "ir.Table", names: Sequence[str]) -> "pd.DataFrame":
    """Evaluate a table of many rows in which these texts repeat: they become categories, in order."""
    import pyarrow as pa

    schema = expr.schema().to_pyarrow()
    for name in names:
        place = schema.get_field_index(name)
        schema = schema.set(place, schema.field(place).with_type(pa.dictionary(pa.int32(), pa.string())))
    with _explained():
        blocks = (_coded(each, names) for each in _reader(con, expr, CODED_ROWS))  # once in a frame, they are gone
        frame: pd.DataFrame = pa.Table.from_batches(blocks, schema).unify_dictionaries().to_pandas()
    ordered = {name: frame[name].cat.set_categories(sorted(frame[name].cat.categories)) for name in names}
    return frame.assign(**ordered)


def _coded(block: "pa.RecordBatch", names: Sequence[str]) -> "pa.RecordBatch":
    for name in names:
        block = block.set_column(block.schema.get_field_index(name), name, block[name].dictionary_encode())
    return block


def frames(con: "Backend", expr: "ir.Table", order_by: Sequence[str]) -> Iterator["pd.DataFrame"]:
    """Evaluate a table of any size, sorted, into frames of ROW_GROUP rows; an empty one into an empty frame."""
    with _on_duckdb(con, expr) as (local, table), _explained():
        reader = _reader(local, table.order_by(order_by), ROW_GROUP)
        first = next(reader, None)
        yield reader.schema.empty_table().to_pandas() if first is None else first.to_pandas()
        yield from (each.to_pandas() for each in reader)


def stream(con: "DuckDB", expr: "ir.Table") -> Iterator["pa.RecordBatch"]:
    """Evaluate a table of any size block by block."""
    with _explained():
        yield from _reader(con, expr, STREAM_ROWS)


@contextmanager
def _on_duckdb(con: "Backend", expr: "ir.Table") -> "Iterator[tuple[DuckDB, ir.Table]]":
    """A table where DuckDB reads it: its own, or what Spark has worked out, of the same types."""
    if con.name != spark.NAME:
        yield con, expr
        return
    with spark.parts(con, expr) as files:
        local = connect()
        yield local, local.read_parquet(files).cast(expr.schema())


def _reader(con: "DuckDB", expr: "ir.Table", rows: int) -> "pa.RecordBatchReader":
    # Ibis 12's own way calls a function that DuckDB 2.0 no longer has.
    return con.con.sql(_statement(con, expr)).to_arrow_reader(rows)


def _statement(con: "Backend", expr: "ir.Table") -> str:
    """The SQL of an expression; the engine is told of its tables in memory, as by all of Ibis's own ways."""
    con._run_pre_execute_hooks(expr)
    return con.compile(expr)


def fetch_row(con: "Backend", expr: "ir.Table") -> tuple[Any, ...]:
    """Evaluate a table of one row into Python values; unlike `fetch` without pandas, whose import takes a while."""
    (row,) = _rows(con, expr)
    return row


def fetch_records(expr: "ir.Table") -> list[dict[str, Any]]:
    """Evaluate a small table into one dictionary per row, without pandas too."""
    rows = _rows(expr.get_backend(), expr)
    return [dict(zip(expr.columns, row, strict=True)) for row in rows]


def _rows(con: "Backend", expr: "ir.Table") -> list[tuple[Any, ...]]:
    if con.name == spark.NAME:
        return spark.rows(con, expr)
    with _explained():
        return con.raw_sql(_statement(con, expr)).fetchall()


def write(
    con: "Backend", expr: "ir.Table", path: Path, schema: "DataFrameSchema | None", order_by: Sequence[str]
) -> "ir.Table":
    """Check a table against its contract and write it as Parquet; returns the checked table.

    Rows are sorted by `order_by` and then by all other columns, so that the bytes depend neither on the order of the
    input's rows nor on the number of threads nor on the engine: which columns are marked as never empty is read off
    the rows of a table of DuckDB's own.
    """
    typed = _typed(expr, schema) if con.name == spark.NAME else expr
    with _on_duckdb(con, typed) as (local, table):
        valid = _valid(materialize(local, table), schema)
        _store(local, valid, path, order_by)
    return valid if local is con else _scan(con, path)


def _typed(expr: "ir.Table", schema: "DataFrameSchema | None") -> "ir.Table":
    return expr if schema is None else expr.cast({name: each.dtype.type for name, each in schema.columns.items()})


def _valid(table: "ir.Table", schema: "DataFrameSchema | None") -> "ir.Table":
    return table if schema is None else schema.validate(table, lazy=True).select(list(schema.columns))


def _store(con: "DuckDB", table: "ir.Table", path: Path, order_by: Sequence[str]) -> None:
    others = [name for name in table.columns if name not in order_by]
    with atomic_write(path) as temporary, _explained():
        con.to_parquet(table.order_by([*order_by, *others]), temporary, compression="zstd", row_group_size=ROW_GROUP)

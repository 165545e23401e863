"""Rows on their way in: Arrow blocks of text columns, as the source writes them, with the number of each row."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insiders.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

ROW, PROBLEM = "source_row", "reason"
EXACT = 2.0**53  # below it a float holds every whole number
ROWS = 50_000  # in a block made of Python values


def block(
    columns: Sequence[Any], names: Sequence[str], numbers: "pa.Array", problem: str | None = None
) -> "pa.RecordBatch":
    """Make a block of rows: text columns, the number of each row, and what is wrong with all of them, if anything."""
    import pyarrow as pa

    # In the common case no Python value is turned into an Arrow one, for which Arrow would import pandas.
    reasons = pa.nulls(len(numbers), pa.string()) if problem is None else pa.repeat(problem, len(numbers))
    return pa.RecordBatch.from_arrays([*columns, numbers, reasons], names=[*names, ROW, PROBLEM])


def named(header: Sequence[str]) -> tuple[str, ...]:
    """Give the columns' names without surrounding space; one without a name gets its place, ours are kept apart.

    A name that comes again, in whatever letters, gets its number: "Status (2)".
    """
    names = [name.strip().strip("\ufeff") or f"column_{place}" for place, name in enumerate(header, 1)]
    apart = [f"{name}_" if name.casefold() in (ROW, PROBLEM) else name for name in names]
    folded = [name.casefold() for name in apart]
    times = [folded[: place + 1].count(name) for place, name in enumerate(folded)]
    return tuple(name if time == 1 else f"{name} ({time})" for name, time in zip(apart, times, strict=True))


def from_values(rows: Iterable[Sequence[Any]], names: Sequence[str], first: int = 1) -> Iterator["pa.RecordBatch"]:
    """Write rows of Python values as text, and number them from `first` on."""
    import pyarrow as pa

    numbered = enumerate(rows, first)
    while some := list(islice(numbered, ROWS)):
        texts = zip(*(map(_written, row) for _, row in some), strict=True)
        numbers = pa.array([number for number, _ in some], pa.int64())
        yield block([pa.array(column, pa.string()) for column in texts], names, numbers)


def _written(value: Any) -> str | None:
    match value:
        case None | "":
            return None
        case float() if value.is_integer() and abs(value) < EXACT:
            return str(int(value))
        case bytes():
            return value.decode("utf-8", errors="replace")
        case datetime():
            return str(value.replace(tzinfo=None))
        case Decimal():
            return format(value, "f")
        case _:
            return str(value)


def renumbered(batches: Iterable["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
    """Count the rows of several files through."""
    import pyarrow as pa

    first = 1
    for batch in batches:
        place = batch.schema.get_field_index(ROW)
        yield batch.set_column(place, ROW, pa.arange(first, first + batch.num_rows))
        first += batch.num_rows


def as_text(batches: Iterable["pa.RecordBatch"], names: Sequence[str]) -> Iterator["pa.RecordBatch"]:
    """Write typed columns as text, and number the rows."""
    import pyarrow as pa

    first = 1
    for batch in batches:
        yield block([_text(each) for each in batch.columns], names, pa.arange(first, first + batch.num_rows))
        first += batch.num_rows


def _text(column: "pa.Array") -> "pa.Array":
    """Write one column as text; a time in a zone as the clock there showed it."""
    import pyarrow as pa
    from pyarrow import compute

    if pa.types.is_timestamp(column.type):
        column = (compute.local_timestamp(column) if column.type.tz else column).cast(pa.timestamp("us"), safe=False)
    if pa.types.is_floating(column.type):
        return _float_text(column.cast(pa.float64()))
    try:
        return column.cast(pa.string())
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):  # lists and structs, which no column of ours is
        return pa.array([None if each is None else str(each) for each in column.to_pylist()], pa.string())


def _float_text(column: "pa.Array") -> "pa.Array":
    """Write whole numbers in full, since they may be ids; NaN is how pandas writes a missing one."""
    import pyarrow as pa
    from pyarrow import compute

    column = compute.if_else(compute.is_nan(column), pa.scalar(None, pa.float64()), column)
    is_whole = compute.and_(compute.equal(compute.floor(column), column), compute.less(compute.abs(column), EXACT))
    whole = compute.if_else(is_whole, column, 0.0).cast(pa.int64()).cast(pa.string())
    return compute.if_else(is_whole, whole, column.cast(pa.string()))


def store(blocks: Iterable["pa.RecordBatch"], path: Path) -> int:
    """Write the blocks to a Parquet file and count their rows, which is what all later tables must add up to."""
    from concurrent.futures import Future, ThreadPoolExecutor

    from pyarrow import parquet

    rows, writer, written = 0, None, Future[None]()
    written.set_result(None)
    try:
        with ThreadPoolExecutor(1) as thread:  # a block is written while the next one is read
            for each in blocks:
                writer = writer or parquet.ParquetWriter(path, each.schema, compression="lz4", write_statistics=False)
                written.result()
                written = thread.submit(writer.write_batch, each)
                rows += each.num_rows
            written.result()
    finally:
        if writer:
            writer.close()
    if not rows:
        raise InputError("it holds no rows below its header: expected at least one invoice line")
    return rows

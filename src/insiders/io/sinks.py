"""Files for invoice lines that are too many for the memory: written block by block, visible whole or not at all."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from insiders.errors import InputError
from insiders.io.tables import atomic_write

if TYPE_CHECKING:
    import pyarrow as pa

CSV_ENCODING = "latin-1"  # that of the real file


def write_shop(blocks: Iterable["pa.Table"], path: Path) -> None:
    """Stream at least one block of invoice lines to `.parquet` or, in the real file's form, to `.csv`."""
    if path.suffix not in {".parquet", ".csv"}:
        raise InputError(f"{path} ends in {path.suffix!r}: expected .parquet or .csv; choose one of the two")
    with atomic_write(path) as temporary:
        if path.suffix == ".parquet":
            _write_parquet(blocks, temporary)
        else:
            _write_csv(blocks, temporary)


def _write_parquet(blocks: Iterable["pa.Table"], path: Path) -> None:
    import pyarrow.parquet as pq

    rest = iter(blocks)
    first = next(rest)
    with pq.ParquetWriter(path, first.schema) as writer:
        for block in chain([first], rest):
            writer.write_table(block)


def _write_csv(blocks: Iterable["pa.Table"], path: Path) -> None:
    with path.open("wb") as file:
        for number, block in enumerate(blocks):
            _append_csv(block, file, with_header=number == 0)


def _append_csv(block: "pa.Table", file: IO[bytes], *, with_header: bool) -> None:
    import pyarrow as pa
    from pyarrow import csv

    position = block.column_names.index("InvoiceDate")
    block = block.set_column(position, "InvoiceDate", _us_date_times(block["InvoiceDate"]))
    buffer = pa.BufferOutputStream()
    csv.write_csv(
        block, buffer, csv.WriteOptions(include_header=with_header, quoting_style="none", quoting_header="none")
    )
    text = buffer.getvalue().to_pybytes().decode()
    file.write(text.replace("\n", "\r\n").encode(CSV_ENCODING))


def _us_date_times(timestamps: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """Write month/day/year hour:minute; only the minute has a leading zero."""
    import pyarrow as pa
    import pyarrow.compute as pc

    month, day, year, hour = (
        getattr(pc, unit)(timestamps).cast(pa.string()) for unit in ("month", "day", "year", "hour")
    )
    minute = pc.utf8_lpad(pc.minute(timestamps).cast(pa.string()), 2, "0")
    date = pc.binary_join_element_wise(month, day, year, "/")
    return pc.binary_join_element_wise(date, pc.binary_join_element_wise(hour, minute, ":"), " ")

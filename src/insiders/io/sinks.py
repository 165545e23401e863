"""Where tables go that are too large to hold: written block by block, visible as a whole or not at all."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import IO, TYPE_CHECKING

from insiders.errors import InputError
from insiders.io.tables import atomic_write

if TYPE_CHECKING:
    import pyarrow as pa

CSV_ENCODING = "latin-1"  # as the real file's


def write_shop(blocks: Iterable["pa.Table"], path: Path) -> None:
    """Stream invoice lines to `.parquet` or, in the real file's form, to `.csv`; at least one block."""
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

    place = block.column_names.index("InvoiceDate")
    block = block.set_column(place, "InvoiceDate", _american(block["InvoiceDate"]))
    buffer = pa.BufferOutputStream()
    csv.write_csv(
        block, buffer, csv.WriteOptions(include_header=with_header, quoting_style="none", quoting_header="none")
    )
    text = buffer.getvalue().to_pybytes().decode()
    file.write(text.replace("\n", "\r\n").encode(CSV_ENCODING))


def _american(stamps: "pa.ChunkedArray") -> "pa.ChunkedArray":
    """month/day/year hour:minute, the first four without leading zeros."""
    import pyarrow as pa
    import pyarrow.compute as pc

    month, day, year, hour = (getattr(pc, part)(stamps).cast(pa.string()) for part in ("month", "day", "year", "hour"))
    minute = pc.utf8_lpad(pc.minute(stamps).cast(pa.string()), 2, "0")
    on = pc.binary_join_element_wise(month, day, year, "/")
    return pc.binary_join_element_wise(on, pc.binary_join_element_wise(hour, minute, ":"), " ")

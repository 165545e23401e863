"""A database read again: only the parts of it that hold other rows than when they were last read.

A part is all rows whose dates begin with the same characters: a day, or what is one as the database writes dates. The
database works out the digest of each part, so that a late line, a correction or a deletion shows, whatever day it
bears, without any column that would have to tell of it. The rows of all other parts are those of the last reading,
which lies in one file with its digests: where the file is missing or damaged, or of other columns, everything is read.
"""

import json
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import reduce
from itertools import chain
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql

from insiders import __version__
from insiders.errors import InputError
from insiders.io.delivery import blocks, columns, database, database_sample
from insiders.io.delivery.blocks import PROBLEM, ROW
from insiders.io.delivery.database import Delivery
from insiders.io.params import Ingest
from insiders.io.tables import atomic_write

if TYPE_CHECKING:
    import pyarrow as pa

PART = " part"  # no column of a delivery has a name that begins with a space
PART_LENGTH = 10  # characters of a date that make a part: YYYY-MM-DD
DIGITS = 10  # of a row's digest, hexadecimal: sums of such numbers fit into those of every database
STALE_SHARE_MAX, STALE_MAX = 0.5, 1_000  # of the parts, and parts: with more of them all rows are read
STATE = b"insiders"  # key of the digests in the file of the last reading


class Rows(NamedTuple):
    """The names of the columns, and the rows as blocks of text."""

    names: tuple[str, ...]
    blocks: Iterator["pa.RecordBatch"]


class Digest(NamedTuple):
    """Of the rows of a part: their number, and the sum of their digests."""

    rows: int
    total: int


class Reading(NamedTuple):
    """What the rows of a reading are: what decides how they are written as text, and the digest of each part."""

    form: str
    parts: Mapping[str, Digest]


def read(settings: Ingest, place: Path) -> Rows:
    """Read what changed, keep all rows in the file at `place`, and give them.

    Raises InputError as `database.opened` does, and of a database that cannot work out digests.
    """
    with database.opened(settings) as delivery:
        if delivery.dialect not in database_sample.DIALECTS:
            raise InputError(
                f"ingest.reread: changed is for {', '.join(database_sample.DIALECTS)}, not for {delivery.dialect}: "
                "write ingest.reread: all into params.yaml"
            )
        part = _part(delivery, settings)
        reading = Reading(_form(delivery), _digests(delivery, part))
        _update(place, delivery, part, reading)
    names = tuple(delivery.columns)
    return Rows(names, blocks.renumbered(_batches(place, [*names, ROW, PROBLEM])))


def _part(delivery: Delivery, settings: Ingest) -> Any:
    """The part of each row, as the database works it out."""
    column = columns.recognise(tuple(delivery.columns), settings.columns, settings.ignore).columns["invoiced_at"]
    date = database_sample.as_text(delivery.columns[str(column)], delivery.dialect)
    return sql.func.coalesce(sql.func.rtrim(sql.func.substr(date, 1, PART_LENGTH)), "")


def _form(delivery: Delivery) -> str:
    types = ", ".join(f"{name} {column.type}" for name, column in delivery.columns.items())
    return f"{delivery.dialect} by {__version__}: {types}"


def _digests(delivery: Delivery, part: Any) -> dict[str, Digest]:
    """The digest of each part. That rows differ and their digests agree happens once in 2**40 times."""
    each = sql.select(part.label("part"), sql.func.md5(_whole(delivery)).label("digest")).where(delivery.condition)
    rows = each.subquery("each_row")
    number = _number(sql.func.substr(rows.c.digest, 1, DIGITS), delivery.dialect)
    by_part = sql.select(rows.c.part, sql.func.count(), sql.func.sum(number)).group_by(rows.c.part)
    return {name: Digest(int(count), int(total)) for name, count, total in delivery.rows(by_part)}


def _whole(delivery: Delivery) -> Any:
    """All of a row as one text: each value after its length, so that no two rows are written alike."""
    texts = [database_sample.as_text(column, delivery.dialect) for column in delivery.columns.values()]
    lengths = [database_sample.as_text(sql.func.length(text), delivery.dialect) for text in texts]
    pairs = zip(lengths, texts, strict=True)
    return reduce(add, (sql.func.coalesce(length + ":" + text, "-") for length, text in pairs))


def _number(digits: Any, dialect: str) -> Any:
    """What hexadecimal digits are as a number, which no two databases write alike."""
    match dialect:
        case "postgresql":
            return sql.cast(sql.cast("x" + digits, postgresql.BIT(4 * DIGITS)), sql.BigInteger)
        case "sqlite":
            return sql.func.from_hex(digits)
        case _:
            return sql.cast(sql.func.conv(digits, 16, 10), sql.BigInteger)


def _update(place: Path, delivery: Delivery, part: Any, reading: Reading) -> None:
    """Write the rows of unchanged parts from the file, and those of all others from the database, into the file."""
    same = _unchanged(reading.parts, _last(place, reading.form))
    rows = sum(each.rows for each in reading.parts.values())
    left = sum(reading.parts[name].rows for name in same)
    sys.stderr.write(f"ingest: {rows - left:,} of {rows:,} rows are read, of the others nothing changed\n")
    names = (*delivery.columns, PART)
    wanted = sql.select(*delivery.columns.values(), part).where(delivery.condition)
    stale = sorted(set(reading.parts) - same)
    fetched = delivery.rows(wanted.where(part.in_(stale)) if same else wanted)
    with atomic_write(place) as temporary:
        batches = chain(_kept(place, same), blocks.from_values(fetched, names))
        if _write(temporary, names, reading, batches) != rows:
            raise InputError("its rows changed while they were read, which it should not show: run it again")


def _unchanged(now: Mapping[str, Digest], before: Mapping[str, Digest]) -> set[str]:
    """The parts of the same digest; none where so much changed that reading all is quicker."""
    same = {name for name, digest in now.items() if before.get(name) == digest}
    return same if len(now) - len(same) <= min(STALE_MAX, STALE_SHARE_MAX * len(now)) else set()


def _last(place: Path, form: str) -> Mapping[str, Digest]:
    """The parts of the last reading, every page of whose file is as it was written; none where there is no such."""
    import pyarrow as pa
    from pyarrow import parquet

    if not place.exists():
        return {}
    try:
        with parquet.ParquetFile(place, page_checksum_verification=True) as file:
            state = json.loads(file.schema_arrow.metadata[STATE])
            for _ in file.iter_batches():
                pass
        parts = {name: Digest(*digest) for name, digest in state["parts"].items()}
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        sys.stderr.write(f"ingest: {place} is damaged ({error}): all rows are read\n")
        return {}
    return parts if state["form"] == form else {}


def _kept(place: Path, parts: Collection[str]) -> Iterator["pa.RecordBatch"]:
    """The rows of some parts from the file of the last reading."""
    import pyarrow as pa
    from pyarrow import compute

    wanted = pa.array(sorted(parts), pa.string())
    for batch in _batches(place) if parts else ():
        yield batch.filter(compute.is_in(batch[PART], wanted))


def _batches(place: Path, names: list[str] | None = None) -> Iterator["pa.RecordBatch"]:
    from pyarrow import parquet

    with parquet.ParquetFile(place) as file:
        yield from file.iter_batches(columns=names)


def _write(path: Path, names: Iterable[str], reading: Reading, batches: Iterable["pa.RecordBatch"]) -> int:
    """Write the rows, and beside them what they are; returns their number."""
    import pyarrow as pa
    from pyarrow import parquet

    state = {STATE: json.dumps(reading._asdict())}
    fields = [*((name, pa.string()) for name in (*names, PROBLEM)), (ROW, pa.int64())]
    schema = pa.schema(fields, state)
    rows = 0
    with parquet.ParquetWriter(path, schema, compression="lz4", write_page_checksum=True) as writer:
        for batch in batches:
            writer.write_batch(batch.select(schema.names))
            rows += batch.num_rows
    return rows

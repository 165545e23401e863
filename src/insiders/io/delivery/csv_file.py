"""CSV: encoding, separator and the rows that do not have the header's number of fields."""

import codecs
import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, cast

from insiders.errors import InputError
from insiders.io.delivery.blocks import block
from insiders.io.delivery.header import ROWS, Declared, Header, find, score

if TYPE_CHECKING:
    import pyarrow as pa

Opener = Callable[[], IO[bytes]]

NOT_DECLARED = Declared()
SEPARATORS = ",;\t|"
BLANKS = re.compile(rb"[ \t]+")
BLANK_FIELDS_MIN = 3  # of every line, where blanks part the fields: fewer may be words of a title
SEPARATOR_LINE = re.compile(r"\s*\"?sep=(.)\"?\s*$")  # spreadsheets read it
# cp1252 is Latin-1 with letters in place of the control characters 80 to 9f, which nobody writes; Latin-1 is read
# faster. As signed bytes they are the least ones, up to this.
CONTROL_MAX = -97
UTF_8 = "utf-8"
MARKS = {codecs.BOM_UTF8: UTF_8, codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
CHUNK = 1 << 20  # bytes
BLOCK = 8 << 20  # bytes parsed at a time; also the longest row that is read


@dataclass
class Delimited:
    """A CSV file as blocks of text columns, with `source_row` (the header is row 1) and `reason` (null: in form).

    A row with the wrong number of fields fills the columns as far as it goes; its last one holds what is left over.
    """

    open: Opener
    declared_encoding: str | None = None
    declared: Declared = NOT_DECLARED
    encoding: str = field(init=False)
    separator: str = field(init=False)
    header: Header = field(init=False)
    is_aligned: bool = field(init=False)

    def __post_init__(self) -> None:
        self.encoding = self.declared_encoding or detect_encoding(self.open)
        lines = self._first_lines()
        self.is_aligned = _is_aligned(lines)
        lines = ["\t".join(line.split()) for line in lines] if self.is_aligned else lines
        self.separator = _separator(lines, self.declared.names)
        start = 1 if SEPARATOR_LINE.match(lines[0]) else 0
        top = find(_parsed(lines[start:], self.separator), self.declared.names, self.declared.row)
        self.header = top._replace(row=top.row + start)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return self.header.names

    def _first_lines(self) -> list[str]:
        try:
            with self.open() as stream:
                text = codecs.getreader("utf-8-sig" if self.encoding == UTF_8 else self.encoding)(stream)
                lines = [line.rstrip("\r\n") for line in islice(text, ROWS)]
        except (UnicodeError, LookupError) as error:
            raise InputError(f"ingest.encoding {self.encoding!r} does not fit: {error}") from error
        if not any(line.strip() for line in lines):
            raise InputError("it is empty: expected a header line and at least one row")
        return lines

    def _stream(self) -> IO[bytes]:
        """The file as the parser takes it: in UTF-8, with one separator between two fields."""
        stream = self.open()
        pieces = _realigned(stream) if self.is_aligned else _chunks(stream)
        if self.encoding != UTF_8:  # the parser's own way takes ten times as long
            pieces = _recoded(pieces, self.encoding)
        elif not self.is_aligned:
            return stream
        return cast("IO[bytes]", io.BufferedReader(_Pieces(stream, pieces)))

    def blocks(self) -> Iterator["pa.RecordBatch"]:
        import pyarrow as pa

        misfits: list[tuple[int, str]] = []
        number = self.header.row + 1
        try:
            with self._stream() as stream:
                for batch in filter(len, self._reader(stream, misfits)):
                    free = _numbers(number, batch.num_rows, [row for row, _ in misfits])
                    number = free[-1].as_py() + 1
                    yield _without_blank(block(batch.columns, self.columns, free), batch.columns)
        except (pa.ArrowInvalid, UnicodeError) as error:
            raise InputError(
                f"it cannot be read as CSV in {self.encoding}, separated by {self.separator!r}: {error}"
            ) from error
        if misfits:
            yield self._refused(misfits)

    def _reader(self, stream: IO[bytes], misfits: list[tuple[int, str]]) -> Any:
        import pyarrow as pa
        from pyarrow import csv as arrow_csv

        def keep(row: Any) -> str:
            misfits.append((row.number, row.text))
            return "skip"

        return arrow_csv.open_csv(
            stream,
            # One thread: only then does the parser know the number of a row.
            arrow_csv.ReadOptions(
                use_threads=False,
                block_size=BLOCK,
                skip_rows=self.header.row,
                column_names=self.columns,
            ),
            arrow_csv.ParseOptions(delimiter=self.separator, newlines_in_values=True, invalid_row_handler=keep),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(self.columns, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )

    def _refused(self, misfits: Sequence[tuple[int, str]]) -> "pa.RecordBatch":
        """Set the lines of a record apart: several are most likely one with an open quote and what it swallowed."""
        import pyarrow as pa

        lines = [(number, line.rstrip("\r")) for number, text in misfits for line in text.split("\n") if line.strip()]
        rows = [self._fill(_fields(line, self.separator)) for _, line in lines]
        columns = [pa.array([row[place] for row in rows], pa.string()) for place in range(len(self.columns))]
        return block(
            columns,
            self.columns,
            pa.array([number for number, _ in lines], pa.int64()),
            "wrong number of fields, or a quote that is never closed",
        )

    def _fill(self, fields: Sequence[str]) -> list[str | None]:
        last = len(self.columns) - 1
        whole = [*fields[:last], self.separator.join(fields[last:])] if len(fields) > last else [*fields]
        return [value or None for value in whole] + [None] * (last + 1 - len(whole))


def _is_aligned(lines: Sequence[str]) -> bool:
    """Tell a table whose fields are parted by any number of blanks, as for the eye."""
    counts = {len(line.split()) for line in lines if line.strip()}
    return (
        len(counts) == 1
        and min(counts) >= BLANK_FIELDS_MIN
        and not any(set(f'{SEPARATORS}"') & {*line} for line in lines)
    )


class _Pieces(io.RawIOBase):
    """The pieces that are made of a stream, as one of their own; it closes the stream that they are made of."""

    def __init__(self, stream: IO[bytes], pieces: Iterator[bytes]) -> None:
        self._stream, self._pieces = stream, pieces
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left and (piece := next(self._pieces, None)) is not None:
            self._left = memoryview(piece)
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

    def close(self) -> None:
        self._stream.close()
        super().close()


def _realigned(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Put one tab between two fields that are parted by any number of blanks."""
    return (BLANKS.sub(b"\t", line.strip()) + b"\n" for line in lines)


def _recoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    yield from (decoder.decode(piece).encode(UTF_8) for piece in pieces)
    yield decoder.decode(b"", final=True).encode(UTF_8)


def _separator(lines: Sequence[str], names: Collection[str]) -> str:
    """Take the one that a first line "sep=;" names; else that by which most names are known, or the most frequent."""
    if said := SEPARATOR_LINE.match(lines[0]):
        return said[1]
    first = next(line for line in lines if line.strip())
    return max(SEPARATORS, key=lambda mark: (max(score(row, names) for row in _parsed(lines, mark)), first.count(mark)))


def _parsed(lines: Sequence[str], separator: str) -> list[list[str]]:
    return [_fields(line, separator) for line in lines]


def _fields(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:  # a field is longer than that reader takes
        return line.split(separator)


def _without_blank(rows: "pa.RecordBatch", columns: Sequence["pa.Array"]) -> "pa.RecordBatch":
    """Leave out rows of separators only, as spreadsheets write them below a table; they keep their numbers."""
    if not all(column.null_count for column in columns):
        return rows
    from functools import reduce

    from pyarrow import compute  # a tenth of a second, which most files need not wait for

    blank = reduce(compute.and_, (compute.is_null(column) for column in columns))
    return rows.filter(compute.invert(blank))


def _numbers(first: int, count: int, taken: Sequence[int]) -> "pa.Array":
    """Number so many rows, leaving out those that are taken."""
    import pyarrow as pa

    ahead = pa.arange(first, first + count + len(taken))
    if not taken:
        return ahead
    from pyarrow import compute

    return ahead.filter(compute.invert(compute.is_in(ahead, pa.array(taken, pa.int64()))))[:count]


def detect_encoding(open_: Opener) -> str:
    """By its mark where it has one; UTF-8 if every byte fits, strictly; else what Western European programs write."""
    with open_() as stream:
        start = stream.read(CHUNK)
    for mark, encoding in MARKS.items():
        if start.startswith(mark):
            return encoding
    if b"\x00" in start:
        raise InputError("it is not text, or UTF-16 without a mark: save it as UTF-8, or declare ingest.encoding")
    with open_() as stream:
        is_utf8, has_controls = _read_through(stream)
    if is_utf8:
        return UTF_8
    return "cp1252" if has_controls and _fits(open_, "cp1252") else "latin-1"


def _read_through(stream: IO[bytes]) -> tuple[bool, bool]:
    """Tell whether all bytes are UTF-8 and whether some are control characters in Latin-1: in one reading."""
    import numpy as np

    decoder, is_utf8, has_controls = codecs.getincrementaldecoder(UTF_8)(), True, False
    for chunk in _chunks(stream):
        is_utf8 = is_utf8 and _goes_on(decoder, chunk)
        has_controls = has_controls or bool((np.frombuffer(chunk, np.int8) <= CONTROL_MAX).any())
        if has_controls and not is_utf8:
            break
    return is_utf8 and _goes_on(decoder, b"", final=True), has_controls


def _goes_on(decoder: codecs.IncrementalDecoder, chunk: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final=final)
    except UnicodeDecodeError:
        return False
    return True


def _fits(open_: Opener, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with open_() as stream:
        return all(_goes_on(decoder, chunk) for chunk in _chunks(stream)) and _goes_on(decoder, b"", final=True)


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: stream.read(CHUNK), b"")

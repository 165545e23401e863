"""Damaged and strange files: each is read, or refused with a message; none ends in a traceback, hangs or fills memory.

The files are drawn from numbered seeds, so that one that fails can be made again: `FUZZED[kind](random.Random(seed))`.
Bombs and dangerous paths in archives have tests of their own.
"""

import gzip
import io
import random
import resource
import signal
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pyarrow import parquet

from deliveries import HEADER, ROWS, csv_text, settings, write_workbook
from insiders.answers import intake
from insiders.errors import InputError

FEW, MANY = 42, 2_000  # files in the ordinary suite, and in the battery
READABLE = 3_000  # characters of a message
SECONDS, MEGABYTES = 30, 1_000  # for one file; above what the process held before
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "latin-1", "cp037", "utf-7", "shift_jis")
CELLS = (
    *("", " ", "\x00", '"', "'", "\\", "\r", "\n", "\t", ";", ",", "NaN", "inf", "-inf", "1e308", "-0", "0", "1e-400"),
    *("9" * 40, "99999999999999", "0.00000000001", "1,234", "(3)", "3-", "12,5", "R$ 5", "$", "5 un", "٣", "½"),
    *("0000-00-00", "1900-01-00", "2150-01-01", "31/02/2024", "12/13/14", "45292.5", "2024-01-01T00:00:00+25:99"),
    *("=1+1", "@x", "+55", "\u200b", "\ufeff", "\ud7ff", "e\u0301", "\U0001f600", "guest", "refund", "cancelled"),
)
Draw = random.Random


def table(draw: Draw) -> list[list[str]]:
    """A few lines of a shop, some of whose cells are strange."""
    rows = [[*row] for row in draw.choices(ROWS, k=draw.choice([1, 4, 60]))]
    for number, row in enumerate(rows):
        row[0] = str(1000 + number // 2)
    for _ in range(draw.choice([0, 1, 8])):
        row = draw.choice(rows)
        row[draw.randrange(len(row))] = draw.choice(CELLS)
    return rows


def header(draw: Draw) -> list[str]:
    """The names of the columns, at times without one of them, or with strange or further ones."""
    names = [*HEADER]
    for _ in range(draw.choice([0, 0, 1, 3])):
        names[draw.randrange(len(names))] = draw.choice([*CELLS, "Price", "Status", "Type", "Tax", "Total"])
    return names


def as_csv(draw: Draw) -> bytes:
    text = csv_text(table(draw), header(draw), draw.choice(",;\t|"))
    return text.encode(draw.choice(ENCODINGS), errors="replace")


def wide(draw: Draw) -> bytes:
    """Thousands of columns, or one field of a few megabytes, or lines of nothing but separators."""
    names, row = [*HEADER], [*ROWS[0]]
    match draw.randrange(3):
        case 0:
            count = draw.choice([300, 3_000])
            return csv_text([[*row, *["x"] * count]] * 3, [*names, *(f"c{n}" for n in range(count))]).encode()
        case 1:
            return csv_text([row, [*row[:2], "x" * draw.choice([70_000, 9 << 20]), *row[3:]]]).encode()
        case _:
            return (csv_text([row]) + ("," * 9_000 + "\n") * 3).encode()


def as_workbook(draw: Draw) -> bytes:
    path = write_workbook(Path("book.xlsx"), {"Sales": [header(draw), *table(draw)], "Notes": [["x"]]})
    return path.read_bytes()


def as_parquet(draw: Draw) -> bytes:
    """The lines as typed columns, one of which may be a list of lists or a structure."""
    columns = dict(zip(HEADER, map(list, zip(*table(draw), strict=True)), strict=True))
    filled: dict[str, object] = {name: pa.array(values) for name, values in columns.items()}
    nested = [[[["x"] * 3]]] * len(columns["Quantity"])
    odd = draw.choice([None, pa.array(nested), pa.array([{"a": {"b": 1}}] * len(nested)), pa.nulls(len(nested))])
    if odd is not None:
        filled[draw.choice([*HEADER, "more"])] = odd
    sink = io.BytesIO()
    parquet.write_table(pa.table(filled), sink)
    return sink.getvalue()


def zipped(draw: Draw) -> bytes:
    """One or several files of one or several kinds, some in folders, some an archive in an archive."""
    sink = io.BytesIO()
    with zipfile.ZipFile(
        sink, "w", draw.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
    ) as archive:
        for number in range(draw.choice([0, 1, 2, 5])):
            ending = draw.choice(["csv", "csv", "tsv", "txt", "xlsx", "parquet", "zip", "csv.gz", "pdf"])
            make = {"xlsx": as_workbook, "parquet": as_parquet, "zip": zipped, "csv.gz": gzipped}.get(ending, as_csv)
            archive.writestr("a/" * draw.choice([0, 1, 40]) + f"{number}.{ending}", make(draw))
    return sink.getvalue()


def gzipped(draw: Draw) -> bytes:
    return gzip.compress(as_csv(draw))


FUZZED: dict[str, Callable[[Draw], bytes]] = {
    **{"csv": as_csv, "tsv": as_csv, "txt": wide, "xlsx": as_workbook, "parquet": as_parquet},
    **{"zip": zipped, "csv.gz": gzipped},
}


def damaged(draw: Draw, data: bytes) -> bytes:
    """As it is, or cut off, with bytes that flipped, a part that is there twice, or a part that is missing."""
    if not data:
        return data
    place, other = sorted(draw.randrange(len(data) + 1) for _ in range(2))
    match draw.randrange(6):
        case 0:
            return data[:place]
        case 1:
            flipped = bytearray(data)
            for _ in range(draw.choice([1, 5, 200])):
                flipped[draw.randrange(len(data))] = draw.randrange(256)
            return bytes(flipped)
        case 2:
            return data[:other] + data[place:]
        case 3:
            return data[:place] + data[other:]
        case _:
            return data


@contextmanager
def limited() -> Iterator[None]:
    """Fail where a file takes too long, or more memory than is its due."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"over {SECONDS} s")

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MEGABYTES


def end(path: Path) -> str:
    """How a file ends: read or refused; any other error passes."""
    with limited():
        try:
            intake.check(settings(path, quarantine_share_max=0.9))
        except InputError as error:
            message = str(error)
        else:
            return "read"
    assert len(message) < READABLE
    return "refused"


@pytest.mark.parametrize("seeds", [range(FEW), pytest.param(range(FEW, MANY), marks=pytest.mark.battery)])
def test_no_file_ends_in_a_traceback(seeds: Iterable[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    endings = []
    for seed in seeds:
        draw = random.Random(seed)
        kind = [*FUZZED][seed % len(FUZZED)]
        path = tmp_path / f"fuzzed.{kind}"
        path.write_bytes(damaged(draw, FUZZED[kind](draw)))
        try:
            endings.append(end(path))
        except Exception as error:
            raise AssertionError(f"file {seed} ({kind}) ends in {error!r}") from error
    assert {*endings} == {"read", "refused"}


texts = st.lists(
    st.lists(st.text(max_size=12) | st.sampled_from(CELLS), min_size=3, max_size=9), min_size=1, max_size=9
)


@pytest.mark.parametrize("count", [15, pytest.param(500, marks=pytest.mark.battery)])
def test_no_text_ends_in_a_traceback(count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    @hypothesis_settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=[*HealthCheck])
    @given(rows=texts)
    def holds(rows: list[list[str]]) -> None:
        Path("drawn.csv").write_text(csv_text(rows), encoding="utf-8", errors="replace", newline="")
        end(Path("drawn.csv"))

    holds()

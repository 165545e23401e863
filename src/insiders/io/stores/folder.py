"""A folder of Parquet or CSV files as a store: a folder per table, in it one per release, and `releases` last of all.

Readers take the release with the highest `publication` in `releases`. A release that is published again with other
content is taken out of `releases` first: meanwhile the one before it is current.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from insiders.errors import InputError
from insiders.io.stores.release import (
    Columns,
    Outcome,
    Publisher,
    Release,
    Row,
    Rows,
    Table,
    is_current,
    newest,
    schema_of,
    schema_to_read,
    with_release,
)
from insiders.io.tables import FORMULA, NUMBER, atomic_write
from insiders.schemas.published import BY_NAME, RELEASES, Published

if TYPE_CHECKING:
    import pyarrow as pa


class Format(NamedTuple):
    """How a table is written: its file's ending, the columns that the folder's name tells instead, the functions."""

    suffix: str
    in_name: tuple[str, ...]
    write: Callable[[Path, "pa.Schema", Iterable["pa.RecordBatch"]], int]
    read: Callable[[Path], "pa.Table"]


class Folder:
    """A store in a folder, which is made where it is missing."""

    def __init__(self, path: Path, form: Format) -> None:
        self.path, self.form = path, form
        self.releases = path / f"{RELEASES.name}{form.suffix}"

    def current(self) -> Row | None:
        return newest(self._rows())

    def tables(self, columns: Columns, release: str) -> "dict[str, pa.Table]":
        if self.form.suffix != ".parquet":
            raise InputError(f"{self.path} holds CSV files, for spreadsheets: publish to parquet:FOLDER, and read that")
        return {name: self._table(BY_NAME[name], columns[name], release) for name in columns}

    def _table(self, shape: Published, columns: Sequence[str], release: str) -> "pa.Table":
        from pyarrow import parquet

        path = self.path / shape.name / part(release) / f"part-0{self.form.suffix}"
        try:
            there = [name for name in columns if name in parquet.read_schema(path).names]
        except FileNotFoundError:  # kept back, or just being replaced
            return schema_to_read(shape, ()).empty_table()
        return parquet.read_table(path, columns=there, partitioning=None).cast(schema_to_read(shape, there))

    def holds(self, row: Row) -> bool:
        return row in self._rows()

    def publish(self, release: Release, publisher: Publisher) -> Outcome:
        """Write all files beside their places, move them there, and then name the release in `releases`."""
        with writable(self.path):
            rows = self._rows()
            if is_current(release, rows):
                return Outcome(is_new=False, rows=0)
            self.path.mkdir(parents=True, exist_ok=True)
            beside = Path(mkdtemp(prefix=".new-", dir=self.path))
            try:
                written = sum(self._write(table, beside / table.shape.name) for table in release.tables)
                if any(each["release"] == release.name for each in rows):
                    self._name([each for each in rows if each["release"] != release.name])
                for table in release.tables:
                    _replace(beside / table.shape.name, self.path / table.shape.name / part(release.name))
                self._clear_left_out(release)
                self._name(with_release(rows, release, publisher))
            finally:
                shutil.rmtree(beside)
        return Outcome(is_new=True, rows=written)

    def _clear_left_out(self, release: Release) -> None:
        """Delete what an earlier publication of the same release wrote of tables that are left out now."""
        for name in set(BY_NAME) - {table.shape.name for table in release.tables}:
            if (place := self.path / name / part(release.name)).exists():
                shutil.rmtree(place)

    def _write(self, table: Table, folder: Path) -> int:
        folder.mkdir()
        columns = [name for name in table.columns if name not in self.form.in_name]
        blocks = (block.select(columns) for block in table.blocks())
        return self.form.write(folder / f"part-0{self.form.suffix}", schema_of(table.shape, columns), blocks)

    def _rows(self) -> Rows:
        if not self.releases.exists():
            return []
        rows: Rows = self.form.read(self.releases).to_pylist()
        return rows

    def _name(self, rows: Rows) -> None:
        import pyarrow as pa

        ordered = pa.Table.from_pylist(sorted(rows, key=lambda each: each["release"]), schema_of(RELEASES))
        with atomic_write(self.releases) as temporary:
            self.form.write(temporary, ordered.schema, ordered.to_batches())


def part(release: str) -> str:
    """The folder of a release, named as tools expect of a partition."""
    return f"release={quote(release, safe='')}"


def _replace(new: Path, place: Path) -> None:
    place.parent.mkdir(exist_ok=True)
    if place.exists():
        shutil.rmtree(place)
    new.rename(place)


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Say of what the system refuses, what it was about."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}: mend that, or name another place") from error


def _write_parquet(path: Path, schema: "pa.Schema", blocks: Iterable["pa.RecordBatch"]) -> int:
    from pyarrow import parquet

    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        return _write_all(writer.write_batch, blocks)


def _write_csv(path: Path, schema: "pa.Schema", blocks: Iterable["pa.RecordBatch"]) -> int:
    """As Parquet, but that a spreadsheet computes no text: those that it would take for formulas get an apostrophe."""
    from pyarrow import csv

    with csv.CSVWriter(path, schema) as writer:
        return _write_all(writer.write_batch, map(_without_formulas, blocks))


def _write_all(write: Callable[["pa.RecordBatch"], None], blocks: Iterable["pa.RecordBatch"]) -> int:
    rows = 0
    for block in blocks:
        write(block)
        rows += block.num_rows
    return rows


def _without_formulas(block: "pa.RecordBatch") -> "pa.RecordBatch":
    import pyarrow as pa
    from pyarrow import compute

    for place, field in enumerate(block.schema):
        if pa.types.is_string(field.type):
            texts = block.column(place)
            is_number = compute.match_substring_regex(texts, NUMBER)
            is_formula = compute.and_not(compute.match_substring_regex(texts, FORMULA), is_number)
            block = block.set_column(
                place,
                field,
                compute.if_else(
                    compute.fill_null(is_formula, False), compute.binary_join_element_wise("'", texts, ""), texts
                ),
            )
    return block


def _read_parquet(path: Path) -> "pa.Table":
    from pyarrow import parquet

    return parquet.read_table(path, schema=schema_of(RELEASES), partitioning=None)


def _read_csv(path: Path) -> "pa.Table":
    from pyarrow import csv

    schema = schema_of(RELEASES)
    options = csv.ConvertOptions(
        column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    return csv.read_csv(path, convert_options=options)


FORMATS = {
    "parquet": Format(".parquet", ("release",), _write_parquet, _read_parquet),
    "csv": Format(".csv", (), _write_csv, _read_csv),
}

"""An Excel workbook as a store: a sheet per table of one release, replaced as a whole by the next."""

from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insiders.errors import InputError
from insiders.io.stores.folder import writable
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
    with_release,
)
from insiders.io.tables import atomic_write
from insiders.schemas.published import DOCUMENTS, RELEASES, Kind, Published

if TYPE_CHECKING:
    import pyarrow as pa
    from xlsxwriter import Workbook as Book

SHEET_ROWS = 1_048_575  # below the header
FORMS: dict[Kind, str] = {"day": "yyyy-mm-dd", "moment": "yyyy-mm-dd hh:mm", "money": "#,##0.00", "share": "0.0%"}
WIDTH = 16  # letters


class Workbook:
    """A store in one file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def current(self) -> Row | None:
        return newest(self._rows())

    def tables(self, columns: Columns, release: str) -> "dict[str, pa.Table]":
        del columns, release
        raise InputError(f"{self.path} is a workbook, for people: publish into a database, and read that")

    def holds(self, row: Row) -> bool:
        return row in self._rows()

    def publish(self, release: Release, publisher: Publisher) -> Outcome:
        rows = self._rows()
        if is_current(release, rows):
            return Outcome(is_new=False, rows=0)
        with writable(self.path), atomic_write(self.path) as temporary:
            written = _write(temporary, release, with_release(rows, release, publisher)[-1])
        return Outcome(is_new=True, rows=written)

    def _rows(self) -> Rows:
        """The row of the release that the workbook holds."""
        if not self.path.exists():
            return []
        from python_calamine import CalamineError, CalamineWorkbook

        try:
            header, *rows = CalamineWorkbook.from_path(str(self.path)).get_sheet_by_name(RELEASES.name).to_python()
        except (CalamineError, ValueError) as error:
            raise InputError(
                f"{self.path} is no workbook that insiders publish wrote ({error}): name another file"
            ) from error
        return [dict(zip(header, row, strict=True)) for row in rows]


def _write(path: Path, release: Release, row: dict[str, Any]) -> int:
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"created": datetime.combine(release.as_of, time())})  # the same release, the same bytes
        _write_sheet(book, RELEASES, tuple(RELEASES.columns), iter([row]))
        shown = [table for table in release.tables if table.shape != DOCUMENTS]  # which no person reads in a sheet
        return sum(_write_sheet(book, table.shape, table.columns, _rows_of(table)) for table in shown)


def _rows_of(table: Table) -> Iterator[dict[str, Any]]:
    for block in table.blocks():
        yield from block.to_pylist()


def _write_sheet(book: "Book", shape: Published, columns: tuple[str, ...], rows: Iterator[dict[str, Any]]) -> int:
    sheet = book.add_worksheet(shape.name)
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    for place, name in enumerate(columns):
        form = FORMS.get(shape.columns[name].kind)
        sheet.set_column(place, place, WIDTH, book.add_format({"num_format": form}) if form else None)
        sheet.write_string(0, place, name, bold)
    number = 0
    for number, row in enumerate(rows, 1):
        if number > SHEET_ROWS:
            raise InputError(
                f"the table {shape.name} has more than the {SHEET_ROWS:,} rows that a sheet holds: leave it out by "
                f"publish.columns in params.yaml ({shape.name}: []), or publish into a database"
            )
        for place, name in enumerate(columns):
            _write_cell(sheet, number, place, row[name])
    return number


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case int() | float() | Decimal():
            sheet.write_number(row, column, value)
        case date():
            sheet.write_datetime(row, column, value)
        case _:
            sheet.write_string(row, column, value)

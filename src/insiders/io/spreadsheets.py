"""Lists as a person's spreadsheet program opens them: separators of their language, or a workbook with numbers."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from insiders.errors import InputError
from insiders.io import tables

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

Kind = Literal["csv", "xlsx", "both"]

DAY, WIDTH = "yyyy-mm-dd", 16  # letters
# The same list, the same bytes, and cells that are nothing but what the list holds.
OPTIONS = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write(lists: Mapping[str, pd.DataFrame], folder: Path, kind: Kind, decimal: str) -> None:
    """Write each list under its name, decimals after the sign; what lies in the folder from other settings goes."""
    wanted = {folder / name for name in names(lists, kind)}
    for path in sorted(wanted):
        with tables.atomic_write(path) as temporary:
            write_form = _write_csv if path.suffix == ".csv" else _write_workbook
            write_form(lists[path.stem], temporary, decimal)
    for path in sorted(set(folder.glob("*.*")) - wanted):
        path.unlink()


def names(lists: Iterable[str], kind: Kind) -> list[str]:
    """Of the files that `write` makes, in order."""
    forms = ("csv", "xlsx") if kind == "both" else (kind,)
    return [f"{name}.{form}" for name in lists for form in forms]


def _write_csv(frame: pd.DataFrame, path: Path, decimal: str) -> None:
    """With the mark by which Excel knows UTF-8; where a comma is the decimal sign, semicolons part the columns."""
    separator, safe = ";" if decimal == "," else ",", tables.spreadsheet_safe(frame)
    safe.to_csv(path, index=False, sep=separator, decimal=decimal, lineterminator="\r\n", encoding="utf-8-sig")


def _write_workbook(frame: pd.DataFrame, path: Path, _decimal: str) -> None:
    """One sheet; numbers are numbers, and the program writes them as its language does."""
    try:
        import xlsxwriter
    except ImportError as error:
        raise InputError(
            "report.spreadsheet asks for a workbook, which needs xlsxwriter: install the extra `stores`, or write csv"
        ) from error
    with xlsxwriter.Workbook(path, OPTIONS | {"default_date_format": DAY}) as book:
        book.set_properties({"created": datetime.combine(date(2000, 1, 1), time())})
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(frame.columns), WIDTH)
        sheet.write_row(0, 0, frame.columns, bold)
        for number, row in enumerate(frame.itertuples(index=False), 1):
            for place, value in enumerate(row):
                _write_cell(sheet, number, place, value)


def _write_cell(sheet: "Worksheet", row: int, column: int, value: Any) -> None:
    if pd.isna(value):
        return
    plain = value.item() if hasattr(value, "item") else value
    match plain:
        case bool():
            sheet.write_boolean(row, column, plain)
        case int() | float():
            sheet.write_number(row, column, plain)
        case date():
            sheet.write_datetime(row, column, plain)
        case _:
            sheet.write_string(row, column, str(plain))

"""XLSX: the sheets that hold invoice lines."""

import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

from insiders.errors import InputError
from insiders.io.delivery import blocks, columns, files, header

if TYPE_CHECKING:
    import pyarrow as pa


class Workbook:
    """The rows of every sheet in which our columns are recognised; notes and pivots beside them are left out.

    Sheets are read one after the other and their rows counted through. Rows that stand in two sheets, as those of
    December 2010 do in Online Retail II, come twice: preprocess removes exact duplicates, and says how many.
    """

    def __init__(
        self, open_: Callable[[], IO[bytes]], declared: Mapping[str, str] | None, row: int | None = None
    ) -> None:
        from python_calamine import CalamineWorkbook

        with open_() as stream:
            content = files.whole(stream)
        _refuse_bomb(content)
        with _naming_damage():
            self._book = CalamineWorkbook.from_filelike(BytesIO(content))
        self._declared = header.Declared(frozenset((declared or {}).values()), row)
        headers = {name: top for name in self._book.sheet_names if (top := self._header(name))}
        self.sheets = _with_lines({name: top.names for name, top in headers.items()}, declared)
        self._headers = headers
        self.columns = headers[self.sheets[0]].names

    def _header(self, sheet: str) -> header.Header | None:
        first = [[str(value) for value in row] for row in islice(self._values(sheet), header.ROWS)]
        return header.find(first, self._declared.names, self._declared.row) if any(map(any, first)) else None

    def _values(self, sheet: str) -> Iterator[list[Any]]:
        with _naming_damage():
            yield from self._book.get_sheet_by_name(sheet).iter_rows()

    def blocks(self) -> Iterator["pa.RecordBatch"]:
        return blocks.from_values(self._rows(), self.columns, first=self._headers[self.sheets[0]].row + 1)

    def _rows(self) -> Iterator[list[Any]]:
        for sheet in self.sheets:
            below = islice(self._values(sheet), self._headers[sheet].row, None)
            yield from (row for row in below if any(value != "" for value in row))


def _refuse_bomb(content: bytes) -> None:
    """InputError where a workbook, which is an archive, unpacks to too much, or to something else than it says."""
    if not zipfile.is_zipfile(BytesIO(content)):
        return  # calamine says what it is
    with files.archive(BytesIO(content)) as archive:
        files.refuse_bomb(archive.infolist(), min(files.unpacked_max(len(content)), files.WHOLE_MAX))
        try:
            damaged = archive.testzip()
        except (ValueError, OSError) as error:  # a place outside of the archive, bytes that do not unpack
            raise zipfile.BadZipFile(str(error)) from error
        if damaged:
            raise zipfile.BadZipFile(f"{damaged} in the workbook is not what it says")


@contextmanager
def _naming_damage() -> Iterator[None]:
    """InputError where the workbook, or a sheet that is read of it, is none."""
    from python_calamine import CalamineError

    try:
        yield
    except CalamineError as error:
        raise InputError(f"it is not a readable XLSX workbook ({error})") from error


def _with_lines(headers: Mapping[str, tuple[str, ...]], declared: Mapping[str, str] | None) -> list[str]:
    """Name the sheets whose columns are recognised; they must agree."""
    if not headers:
        raise InputError("the workbook is empty: expected a header line and at least one row")
    problems = {name: _problem(names, declared) for name, names in headers.items()}
    fit = [name for name, problem in problems.items() if problem is None]
    if not fit:
        raise InputError("; ".join(f"sheet {name!r}: {problem}" for name, problem in problems.items()))
    for name in fit:
        if headers[name] != headers[fit[0]]:
            raise InputError(f"sheet {name!r} has the columns {headers[name]}, sheet {fit[0]!r} has {headers[fit[0]]}")
    return fit


def _problem(names: tuple[str, ...], declared: Mapping[str, str] | None) -> InputError | None:
    try:
        columns.recognise(names, declared)
    except InputError as error:
        return error
    return None

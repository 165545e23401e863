"""Where the header of a table is: the first rows of an export may be its title."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from insiders.errors import InputError
from insiders.io.delivery import blocks, columns

ROWS = 30  # that are looked at
NAMES_MIN = 3  # known names that make a row a header
_DATUM = re.compile(r"[\s\d.,:/+$€£()-]*\d[\s\d.,:/+$€£()-]*")


class Header(NamedTuple):
    """The names of the columns, and the number of rows up to them, their own included."""

    names: tuple[str, ...]
    row: int


class Declared(NamedTuple):
    """What the settings say: the names of columns, and the number of the header's row (0: there is none)."""

    names: frozenset[str] = frozenset()
    row: int | None = None


def find(rows: Sequence[Sequence[str]], names: Collection[str], row: int | None) -> Header:
    """Find the header in the first rows: the row that is declared, or the one with most names that are known.

    Row 0 says that there is none, and the columns are called column_1, column_2 ... Raises InputError where the first
    row looks like data.
    """
    if row == 0:
        return Header(blocks.named([""] * max(map(len, rows))), 0)
    if row:
        if row > len(rows):
            raise InputError(f"ingest.header_row is {row}: expected one of the first {len(rows)} rows")
        return Header(blocks.named(rows[row - 1]), row)
    scores = [score(each, names) for each in rows]
    best = max(scores)
    place = scores.index(best) if best >= NAMES_MIN else next((n for n, each in enumerate(rows) if any(each)), 0)
    if best == 0 and _is_data(rows[place]):
        raise InputError(
            f"its first row {' | '.join(rows[place])[:80]!r} looks like data: the file has no header. Put the names of "
            "the columns above it, or declare in params.yaml: ingest.header_row: 0, and which column is which, as in "
            'ingest.columns: {customer_id: "column_1", invoiced_at: "column_2", amount: "column_3"}'
        )
    return Header(blocks.named(rows[place]), place + 1)


def score(row: Sequence[str], names: Collection[str]) -> int:
    """Count the names of a row that are declared, or known for one of ours."""
    return columns.recognised_names(row) + sum(cell.strip() in names for cell in row)


def _is_data(row: Sequence[str]) -> bool:
    """Numbers and dates: no header consists of them."""
    cells = [cell for cell in " ".join(row).split() if cell]
    return bool(cells) and sum(bool(_DATUM.fullmatch(cell)) for cell in cells) * 2 > len(cells)

"""The parts of a dashboard: cards, each of which asks something of one published view, in sections."""

from typing import Literal, NamedTuple

from insiders.schemas.published import CUSTOMER_ID, current_view

GRID = 24  # columns over which a row of cards is spread
Aggregate = Literal["count", "sum", "median"]
Form = Literal["number", "table", "bar", "line"]


class Rows(NamedTuple):
    """The rows whose column holds this value."""

    column: str
    value: str | bool


class Figure(NamedTuple):
    """What many rows come to: an aggregate of a column, or that of some rows as a share of that of all rows."""

    title: str  # in English, and of one figure alone
    aggregate: Aggregate
    column: str = ""  # of a count: none, it counts rows
    share_of: Rows | None = None

    @property
    def name(self) -> str:
        """Its column in the answer to a query."""
        return f"{self.column or 'rows'}_{'share' if self.share_of else self.aggregate}"


class Card(NamedTuple):
    """One question to the current rows of a published table.

    It shows `columns` as they are, or `figures` by the groups that the columns make: the first is the axis of a chart,
    a second one its series.
    """

    name: str  # the same in every language
    title: str  # in English
    form: Form
    table: str
    columns: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    only: Rows | None = None
    order: str = ""  # the column by which rows stand; "": by the columns shown, from the first
    answers: str = ""  # which of the nine questions
    width: int = GRID
    height: int = 8

    @property
    def view(self) -> str:
        return current_view(self.table)

    @property
    def needs(self) -> set[str]:
        """Every published column that it reads."""
        conditions = [self.only, *(figure.share_of for figure in self.figures)]
        summed = (figure.column for figure in self.figures)
        return {*self.columns, self.order, *summed, *(each.column for each in conditions if each)} - {""}

    @property
    def is_searchable(self) -> bool:
        """A list of customers, which can be narrowed to one of them."""
        return self.form == "table" and CUSTOMER_ID in self.columns


class Section(NamedTuple):
    """Cards under one title, which is English; they stand side by side as long as the grid is wide enough."""

    name: str
    title: str
    cards: tuple[Card, ...]

    @property
    def rows(self) -> list[list[Card]]:
        rows: list[list[Card]] = [[]]
        for card in self.cards:
            if sum(each.width for each in rows[-1]) + card.width > GRID:
                rows.append([])
            rows[-1].append(card)
        return rows


class Box(NamedTuple):
    """Where something stands on the grid, in its units."""

    column: int
    row: int
    width: int
    height: int


def boxes(section: Section, first_row: int = 0) -> list[tuple[Card, Box]]:
    """The cards of a section from this row on; a row is as high as the highest of its cards."""
    placed, top = [], first_row
    for row in section.rows:
        left = 0
        for card in row:
            placed.append((card, Box(left, top, card.width, card.height)))
            left += card.width
        top += max(card.height for card in row)
    return placed

"""The published tables in tools of business intelligence: one dashboard, written in the form of each of them."""

from collections.abc import Mapping
from typing import NamedTuple

from insiders.answers.bi.cards import Card, Figure, Section
from insiders.answers.bi.heads import HEADS
from insiders.answers.bi.sections import SECTIONS, TITLE
from insiders.answers.publication import contents
from insiders.io import params
from insiders.io.params import Params
from insiders.language import Language
from insiders.schemas.published import MOVED, RELEASES, Field, Kind

Columns = Mapping[str, Mapping[str, Field]]  # of each published table


class Board(NamedTuple):
    """The sections that can be made of what is published; `left_out` names the cards that cannot."""

    language: Language
    schema: str  # of the views, in PostgreSQL
    columns: Columns
    sections: tuple[Section, ...]
    left_out: tuple[str, ...]

    @property
    def title(self) -> str:
        return self.say(TITLE)

    @property
    def cards(self) -> tuple[Card, ...]:
        return tuple(card for section in self.sections for card in section.cards)

    def say(self, text: str) -> str:
        """A title in the language of the page."""
        return translated(text, self.language)

    def head(self, column: str) -> str:
        """What a column is called; its own name where it has no other."""
        return self.say(HEADS[column]) if column in HEADS else column

    def heads(self, card: Card) -> dict[str, str]:
        """What the columns of a card's answer are called there."""
        columns = {name: self.head(name) for name in card.columns}
        return {**columns, **{figure.name: self.say(figure.title) for figure in card.figures}}

    def kinds(self, card: Card) -> dict[str, Kind]:
        """What kind of value each column of a card's answer holds."""
        fields = self.columns[card.table]
        columns = {name: fields[name].kind for name in card.columns}
        return {**columns, **{figure.name: self.kind(card.table, figure) for figure in card.figures}}

    def is_over_time(self, card: Card) -> bool:
        """A chart along the calendar; others have names along their axis, which are read from left to right."""
        return self.kinds(card)[card.columns[0]] == "day"

    def kind(self, table: str, figure: Figure) -> Kind:
        """What kind of value a figure is."""
        if figure.share_of:
            return "share"
        return self.columns[table][figure.column].kind if figure.column else "count"

    def without(self, *tables: str) -> "Board":
        """The board where the store lacks these tables."""
        return _board(self.language, self.schema, {k: v for k, v in self.columns.items() if k not in tables})


def read() -> Board:
    """The board of the project in this folder. Raises InputError where publish.columns names what is unknown."""
    return of(params.read())


def of(settings: Params) -> Board:
    chosen = contents.chosen_columns(settings.publish.columns)
    columns = {shape.name: {name: shape.columns[name] for name in names} for shape, names in chosen}
    if "customers" in columns:  # of which the view is made
        columns[MOVED.name] = dict(MOVED.columns)
    columns[RELEASES.name] = dict(RELEASES.columns)
    language = Language(settings.report.language, settings.preprocess.currency)
    return _board(language, settings.publish.schema_, columns)


def translated(text: str, language: Language) -> str:
    return str(language.translations.pgettext("bi", text))


def _board(language: Language, schema: str, columns: Columns) -> Board:
    def fits(card: Card) -> bool:
        return card.needs <= set(columns.get(card.table, ()))

    kept = (section._replace(cards=tuple(filter(fits, section.cards))) for section in SECTIONS)
    left_out = tuple(card.name for section in SECTIONS for card in section.cards if not fits(card))
    return Board(language, schema, columns, tuple(section for section in kept if section.cards), left_out)


__all__ = ["Board", "Card", "Figure", "Section", "of", "read", "translated"]

"""The board as Metabase takes it: a collection, cards with their queries, and a dashboard that shows them.

After Metabase's public API reference (/api/collection, /api/card, /api/dashboard, of version 0.49 and later): native
queries, a grid of 24 columns, headings as cards without a query, and a filter that narrows lists to one customer.
"""

import uuid
from collections.abc import Mapping

from insiders.answers.bi import Board, translated
from insiders.answers.bi.cards import GRID, Box, Card, boxes
from insiders.answers.bi.queries import quoted, select
from insiders.answers.bi.sections import SECTIONS, TITLE
from insiders.io.metabase import HEADING, Bundle, Entity, Json
from insiders.language import LOCALES, Language
from insiders.schemas.published import CUSTOMER_ID, Kind

DISPLAYS = {"number": "scalar", "table": "table", "bar": "bar", "line": "line"}
STYLES: Mapping[Kind, Json] = {
    "money": {"number_style": "decimal", "decimals": 0},
    "share": {"number_style": "percent", "decimals": 1},
    "number": {"number_style": "decimal", "decimals": 2},
}
PARAMETER = "c0570e12"  # by which the dashboard knows its filter
TAG = str(uuid.uuid5(uuid.NAMESPACE_DNS, "customer_id.insiders"))  # the same whenever the board is sent
# Metabase leaves out what stands between such brackets until somebody names a customer.
ONE_CUSTOMER = f"[[AND {quoted(CUSTOMER_ID)} = {{{{{CUSTOMER_ID}}}}}]]"


def bundle(board: Board, database: int) -> Bundle:
    """All that is to be sent; `database` is Metabase's number of the database that was published to."""
    return Bundle(
        database,
        _entity(board, TITLE, {}),
        {card.name: _card(board, card, database) for card in board.cards},
        _entity(board, TITLE, {"parameters": [_filter(board)]}),
        _layout(board),
        frozenset(name for section in SECTIONS for name in _names(section.title)),
    )


def _names(title: str) -> tuple[str, ...]:
    """A title in every language, so that a board in another one takes the place of the first."""
    return tuple(translated(title, Language(name, "")) for name in LOCALES)


def _entity(board: Board, title: str, body: Json) -> Entity:
    return Entity(_names(title), {"name": board.say(title), **body})


def _card(board: Board, card: Card, database: int) -> Entity:
    native: dict[str, object] = {"query": select(card, board.schema, ONE_CUSTOMER if card.is_searchable else "")}
    if card.is_searchable:
        native["template-tags"] = {CUSTOMER_ID: _tag(board)}
    body = {
        "display": _display(board, card),
        "dataset_query": {"type": "native", "database": database, "native": native},
        "visualization_settings": _settings(board, card),
    }
    return _entity(board, card.title, body)


def _display(board: Board, card: Card) -> str:
    return "row" if card.form == "bar" and not board.is_over_time(card) else DISPLAYS[card.form]


def _tag(board: Board) -> Json:
    return {"id": TAG, "name": CUSTOMER_ID, "display-name": board.head(CUSTOMER_ID), "type": "text"}


def _filter(board: Board) -> Json:
    name = board.head(CUSTOMER_ID)
    return {"id": PARAMETER, "name": name, "slug": CUSTOMER_ID, "type": "string/=", "sectionId": "string"}


def _settings(board: Board, card: Card) -> Json:
    """What columns are called and how numbers are written, and of a chart its axes."""
    kinds = board.kinds(card)
    columns = {
        f'["name","{name}"]': {"column_title": head, **STYLES.get(kinds[name], {})}
        for name, head in board.heads(card).items()
    }
    figures = [figure.name for figure in card.figures]
    axes = {"graph.dimensions": list(card.columns), "graph.metrics": figures}
    stacked = {"stackable.stack_type": "stacked"} if len(card.columns) > 1 else {}
    chart = {**axes, **stacked} if card.form in ("bar", "line") else {}
    return {"column_settings": columns, **chart}


def _layout(board: Board) -> list[Json]:
    """Headings and cards on the dashboard's grid, from above."""
    places: list[Json] = []
    row = 0
    for section in board.sections:
        places.append({**_box(Box(0, row, GRID, 1)), "visualization_settings": _heading(board.say(section.title))})
        placed = boxes(section, row + 1)
        places += [_place(card, box) for card, box in placed]
        row = max(box.row + box.height for _, box in placed)
    return places


def _place(card: Card, box: Box) -> Json:
    target = ["variable", ["template-tag", CUSTOMER_ID]]
    narrowed = [{"parameter_id": PARAMETER, "target": target}] if card.is_searchable else []
    return {**_box(box), "card": card.name, "visualization_settings": {}, "parameter_mappings": narrowed}


def _box(box: Box) -> Json:
    return {"col": box.column, "row": box.row, "size_x": box.width, "size_y": box.height}


def _heading(text: str) -> Json:
    return {"text": text, "virtual_card": {"name": None, "display": HEADING, "visualization_settings": {}}}

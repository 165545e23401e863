"""The report of a Power BI project in PBIR: a page per section, a visual per card, a slicer over lists of customers."""

import hashlib
from collections.abc import Mapping

from insiders.answers.bi import Board
from insiders.answers.bi.cards import GRID, Box, Card, Figure, Section, boxes
from insiders.schemas.published import CUSTOMER_ID

Json = Mapping[str, object]
SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric/item/report/definition"
WIDTH = 1280  # pixels of a page
CELL = WIDTH / GRID  # pixels of the grid's columns
LINE = 44  # pixels of the grid's rows
SLICER = Box(0, 0, 6, 2)
VISUALS = {"number": "cardVisual", "table": "tableEx", "bar": "columnChart", "line": "lineChart"}
# The theme that Power BI Desktop brought in October 2024, and the versions of the forms at that time.
THEME = {
    "name": "CY24SU10",
    "reportVersionAtImport": {"visual": "1.8.95", "report": "2.0.95", "page": "1.3.95"},
    "type": "SharedResources",
}


def files(board: Board) -> dict[str, Json]:
    """Path within the report's definition -> content."""
    names = [_name(section.name) for section in board.sections]
    content: dict[str, Json] = {
        "version.json": {"$schema": f"{SCHEMAS}/versionMetadata/1.0.0/schema.json", "version": "2.0.0"},
        "report.json": {"$schema": f"{SCHEMAS}/report/3.0.0/schema.json", "themeCollection": {"baseTheme": THEME}},
        "pages/pages.json": {
            "$schema": f"{SCHEMAS}/pagesMetadata/1.0.0/schema.json",
            "pageOrder": names,
            "activePageName": names[0],
        },
    }
    for name, section in zip(names, board.sections, strict=True):
        content |= {f"pages/{name}/{path}": part for path, part in _page(board, section, name).items()}
    return content


def _page(board: Board, section: Section, name: str) -> dict[str, Json]:
    searched = [card for card in section.cards if card.is_searchable]
    first_row = SLICER.height if searched else 0
    placed = boxes(section, first_row)
    page = {
        "$schema": f"{SCHEMAS}/page/2.0.0/schema.json",
        "name": name,
        "displayName": board.say(section.title),
        "displayOption": "FitToWidth",
        "height": max(box.row + box.height for _, box in placed) * LINE,
        "width": WIDTH,
    }
    visuals = {card.name: _visual(board, card, box) for card, box in placed}
    if searched:
        visuals[f"{section.name}_slicer"] = _slicer(board, section)
    return {"page.json": page, **{f"visuals/{_name(key)}/visual.json": visual for key, visual in visuals.items()}}


def _visual(board: Board, card: Card, box: Box) -> Json:
    title = {"text": _literal(board.say(card.title)), "show": {"expr": {"Literal": {"Value": "true"}}}}
    visual: dict[str, object] = {
        "visualType": _kind(board, card),
        "query": {"queryState": _query(board, card)},
        "visualContainerObjects": {"title": [{"properties": title}]},
        "drillFilterOtherVisuals": True,
    }
    return _container(card.name, box, visual, _filters(card))


def _kind(board: Board, card: Card) -> str:
    return "barChart" if card.form == "bar" and not board.is_over_time(card) else VISUALS[card.form]


def _slicer(board: Board, section: Section) -> Json:
    """Narrows every list of the page to a customer, through the relationships."""
    table = (
        "customers"
        if "customers" in board.columns
        else next(card.table for card in section.cards if card.is_searchable)
    )
    values = {"Values": {"projections": [_of_column(table, CUSTOMER_ID, board.head(CUSTOMER_ID))]}}
    mode = {"mode": _literal("Dropdown")}
    visual = {"visualType": "slicer", "query": {"queryState": values}, "objects": {"data": [{"properties": mode}]}}
    return _container(f"{section.name}_slicer", SLICER, visual, {})


def _container(name: str, box: Box, visual: Json, filters: Json) -> Json:
    position = {
        "x": round(box.column * CELL, 2),
        "y": box.row * LINE,
        "width": round(box.width * CELL, 2),
        "height": box.height * LINE,
        "z": 0,
        "tabOrder": box.row * GRID + box.column,
    }
    return {
        "$schema": f"{SCHEMAS}/visualContainer/2.3.0/schema.json",
        "name": _name(name),
        "position": position,
        "visual": visual,
        **filters,
    }


def _query(board: Board, card: Card) -> Json:
    """Which columns and measures stand in which role of the visual."""
    heads = board.heads(card)
    columns = [_of_column(card.table, name, heads[name]) for name in card.columns]
    figures = [_of_measure(board, card, figure) for figure in card.figures]
    match card.form:
        case "number":
            roles = {"Data": figures}
        case "table":
            roles = {"Values": [*columns, *figures]}
        case _:
            roles = {"Category": columns[:1], "Y": figures} | ({"Series": columns[1:]} if columns[1:] else {})
    return {role: {"projections": projections} for role, projections in roles.items()}


def _of_column(table: str, name: str, head: str) -> Json:
    return {"field": _column(table, name), "queryRef": f"{table}.{name}", "nativeQueryRef": name, "displayName": head}


def _of_measure(board: Board, card: Card, figure: Figure) -> Json:
    title = board.say(figure.title)
    field = {"Measure": {"Expression": {"SourceRef": {"Entity": card.table}}, "Property": title}}
    return {"field": field, "queryRef": f"{card.table}.{title}", "nativeQueryRef": title}


def _column(table: str, name: str) -> Json:
    return {"Column": {"Expression": {"SourceRef": {"Entity": table}}, "Property": name}}


def _filters(card: Card) -> Json:
    """The condition of a card that reads some rows of its table only."""
    if card.only is None:
        return {}
    column = {"Column": {"Expression": {"SourceRef": {"Source": "t"}}, "Property": card.only.column}}
    value = {"Literal": {"Value": f"'{card.only.value}'"}}
    condition = {"In": {"Expressions": [column], "Values": [[value]]}}
    own = {
        "name": _name(f"{card.name}_{card.only.column}"),
        "field": _column(card.table, card.only.column),
        "type": "Categorical",
        "filter": {
            "Version": 2,
            "From": [{"Name": "t", "Entity": card.table, "Type": 0}],
            "Where": [{"Condition": condition}],
        },
    }
    return {"filterConfig": {"filters": [own]}}


def _literal(text: str) -> Json:
    return {"expr": {"Literal": {"Value": "'" + text.replace("'", "''") + "'"}}}


def _name(key: str) -> str:
    """A name as Power BI gives them to pages and visuals, twenty hexadecimal digits; the same for the same key."""
    return hashlib.sha256(key.encode()).hexdigest()[:20]

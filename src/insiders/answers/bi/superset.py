"""The board as Superset exports a dashboard: a database, a data set (a query) and a chart per card, the dashboard.

The files end in .yaml and hold JSON, which is YAML too. Identifiers are made of names (UUID version 5), so that the
same board is the same export, and importing it again changes what is there.
"""

import json
import uuid
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from insiders.answers.bi import Board
from insiders.answers.bi.cards import Card
from insiders.answers.bi.queries import quoted, select
from insiders.errors import InputError
from insiders.io import addresses, tables
from insiders.schemas.published import CUSTOMER_ID, Kind

Json = Mapping[str, object]
VERSION = "1.0.0"  # of the export's form
NAME = "Insiders"
COLUMNS = 2  # of the board's grid, to one of the twelve of Superset's
HEIGHT = 6  # of Superset's units, 8 pixels each, to one of the grid
GRID = ("ROOT_ID", "GRID_ID")  # where rows and headers hang in the tree of the layout
ROWS_MAX = 10_000  # of a list or chart
MASK = "XXXXXXXXXX"  # a password that Superset asks for when it imports
CHARTS = {
    "number": "big_number_total",
    "table": "table",
    "bar": "echarts_timeseries_bar",
    "line": "echarts_timeseries_line",
}
FORMATS: Mapping[Kind, str] = {"money": ",.0f", "share": ".1%", "count": ",d", "number": ",.2f"}
TYPES: Mapping[Kind, str] = {
    "day": "DATE",
    "moment": "TIMESTAMP",
    "money": "NUMERIC",
    "share": "FLOAT",
    "number": "FLOAT",
    "count": "BIGINT",
    "flag": "BOOLEAN",
}
DRIVER = "postgresql+psycopg2"  # the one that Superset's documentation names


def export(board: Board, address: str) -> dict[str, str]:
    """Path within the archive -> text; `address` is that of the PostgreSQL that was published to.

    Raises InputError where the address is none of PostgreSQL, or holds a password.
    """
    files: dict[str, Json] = {
        "metadata": {"version": VERSION},  # without a type, so that dashboards and assets may both be imported from it
        f"databases/{NAME}": _database(address),
        f"dashboards/{NAME}": _dashboard(board),
    }
    for card in board.cards:
        files[f"datasets/{NAME}/{card.name}"] = _dataset(board, card)
        files[f"charts/{card.name}"] = _chart(board, card)
    return {
        f"insiders/{name}.yaml": json.dumps(content, indent=2, ensure_ascii=False) for name, content in files.items()
    }


def _identifier(kind: str, name: str = NAME) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.{kind}.insiders"))


def _database(address: str) -> Json:
    return {
        "database_name": NAME,
        "sqlalchemy_uri": connection(address),
        "expose_in_sqllab": True,
        "extra": {},
        "uuid": _identifier("database"),
        "version": VERSION,
    }


def connection(address: str) -> str:
    """The address for Superset's driver; it asks for the password that the address leaves to a variable."""
    parts = urlsplit(address)
    if not parts.scheme.startswith("postgresql") or not parts.hostname:
        raise InputError(
            f"{addresses.shown(address)} is no address of a PostgreSQL: expected postgresql://user@host/database"
        )
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    if password and not addresses.PLACEHOLDER.fullmatch(password):
        raise InputError("the address holds a password, which would stand in the file: leave it out, or write ${NAME}")
    login = f"{name}:{MASK}@" if password else f"{name}@" if name else ""
    return urlunsplit(parts._replace(scheme=DRIVER, netloc=f"{login}{host}"))


def _dataset(board: Board, card: Card) -> Json:
    kinds = board.kinds(card)
    return {
        "table_name": f"insiders_{card.name}",
        "sql": select(card, board.schema),
        "columns": [_column(name, head, kinds[name]) for name, head in board.heads(card).items()],
        "metrics": [],
        "uuid": _identifier("dataset", card.name),
        "database_uuid": _identifier("database"),
        "version": VERSION,
    }


def _column(name: str, head: str, kind: Kind) -> Json:
    is_time = kind in ("day", "moment")
    return {
        "column_name": name,
        "verbose_name": head,
        "type": TYPES.get(kind, "TEXT"),
        "is_dttm": is_time,
        "groupby": True,
        "filterable": True,
    }


def _chart(board: Board, card: Card) -> Json:
    form = {"viz_type": CHARTS[card.form], "row_limit": ROWS_MAX, **_form(board, card)}
    return {
        "slice_name": board.say(card.title),
        "viz_type": CHARTS[card.form],
        "params": form,
        "query_context": tables.as_json(_context(card, form)),
        "uuid": _identifier("chart", card.name),
        "dataset_uuid": _identifier("dataset", card.name),
        "version": VERSION,
    }


def _form(board: Board, card: Card) -> Json:
    """What is set in the chart's panel."""
    kinds = board.kinds(card)
    if card.form == "table":
        formats = {name: {"d3NumberFormat": FORMATS[kind]} for name, kind in kinds.items() if kind in FORMATS}
        style = {"column_config": formats, "table_timestamp_format": "%Y-%m-%d", "show_cell_bars": False}
        return {"query_mode": "raw", "all_columns": list(kinds), **style}
    metrics = [_metric(name, board.heads(card)[name]) for name in kinds if name not in card.columns]
    written = FORMATS[kinds[card.figures[0].name]]
    if card.form == "number":
        return {"metric": metrics[0], "y_axis_format": written}
    axis, *series = card.columns
    along = {"time_grain_sqla": "P1M"} if board.is_over_time(card) else {"orientation": "horizontal"}
    stacked = {"stack": "Stack"} if series else {}
    return {"x_axis": axis, "groupby": series, "metrics": metrics, "y_axis_format": written, **along, **stacked}


def _metric(column: str, label: str) -> Json:
    """A column as Superset sums it: the query has left one row to each group."""
    return {
        "expressionType": "SQL",
        "sqlExpression": f"SUM({quoted(column)})",
        "label": label,
        "hasCustomLabel": True,
        "optionName": f"metric_{column}",
    }


def _context(card: Card, form: Json) -> Json:
    """The chart's query, by which reports and programs get its rows without a browser."""
    query: dict[str, object] = {"row_limit": ROWS_MAX, "filters": [], "orderby": []}
    if card.form == "table":
        query |= {"columns": form["all_columns"]}
    else:
        query |= {"columns": list(card.columns), "metrics": form.get("metrics") or [form["metric"]]}
    return {
        "datasource": {"id": 0, "type": "table"},  # Superset puts its own number there
        "force": False,
        "queries": [query],
        "form_data": form,
        "result_format": "json",
        "result_type": "full",
    }


def _dashboard(board: Board) -> Json:
    return {
        "dashboard_title": board.title,
        "slug": "insiders",
        "position": _position(board),
        "metadata": {"native_filter_configuration": [_filter(board)], "cross_filters_enabled": True},
        "published": True,
        "uuid": _identifier("dashboard"),
        "version": VERSION,
    }


def _position(board: Board) -> Json:
    """The tree of the layout: headers, and rows of charts."""
    nodes: dict[str, Json] = {}
    below: list[str] = []
    for section in board.sections:
        below.append(f"HEADER-{section.name}")
        nodes[below[-1]] = _node("HEADER", below[-1], {"text": board.say(section.title)})
        for number, row in enumerate(section.rows):
            charts = {f"CHART-{card.name}": _place(board, card) for card in row}
            below.append(f"ROW-{section.name}-{number}")
            nodes[below[-1]] = _node("ROW", below[-1], {"background": "BACKGROUND_TRANSPARENT"}, tuple(charts))
            nodes |= {name: _node("CHART", name, meta, (), (*GRID, below[-1])) for name, meta in charts.items()}
    return {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "parents": ["ROOT_ID"], "children": below},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": board.title}},
        **nodes,
    }


def _node(kind: str, name: str, meta: Json, children: tuple[str, ...] = (), parents: tuple[str, ...] = GRID) -> Json:
    return {"type": kind, "id": name, "meta": meta, "children": children, "parents": parents}


def _place(board: Board, card: Card) -> Json:
    return {
        "chartId": 0,  # Superset puts its own number there
        "uuid": _identifier("chart", card.name),
        "sliceName": board.say(card.title),
        "width": card.width // COLUMNS,
        "height": card.height * HEIGHT,
    }


def _filter(board: Board) -> Json:
    """The filter that narrows every list of customers to some of them."""
    dataset = next((card.name for card in board.cards if card.is_searchable), "")
    return {
        "id": "NATIVE_FILTER-customer",
        "type": "NATIVE_FILTER",
        "name": board.head(CUSTOMER_ID),
        "filterType": "filter_select",
        "targets": [{"column": {"name": CUSTOMER_ID}, "datasetUuid": _identifier("dataset", dataset)}],
        "controlValues": {"multiSelect": True, "searchAllOptions": True, "enableEmptyFilter": False},
        "defaultDataMask": {"extraFormData": {}, "filterState": {}},
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "cascadeParentIds": [],
        "description": "",
    }

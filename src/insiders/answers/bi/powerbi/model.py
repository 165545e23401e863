"""The model of a Power BI project in TMDL: tables with their columns and measures, relationships, parameters."""

import re
import uuid
from collections.abc import Iterable, Mapping
from textwrap import indent
from typing import NamedTuple

from insiders.answers.bi import Board
from insiders.answers.bi.cards import Figure, Rows
from insiders.answers.bi.powerbi.sources import Source
from insiders.schemas.published import BY_NAME, CUSTOMER_ID, MOVED, RELEASES, Field, Kind

LEVEL = 1600  # of compatibility: the one with which Power BI Desktop writes TMDL
TYPES: Mapping[Kind, str] = {
    "id": "string",
    "text": "string",
    "day": "dateTime",
    "moment": "dateTime",
    "money": "decimal",
    "share": "double",
    "number": "double",
    "count": "int64",
    "flag": "boolean",
}
FORMATS: Mapping[Kind, str] = {
    "day": "yyyy-mm-dd",
    "money": "#,##0",
    "share": "0.0%",
    "number": "#,##0.00",
    "count": "#,##0",
}
SHAPES = {**BY_NAME, MOVED.name: MOVED, RELEASES.name: RELEASES}


class Relationship(NamedTuple):
    """Many rows of `table` to one of `to`, by the column that both have."""

    table: str
    to: str
    column: str


RELATIONSHIPS = (
    *(
        Relationship(table, "customers", CUSTOMER_ID)
        for table in ("insiders", "assignments", "members", "membership_events", "audiences", "recommendations")
    ),
    Relationship("customers", "segments", "segment"),
)


def files(board: Board, source: Source) -> dict[str, str]:
    """Path within the model's definition -> text."""
    tables = {f"tables/{name}.tmdl": _table(board, name, source) for name in board.columns}
    refs = "".join(f"ref table {name}\n" for name in board.columns)
    culture = board.language.name if "-" in board.language.name else f"{board.language.name}-US"
    lines = [f"culture: {culture}", "defaultPowerBIDataSourceVersion: powerBI_V3"]
    head = "model Model\n" + _indented([*lines, "annotation __PBI_TimeIntelligenceEnabled = 0"]) + "\n"
    return {
        "database.tmdl": f"database\n\tcompatibilityLevel: {LEVEL}\n",
        "model.tmdl": f"{head}{refs}",
        "expressions.tmdl": _expressions(source),
        "relationships.tmdl": "\n".join(map(_relationship, relationships(board))),
        **tables,
    }


def relationships(board: Board) -> list[Relationship]:
    """Those whose tables and columns are published."""
    columns = {name: set(fields) for name, fields in board.columns.items()}
    return [
        each
        for each in RELATIONSHIPS
        if each.column in columns.get(each.table, ()) and each.column in columns.get(each.to, ())
    ]


def measures(board: Board) -> dict[tuple[str, str], Figure]:
    """Table and title -> figure, each once; the title is the measure's name."""
    return {(card.table, board.say(figure.title)): figure for card in board.cards for figure in card.figures}


def _table(board: Board, name: str, source: Source) -> str:
    fields = board.columns[name]
    own = {title: figure for (table, title), figure in measures(board).items() if table == name}
    parts = [
        *(_measure(name, title, figure, board.kind(name, figure)) for title, figure in own.items()),
        *(_column(name, column, field) for column, field in fields.items()),
        _partition(name, source.rows(name)),
    ]
    body = indent("\n".join(parts), "\t", lambda line: bool(line.strip()))
    return f"/// {SHAPES[name].title}\ntable {name}\n\tlineageTag: {_tag(name)}\n\n{body}"


def _column(table: str, name: str, field: Field) -> str:
    lines = [f"dataType: {TYPES[field.kind]}"]
    if field.kind in FORMATS:
        lines.append(f"formatString: {FORMATS[field.kind]}")
    lines += [f"lineageTag: {_tag(table, name)}", "summarizeBy: none", f"sourceColumn: {name}"]
    return f"/// {field.description}\ncolumn {name}\n" + _indented(lines)


def _measure(table: str, title: str, figure: Figure, kind: Kind) -> str:
    lines = [f"formatString: {FORMATS[kind]}", f"lineageTag: {_tag(table, title)}"]
    return f"measure {quoted(title)} = {dax(table, figure)}\n" + _indented(lines)


def dax(table: str, figure: Figure) -> str:
    """The figure in DAX, over the rows that the report's filters leave."""
    column = f"{table}[{figure.column}]"
    whole = {"count": f"COUNTROWS({table})", "sum": f"SUM({column})", "median": f"MEDIAN({column})"}[figure.aggregate]
    if figure.share_of is None:
        return whole
    return f"DIVIDE(CALCULATE({whole}, KEEPFILTERS({_holds(table, figure.share_of)})), {whole})"


def _holds(table: str, rows: Rows) -> str:
    value = f"{rows.value}".upper() if isinstance(rows.value, bool) else f'"{rows.value}"'
    return f"{table}[{rows.column}] = {value}"


def _partition(table: str, rows: str) -> str:
    return f"partition {table} = m\n\tmode: import\n\tsource =\n" + indent(rows, "\t\t\t") + "\n"


def _expressions(source: Source) -> str:
    about = 'meta [IsParameterQuery=true, Type="Text", IsParameterQueryRequired=true]'
    given = [
        f'expression {name} = "{value}" {about}\n' + _indented([f"lineageTag: {_tag('expression', name)}"])
        for name, value in source.parameters.items()
    ]
    shared = [
        f"expression {name} =\n" + indent(text, "\t\t") + "\n" + _indented([f"lineageTag: {_tag('expression', name)}"])
        for name, text in source.expressions.items()
    ]
    return "\n".join([*given, *shared])


def _relationship(each: Relationship) -> str:
    lines = [f"fromColumn: {each.table}.{each.column}", f"toColumn: {each.to}.{each.column}"]
    return f"relationship {_tag(*each)}\n" + _indented(lines)


def _indented(lines: Iterable[str]) -> str:
    return "".join(f"\t{line}\n" for line in lines)


def quoted(name: str) -> str:
    """A name as TMDL has it: between apostrophes where it is more than one plain word."""
    return name if re.fullmatch(r"\w+", name) else "'" + name.replace("'", "''") + "'"


def _tag(*names: str) -> str:
    """What stays the same of an object whose name is changed in Power BI."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, ".".join([*reversed(names), "powerbi.insiders"])))

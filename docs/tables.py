"""docs/tables.md out of the contracts (schemas.py): every file of a run, its grain and its columns (`make docs`)."""

from pathlib import Path
from typing import Any

from insiders import schemas
from insiders.io import paths

OUT = Path(__file__).parent / "tables.md"
FILES = {
    paths.INSIDERS: schemas.INSIDERS,
    paths.AUDIENCES: schemas.AUDIENCES,
    paths.RECOMMENDATIONS: schemas.RECOMMENDATIONS,
    paths.EXPERIMENT: schemas.EXPERIMENT,
    paths.RFM: schemas.RFM,
    paths.LEDGER: schemas.LEDGER,
    paths.CUSTOMERS: schemas.CUSTOMERS,
    paths.ASSIGNMENTS: schemas.ASSIGNMENTS,
    paths.MEMBERS: schemas.MEMBERS,
    paths.MOVEMENT: schemas.MOVEMENT,
    paths.TERMS: schemas.TERMS,
    paths.EXPECTATIONS: schemas.EXPECTATIONS,
    paths.CONFIDENCE: schemas.CONFIDENCE,
    paths.MEMBERSHIPS: schemas.MEMBERSHIPS,
    paths.PLACES: schemas.PLACES,
}
KINDS = {
    "string": "text",
    "str": "text",
    "int": "whole number",
    "Int": "whole number",
    "float": "number",
    "object": "exact number",
    "bool": "yes or no",
    "date": "day",
}
HEAD = """# The tables, column by column

Made from the contracts in `src/insiders/schemas/` by `make docs`; a test compares the two. A column that may be empty
says so; shares are 0 to 1; money is in the shop's currency. The files of `reports/audiences/` are parts of
`reports/audiences.csv`, one per action; `insiders list` writes the columns of `reports/insiders.csv`.
"""


def page() -> str:
    """The whole file."""
    return HEAD + "".join(_section(path, schema) for path, schema in FILES.items())


def _section(path: Path, schema: Any) -> str:
    rows = "".join(_row(name, column) for name, column in schema.columns.items())
    head = "| column | type | unit | meaning |\n| --- | --- | --- | --- |\n"
    return f"\n## {path.as_posix()}\n\n{schema.title}\n\n{head}{rows}"


def _row(name: str, column: Any) -> str:
    empty = " (may be empty)" if column.nullable else ""
    unit = (column.metadata or {}).get("unit", "")
    kind = next((words for sign, words in KINDS.items() if str(column.dtype).startswith(sign)), "list")
    return f"| `{name}` | {kind}{empty} | {unit} | {column.description.replace('|', '/')} |\n"


if __name__ == "__main__":
    OUT.write_text(page(), encoding="utf-8", newline="\n")

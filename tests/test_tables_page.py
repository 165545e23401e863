"""docs/tables.md against the contracts: what it says of a column is what the schema says."""

import runpy

import pandera.pandas as in_memory

from insiders import schemas
from small_shop import TOP

WITHOUT_FILE = {
    "HISTORY",
    "HOLDOUT",
    "JUDGED",
    "LABELS",
    "SNAPSHOTS",
    "TOP",
}  # of the search alone, or of a file that a user names


PAGE = runpy.run_path(str(TOP / "docs/tables.py"))


def test_the_page_is_what_the_contracts_say() -> None:
    assert (TOP / "docs/tables.md").read_text(encoding="utf-8") == PAGE["page"](), "run `make docs`"


def test_every_table_of_customers_is_on_it() -> None:
    tables = {name for name in schemas.__all__ if isinstance(getattr(schemas, name), in_memory.DataFrameSchema)}
    told = {name for name in tables if getattr(schemas, name) in PAGE["FILES"].values()}
    assert tables - told == WITHOUT_FILE


def test_every_column_is_described() -> None:
    columns = [column for schema in PAGE["FILES"].values() for column in schema.columns.values()]
    assert len(columns) > 100
    assert [column.name for column in columns if not column.description] == []

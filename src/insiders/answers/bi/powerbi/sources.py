"""Where the model of Power BI reads: the expressions in M, its language of queries, by which each table is fetched."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from insiders.errors import InputError
from insiders.io import addresses
from insiders.schemas.published import BY_NAME, MOVED, RELEASES, Where, current_view

PORT = 5432  # PostgreSQL's own


class Source(Protocol):
    """A store that Power BI can read: `lacks` names the tables that it does not hold."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """Name -> value of the parameters that a person may change in Power BI."""

    @property
    def expressions(self) -> Mapping[str, str]:
        """Name -> M of what all tables share."""

    @property
    def lacks(self) -> tuple[str, ...]: ...

    def rows(self, table: str) -> str:
        """The current rows of a published table, in M."""


def of(address: str, schema: str) -> Source:
    """The source that an address names; `schema` is that of the views in PostgreSQL.

    Raises InputError where Power BI has no way to read it.
    """
    form, _, rest = address.partition(":")
    if form == "parquet" and rest:
        return Folder(rest)
    parts = urlsplit(address)
    if parts.scheme.startswith("postgresql") and parts.hostname and parts.path.strip("/"):
        return Postgres(f"{parts.hostname}:{parts.port or PORT}", parts.path.strip("/"), schema)
    raise InputError(
        f"{addresses.shown(address)} is nothing that Power BI is to read: expected postgresql://host/database or "
        "parquet:FOLDER, as it was given to `insiders publish`"
    )


class Postgres(NamedTuple):
    """The views of a PostgreSQL; user and password are asked for, and kept, by Power BI."""

    server: str
    database: str
    schema: str

    @property
    def parameters(self) -> Mapping[str, str]:
        return {"Server": self.server, "Database": self.database}

    @property
    def expressions(self) -> Mapping[str, str]:
        return {}

    @property
    def lacks(self) -> tuple[str, ...]:
        return ()

    def rows(self, table: str) -> str:
        return (
            "let\n"
            "    Source = PostgreSQL.Database(Server, Database),\n"
            f'    View = Source{{[Schema = "{self.schema}", Item = "{current_view(table)}"]}}[Data]\n'
            "in\n"
            "    View"
        )


class Folder(NamedTuple):
    """A folder of Parquet files, read by the names that the publisher gives them."""

    path: str

    @property
    def parameters(self) -> Mapping[str, str]:
        return {"Folder": self.path}

    @property
    def expressions(self) -> Mapping[str, str]:
        newest = (
            "let\n"
            f'    Releases = Parquet.Document(File.Contents(Folder & "/{RELEASES.name}.parquet")),\n'
            "    Whole = Table.SelectRows(Releases, each [publication] <> null)\n"
            "in\n"
            '    Table.FirstN(Table.Sort(Whole, {{"publication", Order.Descending}}), 1)'
        )
        return {"Newest": newest, "Release": "Newest{0}[release]"}

    @property
    def lacks(self) -> tuple[str, ...]:
        return (MOVED.name,)  # a view, which a folder has not

    def rows(self, table: str) -> str:
        if table == RELEASES.name:
            return "Newest"
        part = f'Folder & "/{table}/release=" & Uri.EscapeDataString(Release) & "/part-0.parquet"'
        named = 'Table.AddColumn(Rows, "release", each Release, type text)'
        where = BY_NAME[table].where
        current = f"Table.SelectRows(Named, each {_holds(where)})" if where else "Named"
        return (
            f"let\n    Rows = Parquet.Document(File.Contents({part})),\n    Named = {named},\n"
            f"    Current = {current}\nin\n    Current"
        )


def _holds(where: Where) -> str:
    """The condition of today's rows."""
    values = ("null" if value is None else f'"{value}"' for value in where.values)
    return " or ".join(f"[{where.column}] = {value}" for value in values)

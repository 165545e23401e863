"""A table or a query of a database as a source: read only, row by row, with no more customers than are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sql

from insiders.errors import InputError
from insiders.io import addresses
from insiders.io.delivery import blocks, columns, database_sample
from insiders.io.params import Ingest

FETCHED = 50_000  # rows at a time
NAMED_MAX = 20  # tables that are named where the one that is asked for is not there
READ_ONLY = {
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "sqlite": "PRAGMA query_only = ON",
}
OF_ONE_MOMENT = {
    each: {"isolation_level": "REPEATABLE READ"} for each in ("postgresql", "mysql", "mariadb")
}  # options of a connection


class Rows(NamedTuple):
    """The names of the columns, and the rows, which are fetched as they are read."""

    names: tuple[str, ...]
    values: Iterator[Sequence[Any]]


class Delivery(NamedTuple):
    """What is to be read: the columns by the names that they get, and the condition that rows of the sample meet."""

    connection: sql.Connection
    columns: Mapping[str, "sql.ColumnElement[Any]"]
    condition: Any

    @property
    def dialect(self) -> str:
        return self.connection.dialect.name

    def rows(self, chosen: "sql.Select[Any]") -> Iterator[Sequence[Any]]:
        """What a query gives, fetched as it is read."""
        return iter(self.connection.execute(chosen.execution_options(stream_results=True, yield_per=FETCHED)))


def rows(settings: Ingest) -> Rows:
    """Read what ingest.table or ingest.query names. Raises InputError where that cannot be done."""
    fetched = _fetch(settings)
    return Rows(next(fetched), fetched)


@contextmanager
def opened(settings: Ingest) -> Iterator[Delivery]:
    """The delivery, as of one moment. Raises InputError where the database cannot be read."""
    if bool(settings.table) == bool(settings.query):
        raise InputError("a database needs either ingest.table or ingest.query, and not both")
    _refuse_password(settings.source)
    with addresses.readable("read", settings.source), _connected(addresses.expanded(settings.source)) as connection:
        chosen = _chosen(connection, settings)
        named = dict(zip(blocks.named(list(chosen.c.keys())), chosen.c, strict=True))
        yield Delivery(connection, named, _of_sample(connection, named, settings))


def _refuse_password(source: str) -> None:
    password = urlsplit(addresses.PLACEHOLDER.sub("", source)).password
    if password:
        raise InputError(
            "the address holds a password, which params.yaml must not: write ${NAME} in its place, and set the "
            "variable NAME, or let NAME_FILE name a file that holds it"
        )


def _fetch(settings: Ingest) -> Iterator[Any]:
    """Give the names of the columns, then row by row what the database sends."""
    with opened(settings) as delivery:
        yield tuple(delivery.columns)
        yield from delivery.rows(sql.select(*delivery.columns.values()).where(delivery.condition))


@contextmanager
def _connected(address: str) -> Iterator[sql.Connection]:
    """A connection that cannot write, and to which all that it reads is of one moment."""
    engine = sql.create_engine(address)
    dialect = engine.dialect.name
    if dialect == "sqlite":
        database_sample.bring_md5(engine)
    try:
        with engine.connect().execution_options(
            postgresql_readonly=True, **OF_ONE_MOMENT.get(dialect, {})
        ) as connection:
            if statement := READ_ONLY.get(dialect):
                connection.exec_driver_sql(statement)
                connection.rollback()  # what follows is a transaction of that kind
            if dialect == "sqlite":  # for which Python's module begins no transaction before a query
                connection.exec_driver_sql("BEGIN")
            yield connection
    finally:
        engine.dispose()


def _chosen(connection: sql.Connection, settings: Ingest) -> sql.FromClause:
    """The table, or the query as one."""
    if settings.query:
        text = sql.text(settings.query.strip().rstrip(";"))
        names = connection.execute(sql.text(f"SELECT * FROM ({text}) AS delivery WHERE 1 = 0")).keys()  # noqa: S608 - the user's own
        return text.columns(*(sql.column(name) for name in names)).subquery("delivery")
    schema, _, name = str(settings.table).rpartition(".")
    try:
        return sql.Table(name, sql.MetaData(), schema=schema or None, autoload_with=connection)
    except sql.exc.NoSuchTableError as error:
        raise InputError(
            f"there is no table {settings.table}: expected one of {_tables(connection, schema or None)}; mend "
            "ingest.table in params.yaml"
        ) from error


def _tables(connection: sql.Connection, schema: str | None) -> str:
    """The tables and views that are there, and the other schemas."""
    inspector = sql.inspect(connection)
    names = sorted({*inspector.get_table_names(schema), *inspector.get_view_names(schema)})
    shown = ", ".join(names[:NAMED_MAX]) or "no table at all"
    more = f" and {len(names) - NAMED_MAX} more" if len(names) > NAMED_MAX else ""
    others = sorted(set(inspector.get_schema_names()) - {schema or inspector.default_schema_name, "information_schema"})
    elsewhere = f" (other schemas: {', '.join(others)})" if others else ""
    return f"{shown}{more}{elsewhere}"


def _of_sample(connection: sql.Connection, named: Mapping[str, Any], settings: Ingest) -> Any:
    """The condition on rows that may be of the sample: which of them are, is told again where all sources are alike."""
    if settings.sample is None or settings.identities or connection.dialect.name not in database_sample.DIALECTS:
        return sql.true()
    mapping = columns.recognise(tuple(named), settings.columns, settings.ignore).columns
    ids = database_sample.Ids(
        *(named[name] if (name := mapping[ours]) else None for ours in database_sample.Ids._fields)
    )
    return database_sample.may_be_in(ids, settings.sample, connection.dialect.name)

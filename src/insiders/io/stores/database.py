"""Any database of SQLAlchemy as a store: one transaction a release, and views that follow the newest publication."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from insiders.errors import InputError
from insiders.io import addresses
from insiders.io.stores import rows
from insiders.io.stores.definitions import TYPES, Definitions, define
from insiders.io.stores.release import Columns, Outcome, Publisher, Release, Row, Table, row, schema_to_read
from insiders.schemas.published import BY_NAME, RELEASES, Kind, Published

if TYPE_CHECKING:
    import pyarrow as pa

WITHOUT_SCHEMAS = ("sqlite", "mysql", "mariadb")
PATIENCE = 60  # seconds that SQLite waits for another publisher
READS = "insiders_reads"  # option of a connection that takes no lock for writing
READ: Mapping[Kind, Any] = {"money": sql.Numeric(18, 2, asdecimal=False)}  # types where they differ from TYPES


class Database:
    """A store in a database; `schema` is that of its tables where the database has schemas."""

    def __init__(self, url: str, schema: str) -> None:
        with addresses.readable("written", url):
            self.engine = sql.create_engine(addresses.expanded(url))
        if self.engine.dialect.name == "sqlite":
            _own_transactions(self.engine)
        self.schema = None if self.engine.dialect.name in WITHOUT_SCHEMAS else schema
        self.url = url

    def current(self) -> Row | None:
        with self._read() as connection:
            if not sql.inspect(connection).has_table(RELEASES.name, schema=self.schema):
                return None
            table = self._readable(RELEASES, RELEASES.columns)
            newest = sql.select(table).order_by(table.c.publication.desc()).limit(1)
            found = connection.execute(newest).mappings().first()
            return dict(found) if found else None

    def tables(self, columns: Columns, release: str) -> "dict[str, pa.Table]":
        with self._read() as connection:
            return {name: self._table(connection, BY_NAME[name], columns[name], release) for name in columns}

    def holds(self, row: Row) -> bool:
        """Of a release that is no longer current the tables that tell the whole past are gone."""
        return self.current() == row

    def publish(self, release: Release, publisher: Publisher) -> Outcome:
        """Write the tables and then the release's row, which makes them current, in one transaction."""
        made = define(release, self.schema)
        with self._begin() as connection:
            new = self._prepare(connection, made)
            releases = made.releases
            connection.execute(
                sql.update(releases).values(publication=releases.c.publication)
            )  # one publisher at a time
            newest = connection.execute(sql.select(sql.func.max(releases.c.publication))).scalar() or 0
            same = (releases.c.release == release.name, releases.c.digest == release.digest)
            if connection.execute(
                sql.select(releases.c.release).where(*same, releases.c.publication == newest)
            ).first():
                return Outcome(is_new=False, rows=0)
            with rows.indexed_at_the_end(connection, new):
                written = sum(self._replace(connection, made, table, release.name) for table in release.tables)
            self._clear_left_out(connection, made, release.name)
            connection.execute(sql.delete(releases).where(releases.c.release == release.name))
            connection.execute(sql.insert(releases).values(**row(release, publisher, newest + 1)))
        return Outcome(is_new=True, rows=written)

    def _replace(self, connection: sql.Connection, made: Definitions, table: Table, release: str) -> int:
        """Write a table's rows in place of those of the same release, or of all where it tells the whole past."""
        target = made.tables[table.shape.name]
        stale = sql.delete(target)
        connection.execute(stale if table.shape.is_history else stale.where(target.c.release == release))
        return rows.write(connection, target, table)

    def _clear_left_out(self, connection: sql.Connection, made: Definitions, release: str) -> None:
        """Delete what an earlier publication of the same release wrote into tables that are left out now."""
        inspector = sql.inspect(connection)
        left_out = set(BY_NAME) & set(inspector.get_table_names(self.schema)) - set(made.tables)
        for name in sorted(left_out):
            if "release" in _columns(inspector, name, self.schema):  # else it is a table of others
                table = sql.table(name, sql.column("release"), schema=self.schema)
                connection.execute(sql.delete(table).where(table.c.release == release))

    def _prepare(self, connection: sql.Connection, made: Definitions) -> list[sql.Table]:
        """Make what is missing of schema, tables, columns and views; some databases keep that whatever follows.

        Returns the tables of rows that are new.
        """
        inspector = sql.inspect(connection)
        if self.schema and self.schema not in inspector.get_schema_names():
            connection.execute(sql.schema.CreateSchema(self.schema, if_not_exists=True))
        there = {name: _columns(inspector, name, self.schema) for name in inspector.get_table_names(self.schema)}
        self._refuse_foreign(made, there)
        views = {name: _columns(inspector, name, self.schema) for name in inspector.get_view_names(self.schema)}
        outdated = [view for name, view in made.views.items() if name in views and views[name] != made.columns(name)]
        for view in outdated:
            connection.execute(sql.schema.DropView(view.table))
        for table in made.tables.values():
            for column in table.columns if table.name in there else ():
                if column.name not in there[table.name]:
                    connection.execute(_add_column(connection, table, column))
        made.metadata.create_all(connection)
        return [table for name, table in made.tables.items() if name not in {*there, RELEASES.name}]

    def _refuse_foreign(self, made: Definitions, there: dict[str, list[str]]) -> None:
        foreign = sorted(name for name in there if name in made.tables and "release" not in there[name])
        if foreign:
            raise InputError(
                f"the database has tables of others by the names {', '.join(foreign)} (without a column release): "
                "publish into another database, or another schema (publish.schema in params.yaml)"
            )

    def _table(self, connection: sql.Connection, shape: Published, columns: Sequence[str], release: str) -> "pa.Table":
        import pyarrow as pa

        inspector = sql.inspect(connection)
        is_there = inspector.has_table(shape.name, schema=self.schema)
        there = _columns(inspector, shape.name, self.schema) if is_there else []
        if not there:
            return schema_to_read(shape, ()).empty_table()
        table = self._readable(shape, [name for name in columns if name in there])
        chosen = sql.select(table).where(sql.column("release") == release)
        rows = connection.execute(chosen).all()
        values = zip(*rows, strict=True) if rows else ([] for _ in table.columns)
        types = schema_to_read(shape, table.columns.keys())
        arrays = [pa.array(list(each), field.type) for each, field in zip(values, types, strict=True)]
        return pa.Table.from_arrays(arrays, schema=types)

    def _readable(self, shape: Published, columns: Iterable[str]) -> sql.TableClause:
        """A table as a SELECT names it, money as a float."""
        typed = [sql.column(name, READ.get(kind := shape.columns[name].kind, TYPES[kind])) for name in columns]
        return sql.table(shape.name, *typed, schema=self.schema)

    @contextmanager
    def _read(self) -> Iterator[sql.Connection]:
        """Open a transaction that only reads."""
        engine = self.engine.execution_options(**{READS: True})
        try:
            with addresses.readable("read", self.url), engine.connect() as connection:
                yield connection
        finally:
            self.engine.dispose()

    @contextmanager
    def _begin(self) -> Iterator[sql.Connection]:
        """Open a transaction; what the database says against it becomes an error that a user can mend."""
        try:
            with addresses.readable("written", self.url), self.engine.begin() as connection:
                yield connection
        finally:
            self.engine.dispose()


def _columns(inspector: Any, name: str, schema: str | None) -> list[str]:
    return [each["name"] for each in inspector.get_columns(name, schema=schema)]


def _add_column(connection: sql.Connection, table: sql.Table, column: "sql.Column[Any]") -> sql.DDL:
    """Append a column to a table of an earlier version."""
    quote = connection.dialect.identifier_preparer
    kind = column.type.compile(connection.dialect)
    return sql.DDL(f"ALTER TABLE {quote.format_table(table)} ADD COLUMN {quote.format_column(column)} {kind}")


def _own_transactions(engine: sql.Engine) -> None:
    """Let SQLAlchemy begin SQLite's transactions: Python's module would leave DDL outside of them.

    Who writes does so beside the tables (write-ahead logging), so that others read them meanwhile.
    """

    @sql.event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    @sql.event.listens_for(engine, "begin")
    def _begin(connection: sql.Connection) -> None:
        if connection.get_execution_options().get(READS):
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {PATIENCE * 1000}")
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

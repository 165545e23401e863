"""The published tables and views as a database defines them: types, keys, indexes, comments."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import sqlalchemy as sql
from sqlalchemy.schema import CreateView

from insiders.io.stores.release import Release
from insiders.schemas.published import CUSTOMER_ID, INSIDE, MOVED, RELEASES, Field, Kind, Published, Where, current_view

KEY_LENGTH = 255  # letters, where a database wants to know: of what stands in keys and indexes
EXACT_COLLATION = "utf8mb4_bin"  # MySQL's default takes "a" and "A" for one customer

WITHOUT_INDEXES = ("bigquery", "redshift", "snowflake")  # column stores, which refuse to make one
REDSHIFT_TEXT = 65_535  # bytes, the most; what is called TEXT there holds 256

_LONG = (
    sql.Text()
    .with_variant(sql.Text(collation=EXACT_COLLATION), "mysql", "mariadb")
    .with_variant(sql.String(REDSHIFT_TEXT), "redshift")
)
_ID = sql.Text().with_variant(sql.String(KEY_LENGTH, collation=EXACT_COLLATION), "mysql", "mariadb")
TYPES: dict[Kind, Any] = {
    "id": _ID.with_variant(sql.String(KEY_LENGTH), "mssql", "oracle", "snowflake", "redshift"),
    "text": _LONG,
    "day": sql.Date(),
    "moment": sql.DateTime(),
    "money": sql.Numeric(18, 2).with_variant(sql.Numeric(18, 2, asdecimal=False), "sqlite"),
    "share": sql.Double(),
    "number": sql.Double(),
    "count": sql.BigInteger(),
    "flag": sql.Boolean(),
}


class Definitions(NamedTuple):
    """All of a store's tables and views."""

    metadata: sql.MetaData
    releases: sql.Table
    tables: dict[str, sql.Table]  # with `releases`
    views: dict[str, CreateView]

    def columns(self, view: str) -> list[str]:
        return [column.name for column in self.views[view].table.columns]


def define(release: Release, schema: str | None) -> Definitions:
    """The tables of a release, and the views that can be made of them."""
    metadata = sql.MetaData(schema=schema)
    releases = _table(metadata, RELEASES, RELEASES.columns)
    tables = {table.shape.name: _table(metadata, table.shape, table.columns) for table in release.tables}
    shapes = [table.shape for table in release.tables]
    selects = {current_view(RELEASES.name): sql.select(releases).where(_is_current(releases, releases))}
    selects |= {current_view(shape.name): _current(releases, tables[shape.name], shape.where) for shape in shapes}
    if "customers" in tables:
        selects[MOVED.name] = _movement(releases, tables["customers"])
        selects[current_view(MOVED.name)] = _movement(releases, tables["customers"], of_current=True)
    if "revenue_by_month" in tables:
        selects["revenue_share_by_month"] = _revenue_share(releases, tables["revenue_by_month"])
    views = {name: CreateView(select, name, metadata=metadata, schema=schema) for name, select in selects.items()}
    return Definitions(metadata, releases, {**tables, RELEASES.name: releases}, views)


def _table(metadata: sql.MetaData, shape: Published, names: Iterable[str]) -> sql.Table:
    columns = [_column(name, shape.columns[name], name in shape.key) for name in names]
    key = sql.PrimaryKeyConstraint(name=f"{shape.name}_pkey")  # as PostgreSQL calls it unasked
    return sql.Table(shape.name, metadata, *columns, key, *_indexes(shape), comment=shape.title)


def _indexes(shape: Published) -> list[sql.Index]:
    """By customer over all releases, where the key does not begin with it.

    Where rows lie in the order of their customers, PostgreSQL keeps only what ids each stretch of the table holds: such
    an index costs a third of the time, and hardly any room.
    """
    if CUSTOMER_ID not in shape.columns or shape.key[0] == CUSTOMER_ID:
        return []
    in_order = shape.key[1] == CUSTOMER_ID  # within a release
    index = sql.Index(
        f"ix_{shape.name}_{CUSTOMER_ID}",
        CUSTOMER_ID,
        postgresql_using="brin" if in_order else "btree",
        postgresql_with={"autosummarize": True} if in_order else {},
    )
    return [index.ddl_if(callable_=_has_indexes)]


def _has_indexes(*_: object, dialect: sql.Dialect, **__: object) -> bool:
    return dialect.name not in WITHOUT_INDEXES


def _column(name: str, field: Field, is_key: bool) -> "sql.Column[Any]":
    return sql.Column(
        name, TYPES[field.kind], primary_key=is_key, nullable=not is_key, autoincrement=False, comment=field.description
    )


def _is_current(releases: sql.Table, table: sql.FromClause) -> Any:
    """The rows of the release that was published last."""
    each = releases.alias("each_release")
    newest = sql.select(sql.func.max(each.c.publication)).scalar_subquery()
    current = releases.alias("newest_release")
    return table.c.release == sql.select(current.c.release).where(current.c.publication == newest).scalar_subquery()


def _current(releases: sql.Table, table: sql.Table, where: Where | None) -> sql.Select[Any]:
    chosen = sql.select(table).where(_is_current(releases, table))
    if where is None:
        return chosen
    column = table.c[where.column]
    return chosen.where(
        column.is_(None)
        if None in where.values
        else column.in_([sql.literal_column(f"'{each}'") for each in where.values])
    )


def _movement(releases: sql.Table, customers: sql.Table, *, of_current: bool = False) -> sql.Select[Any]:
    """From segment to segment between each release, or the current one, and the last published of an earlier day."""
    now, before, each = (releases.alias(name) for name in ("now_release", "release_before", "each_release"))
    last = sql.select(sql.func.max(each.c.publication)).where(each.c.as_of < now.c.as_of).scalar_subquery()
    here, there = customers.alias("here"), customers.alias("there")
    joined = (
        now.join(before, before.c.publication == last)
        .join(here, here.c.release == now.c.release)
        .join(there, (there.c.release == before.c.release) & (there.c.customer_id == here.c.customer_id))
    )
    groups = (
        now.c.release.label("release"),
        before.c.release.label("release_before"),
        there.c.segment.label("segment_before"),
        here.c.segment.label("segment"),
    )
    counted = sql.select(*groups, sql.func.count().label("customers")).select_from(joined)
    if of_current:
        counted = counted.where(_is_current(releases, now))
    return counted.group_by(now.c.release, before.c.release, there.c.segment, here.c.segment)


def _revenue_share(releases: sql.Table, months: sql.Table) -> sql.Select[Any]:
    """Part of each month's net revenue that today's members brought."""
    inside = sql.case(
        (months.c.side == sql.literal_column(f"'{INSIDE}'"), months.c.net_revenue), else_=sql.literal_column("0")
    )
    own, whole = sql.func.sum(inside), sql.func.sum(months.c.net_revenue)
    share = own * sql.literal_column("1.0") / sql.func.nullif(whole, sql.literal_column("0"))
    columns = (
        months.c.release,
        months.c.month,
        own.label("insiders_net_revenue"),
        whole.label("net_revenue"),
        share.label("share"),
        months.c.is_partial,
    )
    return (
        sql.select(*columns)
        .where(_is_current(releases, months))
        .group_by(months.c.release, months.c.month, months.c.is_partial)
    )

"""Databases as stores: what is read back is what was published, and a reader sees a release whole or not at all."""

import os
import signal
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pyarrow as pa
import pytest
import sqlalchemy as sql

import databases
from insiders.errors import InputError
from insiders.io import stores
from insiders.io.stores import reading
from insiders.io.stores.definitions import define
from insiders.io.stores.release import Release, Table
from insiders.schemas.published import BY_NAME, DOCUMENTS, TABLES
from published_tables import PUBLISHER, assert_read_back, narrowed, release

SCHEMA = "insiders"
SERVERS = {"postgres": (databases.missing, databases.server), "mariadb": (databases.mariadb_missing, databases.mariadb)}


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    yield from started("postgres")


@pytest.fixture(scope="module")
def mariadb() -> Iterator[str]:
    yield from started("mariadb")


def started(name: str) -> Iterator[str]:
    missing, server = SERVERS[name]
    if why := missing():
        pytest.skip(why)
    with server() as url:
        yield url


@pytest.fixture(params=["sqlite", *SERVERS])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'shop.db'}"
    found = str(request.getfixturevalue(request.param))
    empty(found)
    return found


def empty(url: str) -> None:
    engine = sql.create_engine(url)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        else:
            connection.exec_driver_sql(f"DROP DATABASE {engine.url.database}")
            connection.exec_driver_sql(f"CREATE DATABASE {engine.url.database}")
    engine.dispose()


def publish(url: str, made: Release) -> Any:
    return stores.open_store(url, SCHEMA).publish(made, PUBLISHER)


def read(url: str, statement: str) -> list[Any]:
    """Rows of a query in which {} stands for what goes before the name of a table."""
    engine = sql.create_engine(url)
    prefix = f"{SCHEMA}." if engine.dialect.name == "postgresql" else ""
    with engine.connect() as connection:
        if engine.dialect.name == "mysql":  # to whom release, rank and rows are words of its own
            connection.exec_driver_sql("SET sql_mode = 'ANSI_QUOTES'")
        rows = [tuple(row) for row in connection.execute(sql.text(statement.replace("{}", prefix)))]
    engine.dispose()
    return rows


def quoted(name: str) -> str:
    return f'"{name}"'


def as_text(row: tuple[Any, ...]) -> str:
    """The same for the same values, whether a database has days, flags and exact numbers of its own or not."""
    return str([format(float(each), ".12g") if isinstance(each, float | Decimal | int) else str(each) for each in row])


def content(url: str) -> dict[str, list[Any]]:
    """Everything in the store, ordered by its text."""
    names = [
        *BY_NAME,
        "releases",
        *(f"current_{name}" for name in BY_NAME),
        "movement",
        "current_movement",
        "revenue_share_by_month",
    ]
    return {name: sorted(map(str, read(url, f"SELECT * FROM {{}}{name}"))) for name in names}


def test_what_is_read_is_what_was_published(url: str) -> None:
    made = release(1)
    assert publish(url, made) == (True, 3 * len(TABLES))
    for table in made.tables:
        rows = read(url, f"SELECT {', '.join(map(quoted, table.columns))} FROM {{}}{table.shape.name}")
        expected = [tuple(row.values()) for block in table.blocks() for row in block.to_pylist()]
        assert sorted(map(as_text, rows)) == sorted(map(as_text, expected)), table.shape.name
    [row] = read(url, 'SELECT "release", as_of, members, currency, published_by, note, publication FROM {}releases')
    assert (row[0], str(row[1]), *row[2:]) == (made.name, "2025-01-10", 3, "GBP", "ana", "first list", 1)


def test_what_is_published_is_read_back_whole(url: str) -> None:
    store = stores.open_store(url, SCHEMA)
    assert reading.read(store, {}) is None
    for made in (release(1, 4), release(2, 3)):
        publish(url, made)
        assert_read_back(store, made)


def test_a_column_that_was_kept_back_is_missed_by_its_name(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    publish(url, narrowed(release(1), "segments"))
    with pytest.raises(InputError, match=r"segments has no customers, which are needed here: publish\.columns"):
        reading.read(stores.open_store(url, SCHEMA), {"segments": ["segment", "customers"]})
    earlier = f"sqlite:///{tmp_path / 'earlier.db'}"
    publish(earlier, release(1, without=("documents",)))
    with pytest.raises(InputError, match=r"documents has no content, which are needed here"):
        reading.read(stores.open_store(earlier, SCHEMA), {"documents": ["content"]})


def test_the_same_release_twice_changes_nothing(url: str) -> None:
    publish(url, release(1))
    before = content(url)
    assert publish(url, release(1)) == (False, 0)
    assert content(url) == before


def test_the_views_follow_the_last_publication(url: str) -> None:
    first, second = release(1, 4), release(2, 3)
    for made in (first, second, first):  # back to an old release
        publish(url, made)
        assert read(url, 'SELECT "release" FROM {}current_release') == [(made.name,)]
        assert read(url, 'SELECT count(*), min("release"), max("release") FROM {}current_insiders') == [
            (made.members, made.name, made.name)
        ]
        assert read(url, 'SELECT count(*), min("release") FROM {}members') == [(made.members, made.name)]  # a history
    assert read(url, "SELECT count(*) FROM {}insiders") == [(7,)]
    assert read(url, 'SELECT publication FROM {}releases ORDER BY "release"') == [(3,), (2,)]
    moved = read(
        url, 'SELECT "release", release_before, sum(customers) FROM {}movement GROUP BY "release", release_before'
    )
    assert [(*names, int(count)) for *names, count in moved] == [(second.name, first.name, 3)]


def test_a_release_published_again_with_other_content_replaces_itself(url: str) -> None:
    publish(url, release(1))
    assert publish(url, release(1, rows=2, mark=" new")).is_new
    assert read(url, "SELECT count(*) FROM {}customers") == [(2,)]
    assert read(url, "SELECT count(*) FROM {}releases") == [(1,)]


def test_a_release_published_again_without_a_table_loses_its_rows(url: str) -> None:
    for made in (release(1), release(2), release(2, without=("recommendations",), mark=" new")):
        publish(url, made)
    assert read(url, 'SELECT DISTINCT "release" FROM {}recommendations') == [(release(1).name,)]
    assert read(url, "SELECT count(*) FROM {}current_recommendations") == [(0,)]


def test_sqlite_is_read_while_a_publish_writes_more_than_its_cache_holds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    publish(url, release(1))
    seen = []

    def blocks(table: Table) -> Iterator[pa.RecordBatch]:
        for block in table.blocks():
            place = block.schema.names.index("content")
            yield block.set_column(place, "content", pa.array(["x" * 5_000_000] * block.num_rows, pa.string()))
            current = stores.open_store(url, SCHEMA).current()
            seen.append(current and current["release"])

    made = release(2)
    tables = [each._replace(blocks=partial(blocks, each)) if each.shape == DOCUMENTS else each for each in made.tables]
    publish(url, made._replace(tables=tuple(tables)))
    assert set(seen) == {release(1).name}
    assert [each.name for each in tmp_path.iterdir()] == ["shop.db"]


def test_a_column_of_a_later_version_is_appended(url: str) -> None:
    publish(url, narrowed(release(1), "customers"))
    assert len(read(url, "SELECT * FROM {}current_customers")[0]) == 3
    publish(url, release(2))
    assert len(read(url, "SELECT * FROM {}current_customers")[0]) == len(BY_NAME["customers"].columns)
    assert read(url, "SELECT count(*) FROM {}customers WHERE net_revenue IS NULL") == [(4,)]


def test_tables_of_others_are_left_alone(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    engine = sql.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE customers (id INTEGER)")
    engine.dispose()
    with pytest.raises(InputError, match=r"tables of others by the names customers .*publish\.schema"):
        publish(url, release(1))
    assert read(url, "SELECT name FROM sqlite_master WHERE type = 'table'") == [("customers",)]


def test_a_store_out_of_reach_says_so_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"shop\.db: the database cannot be written: unable to open"):
        publish(f"sqlite:///{tmp_path / 'no' / 'shop.db'}", release(1))
    monkeypatch.setenv("SHOP_PASSWORD", "s3:/@cret")
    if databases.missing() is None:
        with pytest.raises(InputError, match=r"//127\.0\.0\.1:1/shop: the database cannot be written") as caught:
            publish("postgresql+psycopg://me:${SHOP_PASSWORD}@127.0.0.1:1/shop", release(1))
        assert "cret" not in str(caught.value)


def test_every_table_and_column_is_described_and_keyed(postgres: str) -> None:
    empty(postgres)
    publish(postgres, release(1))
    engine = sql.create_engine(postgres)
    inspector = sql.inspect(engine)
    for shape in TABLES:
        assert inspector.get_table_comment(shape.name, SCHEMA)["text"] == shape.title
        assert tuple(inspector.get_pk_constraint(shape.name, SCHEMA)["constrained_columns"]) == shape.key
        columns = {each["name"]: each for each in inspector.get_columns(shape.name, SCHEMA)}
        assert {name: each["comment"] for name, each in columns.items()} == {
            name: field.description for name, field in shape.columns.items()
        }
        indexed = {each["column_names"][0] for each in inspector.get_indexes(shape.name, SCHEMA)} | {shape.key[0]}
        assert {"customer_id"} & set(shape.columns) <= indexed
    engine.dispose()


# --- while others read, and when the publisher dies ---


def seen(connection: sql.Connection) -> tuple[Any, ...]:
    """What a reader finds in one transaction: the release and the rows of several tables."""
    current = f"SELECT release, members FROM {SCHEMA}.current_release"
    [(name, count)] = connection.exec_driver_sql(current).fetchall()
    rows = [
        connection.exec_driver_sql(
            f"SELECT count(*), count(DISTINCT release), max(release) FROM {SCHEMA}.current_{table}"
        ).one()
        for table in ("insiders", "members", "assignments", "customers")
    ]
    return name, count, [tuple(row) for row in rows]


def read_on(url: str, stop: Event, found: list[Any]) -> None:
    engine = sql.create_engine(url, isolation_level="REPEATABLE READ")
    while not stop.is_set():
        with engine.connect() as connection:
            found.append(seen(connection))
    engine.dispose()


@pytest.mark.parametrize("publishes", [6, pytest.param(50, marks=pytest.mark.battery)])
def test_readers_see_a_whole_release_while_others_are_published(postgres: str, publishes: int) -> None:
    empty(postgres)
    made = [release(number, 200 + number) for number in (1, 2, 3)]
    publish(postgres, made[0])
    stop, found = Event(), []
    readers = [Thread(target=read_on, args=(postgres, stop, found)) for _ in range(4)]
    for reader in readers:
        reader.start()
    try:
        for turn in range(1, publishes):
            publish(postgres, made[turn % 3])
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert len({name for name, *_ in found}) == 3
    assert [each for each in found if each[2] != [(each[1], 1, each[0])] * 4] == []


def killed_at(url: str, made: Release, statement: int) -> bool:
    """Publish in a process of its own that is killed before its n-th statement; False where it ends before that."""
    child = os.fork()
    if child == 0:
        _die_before(statement)
        publish(url, made)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _die_before(statement: int) -> None:
    """Count every statement that goes to the driver, with those of COPY, and the commit."""
    left = iter(range(statement - 1, -1, -1))

    def count(*_: object) -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    from insiders.io.stores import rows

    copy = rows._copy

    def counted(*args: Any) -> int:
        count()
        return copy(*args)

    rows._copy = counted
    for event in ("before_cursor_execute", "commit"):
        sql.event.listen(sql.Engine, event, count)


@pytest.mark.parametrize("step", [17, pytest.param(1, marks=pytest.mark.battery)])
def test_a_killed_publisher_leaves_the_old_release_or_the_new(postgres: str, step: int) -> None:
    empty(postgres)
    old, new = release(1, 5), release(2, 7)
    publish(postgres, old)
    before, statement = content(postgres), 1
    while killed_at(postgres, new, statement):
        assert content(postgres) == before, statement
        statement += step
    assert statement > 40
    assert read(postgres, "SELECT release FROM {}current_release") == [(new.name,)]
    assert read(postgres, "SELECT count(*) FROM {}current_customers") == [(7,)]


def statements(dialect: str, name: str) -> list[str]:
    """What a database of this dialect, under this name, would be told to make."""
    said: list[str] = []
    engine = sql.create_mock_engine(
        f"{dialect}://", lambda each, *_, **__: said.append(str(each.compile(dialect=engine.dialect)))
    )
    engine.dialect.name = name
    define(release(1), "insiders").metadata.create_all(engine, checkfirst=False)
    return said


def test_databases_that_were_not_at_hand_are_told_what_they_know() -> None:
    """SQL Server and Oracle by SQLAlchemy's own dialects; Redshift as PostgreSQL but for texts and indexes."""
    for name in ("mssql", "oracle"):
        said = statements(name, name)
        made = {each.split()[2].removeprefix("insiders.") for each in said if "CREATE INDEX" in each}
        by_customer = ("customers", "insiders", "audiences", "recommendations")
        assert made == {f"ix_{table}_customer_id" for table in by_customer}
        assert any("VIEW insiders.current_insiders" in each for each in said)
    redshift = statements("postgresql", "redshift")
    assert not any("CREATE INDEX" in each for each in redshift)
    assert any("reason VARCHAR(65535)" in each for each in redshift)

"""Leases of several processes on the tasks of one study, kept in the database that holds the study.

A task is leased by inserting its row, which a database lets one process do. The holder sends heartbeats: it raises a
number in its rows every few seconds. Where another process sees that number unchanged for longer than the timeout, on
its own clock, the holder counts as dead and the lease is taken over, by an update that names the old number and so
succeeds for one process only. Clocks of different machines are never compared.
"""

import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

HEARTBEAT_SECONDS = 2.0
TIMEOUT_SECONDS = 60.0  # without a heartbeat, after which a holder counts as dead
WAIT_SECONDS = 0.5
BUSY_SECONDS = 120.0  # that a database of one file may be kept by somebody else


class Heartbeat(NamedTuple):
    """What another process last showed of itself, and when this process first saw it (monotonic seconds)."""

    owner: str
    number: int
    since: float


def patience(url: str) -> dict[str, float]:
    """What SQLite is told so that it waits for somebody else to end what they write; a server has its own patience."""
    return {"timeout": BUSY_SECONDS} if url.startswith("sqlite") else {}


class Leases:
    """What one process leases of the tasks of `study`; `limit` is how many trials it takes at once.

    `url` is the SQLAlchemy address of the study's database, `timeout` the seconds without a heartbeat after which
    another process counts as dead. `owner` names who holds the leases, this process alone if nobody is named: a process
    that follows a killed one by the same name goes on with its leases at once.
    """

    def __init__(
        self, url: str, study: str, limit: int, timeout: float = TIMEOUT_SECONDS, owner: str | None = None
    ) -> None:
        import sqlalchemy as sql

        self.limit, self.study, self.timeout = limit, study, timeout
        self.owner = owner or uuid4().hex
        self._engine = sql.create_engine(url, connect_args=patience(url))
        self._table = sql.Table(
            "insiders_leases",
            sql.MetaData(),
            sql.Column("study", sql.String(64), primary_key=True),
            sql.Column("task", sql.String(64), primary_key=True),
            sql.Column("owner", sql.String(64)),
            sql.Column("heartbeat", sql.Integer),
        )
        self._create_table()
        self._others: dict[str, Heartbeat] = {}
        self._closed = threading.Event()
        self._heart = threading.Thread(target=self._send_heartbeats, daemon=True)
        self._heart.start()

    def acquire(self, task: str) -> bool:
        """Try to lease a task; False where another process that is alive holds it."""
        from sqlalchemy.exc import IntegrityError

        try:
            with self._engine.begin() as connection:
                row = {"study": self.study, "task": task, "owner": self.owner, "heartbeat": 0}
                connection.execute(self._table.insert().values(row))
            return True
        except IntegrityError:
            return self._take_over(task)

    def release(self, task: str) -> None:
        """Give a task back; what another process holds stays."""
        with self._engine.begin() as connection:
            connection.execute(self._table.delete().where(*self._is(task), self._table.c.owner == self.owner))

    def wait(self) -> None:
        """Let some time pass before the next attempt."""
        time.sleep(WAIT_SECONDS)

    def close(self) -> None:
        """End the heartbeats, then the connections: one in use at that moment would stay open."""
        self._closed.set()
        self._heart.join()
        self._engine.dispose()

    def _create_table(self) -> None:
        """Create the table twice: of several processes that create it at once, the database may refuse all but one."""
        from sqlalchemy.exc import DBAPIError

        with suppress(DBAPIError):
            self._table.create(self._engine, checkfirst=True)
        self._table.create(self._engine, checkfirst=True)

    def _take_over(self, task: str) -> bool:
        """Take the lease of a holder without a heartbeat for longer than the timeout, or of one's own predecessor."""
        table = self._table
        with self._engine.begin() as connection:
            row = connection.execute(table.select().where(*self._is(task))).first()
            if row is None or row.owner == self.owner:
                return row is not None
            if not self._is_dead(task, Heartbeat(row.owner, row.heartbeat, time.monotonic())):
                return False
            unchanged = (table.c.owner == row.owner, table.c.heartbeat == row.heartbeat)
            mine = table.update().where(*self._is(task), *unchanged).values(owner=self.owner, heartbeat=0)
            return connection.execute(mine).rowcount == 1

    def _is_dead(self, task: str, current: Heartbeat) -> bool:
        last = self._others.setdefault(task, current)
        if last[:2] == current[:2]:
            return current.since - last.since > self.timeout
        self._others[task] = current
        return False

    def _is(self, task: str) -> "tuple[ColumnElement[bool], ColumnElement[bool]]":
        return self._table.c.study == self.study, self._table.c.task == task

    def _send_heartbeats(self) -> None:
        from sqlalchemy.exc import OperationalError

        table = self._table
        own = table.update().where(table.c.study == self.study, table.c.owner == self.owner)
        while not self._closed.wait(HEARTBEAT_SECONDS):
            # A database that is busy for a moment is no reason to lose the leases: the next heartbeat comes soon.
            with suppress(OperationalError), self._engine.begin() as connection:
                connection.execute(own.values(heartbeat=table.c.heartbeat + 1))

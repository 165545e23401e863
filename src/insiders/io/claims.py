"""Claims of several processes on the parts of one search, in a table of the database that holds its study.

Whoever inserts the row has the claim: a database lets one of them do so. The holder's beat goes on while it lives; a
claim whose beat stands still for long, by the clock of whoever looks, is taken over by an update of just that beat,
which again succeeds for one only. So no two machines need to agree on the time.
"""

import threading
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

BEAT_SECONDS = 2.0
PATIENCE_SECONDS = 60.0  # without a beat, after which a holder counts as dead
WAIT_SECONDS = 0.5


class Claims:
    """`limit`: trials that one round takes, so that others find some."""

    def __init__(self, url: str, study: str, limit: int, patience: float = PATIENCE_SECONDS) -> None:
        import sqlalchemy as sql

        self.limit, self.study, self.patience = limit, study, patience
        self.owner = uuid4().hex
        self._engine = sql.create_engine(url, connect_args={"timeout": 60} if url.startswith("sqlite") else {})
        self._table = sql.Table(
            "insiders_claims",
            sql.MetaData(),
            sql.Column("study", sql.String(64), primary_key=True),
            sql.Column("part", sql.String(64), primary_key=True),
            sql.Column("owner", sql.String(64)),
            sql.Column("beat", sql.Integer),
        )
        self._make_table()
        self._seen: dict[str, tuple[Any, float]] = {}
        self._closed = threading.Event()
        threading.Thread(target=self._beat, daemon=True).start()

    def take(self, part: str) -> bool:
        """Whether this process has the claim now."""
        from sqlalchemy.exc import IntegrityError

        try:
            with self._engine.begin() as connection:
                row = {"study": self.study, "part": part, "owner": self.owner, "beat": 0}
                connection.execute(self._table.insert().values(row))
            return True
        except IntegrityError:
            return self._inherit(part)

    def release(self, part: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(self._table.delete().where(*self._of(part), self._table.c.owner == self.owner))

    def wait(self) -> None:
        time.sleep(WAIT_SECONDS)

    def close(self) -> None:
        self._closed.set()
        self._engine.dispose()

    def _make_table(self) -> None:
        """Of several processes that do so at once all but one may be refused: then the table is there."""
        from sqlalchemy.exc import DBAPIError

        with suppress(DBAPIError):
            self._table.create(self._engine, checkfirst=True)
        self._table.create(self._engine, checkfirst=True)

    def _inherit(self, part: str) -> bool:
        """Take a claim over whose holder has not been heard of for long."""
        table, now = self._table, time.monotonic()
        with self._engine.begin() as connection:
            found = connection.execute(table.select().where(*self._of(part))).first()
            if found is None:
                return False
            last, since = self._seen.setdefault(part, (found, now))
            if last != found:
                self._seen[part] = (found, now)
            elif now - since > self.patience:
                same = (table.c.owner == found.owner, table.c.beat == found.beat)
                mine = table.update().where(*self._of(part), *same).values(owner=self.owner, beat=0)
                return connection.execute(mine).rowcount == 1
        return False

    def _of(self, part: str) -> tuple[Any, Any]:
        return self._table.c.study == self.study, self._table.c.part == part

    def _beat(self) -> None:
        from sqlalchemy.exc import OperationalError

        table = self._table
        own = table.update().where(table.c.study == self.study, table.c.owner == self.owner)
        while not self._closed.wait(BEAT_SECONDS):
            # A database that is busy for a moment is no reason to lose the claims: the next beat comes soon.
            with suppress(OperationalError), self._engine.begin() as connection:
                connection.execute(own.values(beat=table.c.beat + 1))

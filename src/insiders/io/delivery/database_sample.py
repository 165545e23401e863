"""The part of a sample of customers (`sampling`) that a database works out: which rows it need not send."""

import hashlib
from typing import Any, NamedTuple

import sqlalchemy as sql

from insiders.io.delivery.sampling import limit

DIALECTS = ("postgresql", "mysql", "mariadb", "sqlite")  # those in which md5 and regular expressions are known to agree
# Ids that are read as they are written; an e-mail only in small letters. And those of them that are read as missing.
PLAIN = "^([A-Za-z0-9][A-Za-z0-9_-]*|[a-z0-9][a-z0-9_.+-]*@[a-z0-9_.-]+)$"
MISSING = "^([nN][aA][nN]|[nN][uU][lL][lL]|[nN][oO][nN][eE]|[nN][aA][tT])$"


class Ids(NamedTuple):
    """The columns of a database by which a row is taken; None where it has none."""

    customer_id: Any
    invoice: Any


def may_be_in(ids: Ids, share: float, dialect: str) -> Any:
    """The condition by which a database leaves out rows that are surely not in the sample."""
    hashed = [(known, sql.func.md5(text) < sql.literal(limit(share))) for known, text in _cases(ids, dialect)]
    return sql.case(*hashed, else_=sql.true()) if hashed else sql.true()


def _cases(ids: Ids, dialect: str) -> list[tuple[Any, Any]]:
    """By which text a row is taken, under which condition."""
    person, document = (None if each is None else as_text(each, dialect) for each in ids)
    cases = [] if person is None else [(_is_plain(person), person)]
    if document is not None:
        nobody = sql.true() if person is None else ids.customer_id.is_(None)
        cases.append((sql.and_(nobody, _is_plain(document)), document))
    return cases


def as_text(column: Any, dialect: str) -> Any:
    """The value as text; in MySQL, to whom letters are often alike large and small, as one where they are not."""
    if dialect in ("mysql", "mariadb"):
        return sql.collate(sql.cast(column, sql.CHAR), "utf8mb4_bin")
    return sql.cast(column, sql.Text)


def _is_plain(text: Any) -> Any:
    return sql.and_(text.regexp_match(PLAIN), sql.not_(text.regexp_match(MISSING)))


def bring_md5(engine: sql.Engine) -> None:
    """Teach SQLite, which has no hash, the one of the other databases, and to read its digits."""

    @sql.event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.create_function("md5", 1, _md5, deterministic=True)
        connection.create_function("from_hex", 1, lambda digits: int(digits, 16), deterministic=True)


def _md5(text: str | None) -> str | None:
    return None if text is None else hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

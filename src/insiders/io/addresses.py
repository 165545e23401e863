"""Addresses of databases: secrets come from the environment or a file, and what a driver says becomes plain."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from insiders.errors import InputError

PLACEHOLDER = re.compile(r"\$\{(\w+)\}")
FILE = "_FILE"  # a variable of this ending names the file that holds the value, as containers are given secrets


def shown(address: str) -> str:
    """Write an address without the user and password that it may hold."""
    parts = urlsplit(address)
    if not parts.scheme or "@" not in parts.netloc:
        return address
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def expanded(address: str) -> str:
    """Put the values of variables in place of ${NAME}, written so that an address can hold them."""
    return PLACEHOLDER.sub(lambda found: quote(secret(found[1]), safe=""), address)


def secret(name: str) -> str:
    """The value of a variable, or of the file that NAME_FILE names. Raises InputError where there is neither."""
    if name in os.environ:
        return os.environ[name]
    path = os.environ.get(f"{name}{FILE}")
    if path is None:
        raise InputError(
            f"the variable {name} is not set: set it, or let {name}{FILE} name a file that holds the value"
        )
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise InputError(f"{path}, which {name}{FILE} names, cannot be read: {error.strerror}") from error


@contextmanager
def readable(done: str, address: str) -> Iterator[None]:
    """Turn what a database or its driver says into an InputError; `done` is what it could not be: read, written."""
    import sqlalchemy as sql

    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(
            f"{shown(address)}: the driver {error.name} is not installed: `make stores` in a clone, or the extra "
            "`stores` of the package, installs those of PostgreSQL, MySQL and MongoDB"
        ) from error
    except sql.exc.SQLAlchemyError as error:
        raise InputError(f"{shown(address)}: the database cannot be {done}: {_brief(error)}") from error


def _brief(error: Exception) -> str:
    """Keep what the database says, without the statement and the address of a manual."""
    return str(getattr(error, "orig", None) or error).splitlines()[0]

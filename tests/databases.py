"""A PostgreSQL of a test's own, where this machine has the server's programs."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

DEBIAN = Path("/usr/lib/postgresql")  # where Debian keeps the server's programs, by version and not on the path
USER = "postgres"  # of the machine; the server refuses to be started by root


def missing() -> str | None:
    """Why there is no PostgreSQL here."""
    if find_spec("psycopg") is None:
        return "psycopg, an extra, is not installed: `make postgres` installs it"
    if _program("initdb") is None:
        return "the programs of a PostgreSQL server (initdb, pg_ctl) are not on this machine"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "PostgreSQL does not run as root, and there is no runuser to become another user"
    return None


@contextmanager
def server() -> Iterator[str]:
    """A server in a temporary folder, gone at the end; yields its SQLAlchemy URL."""
    folder = Path(tempfile.mkdtemp(prefix="insiders-postgres-"))
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    try:
        _run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        _run("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://{USER}@127.0.0.1:{port}/postgres"
        finally:
            _run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _run(name: str, *arguments: str) -> None:
    as_other = ["runuser", "-u", USER, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_other, str(_program(name)), *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # not a pipe: the server would inherit it, and hold it open
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{name}: {done.stderr}")


def _program(name: str) -> Path | None:
    found = shutil.which(name) or next(iter(sorted(DEBIAN.glob(f"*/bin/{name}"), reverse=True)), None)
    return Path(found) if found else None

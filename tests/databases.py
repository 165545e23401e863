"""Servers of a test's own: PostgreSQL and MariaDB, where this machine has their programs."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

DEBIAN = Path("/usr/lib/postgresql")  # where Debian keeps the server's programs, by version and not on the path
USER = "postgres"  # of the machine; the server refuses to be started by root
MARIA_USER = "mysql"
STARTED_WITHIN = 60  # seconds


def missing() -> str | None:
    """Why there is no PostgreSQL here."""
    if find_spec("psycopg") is None:
        return "psycopg, an extra, is not installed: `make postgres` installs it"
    if _program("initdb") is None:
        return "the programs of a PostgreSQL server (initdb, pg_ctl) are not on this machine"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "PostgreSQL does not run as root, and there is no runuser to become another user"
    return None


def mariadb_missing() -> str | None:
    """Why there is no MariaDB here."""
    if find_spec("pymysql") is None:
        return "pymysql, an extra, is not installed: `make servers` installs it"
    if not (shutil.which("mariadbd") and shutil.which("mariadb-install-db")):
        return "the programs of a MariaDB server are not on this machine: `make servers` installs them"
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        return "MariaDB is not run as root here, and there is no runuser to become another user"
    return None


@contextmanager
def server() -> Iterator[str]:
    """A server in a temporary folder, gone at the end; yields its SQLAlchemy URL."""
    with _folder(USER) as folder:
        _run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync")
        port = free_port()
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        _run("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://{USER}@127.0.0.1:{port}/postgres"
        finally:
            _run("pg_ctl", "-D", f"{folder}/data", "-m", "immediate", "stop")


@contextmanager
def mariadb() -> Iterator[str]:
    """A MariaDB in a temporary folder, gone at the end; yields the SQLAlchemy URL of a database in it."""
    with _folder(MARIA_USER) as folder:
        where = ["--no-defaults", f"--datadir={folder}/data"]
        _run(
            "mariadb-install-db", *where, "--skip-test-db", "--auth-root-authentication-method=normal", user=MARIA_USER
        )
        port, socket_file = free_port(), f"{folder}/socket"
        network = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={socket_file}"]
        small = ["--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]
        daemon = subprocess.Popen(
            [*_as(MARIA_USER), "mariadbd", *where, *network, *small, "--skip-log-bin", "--skip-grant-tables"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _create_database(port, daemon)
            yield f"mysql+pymysql://root@127.0.0.1:{port}/insiders"
        finally:
            daemon.terminate()
            daemon.wait(STARTED_WITHIN)


def _create_database(port: int, daemon: "subprocess.Popen[bytes]") -> None:
    """Wait until the server answers, and make a database in it."""
    import pymysql

    for _ in range(STARTED_WITHIN * 10):
        try:
            with pymysql.connect(host="127.0.0.1", port=port, user="root") as connection:
                connection.cursor().execute("CREATE DATABASE insiders")
                return
        except pymysql.err.OperationalError:
            assert daemon.poll() is None, "MariaDB did not start"
            time.sleep(0.1)
    pytest.fail("MariaDB does not answer")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _folder(user: str) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="insiders-server-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _as(user: str) -> list[str]:
    return ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []


def _run(name: str, *arguments: str, user: str = USER) -> None:
    done = subprocess.run(
        [*_as(user), str(_program(name)), *arguments],
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

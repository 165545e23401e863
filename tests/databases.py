"""Databases of a test's own, on servers that a run of pytest shares: PostgreSQL and MariaDB, where this machine has
their programs."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
import sqlalchemy as sql
from filelock import FileLock

DEBIAN = Path("/usr/lib/postgresql")  # where Debian keeps the server's programs, by version and not on the path
USER = "postgres"  # of the machine; the server refuses to be started by root
MARIA_USER = "mysql"
STARTED_WITHIN = 60  # seconds
SERVERS = "INSIDERS_TEST_SERVERS"  # names the folder in which the servers of this run are


def missing() -> str | None:
    """Why there is no PostgreSQL here."""
    if find_spec("psycopg") is None or find_spec("pgpq") is None:
        return "psycopg or pgpq, of the extra `stores`, is not installed: `make stores` installs both"
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
    """An empty PostgreSQL database; yields its SQLAlchemy URL."""
    yield _database(_started("postgres", _start_postgres), "postgres")


@contextmanager
def mariadb() -> Iterator[str]:
    """An empty MariaDB database; yields its SQLAlchemy URL."""
    yield _database(_started("mariadb", _start_mariadb), "")


def open_run() -> None:
    """Before a run of pytest: where its servers will be, for all its workers."""
    os.environ[SERVERS] = tempfile.mkdtemp(prefix="insiders-servers-")
    Path(os.environ[SERVERS]).chmod(0o755)  # the servers belong to other users


def close_run() -> None:
    """After a run: end the servers that its workers started."""
    top = Path(os.environ.pop(SERVERS))
    numbers = [int(path.read_text().split()[0]) for path in top.glob("*/data/*.pid")]
    started = [psutil.Process(number) for number in numbers if psutil.pid_exists(number)]
    for process in started:
        process.send_signal(signal.SIGQUIT)  # at once: nobody needs the data
    psutil.wait_procs(started, timeout=STARTED_WITHIN)
    shutil.rmtree(top)


def _started(name: str, start: Callable[[Path], str]) -> str:
    """URL of the server that all workers of a run share: the first that asks starts it, while the others wait."""
    folder = Path(os.environ[SERVERS]) / name
    url = folder.with_suffix(".url")
    with FileLock(folder.with_suffix(".lock")):
        if not url.exists():
            folder.mkdir()
            url.write_text(start(folder))
    return url.read_text()


def _database(server_url: str, maintenance: str) -> str:
    """URL of a database that is made here; `maintenance` names the one to be connected with meanwhile."""
    url, name = sql.make_url(server_url), f"test_{uuid4().hex}"
    engine = sql.create_engine(url.set(database=maintenance), isolation_level="AUTOCOMMIT", poolclass=sql.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    return url.set(database=name).render_as_string(hide_password=False)


def _start_postgres(folder: Path) -> str:
    _give(folder, USER)
    _run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync")
    port = free_port()
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    _run("pg_ctl", "-D", f"{folder}/data", "-l", f"{folder}/log", "-w", "-o", options, "start")
    return f"postgresql+psycopg://{USER}@127.0.0.1:{port}"


def _start_mariadb(folder: Path) -> str:
    _give(folder, MARIA_USER)
    where = ["--no-defaults", f"--datadir={folder}/data"]
    _run("mariadb-install-db", *where, "--skip-test-db", "--auth-root-authentication-method=normal", user=MARIA_USER)
    port = free_port()
    network = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket"]
    small = ["--innodb-flush-method=nosync", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M"]
    words = [
        "mariadbd",
        *where,
        *network,
        *small,
        "--skip-log-bin",
        "--skip-grant-tables",
        f"--pid-file={folder}/data/server.pid",
    ]
    _run("sh", "-c", f"{shlex.join(words)} 2>{folder}/log &", user=MARIA_USER)  # it outlives the worker
    _wait_until_mariadb_answers(port, folder / "log")
    return f"mysql+pymysql://root@127.0.0.1:{port}"


def _wait_until_mariadb_answers(port: int, log: Path) -> None:
    import pymysql

    for _ in range(STARTED_WITHIN * 10):
        try:
            pymysql.connect(host="127.0.0.1", port=port, user="root").close()
            return
        except pymysql.err.OperationalError:
            time.sleep(0.1)
    pytest.fail(f"MariaDB does not answer: {log.read_text()}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _give(folder: Path, user: str) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, user)


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

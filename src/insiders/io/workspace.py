"""One run at a time in a project's folder, and none that outlives whoever started it.

The system gives the lock back when its holder ends, however that ends: no lock is ever left behind.
"""

import atexit
import ctypes
import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing import parent_process

from insiders.errors import InputError
from insiders.io import paths, tables, written

LOCK = paths.MLRUNS / "workspace.lock"
HOLDER = paths.MLRUNS / "workspace.json"  # who has the lock, for whoever waits for it
WAIT_SECONDS = 4.0
DIE_WITH_PARENT = 1  # Linux's PR_SET_PDEATHSIG
OBJECTS_BETWEEN_COLLECTIONS = 200_000


@contextmanager
def alone(command: str) -> Iterator[None]:
    """Hold the project as long as the block lasts; may also decorate a function.

    What the block has written counts as whole when it ends without an error (`written`). Raises InputError with the
    holder's command and number where another run has the project and keeps it for some seconds.
    """
    from filelock import FileLock, Timeout

    collect_seldom()
    die_with_dvc()
    try:
        paths.MLRUNS.mkdir(parents=True, exist_ok=True)
        lock = FileLock(LOCK, timeout=WAIT_SECONDS)
        lock.acquire()
    except Timeout as error:
        raise InputError(f"this project is locked by {_holder()}: wait until that has ended, and repeat") from error
    try:
        since = datetime.now().astimezone().isoformat(timespec="seconds")
        HOLDER.write_text(json.dumps({"command": command, "process": os.getpid(), "since": since}), encoding="utf-8")
        started_ns = HOLDER.stat().st_mtime_ns
        yield
        _record(started_ns)
    finally:
        lock.release()


def _record(since_ns: int) -> None:
    """Record what was written since a moment, all at once; nothing is written where it is as it was recorded."""
    before = written.recorded()
    if (now := written.brought_forward(before, since_ns)) != before:
        tables.write_json(now, written.DIGESTS)


def collect_seldom() -> None:
    """Look for circles of objects less often than after every 700 new ones, as Python does.

    A stage or command imports, compiles and ends: what it makes lives about as long, and looking costs up to a seventh
    of its time.
    """
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)


def end() -> None:
    """End this process, whose work is done: what Python does at the end, but for taking its objects apart one by one.

    That costs up to a seventh of a stage's time, and the system takes the memory back at once. A fork ends so anyhow.
    """
    if parent_process():
        return
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _holder() -> str:
    try:
        holder = json.loads(HOLDER.read_text(encoding="utf-8"))
        return f"`{holder['command']}` (process {holder['process']}, since {holder['since']})"
    except (OSError, ValueError, KeyError, TypeError):  # it is just being written
        return "another run"


def die_with_dvc() -> None:
    """End this process when the `dvc` that started it is killed: it would go on beside the next one."""
    if "DVC_STAGE" not in os.environ:
        return
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    if parent_process():  # a fork (`pipeline`), whose parent for the system is the server that forks
        threading.Thread(target=exit_with_parent, daemon=True).start()


def exit_with_parent() -> None:
    """Wait for the end of the process that made this one by `multiprocessing`, then end; killed, it could not ask."""
    if parent := parent_process():
        parent.join()
        os._exit(1)

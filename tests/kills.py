"""Stages and commands as processes of their own, which are killed as by SIGKILL: at a moment, or before a step."""

import os
import runpy
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import wraps
from multiprocessing import forkserver, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil  # DVC brings it

from insiders import cli
from insiders.io import pipeline
from insiders.io.tracking import address

POLL_SECONDS = 0.004
END_SECONDS = 120.0  # beside other work
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "CREATE", "ALTER", "DROP")

Program = tuple[str, ...]  # a module, such as insiders.stages.assign, or `insiders`, and the words that follow it


def killed_before(step: int, program: Program, folder: Path) -> bool:
    """Run a program until the step of this number that writes, which is not taken; False where it ended before."""
    process = started(program, folder, step)
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), (folder / "log").read_text(encoding="utf-8")
    return process.exitcode != 0


def killed_at(moment: float, program: Program, folder: Path) -> bool:
    """Run a program until it has taken so much of the processor (seconds), then kill its whole group."""
    process = started(program, folder)
    wait(process, moment)
    return kill_group(process)


def wait(process: BaseProcess, moment: float) -> None:
    """Until a process has ended or taken so much of the processor (seconds)."""
    while process.is_alive() and spent(process) < moment:
        time.sleep(POLL_SECONDS)


def kill_group(process: BaseProcess) -> bool:
    """Kill a process and all that it has started; False where it had ended before."""
    is_cut_off = process.is_alive()
    process.kill()  # first, since it may not have its group yet
    with suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()
    return is_cut_off


def taken(program: Program, folder: Path) -> float:
    """How much of the processor a program takes to its end (seconds)."""
    process, seconds = started(program, folder), 0.0
    while process.is_alive():
        seconds = max(seconds, spent(process))
        time.sleep(POLL_SECONDS)
    assert process.exitcode == 0, (folder / "log").read_text(encoding="utf-8")
    return seconds


def ended(program: Program, folder: Path) -> int | None:
    """Let a program run to its end; returns its exit status."""
    process = started(program, folder)
    process.join()
    return process.exitcode


def spent(process: BaseProcess) -> float:
    """Processor's time of a process and of its children (seconds)."""
    with suppress(psutil.NoSuchProcess):
        own = psutil.Process(process.pid)
        return sum(each.cpu_times().user + each.cpu_times().system for each in (own, *own.children(recursive=True)))
    return 0.0


def outliving(folder: Path) -> list[psutil.Process]:
    """The processes that work in a folder, this one aside, and have not ended after a while."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                found += [process] if Path(process.cwd()).is_relative_to(folder.resolve()) else []
    return list(psutil.wait_procs(found, timeout=END_SECONDS)[1])


def started(program: Program, folder: Path, step: int | None = None) -> BaseProcess:
    """A program in a folder, in a group of its own; a fork of a server that has imported what stages need."""
    prepare_server()
    environment = {name: value for name, value in os.environ.items() if name != address.VARIABLE} | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONWARNINGS": "ignore",
    }
    process = get_context("forkserver").Process(target=become, args=(program, folder, environment, step))
    process.start()
    return process


def prepare_server() -> None:
    """Name what the server imports when it starts: a fork has it for nothing."""
    forkserver.set_forkserver_preload(list(pipeline.IMPORTS))


def become(program: Program, folder: Path, environment: dict[str, str], step: int | None) -> None:
    """Do in this process what the program does in one of its own; dies before the step, if one is given."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    if step is not None:
        die_before(step)
    run(program)


def run(program: Program) -> None:
    sys.argv = [*program]
    if program[0] == "insiders":
        cli.app()
    else:
        runpy.run_module(program[0], run_name="__main__", alter_sys=True)


def die_before(step: int) -> None:
    """Count what is laid on the disk, renamed or deleted, and what is written to a database and confirmed there."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    left = iter(range(step, -1, -1))

    def count() -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in ((os, "fsync"), (Path, "replace"), (Path, "rename"), (Path, "unlink")):
        setattr(owner, name, counted(getattr(owner, name), count))

    def look(connection: Any, _cursor: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith(WRITES):
            connection.info["writes"] = True
            count()

    def confirm(connection: Any) -> None:
        if connection.info.pop("writes", False):
            count()

    event.listen(Engine, "before_cursor_execute", look)
    event.listen(Engine, "commit", confirm)


def counted(step: Callable[..., Any], count: Callable[[], None]) -> Callable[..., Any]:
    @wraps(step)
    def take(*given: Any, **named: Any) -> Any:
        count()
        return step(*given, **named)

    return take


def content(folder: Path, places: Sequence[str]) -> dict[str, bytes]:
    """Every file below these places of a project, by name."""
    files = [path for place in places for path in sorted((folder / place).rglob("*")) if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def before_every_step(program: Program, folder: Path, stride: int) -> Iterator[bool]:
    """Kill a program before each step of it, or each so many, every time in the folder as it was; then let it end.

    Yields whether it was killed, after each.
    """
    kept = Path(shutil.copytree(folder, folder.with_name("kept")))
    step, is_cut_off = stride - 1, True
    while is_cut_off:
        if step >= stride:
            restore(kept, folder)
        is_cut_off = killed_before(step, program, folder)
        yield is_cut_off
        step += stride


def restore(kept: Path, folder: Path) -> None:
    """Make a folder what it was; it stays the same folder, in which this process may work."""
    for each in folder.iterdir():
        (shutil.rmtree if each.is_dir() else Path.unlink)(each)
    shutil.copytree(kept, folder, dirs_exist_ok=True)

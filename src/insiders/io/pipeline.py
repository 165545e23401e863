"""The stages of dvc.yaml, run by DVC itself, each in a fork of one process that has imported what they need.

Started as commands, as `dvc repro` does it, each of them imports much of the same anew. DVC decides here too what has
to run, takes down in dvc.lock what a stage read and made, and says what failed.
"""

import multiprocessing
import os
import re
import runpy
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dvc.stage import Stage


class Place(NamedTuple):
    """Where a stage runs, as DVC says it: the folder and the environment."""

    folder: str
    environment: Mapping[str, str]


STAGE = re.compile(r"python -m (insiders\.stages\.\w+)")
# What takes long to import, and the code that stands on it. A stage imports for itself what is left out here.
IMPORTS = (
    "insiders.cli",
    "mlflow",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "optuna",
    "pandera.ibis",
    "skops.io",
    "insiders.answers.cleaning",
    "insiders.answers.list_forecast",
    "insiders.answers.outputs",
    "insiders.answers.registration",
    "insiders.answers.search",
    "insiders.io.delivery.sources",
)


def run(words: Sequence[str]) -> int:
    """Do what `dvc repro` does with these words, which are its targets and options; returns its exit status."""
    from dvc.cli import main

    with _forked_stages():
        return int(main(["repro", *words]))


@contextmanager
def _forked_stages() -> Iterator[None]:
    """Let DVC run stages as forks.

    `cmd_run` is the narrowest seam: DVC calls it when a stage has to run and its cache cannot stand in for it. What
    comes before and after stays DVC's own, its locks, dvc.lock and messages among it. dvc is pinned, for this too.
    """
    from dvc.stage import run as runner

    as_command, has_server = runner.cmd_run, False

    def cmd_run(stage: "Stage", dry: bool = False, run_env: Mapping[str, str] | None = None) -> None:
        nonlocal has_server
        module = STAGE.fullmatch(str(stage.cmd))
        # A stage that runs every time mostly has nothing to do: alone it is not worth all the imports.
        if dry or module is None or not can_fork() or (stage.always_changed and not has_server):
            as_command(stage, dry=dry, run_env=run_env)
            return
        if not has_server:
            _prepare_server()
            has_server = True
        runner.logger.info("Running stage '%s':", stage.addressing)
        runner.display_command(stage.cmd)
        popen = runner.prepare_kwargs(stage, run_env=run_env)
        _run_fork(stage.cmd, module[1], Place(popen["cwd"], popen["env"]))

    runner.cmd_run = cmd_run
    try:
        yield
    finally:
        runner.cmd_run = as_command


def can_fork() -> bool:
    """Whether processes may be forks of a server: Windows has none, and macOS's own libraries do not stand them."""
    return sys.platform != "darwin" and "forkserver" in multiprocessing.get_all_start_methods()


def _prepare_server() -> None:
    """Name what the server imports when it starts; DVC's own process has threads, so nothing may be forked from it."""
    from insiders.io.tracking import connection

    connection.configure()  # MLflow reads some of it while it is imported
    forkserver.set_forkserver_preload(list(IMPORTS))


def _run_fork(command: str, module: str, place: Place) -> None:
    """Wait for a stage; raises DVC's error where it fails. Ctrl-C reaches the stage, whose end DVC then reports."""
    from dvc.stage.exceptions import StageCmdFailedError

    stage = multiprocessing.get_context("forkserver").Process(target=_become, args=(module, place), name=command)
    stage.start()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        stage.join()
    finally:
        signal.signal(signal.SIGINT, before)
    if stage.exitcode:
        raise StageCmdFailedError(command, stage.exitcode)


def _become(module: str, place: Place) -> None:
    """Do in this process what `python -m module` does in one of its own."""
    os.chdir(place.folder)
    os.environ.clear()
    os.environ.update(place.environment)
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:  # ends as an interrupted program does: by the signal
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)

"""A new project: the settings, stages and folders of a checkout, for somebody who installed the package alone.

A wheel carries them in insiders/project (pyproject.toml puts them there); in a checkout they are its own files.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import insiders
from insiders.errors import InputError
from insiders.io import tables
from insiders.io.params import PATH as PARAMS

PIPELINE = Path("dvc.yaml")
FILES = (PARAMS, PIPELINE, Path(".gitignore"), Path("data/README.md"), Path("mlruns/README.md"))
MADE_BY_DVC = (Path(".dvc"), Path(".dvcignore"))
PACKAGE = Path(insiders.__file__).parent
CODE = re.compile(r"^ +- src/insiders/.*\n", re.MULTILINE)
VERSION = "data/version.txt"
FIRST_STAGE = f"""\
# The pipeline: what each stage reads, which params, and what it makes. Written by `insiders init`.
# Outputs persist, so that a stage that fails leaves what the last good one made. register and assign follow the
# registry, which no file declares: they run every time, and end at once where nothing changed.
# The code is no dependency here: it lies in the Python environment. Instead every stage depends on the version of the
# package, which the first stage writes down at every run. So an upgrade runs all stages again.
stages:
  version:
    desc: the installed package -> its version
    cmd: insiders --version > {VERSION}
    always_changed: true
    outs:
      - {VERSION}:
          persist: true
"""


def create(folder: Path) -> None:
    """Write a project into `folder`, which is made where it is missing, and initialise DVC there.

    Raises InputError where a file of the project is there already, DVC refuses, or the folder cannot be written.
    """
    _require_absent(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _initialise_dvc(folder)
        for name in FILES:
            tables.write_text(_content(name), folder / name)
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error}") from error


def _require_absent(folder: Path) -> None:
    present = [name.as_posix() for name in (*FILES, *MADE_BY_DVC) if (folder / name).exists()]
    if present:
        raise InputError(
            f"{folder} has {', '.join(present)} already, and nothing is overwritten: move what is there away, or name "
            "another folder"
        )


def _content(name: Path) -> str:
    installed = PACKAGE / "project"
    text = ((installed if installed.is_dir() else PACKAGE.parents[1]) / name).read_text(encoding="utf-8")
    return pipeline(text) if name == PIPELINE else text


def pipeline(text: str) -> str:
    """A checkout's dvc.yaml -> one for a folder without the code: each stage depends on the package's version."""
    stages = CODE.sub("", text.partition("stages:\n")[2])
    return FIRST_STAGE + stages.replace("    deps:\n", f"    deps:\n      - {VERSION}\n")


def _initialise_dvc(folder: Path) -> None:
    """With Git where the folder lies in a repository, without where it does not; sends no statistics of use."""
    place = folder.resolve()
    inside_git = [each for each in (place, *place.parents) if (each / ".git").exists()]
    options = [] if inside_git[:1] == [place] else ["--subdir"] if inside_git else ["--no-scm"]
    _dvc(folder, "init", *options)
    _dvc(folder, "config", "core.analytics", "false")


def _dvc(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "dvc", *words]
    environment = os.environ | {"DVC_NO_ANALYTICS": "true"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise InputError(f"DVC cannot be initialised in {folder}: {done.stderr.strip()}")

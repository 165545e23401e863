"""Processes of a benchmark's own: what each took, and nothing of what another one held."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import IO, NamedTuple, TypeVar

Result = TypeVar("Result")
Way = Callable[[Path, Path], None]  # from a CSV file to a Parquet file


class Spent(NamedTuple):
    """What one cold process took."""

    wall: float  # seconds
    cpu: float  # seconds
    memory: float  # peak, MB


def apart(work: Callable[..., Result], *arguments: object) -> Result:
    """Do the work in a process of its own: what this one ever held would count as memory of those it starts."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(work, *arguments).result()


def spent(words: Sequence[str], folder: Path | None = None, output: IO[str] | None = None) -> Spent:
    """Run a program in a folder; what it prints goes to `output`. Ends this one where it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(words, cwd=folder, stdout=output)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(words)} ended with {process.returncode}")
    return Spent(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def asked(parser: argparse.ArgumentParser, ways: Mapping[str, Way]) -> argparse.Namespace:
    """Read the options, beside those by which `cold` starts one way alone: then do that, and end."""
    parser.add_argument("--way", choices=ways, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    found = parser.parse_args()
    if found.way:
        ways[found.way](found.csv, found.out)
        sys.exit()
    return found


def cold(script: str, way: str, csv: Path, out: Path) -> Spent:
    """Run one way of a script in a process of its own."""
    return spent([sys.executable, script, str(csv), "--way", way, "--out", str(out)])

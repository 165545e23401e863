"""What `insiders check` takes of a file, as a user waits for it: whole processes, with their imports.

    python benchmarks/check.py FILE [--runs N]

Prints wall and CPU time of the fastest run and of the median, and the most memory. Goal: 3 s on Online Retail.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

SETTINGS = Path(__file__).parents[1] / "params.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    taken = [check(options.file.resolve()) for _ in range(options.runs)]
    for name, values in zip(("wall, s", "CPU, s", "memory, MB"), zip(*taken, strict=True), strict=True):
        print(f"{name:<12} least {min(values):8.2f}   median {median(values):8.2f}")


def check(file: Path) -> tuple[float, float, float]:
    """Run it once in an empty project: wall time, CPU time, most memory."""
    with tempfile.TemporaryDirectory() as project:
        shutil.copy(SETTINGS, project)
        start = time.perf_counter()
        child = subprocess.Popen(["insiders", "check", str(file)], cwd=project, stdout=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
    if status:
        raise SystemExit(f"insiders check {file} ended with status {os.waitstatus_to_exitcode(status)}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


if __name__ == "__main__":
    main()

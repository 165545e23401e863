"""`dvc repro` with nothing to do: this project against what DVC itself takes.

    python benchmarks/noop.py [--runs N] [--customers N]

The project is copied to a temporary folder and run there once, on the sample (of so many customers). Its peers:

- skipped: the same project without `always_changed`. DVC looks at the same stages and files and skips all of them, also
  where the registry has changed: its own no-op;
- empty: as many stages, whose command is `true` and whose one dependency is an empty file; DVC skips all of them;
- empty, two run: two of these are `always_changed`, as register and assign are here, so DVC starts `true` twice.

They alternate. Wall and CPU time are the medians of the runs, start of DVC included.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

TOP = Path(__file__).parents[1]
ENV = os.environ | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "DVC_NO_ANALYTICS": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
GOAL = 1.5  # times DVC's own no-op
QUICK = {"trials": 4, "resamples": 3, "seeds": 1, "bootstrap": 50}  # of the one real run, which is not measured
Spent = tuple[float, float]  # seconds wall, CPU


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7, help="runs of each pipeline")
    parser.add_argument("--customers", type=int, help="customers of the sample; left out: as in params.yaml")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), asked.runs, asked.customers)


def compare(folder: Path, runs: int, customers: int | None) -> None:
    own = project(folder / "project", customers)
    pipelines = {
        "this project": own,
        "skipped": skipped(own, folder / "skipped"),
        "empty": empty(folder / "empty", every_time=0),
        "empty, two run": empty(folder / "two", every_time=2),
    }
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    spent: dict[str, list[Spent]] = {name: [] for name in pipelines}
    for _ in range(runs):
        for name, place in pipelines.items():
            spent[name].append(repro(place))
    medians = {name: tuple(map(statistics.median, zip(*each, strict=True))) for name, each in spent.items()}
    for name, (wall, cpu) in medians.items():
        print(f"{name:15}{wall:6.2f} s wall {cpu:6.2f} s CPU")
    for name in list(medians)[1:]:
        wall, cpu = [ours / theirs for ours, theirs in zip(medians["this project"], medians[name], strict=True)]
        print(f"{wall:.2f} (wall), {cpu:.2f} (CPU) times as long as {name!r}; the goal is {GOAL} times 'skipped'")


def project(folder: Path, customers: int | None) -> Path:
    """A copy of the project in which everything ran and nothing is left to do."""
    shutil.copytree(TOP / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOP / "dvc.yaml", folder)
    settings = yaml.safe_load((TOP / "params.yaml").read_text(encoding="utf-8"))
    settings["tune"] |= QUICK
    settings["simulate"]["customers"] = customers or settings["simulate"]["customers"]
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return ready(folder)


def skipped(own: Path, folder: Path) -> Path:
    """A copy of the project that ran, whose every stage DVC may skip."""
    shutil.copytree(own, folder, symlinks=True)
    pipeline = folder / "dvc.yaml"
    lines = pipeline.read_text(encoding="utf-8").splitlines(keepends=True)
    pipeline.write_text("".join(line for line in lines if "always_changed" not in line), encoding="utf-8")
    repro(folder)
    return folder


def empty(folder: Path, every_time: int) -> Path:
    """A pipeline of as many stages as the project's that do nothing, of which so many run every time."""
    folder.mkdir()
    (folder / "nothing").touch()
    count = len(yaml.safe_load((TOP / "dvc.yaml").read_text(encoding="utf-8"))["stages"])
    stages = {
        f"stage{number}": {"cmd": "true", "deps": ["nothing"], "always_changed": number < every_time}
        for number in range(count)
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    return ready(folder)


def ready(folder: Path) -> Path:
    (folder / ".dvcignore").write_text((TOP / ".dvcignore").read_text(encoding="utf-8"), encoding="utf-8")
    for command in (["git", "init", "--quiet"], ["dvc", "init", "--quiet", "--force"]):
        subprocess.run(command, cwd=folder, env=ENV, check=True)
    for _ in range(2):  # the second finds what the first left to do, and there is nothing after it
        repro(folder)
    return folder


def repro(folder: Path) -> Spent:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(["dvc", "repro"], cwd=folder, env=ENV, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()

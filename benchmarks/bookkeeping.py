"""What MLflow and Optuna cost of a search's time, in one process with one worker.

    python benchmarks/bookkeeping.py [--trials N] [--customers N]

The stages up to featurize run on the sample in a temporary folder; then the stage tune runs while a clock counts the
time inside

- Optuna: opening, storing and reading trials;
- MLflow: opening and closing the run, writing trials and files, drawing and writing pictures;
- the sampler: what it takes to decide on the next trial. That is the search itself, and told apart.

Whatever is inside another counted call is counted once. What happens once in the life of a project - the imports and
the tables of the two databases - is done before the clock starts, and told apart.
"""

import argparse
import gc
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parents[1]
GOAL = 0.1  # of the search's time
STUDY = ("ask", "tell", "enqueue_trial", "add_trial", "get_trials")
TRIAL = ("set_user_attr", "set_constraint")
DRAWS = ("suggest_categorical", "suggest_int", "suggest_float")
RUN = ("log_trial", "log_measures", "log_figure", "log_file")
PICTURES = {"trials": ("front", "history", "trial_map"), "importance": ("importances", "slices")}


class Clock:
    """Wall and CPU seconds by name; of nested calls the outermost counts."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = {}
        self.running = False

    @contextmanager
    def counting(self, name: str) -> Iterator[None]:
        if self.running:
            yield
            return
        self.running = True
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            found = self.spent.setdefault(name, [0.0, 0.0])
            found[0] += time.perf_counter() - wall
            found[1] += time.process_time() - cpu
            self.running = False

    def watch(self, owner: Any, names: tuple[str, ...], group: str) -> None:
        for name in names:
            setattr(owner, name, self._watched(getattr(owner, name), f"{group}: {name}"))

    def _watched(self, call: Callable[..., Any], name: str) -> Callable[..., Any]:
        @wraps(call)
        def watched(*given: Any, **named: Any) -> Any:
            with self.counting(name):
                return call(*given, **named)

        return watched


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, help="left out: as in params.yaml")
    parser.add_argument("--customers", type=int, help="customers of the sample; left out: as in params.yaml")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        write_params(asked.trials, asked.customers)
        measure(Clock())
        os.chdir(TOP)


def write_params(trials: int | None, customers: int | None) -> None:
    settings = yaml.safe_load((TOP / "params.yaml").read_text(encoding="utf-8"))
    settings["tune"] |= {"trials": trials or settings["tune"]["trials"], "workers": 1}
    settings["simulate"]["customers"] = customers or settings["simulate"]["customers"]
    Path("params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")


def measure(clock: Clock) -> None:
    once()
    watch(clock)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    from insiders.stages import tune

    wall, cpu = time.perf_counter(), time.process_time()
    tune.main()
    report(clock, [time.perf_counter() - wall, time.process_time() - cpu])


def once() -> None:
    """Make the snapshots, and do what is done once only: imports, and the tables of the two databases."""
    started = time.perf_counter()
    import matplotlib.pyplot as plt
    import mlflow
    import optuna

    from insiders.io import studies
    from insiders.io.tracking import connection
    from insiders.stages import featurize, ingest, preprocess

    imported = time.perf_counter()
    connection.connect()
    studies.open_study(None, "first")
    made = time.perf_counter()
    print(f"once: imports {imported - started:.1f} s, tables of {mlflow.__name__} and {optuna.__name__} ", end="")
    print(f"{made - imported:.1f} s wall")
    for stage in (ingest, preprocess, featurize):
        stage.main()
    plt.close()
    gc.freeze()  # looking through all imported modules for garbage would fall on whoever happens to allocate next


def watch(clock: Clock) -> None:
    import optuna

    from insiders.io import studies
    from insiders.io.tracking import runs
    from insiders.report.figures import importance, trials

    clock.watch(optuna.study.Study, STUDY, "Optuna")
    clock.watch(optuna.trial.Trial, TRIAL, "Optuna")
    clock.watch(optuna.trial.Trial, DRAWS, "sampler")
    clock.watch(studies, ("open_study",), "Optuna")
    clock.watch(runs.SearchRun, RUN, "MLflow")
    for module in (trials, importance):
        clock.watch(module, PICTURES[module.__name__.rpartition(".")[2]], "MLflow")
    opened = runs.search_run

    @contextmanager
    def search_run(*given: Any) -> Iterator[Any]:
        run = opened(*given)
        with clock.counting("MLflow: open"):
            inside = run.__enter__()
        yield inside
        with clock.counting("MLflow: close"):
            run.__exit__(None, None, None)

    runs.search_run = search_run


def report(clock: Clock, whole: list[float]) -> None:
    print(f"the search: {whole[0]:.1f} s wall, {whole[1]:.1f} s CPU, of these")
    for name, (wall, cpu) in sorted(clock.spent.items()):
        print(f"  {name:30}{wall:6.2f} s wall {cpu:6.2f} s CPU")
    for tools in (("sampler",), ("Optuna",), ("MLflow",), ("Optuna", "MLflow")):
        sums = [sum(each[i] for name, each in clock.spent.items() if name.startswith(tools)) for i in (0, 1)]
        wall, cpu = (part / total for part, total in zip(sums, whole, strict=True))
        print(f"{' + '.join(tools)}: {wall:.1%} of the wall time, {cpu:.1%} of the CPU time")
    print(f"the goal is less than {GOAL:.0%} for both tools")


if __name__ == "__main__":
    main()

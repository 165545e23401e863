"""What a search costs, against the same search without what it shares and spares, and against the notebooks' loop.

Usage: python benchmarks/search.py [data folder] [trials]; one worker, one thread, the settings of params.yaml.
"""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import optuna
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from insiders import schemas
from insiders.evidence import baselines, judge, search, windows
from insiders.evidence.judge import Answer, Judge, Question, Recipe, Settings
from insiders.evidence.rivals import Rivals
from insiders.evidence.windows import VALIDATION, Window
from insiders.io import params, studies, tables
from insiders.model.segment_model import SegmentModel

Cut = dict[str, Window]


class Wasteful(Judge):
    """Shares no embedding and no forest between trials, and measures every trial to the end."""

    def score(self, recipe: Recipe, rival: Recipe | None = None) -> Answer:  # noqa: ARG002 (it spares nothing)
        self._embedded.cache_clear()
        self._forests.clear()
        return super().score(recipe)

    def _violation(self, models: Mapping[str, SegmentModel]) -> tuple[float, str]:
        return super()._violation(models)[0], ""


def searched(settings: Settings, score: search.Score) -> list[search.Trial]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return list(search.run(optuna.create_study(directions=["maximize"] * 2), settings, score))


def quickly(quick: Judge) -> list[search.Trial]:
    """As `tune` does it, with what other ways foretell; the score of the customers is not the search's."""
    settings = quick.settings
    scores = [each.scores[settings.score] for each in baselines.dates(quick)]
    rivals = Rivals([quick.windows[fold] for fold in quick.folds], scores, settings)
    trials = searched(settings, lambda questions: (quick.score(*each) for each in questions))
    for trial in trials:
        rivals.lifts(trial.foresight, int(trial.measures["segments"]))
    return trials


def wasteful(cut: Cut, settings: Settings, trials: list[search.Trial]) -> None:
    """Measure the same recipes again; what was known of them is told to the study, so that it proposes the same."""
    known = {trial.recipe.key: Answer(trial.measures, trial.violation, trial.reason) for trial in trials}
    slow = Wasteful(cut, replace(settings, hopeless_foresight=-1.0, hopeless_stability=0.0))

    def score(questions: list[Question]) -> Iterator[Answer]:
        for recipe, _ in questions:
            slow.score(recipe)
            yield known[recipe.key]

    searched(settings, score)


def notebook(window: Window, settings: Settings, trials: list[search.Trial]) -> None:
    """Fit, predict, silhouette inside the embedding: one window, no resample, nothing of what happened later."""
    for trial in trials:
        model = trial.recipe.model(settings).fit(window.customers, window.past)
        labels = model.predict(window.customers)["cluster"]
        if labels.nunique() > 1:
            silhouette_score(model.embed(window.customers), labels)


def timed(task: Callable[[], list[search.Trial] | None]) -> tuple[list[search.Trial] | None, float, float]:
    """The result, and seconds of wall and CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    with threadpool_limits(1):
        found = task()
    return found, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("data")
    given = params.read()
    trials = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    settings = replace(studies.search_settings(given), trials=trials)
    snapshots = tables.read(folder / "snapshots.parquet", schemas.SNAPSHOTS)
    cut = windows.windows(snapshots, given.featurize.horizon_days, judge.looked_at(settings))
    quick = Judge(cut, settings)
    found, wall, cpu = timed(lambda: quickly(quick))
    tried = found or []
    pruned = sum(trial.state == "PRUNED" for trial in tried)
    print(f"{len(tried)} trials ({pruned} given up early), {len(cut[VALIDATION].customers)} customers", flush=True)
    print(f"{'search':24}{wall:8.1f} s wall{cpu:8.1f} s CPU", flush=True)
    for name, task in (
        ("notebooks' loop", lambda: notebook(cut[VALIDATION], settings, tried)),
        ("nothing shared or pruned", lambda: wasteful(cut, settings, tried)),
    ):
        _, slow_wall, slow_cpu = timed(task)
        ratios = f"search is {wall / slow_wall:.2f} x its wall, {cpu / slow_cpu:.2f} x its CPU"
        print(f"{name:24}{slow_wall:8.1f} s wall{slow_cpu:8.1f} s CPU; {ratios}", flush=True)


if __name__ == "__main__":
    main()

"""The search and its record: trials, baselines, the candidate, and how each of them looks in MLflow.

It sees cut-offs up to the start of the untouched last period, and nothing of that period.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from insiders import schemas, units
from insiders.evidence import baselines, foresight, judge, search, unsearched, windows
from insiders.evidence.foresight import Group
from insiders.evidence.rivals import Rivals
from insiders.evidence.search import Trial
from insiders.evidence.windows import VALIDATION, Window
from insiders.io import params, paths, studies, tables
from insiders.io.leases import Leases
from insiders.io.tracking import datasets, runs
from insiders.io.tracking.runs import SearchRun, Series, TrialRun
from insiders.model import segments
from insiders.model.embeddings.affinity import PRODUCTS
from insiders.model.segment_model import SegmentModel
from insiders.programme import size
from insiders.report.figures import importance
from insiders.report.figures import trials as pictures
from insiders.value import scores

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NO_EMBEDDING = "none"  # of a baseline
ORIGIN = re.compile(r"(?P<measure>.+)_(?P<origin>\d+)$")  # a measure of one rolling origin, 1 the latest


class Scored(NamedTuple):
    """A window, and the score of its customers."""

    window: Window
    score: NDArray[np.float64]


def tune(settings: params.Params) -> None:
    """Choose the score, run the study or go on with it; write reports/trials.csv and models/candidate.json."""
    wanted = studies.search_settings(settings)
    cut = _windows(wanted)
    wanted = replace(wanted, share=_share(settings, wanted, len(cut[VALIDATION].customers)))
    if len(cut) == 1:
        _write_unsearched(settings, wanted, cut)
        return
    chooser = judge.Judge(cut, wanted)
    origins = baselines.dates(chooser)
    wanted = replace(wanted, score=baselines.choose(origins, wanted.share, settings.tune.score_tolerance))
    study_name = studies.study_name(paths.SNAPSHOTS, wanted)
    study = studies.open_study(settings.tune.storage, study_name)
    logged = settings.tune.model_dump(exclude={"storage"}) | {"seed": settings.seed}  # an address may hold a password
    with (
        studies.explain_failures(settings.tune.storage),
        studies.shared_leases(settings.tune.storage, study_name, settings.tune.workers) as leases,
        studies.open_work(cut, wanted, settings.tune.workers) as work,
    ):
        refits = work(baselines.lists, baselines.fitted_at(chooser))  # goes on while MLflow is opened
        used = datasets.of_tables(paths.SNAPSHOTS, context="training")
        with runs.search_run(_run_name(study_name, leases), logged, used) as run:
            found = search.run(study, wanted, partial(work, studies.timed), leases)
            rivals = Rivals(
                [cut[fold] for fold in chooser.folds], [each.scores[wanted.score] for each in origins], wanted
            )
            trials = _logged(_with_lifts(_with_progress(found, wanted.trials), rivals), run)
            lists = baselines.measured(chooser, origins, refits)
            chosen = search.pick(trials, wanted, partial(work, studies.behind))
            rows = search.rows(trials, lists)
            tables.write(rows, paths.TRIALS)
            tables.write_json(search.candidate(chosen, wanted, len(cut) - 1, lists[wanted.score]), paths.CANDIDATE)
            _log_baselines(run, rows, lists)
            _log_result(run, rows, chosen)
            _illustrate(run, search.front(trials), wanted, Scored(cut["1"], origins[0].scores[wanted.score]))
            model = chosen.recipe.model(wanted).fit(cut[VALIDATION].customers, cut[VALIDATION].past)
            run.log_figure(_map(model, cut[VALIDATION], model.listed(cut[VALIDATION].customers)), "clusters")


def _share(settings: params.Params, wanted: judge.Settings, customers: int) -> float:
    """The share of the customers whose list is judged: as many as the programme was given, if it was."""
    asked = settings.programme.size
    return wanted.share if asked == size.AUTO else size.fixed(float(asked), customers)


def _windows(wanted: judge.Settings) -> dict[str, Window]:
    looked_at = judge.looked_at(wanted)
    snapshots = tables.read_without({PRODUCTS} - {*looked_at}, paths.SNAPSHOTS, schemas.SNAPSHOTS)
    return windows.windows(snapshots, wanted.horizon_days, looked_at)


def _write_unsearched(settings: params.Params, wanted: judge.Settings, cut: dict[str, Window]) -> None:
    """There is no origin with a full period before and after it: nothing is tried, and the reason is written down."""
    day = unsearched.first_judged(cut, wanted.horizon_days, settings.featurize.history_days_min)
    candidate = unsearched.candidate(wanted, day)
    with runs.stage_run("tune", {"seed": settings.seed, "reason": candidate["reason"]}):
        tables.write(search.rows([], {}), paths.TRIALS)
        tables.write_json(candidate, paths.CANDIDATE)


def _run_name(study_name: str, leases: Leases | None) -> str:
    """One process continues the study's run in MLflow; another one at the same study has its own, and keeps it."""
    if leases is None:
        return study_name
    own = f"{study_name}-{leases.owner[:8]}"
    return own if runs.has_search(own) or not leases.acquire(studies.RUN_TASK) else study_name


def _with_progress(trials: Iterable[Trial], total: int) -> Iterable[Trial]:
    """Pass the trials on and show how far the search is, with the best foresight so far."""
    columns = (
        TextColumn("tune"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns) as bar:
        task, best = bar.add_task("no feasible trial yet", total=total), None
        for trial in trials:
            if trial.feasible and (best is None or trial.foresight > best.foresight):
                best = trial
            text = "no feasible trial yet" if best is None else f"best foresight {best.foresight:.3f}, {_name(best)}"
            bar.update(task, advance=1, description=text)
            yield trial
        if (tried := int(bar.tasks[task].completed)) < total:
            bar.console.print(f"tune: all {tried} recipes that the settings allow were tried, fewer than tune.trials")


def _with_lifts(trials: Iterable[Trial], rivals: Rivals) -> Iterator[Trial]:
    """Hold each against what other ways foretell, here once for all workers, who are busy meanwhile."""
    for trial in trials:
        lifts = rivals.lifts(trial.foresight, int(trial.measures["segments"]))
        yield replace(trial, measures={**trial.measures, **units.round_each(lifts)})


def _name(trial: Trial) -> str:
    return f"{trial.recipe.embedding} x {trial.recipe.clusterer}"


def _logged(trials: Iterable[Trial], run: SearchRun) -> list[Trial]:
    """Write each trial to MLflow as it comes; returns all of them by number."""
    done = []
    for trial in trials:
        run.log_trial(_trial_run(trial))
        done.append(trial)
    return sorted(done, key=lambda trial: trial.number)


def _trial_run(trial: Trial) -> TrialRun:
    """The same names in every trial make trials comparable in MLflow."""
    way = {"embedding": trial.recipe.embedding, "clusterer": trial.recipe.clusterer}
    outcome = {"state": trial.state, "feasible": trial.feasible, "reason": trial.reason}
    return TrialRun(
        trial.number,
        f"{trial.number:03d} {_name(trial)}",
        params={**way, **trial.recipe.params},
        measures=_overall(trial.measures),
        tags={**way, **outcome},
        series=_by_origin(trial.measures),
        seconds=trial.seconds,
    )


def _overall(measures: Mapping[str, float]) -> dict[str, float]:
    """The measures that are no series over the origins."""
    return {name: value for name, value in measures.items() if not ORIGIN.match(name)}


def _by_origin(measures: Mapping[str, float]) -> Series:
    """Measures of single origins (`foresight_2`) as steps of one series, the earliest origin first."""
    named = {name: match for name in measures if (match := ORIGIN.match(name))}
    count = max((int(match["origin"]) for match in named.values()), default=0)
    series: dict[str, dict[int, float]] = {}
    for name, match in named.items():
        if not math.isnan(measures[name]):
            series.setdefault(match["measure"], {})[count + 1 - int(match["origin"])] = measures[name]
    return series


def _log_baselines(run: SearchRun, rows: pd.DataFrame, measures: Mapping[str, Mapping[str, float]]) -> None:
    """Write each baseline to MLflow as a trial, under the number that it has in trials.csv."""
    own = rows[rows["state"] == "BASELINE"]
    for number, name in zip(own["number"], own["clusterer"], strict=True):
        way = {"embedding": NO_EMBEDDING, "clusterer": name}
        tags = {**way, "state": "BASELINE", "feasible": True, "reason": ""}
        figures, series = _overall(measures[name]), _by_origin(measures[name])
        run.log_trial(TrialRun(int(number), f"{number:03d} baseline {name}", way, figures, tags, series))


def _log_result(run: SearchRun, rows: pd.DataFrame, chosen: Trial) -> None:
    run.log_measures(chosen.measures)
    run.log_figure(pictures.front(rows, chosen.number), "front")
    run.log_figure(pictures.history(rows), "history")
    run.log_figure(importance.importances(rows), "importances")
    run.log_figure(importance.slices(rows), "slices")
    run.log_file(paths.TRIALS)
    run.log_file(paths.CANDIDATE)


def _illustrate(run: SearchRun, best: Sequence[Trial], wanted: judge.Settings, latest: Scored) -> None:
    """A picture and a table of segments for each trial on the front, at the latest origin: what came is known there."""
    window, score = latest
    listed = scores.members(score, wanted.share)
    for trial in best:
        model = trial.recipe.model(wanted).fit_embedding(window.customers, window.past)
        model.fit_clusters(model.embed(window.customers), window.customers)
        run.illustrate(trial.number, _map(model, window, listed), _segments(model, window))


def _segments(model: SegmentModel, window: Window) -> pd.DataFrame:
    """One row per segment: its name, its customers, what it foretold of the next period, and what came."""
    before = Group(model.label(model.embed(window.past)), window.past["next_revenue"].to_numpy())
    now = Group(model.labels_, window.customers["next_revenue"].to_numpy())
    names = segments.name_segments(window.customers, model.labels_)
    told = foresight.by_segment(before, now).round(units.FIGURE_DIGITS)
    return told.assign(segment=told["cluster"].map(names))


def _map(model: SegmentModel, window: Window, listed: NDArray[np.bool_]) -> "Figure":
    """A window's customers in the first two dimensions of the embedding that was fitted on it."""
    return pictures.trial_map(model.embed(window.customers), model.labels_, listed)

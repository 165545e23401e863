"""Search for the recipe whose Insiders are worth most afterwards: data/snapshots.parquet -> trials and the candidate.

It sees cut-offs up to the start of the untouched last period and nothing of that period.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from insiders import schemas
from insiders.errors import InputError, exit_on_input_error
from insiders.evidence import baselines, judge, search
from insiders.io import params, paths, studies, tables
from insiders.io.leases import Leases
from insiders.io.tracking import runs
from insiders.report.figures import importance
from insiders.report.figures import trials as pictures


@exit_on_input_error("tune")
def main() -> None:
    settings = params.read()
    wanted = studies.search_settings(settings)
    snapshots = tables.read(paths.SNAPSHOTS, schemas.SNAPSHOTS)
    cut = judge.windows(snapshots, settings.featurize.horizon_days, judge.looked_at(wanted))
    _check(cut)
    told = settings.tune.model_dump(exclude={"storage"}) | {"seed": settings.seed}  # an address may hold a password
    study = studies.open_study(settings.tune.storage, name := studies.study_name(paths.SNAPSHOTS, wanted))
    with (
        studies.shared_leases(settings.tune.storage, name, settings.tune.workers) as leases,
        studies.open_scorer(cut, wanted, settings.tune.workers) as score,
        runs.search_run(_log_of(name, leases), told) as run,
    ):
        trials = [_logged(run, trial) for trial in _shown(search.run(study, wanted, score, leases), wanted.trials)]
        trials.sort(key=lambda trial: trial.number)
        chosen = search.pick(trials, wanted)
        share, horizon = chosen.measures["insider_share"], settings.featurize.horizon_days
        compared = baselines.measured(judge.Judge(cut, wanted), share, horizon)
        rows = search.rows(trials, compared)
        tables.write(rows, paths.TRIALS)
        tables.write_json(search.candidate(chosen, wanted, folds=len(cut) - 1), paths.CANDIDATE)
        _log_baselines(run, rows, compared)
        _log_result(run, rows, chosen)
        run.log_figure(_map(chosen, wanted, cut[judge.VALIDATION]), "clusters")


def _log_of(name: str, leases: Leases | None) -> str:
    """One process continues the study's run in MLflow; another that works on it at the same time has its own run."""
    return name if leases is None or leases.acquire(studies.RUN_TASK) else f"{name}-{leases.owner[:8]}"


def _check(cut: Mapping[str, judge.Window]) -> None:
    if len(cut) == 1:
        raise InputError(
            f"{paths.SNAPSHOTS}: no rolling origin has a full period before and after it inside the calibration; give "
            "a longer history, or a shorter featurize.horizon_days in params.yaml"
        )


def _shown(trials: Iterable[search.Trial], total: int) -> Iterable[search.Trial]:
    """Pass the trials on and show how far the search is, with the best value lift so far."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

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
            if trial.feasible and (best is None or trial.lift > best.lift):
                best = trial
            text = "no feasible trial yet" if best is None else f"best value lift {best.lift:.3f}, {_name(best)}"
            bar.update(task, advance=1, description=text)
            yield trial


def _name(trial: search.Trial) -> str:
    return f"{trial.recipe.embedding} x {trial.recipe.clusterer}"


def _logged(run: runs.SearchRun, trial: search.Trial) -> search.Trial:
    """Write the trial to MLflow; the same names in every trial make them comparable there."""
    tags = {
        "embedding": trial.recipe.embedding,
        "clusterer": trial.recipe.clusterer,
        "state": trial.state,
        "feasible": trial.feasible,
        "reason": trial.reason,
    }
    run.log_trial(
        runs.TrialRun(trial.number, f"{trial.number:03d} {_name(trial)}", trial.recipe.params, trial.measures, tags)
    )
    return trial


def _log_baselines(run: runs.SearchRun, rows: pd.DataFrame, measured: Mapping[str, Mapping[str, float]]) -> None:
    """Write each baseline to MLflow as a trial, under the number that it has in trials.csv."""
    own = rows[rows["state"] == "BASELINE"]
    for number, name in zip(own["number"], own["clusterer"], strict=True):
        tags = {"embedding": "none", "clusterer": name, "state": "BASELINE", "feasible": True, "reason": ""}
        run.log_trial(runs.TrialRun(int(number), f"{number:03d} baseline {name}", {}, measured[name], tags))


def _map(chosen: search.Trial, wanted: judge.Settings, window: judge.Window) -> Any:
    """The chosen recipe's customers in the first two dimensions of its embedding."""
    model = chosen.recipe.model(wanted).fit(window.customers, window.past)
    return pictures.trial_map(model.embed(window.customers), model.labels_, model.listed(model.labels_))


def _log_result(run: runs.SearchRun, rows: pd.DataFrame, chosen: search.Trial) -> None:
    run.log_measures(chosen.measures)
    run.log_figure(pictures.front(rows, chosen.number), "front")
    run.log_figure(pictures.history(rows), "history")
    run.log_figure(importance.importances(rows), "importances")
    run.log_figure(importance.slices(rows), "slices")
    run.log_file(paths.TRIALS)
    run.log_file(paths.CANDIDATE)


if __name__ == "__main__":
    main()

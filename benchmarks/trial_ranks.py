"""Whether what a search looks at repeats: the foresight of each trial at the rolling origins and in the last period.

    python benchmarks/trial_ranks.py FOLDER ...

A folder is a project in which tune has run. The segments of every complete trial are fitted as of the start of the last
period, which the search has not seen, and asked what its customers then did. Spearman's rank correlation of this with
`foresight_mean` of trials.csv; the goal is 0.7. The pick's rank in the last period is told beside it.
"""

import argparse
import json
from contextlib import chdir
from pathlib import Path

import pandas as pd
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from insiders import schemas
from insiders.evidence import foresight, judge, validation, windows
from insiders.evidence.foresight import Group
from insiders.evidence.judge import Recipe, Settings
from insiders.evidence.validation import Period
from insiders.io import params, paths, studies, tables

GOAL = 0.7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    for folder in parser.parse_args().folders:
        with chdir(folder), threadpool_limits(1):
            print(f"{folder.name}: {told(params.read())}", flush=True)


def told(settings: params.Params) -> str:
    search = studies.search_settings(settings)
    trials = pd.read_csv(paths.TRIALS)
    complete = trials[trials["state"] == "COMPLETE"].reset_index(drop=True)
    period = last_period(settings, search)
    later = pd.Series([afterwards(recipe(each, search), search, period) for each in complete.to_dict("records")])
    correlation = spearmanr(complete["foresight_mean"], later).statistic
    chosen = complete["number"] == tables.read_json(paths.CANDIDATE)["trial"]
    rank = int(later.rank(ascending=False)[chosen].iloc[0])
    return (
        f"{len(complete)} trials, rank correlation {correlation:.2f} (goal {GOAL}); the pick is number {rank} of them"
    )


def last_period(settings: params.Params, search: Settings) -> Period:
    snapshots, brought = tables.read(paths.SNAPSHOTS, schemas.SNAPSHOTS), tables.read(paths.HOLDOUT, schemas.HOLDOUT)
    cut = windows.windows(snapshots, search.horizon_days, judge.looked_at(search))
    return validation.last_period(cut, brought, search.horizon, settings.forecast.unseen_season)


def recipe(trial: dict[str, str], search: Settings) -> Recipe:
    return Recipe(trial["embedding"], trial["clusterer"], json.loads(trial["params"]), search.seed)


def afterwards(own: Recipe, search: Settings, period: Period) -> float:
    """Foresight of the recipe's segments, fitted at the start of the last period, in that period."""
    window = period.windows[-1]
    model = own.model(search).fit_embedding(window.customers, window.past)
    model.fit_clusters(model.embed(window.customers), window.customers)
    before = Group(model.label(model.embed(window.past)), window.past["next_revenue"].to_numpy())
    return foresight.of_segments(before, Group(model.labels_, window.customers["next_revenue"].to_numpy())).both


if __name__ == "__main__":
    main()

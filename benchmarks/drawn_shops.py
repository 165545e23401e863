"""How often what serves is worse than the best plain sort, on shops drawn with replacement from real customers.

    python benchmarks/drawn_shops.py FOLDER ... [--shops N] [--first SEED]

A folder is a project in which featurize has run. Each drawn shop has as many customers, every one with all their dates.
In it the score is chosen on the rolling origins and judged with the last period as the verdict does it: it serves where
it passes the gate against the best plain sort, else the best sort of the origins does. Counted are shops in which what
serves captures over 2 % less than the best plain sort of the other dates, pooled over the dates, and in the last period
alone. Goal: at most 5 % of the shops.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from insiders import schemas
from insiders.evidence import baselines, judge, scoring, validation, windows
from insiders.evidence.judge import Settings
from insiders.evidence.scoring import Date, Draws
from insiders.evidence.windows import Window
from insiders.io import params, paths, studies, tables
from insiders.value.scores import SORTS

WORSE, GOAL = 0.02, 0.05


class Outcome(NamedTuple):
    """Of a drawn shop: what serves, by the gate or as its fallback, and its lift, pooled and in the last period."""

    serves: str
    by_gate: bool
    pooled: float
    last: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--shops", type=int, default=200)
    parser.add_argument("--first", type=int, default=0)
    options = parser.parse_args()
    for folder in options.folders:
        with chdir(folder):
            settings = params.read()
            looked = dated(settings)
            outcomes = [
                outcome(drawn(looked, seed), settings) for seed in range(options.first, options.first + options.shops)
            ]
            print(f"{folder.name}: {summary(outcomes)}", flush=True)


def dated(settings: params.Params) -> list[Window]:
    """The rolling origins and the start of the last period, earliest first."""
    search = studies.search_settings(settings)
    snapshots, brought = tables.read(paths.SNAPSHOTS, schemas.SNAPSHOTS), tables.read(paths.HOLDOUT, schemas.HOLDOUT)
    cut = windows.windows(snapshots, search.horizon_days, judge.looked_at(search))
    return validation.last_period(cut, brought, search.horizon, settings.forecast.unseen_season).windows


def drawn(looked: Sequence[Window], seed: int) -> list[Window]:
    """A shop of as many customers, drawn from those of the last date; who is drawn twice is two customers."""
    everybody = looked[-1].customers["customer_id"].to_numpy(dtype=str)
    picks = np.random.default_rng(seed).multinomial(len(everybody), np.full(len(everybody), 1 / len(everybody)))
    times = dict(zip(everybody, picks, strict=True))
    return [Window(repeated(each.customers, times), repeated(each.past, times)) for each in looked]


def repeated(customers: pd.DataFrame, times: Mapping[str, int]) -> pd.DataFrame:
    rows = customers.loc[customers.index.repeat([times[each] for each in customers["customer_id"]])]
    copy = rows.groupby("customer_id").cumcount().astype(str)
    return rows.assign(customer_id=rows["customer_id"] + "-" + copy).reset_index(drop=True)


def outcome(shop: Sequence[Window], settings: params.Params) -> Outcome:
    search = studies.search_settings(settings)
    dates = scoring.dates_of(shop, search.horizon)
    chosen = baselines.choose(dates[:-1], search.share, settings.tune.score_tolerance)
    low = scoring.pooled(dates, (chosen, rivals(dates, search)), search.share, draws(search)).low
    passed = low >= 1 - settings.register_.sort_lift_margin
    serves = chosen if passed else scoring.choose(dates[:-1], SORTS, 0.0, (search.share,))
    lifts = scoring.lifts(dates, serves, rivals(dates, search), search.share)
    return Outcome(serves, passed, float(np.exp(np.log(lifts).mean())), float(lifts[-1]))


def rivals(dates: Sequence[Date], search: Settings) -> list[str]:
    return scoring.opponents(dates, SORTS, (search.share, *scoring.SHARES))


def draws(search: Settings) -> Draws:
    return Draws(search.bootstrap, search.seed)


def summary(outcomes: Sequence[Outcome]) -> str:
    pooled, last = (np.array([getattr(each, name) for each in outcomes]) for name in ("pooled", "last"))
    named = ", ".join(f"{name} {times}" for name, times in Counter(each.serves for each in outcomes).most_common())
    return (
        f"{len(outcomes)} shops; over {WORSE:.0%} worse: pooled {(pooled < 1 - WORSE).mean():.1%} (goal {GOAL:.0%}), "
        f"in the last period alone {(last < 1 - WORSE).mean():.1%}; mean lift {pooled.mean():.3f}, {last.mean():.3f}; "
        f"by the gate {np.mean([each.by_gate for each in outcomes]):.0%}; serve: {named}"
    )


if __name__ == "__main__":
    main()

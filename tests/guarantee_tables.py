"""The list of an earlier day and what came after it, for the shop of report_tables."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from insiders.evidence import hypotheses, slices
from insiders.evidence.hypotheses import OUTCOMES, Claim, Period, Resampling
from insiders.explore import wholesalers
from insiders.io import params
from insiders.programme import experiment
from insiders.schemas import JUDGED, SNAPSHOTS

START = pd.Timestamp("2011-09-11")
RESAMPLING = Resampling(level=0.95, resamples=200, seed=7)
CALIPER = 2.0  # the shop parts its customers widely
DESIGN = experiment.Design(control_share=0.2, power=0.8, alpha=0.05, minimum_uplift=0.1)
SETTINGS = params.read(Path(__file__).parents[1] / "params.yaml").report


def judged(people: pd.DataFrame, listed: "pd.Series[bool]") -> pd.DataFrame:
    return JUDGED.validate(people[["customer_id"]].assign(as_of=START.as_unit("us"), is_insider=listed.to_numpy(bool)))


def snapshots(people: pd.DataFrame) -> pd.DataFrame:
    return SNAPSHOTS.validate(people.assign(as_of=START.as_unit("us"), next_revenue=np.nan))


def done(people: pd.DataFrame, days: int, seed: int) -> Period:
    """A quarter of what they brought in all, more or less, in a third of their orders."""
    luck = np.random.default_rng(seed).lognormal(0, 0.3, len(people))
    revenue, orders = people["net_revenue"] / 4 * luck, (people["order_count"] / 3).round()
    columns = {"orders": orders, "items": revenue / 2, "gross_revenue": revenue * 1.02, "net_revenue": revenue}
    more = {"returned_revenue": revenue * 0.02, "active_months": orders.clip(upper=3)}
    frame = people[["customer_id"]].assign(**columns, **more)
    return Period(frame[["customer_id", *OUTCOMES]], days)


def told(people: pd.DataFrame) -> dict[str, Any]:
    """What the stage finds, for a list of the same customers."""
    return _told(tuple(people.sort_values("customer_id")["is_insider"]))


@cache
def _told(listed: tuple[bool, ...]) -> dict[str, Any]:
    import report_tables

    people, chosen = report_tables.customers(), pd.Series(listed)
    found = hypotheses.aftermath(people, judged(people, chosen), done(people, 90, 1), done(people, 90, 2), 7)
    claims = [Claim(**each.model_dump()) for each in SETTINGS.hypotheses]
    numbers = hypotheses.summary(found, claims, CALIPER, RESAMPLING)
    count, rng = int(chosen.sum()), np.random.default_rng(3)
    own = people.loc[chosen, "net_revenue"].to_numpy()[:, None] / 12
    months = [own * rng.lognormal(0, 0.5, (count, 3)) for _ in range(2)]
    kinds = slices.slices(people, wholesalers.flags(people).to_numpy(), 90)
    later = {"start": f"{START:%Y-%m-%d}", **numbers["later"]}
    return {
        **numbers,
        "later": later,
        "slices": slices.judge(kinds, slices.Brought(chosen.to_numpy(bool), people["net_revenue"].to_numpy() / 4)),
        "experiment": experiment.plan(months[0], months[1], experiment.split(count, 0.2), DESIGN),
        "readout": None,
    }


def write(folder: Path, people: pd.DataFrame, listed: "pd.Series[bool]") -> None:
    judged(people, listed).to_parquet(folder / "data/judged.parquet", index=False)
    snapshots(people).to_parquet(folder / "data/snapshots.parquet", index=False)

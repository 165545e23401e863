"""From the tables: what came after the list of an earlier day, and the experiment with today's."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from insiders.evidence import hypotheses
from insiders.evidence.hypotheses import Claim, Period, Resampling
from insiders.io import engine, params, paths, tables
from insiders.programme import experiment
from insiders.programme.experiment import Design
from insiders.units import MONTH_DAYS

if TYPE_CHECKING:
    import pandas as pd


class Guarantee(NamedTuple):
    """What section 8 tells (hypotheses.summary with the day of the list, experiment.plan), and the draw of the lot."""

    numbers: dict[str, Any]
    arms: "pd.DataFrame"


class Around(NamedTuple):
    """The customers of the day of the judged list, and what was done in the days before and after it."""

    known: "pd.DataFrame"
    before: Period
    after: Period


def read(settings: params.Params) -> Guarantee:
    """Look at the list of the start of the last period, and at what came; plan the experiment with today's Insiders."""
    judged, own = tables.read(paths.JUDGED), settings.report
    con = engine.connect()
    orders = engine.scan(con, paths.ORDERS)
    seen = around(con, orders, judged, settings.featurize.horizon_days)
    found = hypotheses.aftermath(seen.known, judged, seen.before, seen.after, settings.seed)
    told = hypotheses.summary(found, claims(own), own.caliper, Resampling(own.level, own.resamples, settings.seed))
    later = {"start": f"{judged['as_of'].iloc[0]:%Y-%m-%d}", **told["later"]}
    arms, plan = _experiment(con, orders, judged, settings)
    return Guarantee({**told, "later": later, "experiment": plan}, arms)


def claims(own: params.Report) -> list[Claim]:
    return [Claim(**each.model_dump()) for each in own.hypotheses]


def around(con: Any, orders: Any, judged: "pd.DataFrame", horizon_days: int) -> Around:
    snapshots = tables.read(paths.SNAPSHOTS)
    known = snapshots[snapshots["as_of"] == judged["as_of"].iloc[0]]
    before, after = (
        Period(engine.fetch(con, hypotheses.outcomes(orders, *span)), span[1])
        for span in _spans(con, orders, judged, horizon_days)
    )
    return Around(known, before, after)


Span = tuple[date, int]  # first day, days


def _spans(con: Any, orders: Any, judged: "pd.DataFrame", horizon_days: int) -> tuple[Span, Span]:
    """Before and after the day of the list; the stretch before is shorter where the shop's history is."""
    start = judged["as_of"].iloc[0].date()
    (first,) = engine.fetch_row(con, orders.aggregate(first=orders.ordered_at.min().date()))
    before = max(1, min(horizon_days, (start - first).days))
    return (start - timedelta(days=before), before), (start, horizon_days)


def _experiment(
    con: Any, orders: Any, judged: "pd.DataFrame", settings: params.Params
) -> tuple["pd.DataFrame", experiment.PlanNumbers]:
    """The draw among today's Insiders, and the plan by what the judged list did before and after its day."""
    design = Design(**settings.report.experiment.model_dump())
    arms = experiment.assign_arms(_insiders(con, orders), design, settings.seed)
    listed = judged.loc[judged["is_insider"], "customer_id"]
    before, after = (
        experiment.as_matrix(
            engine.fetch(con, experiment.monthly_revenue(orders, *span)), listed, span[1] // MONTH_DAYS
        )
        for span in _spans(con, orders, judged, settings.featurize.horizon_days)
    )
    return tables.spreadsheet_safe(arms), experiment.plan(before, after, len(arms), design)


def _insiders(con: Any, orders: Any) -> "pd.DataFrame":
    """Today's, with their past net revenue and their first order."""
    assigned, known = tables.read(paths.ASSIGNMENTS), tables.read(paths.CUSTOMERS)
    chosen = known[known["customer_id"].isin(assigned.loc[assigned["is_insider"], "customer_id"])]
    first = engine.fetch(con, experiment.first_orders(orders, known["as_of"].iloc[0].date()))
    return chosen[["customer_id", "net_revenue"]].merge(first, on="customer_id", validate="one_to_one")

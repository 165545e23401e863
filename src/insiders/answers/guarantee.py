"""What guarantees that the list is better than the rest: how it was judged, how it was found, what it rests on.

And from the orders: what came after the list of an earlier day, and the experiment with today's.
"""

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple, cast

import pandas as pd

from insiders import schemas
from insiders.answers import drift, readout
from insiders.answers.inputs import Inputs
from insiders.answers.manifest import Manifest
from insiders.evidence import hypotheses, slices
from insiders.evidence.hypotheses import Claim, Period, Resampling
from insiders.evidence.slices import Brought, SliceRecord
from insiders.evidence.validation import Validation
from insiders.explore import wholesalers
from insiders.io import engine, params, paths, tables
from insiders.io.tables import Contents
from insiders.programme import experiment
from insiders.programme.arms import HELD_OUT, INVITED
from insiders.programme.experiment import ArmSizes, Design, PlanNumbers
from insiders.programme.members import LEFT
from insiders.report.numbers import (
    AftermathNumbers,
    Capture,
    GuaranteeNumbers,
    Judgement,
    LedgerRow,
    Provenance,
    SearchNumbers,
    Verdict,
)
from insiders.units import CONFIDENCE, MONTH_DAYS

if TYPE_CHECKING:
    from ibis import Table
    from ibis.backends.duckdb import Backend

SORTS = ("faded_revenue", "rfm_quintiles")  # further baselines that the page shows


def numbers(inputs: Inputs) -> GuaranteeNumbers:
    return {**judgement(inputs), **aftermath(inputs)}


def lists(inputs: Inputs) -> Contents:
    """Who is invited, and who is held out by lot."""
    return {paths.EXPERIMENT: (tables.spreadsheet_safe(_arms(inputs)), schemas.EXPERIMENT)}


# --- the untouched last period ---


def judgement(inputs: Inputs) -> Judgement:
    registered, margin = inputs.registered, inputs.settings.register_.sort_lift_margin
    validation = registered["validation"]
    return {
        "regime": registered["regime"],
        "verdict": verdict(validation, margin),
        "margin": margin,
        "confidence": CONFIDENCE,
        **validation,
        "baseline": registered["baseline"],
        "gates": registered["gates"],
        "passed": registered["passed"],
        "captures": captures(validation),
        "agreement": registered["agreement"],
        "ageing": registered["ageing"],
        "serving": registered["serving"],
        "search": search(inputs.trials, registered),
        "without_order": _without_order(inputs),
        "ledger": ledger(inputs.ledger),
        "provenance": _provenance(inputs),
    }


def verdict(validation: Validation, lift_margin: float) -> Verdict:
    """`better`, `as_good` (within the margin), `worse` than the best plain sort, or `unproven`: too little to tell."""
    low, high = validation["sort_lift_low"], validation["sort_lift_high"]
    if low is None or high is None:  # the period brought nothing
        return "unproven"
    if low > 1:
        return "better"
    if low >= 1 - lift_margin:
        return "as_good"
    return "worse" if high < 1 else "unproven"


def captures(validation: Validation) -> list[Capture]:
    """What each way to choose n customers captured of the next period's revenue, the best possible first."""
    ours = validation["value_capture"]
    ways = {
        "oracle": _ratio(ours, validation["value_oracle"]),
        "list": ours,
        "sort": validation["top_n_capture"],
        "clv": validation["clv_capture"],
        **{f"by_{name}": validation["baselines"][name] for name in SORTS},
        "lot": _ratio(ours, validation["value_over_random"]),
    }
    return [{"name": name, "capture": value} for name, value in ways.items() if value is not None and value == value]  # noqa: PLR0124 - NaN


def _ratio(value: float | None, by: float | None) -> float | None:
    return value / by if value is not None and by else None


def search(trials: pd.DataFrame, registered: Manifest) -> SearchNumbers:
    candidate = registered["candidate"]
    tried = trials[trials["state"] != "BASELINE"]
    finished = tried[tried["state"] == "COMPLETE"]
    search: SearchNumbers = {
        "trials": len(tried),
        "feasible": int(finished["feasible"].astype(bool).sum()),
        "folds": candidate["folds"],
        "starts": sorted(row["as_of"] for row in registered["backtest"])[: candidate["folds"]],
        "trial": candidate["trial"],
        "judged_from": candidate["judged_from"],
        "embedding": candidate["embedding"],
        "clusterer": candidate["clusterer"],
        "rule": candidate["rule"],
        "score": candidate["score"],
    }
    return cast("SearchNumbers", {**search, **candidate["measures"]})


# --- what the list rests on ---


def _without_order(inputs: Inputs) -> int:
    """Customers in the kept rows who have returns or later orders only, and so are in no table of customers."""
    kept = inputs.ledger.loc[inputs.ledger["rule"] == "kept", "customers"]
    return int(kept.sum()) - len(inputs.members)


def ledger(rules: pd.DataFrame) -> list[LedgerRow]:
    rows: list[LedgerRow] = rules.assign(amount=rules["amount"].astype(float)).to_dict("records")
    return rows


def _provenance(inputs: Inputs) -> Provenance:
    return {
        "source": inputs.source["source"],
        "sha256": inputs.source.get("sha256"),
        "as_of": f"{inputs.as_of}",
        "model_version": inputs.members["model_version"].iloc[0],
        "release": inputs.terms["release"],
        "judged_version": inputs.registered["version"],
        "champion_version": inputs.registered["champion_version"],
        "seed": inputs.settings.seed,
        "currency": inputs.language.currency,
        "accepted": [
            {"faults": list(each["faults"]), "why": each["why"], "on": each["on"]} for each in drift.accepted()
        ],
    }


# --- what came after an earlier list, and the experiment with today's ---


class Around(NamedTuple):
    """The customers of the day of the judged list, and what was done in the days before and after it."""

    customers: pd.DataFrame
    before: Period
    after: Period


class Judged(NamedTuple):
    """The list of the start of the last period (schemas.JUDGED), and the orders around that day."""

    connection: "Backend"
    orders: "Table"
    members: pd.DataFrame
    horizon_days: int

    @property
    def start(self) -> date:
        return pd.Timestamp(self.members["as_of"].iloc[0]).date()

    @property
    def spans(self) -> tuple["Span", "Span"]:
        """Before and after the day of the list; the stretch before is shorter where the shop's history is."""
        (first,) = engine.fetch_row(self.connection, self.orders.aggregate(first=self.orders.ordered_at.min().date()))
        before = max(1, min(self.horizon_days, (self.start - first).days))
        return (self.start - timedelta(days=before), before), (self.start, self.horizon_days)


Span = tuple[date, int]  # first day, days


def aftermath(inputs: Inputs) -> AftermathNumbers:
    """Look at the list of the start of the last period, and at what came; plan the experiment with today's Insiders."""
    own, seed = inputs.settings.report, inputs.settings.seed
    judged = read_judged(inputs)
    around = look_around(judged)
    after = hypotheses.aftermath(around.customers, judged.members, around.before, around.after, seed)
    summary = hypotheses.summary(after, claims(own), own.caliper, Resampling(own.level, own.resamples, seed))
    return {
        "later": {"start": f"{judged.start}", **summary["later"]},
        "hypotheses": summary["hypotheses"],
        "verdicts": summary["verdicts"],
        "slices": _slices(judged, around),
        "experiment": _plan(judged, _sizes(inputs), readout.design(inputs.settings)),
        "readout": readout.read(inputs),
    }


def _slices(judged: Judged, around: Around) -> list[SliceRecord]:
    """The judged list on each kind of customer of its day."""
    customers = around.customers
    listed = judged.members.set_index("customer_id")["is_insider"].loc[customers["customer_id"]]
    revenue = around.after.outcomes.set_index("customer_id")["net_revenue"]
    later = revenue.reindex(customers["customer_id"], fill_value=0.0)
    kinds = slices.slices(customers, wholesalers.flags(customers).to_numpy(), judged.horizon_days)
    return slices.judge(kinds, Brought(listed.to_numpy(), later.to_numpy(dtype=float)))


def read_judged(inputs: Inputs) -> Judged:
    return Judged(inputs.connection, inputs.scan(paths.ORDERS), tables.read(paths.JUDGED), inputs.horizon_days)


def claims(own: params.Report) -> list[Claim]:
    return [Claim(**each.model_dump()) for each in own.hypotheses]


def look_around(judged: Judged) -> Around:
    snapshots = tables.read_vouched(paths.SNAPSHOTS, ["customer_id", "as_of", "country", *schemas.FEATURES])
    before, after = (
        Period(engine.fetch(judged.connection, hypotheses.outcomes(judged.orders, *span)), span[1])
        for span in judged.spans
    )
    return Around(snapshots[snapshots["as_of"] == judged.members["as_of"].iloc[0]], before, after)


def _plan(judged: Judged, sizes: ArmSizes, design: Design) -> PlanNumbers:
    """The plan for these arms, by what the judged list did before and after its day."""
    listed = judged.members.loc[judged.members["is_insider"], "customer_id"]
    before, after = (
        experiment.as_matrix(
            engine.fetch(judged.connection, experiment.monthly_revenue(judged.orders, *span)),
            listed,
            range(span[1] // MONTH_DAYS),
        )
        for span in judged.spans
    )
    return experiment.plan(before, after, sizes, design)


def _sizes(inputs: Inputs) -> ArmSizes:
    drawn = _arms(inputs)["arm"]
    return {"control": int((drawn == HELD_OUT).sum()), "invited": int((drawn == INVITED).sum())}


def _arms(inputs: Inputs) -> pd.DataFrame:
    """Today's Insiders and their arms, as they were drawn on joining."""
    members = inputs.programme
    inside = members[members["status"] != LEFT].sort_values("customer_id", ignore_index=True)
    return inside[["customer_id", "arm", "stratum", "release"]].assign(as_of=pd.Timestamp(inputs.as_of).as_unit("us"))

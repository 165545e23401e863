"""What guarantees that the list is better than the rest: how it was judged, how it was found, what it rests on."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from insiders.report.inputs import Inputs, Numbers, Tables, Terms
from insiders.units import CONFIDENCE

SORTS = ("faded_revenue", "rfm_quintiles")  # further baselines that the page shows


def numbers(inputs: Inputs) -> Numbers:
    """The figures of the untouched last period, the gates, the search, and what the tables were made from.

    `later`, `hypotheses`, `verdicts` and `experiment` are those of hypotheses.summary and experiment.plan.
    """
    tables, terms = inputs.tables, inputs.terms
    registered = tables.registered
    validation = registered["validation"]
    return {
        "regime": registered["regime"],
        "verdict": verdict(validation, terms.lift_margin),
        "margin": terms.lift_margin,
        "confidence": CONFIDENCE,
        **validation,
        "baseline": registered["baseline"],
        "gates": registered["gates"],
        "passed": registered["passed"],
        "captures": captures(validation),
        "agreement": registered["agreement"],
        "serving": registered["serving"],
        "search": search(tables.trials, registered["candidate"], registered["backtest"]),
        "without_order": _without_order(tables),
        "ledger": [{**row, "amount": float(row["amount"])} for row in tables.ledger.to_dict("records")],
        "provenance": provenance(tables, terms),
        **inputs.findings.guarantee,
    }


def _without_order(tables: Tables) -> int:
    """Customers in the kept rows who have returns or later orders only, and so are in no table of customers."""
    kept = tables.ledger.loc[tables.ledger["rule"] == "kept", "customers"]
    return int(kept.sum()) - len(tables.members)


def verdict(validation: Mapping[str, Any], lift_margin: float) -> str:
    """`better`, `as_good` (within the stated margin), `worse` than the sort, or `unproven`: too little to tell."""
    low, high = validation["value_lift_low"], validation["value_lift_high"]
    if low is None or high is None:  # the period brought nothing
        return "unproven"
    if low > 1:
        return "better"
    if low >= 1 - lift_margin:
        return "as_good"
    return "worse" if high < 1 else "unproven"


def captures(validation: Mapping[str, Any]) -> list[Numbers]:
    """What each way to choose n customers captured of the next period's revenue, the best possible first."""
    ours = validation["value_capture"]
    known = {
        "oracle": _ratio(ours, validation["value_oracle"]),
        "list": ours,
        "sort": validation["top_n_capture"],
        "clv": validation["clv_capture"],
        **{f"by_{name}": validation["baselines"][name] for name in SORTS},
        "lot": _ratio(ours, validation["value_over_random"]),
    }
    return [{"name": name, "capture": value} for name, value in known.items() if value is not None and value == value]  # noqa: PLR0124 - NaN


def _ratio(value: float | None, by: float | None) -> float | None:
    return value / by if value is not None and by else None


def search(trials: pd.DataFrame, candidate: Mapping[str, Any], backtest: Sequence[Mapping[str, Any]]) -> Numbers:
    """How the candidate was found; `starts` are the first days of the periods that the search looked at."""
    tried = trials[trials["state"] != "BASELINE"]
    finished = tried[tried["state"] == "COMPLETE"]
    return {
        "trials": len(tried),
        "feasible": int(finished["feasible"].astype(bool).sum()),
        "folds": candidate["folds"],
        "starts": sorted(row["as_of"] for row in backtest)[: candidate["folds"]],
        "best_sort": _best_sort(trials),
        "trial": candidate["trial"],
        "embedding": candidate["embedding"],
        "clusterer": candidate["clusterer"],
        "rule": candidate["rule"],
        **candidate["measures"],
    }


def _best_sort(trials: pd.DataFrame) -> Numbers | None:
    """The baseline with the highest mean value lift over the same periods."""
    sorts = trials[trials["state"] == "BASELINE"].dropna(subset=["value_lift_mean"])
    if sorts.empty:
        return None
    best = sorts.sort_values("value_lift_mean", kind="stable").iloc[-1]
    return {"name": best["clusterer"], "value_lift_mean": best["value_lift_mean"]}


def provenance(tables: Tables, terms: Terms) -> Numbers:
    return {
        "source": tables.source["source"],
        "sha256": tables.source.get("sha256"),
        "as_of": f"{tables.members['as_of'].iloc[0]:%Y-%m-%d}",
        "model_version": tables.members["model_version"].iloc[0],
        "judged_version": tables.registered["version"],
        "champion_version": tables.registered["champion_version"],
        "seed": terms.seed,
        "currency": terms.language.currency,
    }

"""The chapters that end the exploration page, in numbers: tuning, deployment, conclusions, lessons, next steps."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from insiders.report.numbers import Answers, GuaranteeNumbers

Numbers = dict[str, Any]

SEASON_DAYS = 730  # of history, from which on a season can be told from a trend


def tuning(tried: Mapping[str, Any], judged: GuaranteeNumbers) -> Numbers:
    """`tried` is what explore.exploration.tuning gives; beside it the choice, and the rule by which it was made."""
    search = judged["search"]
    return {
        **tried,
        "folds": search["folds"],
        "trial": search["trial"],
        "embedding": search["embedding"],
        "clusterer": search["clusterer"],
        "foresight": judged["search"].get("foresight_mean"),
        "lift_min": search["rule"].get("foresight_lift_min"),
        "stability_floor": search["rule"].get("stability_floor"),
    }


def deployment(answers: Answers) -> Numbers:
    judged, stays, plan = answers["guarantee"], answers["leave"], answers["actions"]
    origin, as_of = judged["provenance"], date.fromisoformat(answers["who"]["as_of"])
    return {
        "regime": judged["regime"],
        "version": origin["model_version"],
        "release": origin["release"],
        "is_newest": origin["champion_version"] == origin["judged_version"],
        "newest": origin["judged_version"],
        "gates": len(judged["gates"]),
        "gates_passed": sum(gate["passed"] for gate in judged["gates"]),
        "failed": [gate["name"] for gate in judged["gates"] if not gate["passed"]],
        "members": stays["count"],
        "invited": plan["invited"],
        "held_out": plan["held_out"],
        "border": stays["border"],
        "grace_months": stays["grace_months"],
        "worst_flip_share": stays["worst_flip_share"],
        "next_check": f"{(as_of.replace(day=1) + timedelta(days=32)).replace(day=1)}",
    }


def conclusions(answers: Answers) -> Numbers:
    judged, size, past = answers["guarantee"], answers["how_many"], answers["revenue_share"]
    products = answers["actions"]["recommendations"]
    return {
        "count": size["count"],
        "customer_share": size["customer_share"],
        "net_revenue_share": past["net_revenue_share"],
        **{name: judged[name] for name in ("verdict", "margin", "best_sort", "sort_lift", "horizon_days")},
        **{name: judged[name] for name in ("value_lift", "value_lift_low", "value_lift_high")},
        **{name: judged[name] for name in ("foresight", "foresight_rfm")},
        "segments": len(size["segments"]),
        "products": {name: products[name] for name in ("verdict", "ratio", "ratio_low", "ratio_high")},
        "claims": dict(judged["verdicts"]),
        "stability": judged["serving"]["measures"].get("list_stability"),
    }


def lessons(looked: Mapping[str, Any], answers: Answers) -> Numbers:
    """What would have gone wrong without a step of this page."""
    measures, tried = answers["guarantee"]["serving"]["measures"], looked["clusterings"]
    revenue = next(row for row in looked["features"] if row["feature"] == "net_revenue")
    is_count = tried is not None and tried["is_count"]
    return {
        "anonymous_share": answers["revenue_share"]["anonymous_share"],
        "displaced": looked["netting"]["displaced"],
        "count": looked["netting"]["count"],
        "weight": revenue.get("weight"),
        "weight_scaled": revenue.get("weight_scaled"),
        **{name: measures.get(name) for name in ("silhouette", "control_silhouette")},
        **{name: tried[name] if is_count else None for name in ("chosen", "elbow", "best_silhouette")},
        "worst_flip_share": answers["leave"]["worst_flip_share"],
        "without_flip_share": answers["leave"]["without"]["worst_flip_share"],
    }


def next_steps(answers: Answers) -> Numbers:
    plan, judged, payoff = answers["actions"], answers["guarantee"], answers["how_many"]["payoff"]
    experiment, history = judged["experiment"], answers["expected_revenue"]["history_days"]
    first = next((row for row in plan["ranked"] if row["gain"] > 0), None)
    return {
        "invited": plan["invited"],
        "held_out": plan["held_out"],
        "experiment": {
            name: experiment[name] for name in ("uplift", "minimum_uplift", "needed_insiders", "months", "enough")
        },
        "first": {name: first[name] for name in ("key", "audience", "gain")} if first else None,
        "about_to_leave": plan["about_to_leave"]["count"],
        "one_step": plan["one_step"]["count"],
        "is_cost_stated": payoff["source"] == "place_cost",
        "peak": payoff["peak"],
        "members": answers["leave"]["count"],
        "history_days": history,
        "days_to_season": max(SEASON_DAYS - history, 0),
        "anonymous_share": answers["revenue_share"]["anonymous_share"],
    }

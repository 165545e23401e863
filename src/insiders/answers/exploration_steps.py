"""The steps of the exploration page, in numbers: from the data to what the list is worth, and what follows from it."""

from collections.abc import Mapping
from statistics import median
from typing import Any

from insiders.answers import exploration_chapters as chapters
from insiders.report.numbers import Answers, GuaranteeNumbers, LedgerRow

Numbers = dict[str, Any]

NAMED_MAX = 3  # features named of a kind
PAIR = 2  # groups


def steps(looked: Mapping[str, Any], answers: Answers) -> Numbers:
    """`looked` is what exploration.look gives; the steps in their order."""
    judged = answers["guarantee"]
    return {
        "delivery": dict(looked["delivery"]),
        "data": _data(looked, answers),
        "cleaning": _cleaning(judged["ledger"], judged["without_order"]),
        "returns": dict(looked["netting"]),
        "distributions": _distributions(looked["features"], looked["skewed_from"]),
        "scaling": _scaling(looked["features"]),
        "redundancy": _redundancy(looked["shared"]),
        "embedding": _embedding(looked["choices"]["embedding"], judged),
        "clusters": _clusters(looked, judged),
        "tuning": chapters.tuning(looked["tuning"], judged),
        "list": _list(answers),
        "value": _value(answers),
        "deployment": chapters.deployment(answers),
        "conclusions": chapters.conclusions(answers),
        "lessons": chapters.lessons(looked, answers),
        "next_steps": chapters.next_steps(answers),
    }


def _data(looked: Mapping[str, Any], answers: Answers) -> Numbers:
    rows = {row["rule"]: row["rows"] for row in answers["guarantee"]["ledger"]}
    return {
        **looked["contents"],
        "rows": rows["delivered"],
        "anonymous_share": answers["revenue_share"]["anonymous_share"],
        "history_days": answers["expected_revenue"]["history_days"],
    }


def _cleaning(ledger: list[LedgerRow], without_order: int) -> Numbers:
    rows = {row["rule"]: row["rows"] for row in ledger}
    removed = sorted(
        (row for row in ledger if row["action"] == "removed" and row["rows"]), key=lambda row: -row["rows"]
    )
    return {
        "delivered": rows["delivered"],
        "kept": rows["kept"],
        "kept_share": rows["kept"] / rows["delivered"] if rows["delivered"] else None,
        "quarantined": sum(row["rows"] for row in ledger if row["action"] == "quarantined"),
        "largest": [{"rule": row["rule"], "rows": row["rows"]} for row in removed[:NAMED_MAX]],
        "without_order": without_order,
    }


def _distributions(features: list[Numbers], skewed_from: float) -> Numbers:
    known = [row for row in features if row["known"]]
    skewed = sorted((row for row in known if row["is_log"]), key=lambda row: -abs(row["skewness"]))
    missing = sorted((row for row in features if row["missing_share"]), key=lambda row: -row["missing_share"])
    empty = sorted((row for row in known if row["zero_share"] > 0.5), key=lambda row: -row["zero_share"])  # noqa: PLR2004 (half)
    return {
        "features": len(features),
        "skewed_from": skewed_from,
        "skewed": len(skewed),
        "most_skewed": [{"feature": row["feature"], "skewness": row["skewness"]} for row in skewed[:NAMED_MAX]],
        "missing": [{"feature": row["feature"], "share": row["missing_share"]} for row in missing[:NAMED_MAX]],
        "mostly_zero": [{"feature": row["feature"], "share": row["zero_share"]} for row in empty[:NAMED_MAX]],
    }


def _scaling(features: list[Numbers]) -> Numbers:
    """Typical skewness of the skewed features before and after, and the weight of the largest hundredth by revenue."""
    skewed = [row for row in features if row["known"] and row["is_log"]]
    after = [abs(row["skewness_scaled"]) for row in skewed if row["skewness_scaled"] is not None]
    revenue = next(row for row in features if row["feature"] == "net_revenue")
    return {
        "skewed": len(skewed),
        "skewness": median(abs(row["skewness"]) for row in skewed) if skewed else None,
        "skewness_scaled": median(after) if after else None,
        "weight": revenue.get("weight"),
        "weight_scaled": revenue.get("weight_scaled"),
    }


def _redundancy(shared: Mapping[str, Any]) -> Numbers:
    told = {name: shared[name] for name in ("alike_from", "held", "components", "first_share")}
    return {
        **told,
        "features": len(shared["features"]),
        "pairs": len(shared["alike"]),
        "alike": shared["alike"][:NAMED_MAX],
    }


def _embedding(choices: list[Numbers], judged: GuaranteeNumbers) -> Numbers:
    """`gap` between the best foresight of the two best embeddings, `width` between the best and the worst period."""
    known = [row for row in choices if row["best"] is not None]
    measures = judged["serving"]["measures"]
    widths = [row["high"] - row["low"] for row in known if row["low"] is not None and row["high"] is not None]
    return {
        "tried": len(choices),
        "with_list": len(known),
        "chosen": judged["serving"]["embedding"],
        "best": known[0]["name"] if known else None,
        "best_foresight": known[0]["best"] if known else None,
        "gap": known[0]["best"] - known[1]["best"] if len(known) > 1 else None,
        "width": median(widths) if widths else None,
        **{name: measures.get(name) for name in ("foresight_mean", "silhouette", "control_silhouette", "control_gap")},
    }


def _clusters(looked: Mapping[str, Any], judged: GuaranteeNumbers) -> Numbers:
    tried = looked["clusterings"]
    by_size = [row for row in looked["choices"]["segments"] if row["best"] is not None]
    told: Numbers = {
        "clusterer": judged["serving"]["clusterer"] if judged["regime"] == "model" else None,
        "best_count": by_size[0]["name"] if by_size else None,
        "best_foresight": by_size[0]["best"] if by_size else None,
        "worst_foresight": by_size[-1]["best"] if len(by_size) > 1 else None,
    }
    told |= _extremes(looked["groups"]["groups"] if looked["groups"] else [])
    if tried is None:
        return told
    return told | {name: tried[name] for name in ("is_count", "chosen", "elbow", "best_silhouette", "customers")}


def _extremes(groups: list[Numbers]) -> Numbers:
    """The group that is nearest to another, and the one furthest from any; of a pair, each is nearest to the other."""
    if len(groups) <= PAIR:
        return {"closest": None, "furthest": None}
    by_distance = sorted(groups, key=lambda row: row["distance"])
    return {"closest": by_distance[0], "furthest": by_distance[-1]}


def _list(answers: Answers) -> Numbers:
    """The list, and how many segments its members come from."""
    size, measures = answers["how_many"], answers["guarantee"]["serving"]["measures"]
    return {
        **{name: size[name] for name in ("count", "customers", "customer_share", "share_min", "share_max")},
        "segments": sum(row["insiders"] > 0 for row in size["segments"]),
        "score": answers["guarantee"]["search"]["score"],
        "stability": measures.get("list_stability"),
        "net_revenue_share": answers["revenue_share"]["net_revenue_share"],
        **{name: answers["actions"][name] for name in ("invited", "held_out")},
    }


def _value(answers: Answers) -> Numbers:
    judged, expected = answers["guarantee"], answers["expected_revenue"]
    return {
        "regime": judged["regime"],
        "verdict": judged["verdict"],
        "horizon_days": judged["horizon_days"],
        "n": judged["n"],
        "value_capture": judged["value_capture"],
        "best_sort": judged["best_sort"],
        "sort_lift": judged["sort_lift"],
        "sort_lift_low": judged["sort_lift_low"],
        "sort_lift_high": judged["sort_lift_high"],
        "value_over_random": judged["value_over_random"],
        "value_over_random_low": judged["value_over_random_low"],
        "value_oracle": judged["value_oracle"],
        "confidence": judged["confidence"],
        "passed": judged["passed"],
        "gates": len(judged["gates"]),
        "gates_passed": sum(gate["passed"] for gate in judged["gates"]),
        "expected_days": expected["horizon_days"],
        "expected": expected["expected"],
        "low": expected["low"],
        "high": expected["high"],
        "interval": expected["interval"],
        "count": expected["count"],
    }

"""The figures of one run that other programs read: the keys are the outside contract, none more and none less."""

from collections.abc import Iterator, Mapping
from typing import Any

Numbers = dict[str, Any]

VALIDATION = (
    "value_capture",
    "value_lift",
    "value_lift_low",
    "value_lift_high",
    "value_oracle",
    "value_over_random",
    "value_over_random_low",
    "top_n_capture",
    "clv_capture",
    "regime",
)
SEARCH = ("folds", "value_lift_mean", "value_lift_min", "value_oracle_mean")
FORECAST = ("horizon_days", "expected", "low", "high", "backtest_mase", "coverage")


def build(answers: Mapping[str, Numbers]) -> dict[str, Numbers]:
    """Pick the contract's figures out of the nine answers, so that the two cannot disagree."""
    guarantee = answers["guarantee"]
    return {
        "data": _data(answers),
        "model": _model(answers),
        "insiders": _insiders(answers),
        "search": {key: guarantee["search"].get(key) for key in SEARCH},
        "validation": {key: guarantee.get(key) for key in VALIDATION},
        "forecast": {key: answers["expected_revenue"][key] for key in FORECAST},
    }


def _data(answers: Mapping[str, Numbers]) -> Numbers:
    rows = {row["rule"]: row["rows"] for row in answers["guarantee"]["ledger"]}
    revenue = answers["revenue_share"]
    return {
        "rows": rows["delivered"],
        "rows_kept": rows["kept"],
        "customers": answers["how_many"]["customers"],
        **{key: revenue[key] for key in ("gross_revenue", "net_revenue", "anonymous_share")},
    }


def _model(answers: Mapping[str, Numbers]) -> Numbers:
    search = answers["guarantee"]["search"]
    return {
        "version": answers["guarantee"]["provenance"]["model_version"],
        "embedding": search["embedding"],
        "clusterer": search["clusterer"],
        "segments": len(answers["how_many"]["segments"]),
        **{key: search.get(key) for key in ("silhouette", "control_gap", "stability")},
    }


def _insiders(answers: Mapping[str, Numbers]) -> Numbers:
    return {
        "count": answers["how_many"]["count"],
        "customer_share": answers["how_many"]["customer_share"],
        "revenue_share": answers["revenue_share"]["gross_revenue_share"],
        "net_revenue_share": answers["revenue_share"]["net_revenue_share"],
    }


def flat(metrics: Mapping[str, Numbers]) -> dict[str, float]:
    """The numbers alone, by dotted name, for a tracking server."""

    def numbers() -> Iterator[tuple[str, float]]:
        for section, values in metrics.items():
            for key, value in values.items():
                if isinstance(value, int | float):
                    yield f"{section}.{key}", value

    return dict(numbers())

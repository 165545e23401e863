"""The figures of one run that other programs read: the keys are the outside contract, none more and none less."""

from collections.abc import Iterator, Mapping

from insiders.programme.leave import LeaveNumbers
from insiders.report.numbers import Answers, ExpectedRevenueNumbers, GuaranteeNumbers

Figure = float | int | str | None
Metrics = dict[str, dict[str, Figure]]

DIAGNOSTICS = ("silhouette", "control_gap")  # measures of the segments, in the search ...
SEGMENTS = ("stability_rand", "foresight_lift")  # ... and those that decide
SEARCH = ("value_lift_mean", "value_lift_min", "value_oracle_mean")  # measures of the list


def build(answers: Answers) -> Metrics:
    """Pick the contract's figures out of the nine answers, so that the two cannot disagree."""
    guarantee = answers["guarantee"]
    return {
        "data": _data(answers),
        "model": _model(answers),
        "insiders": _insiders(answers),
        "search": {"folds": guarantee["search"]["folds"]} | _measured(guarantee, SEARCH),
        "validation": _validation(guarantee),
        "forecast": _forecast(answers["expected_revenue"]),
        "programme": _programme(answers["leave"]) | {"release": guarantee["provenance"]["release"]},
    }


def _data(answers: Answers) -> dict[str, Figure]:
    rows = {row["rule"]: row["rows"] for row in answers["guarantee"]["ledger"]}
    revenue = answers["revenue_share"]
    return {
        "rows": rows["delivered"],
        "rows_kept": rows["kept"],
        "customers": answers["how_many"]["customers"],
        **{key: revenue[key] for key in ("gross_revenue", "net_revenue", "anonymous_share")},
        "as_of": answers["guarantee"]["provenance"]["as_of"],
    }


def _model(answers: Answers) -> dict[str, Figure]:
    guarantee = answers["guarantee"]
    measures = guarantee["serving"]["measures"]
    return {
        "version": guarantee["provenance"]["model_version"],
        "embedding": guarantee["serving"]["embedding"],
        "clusterer": guarantee["serving"]["clusterer"],
        "segments": len(answers["how_many"]["segments"]),
        **_measured(guarantee, DIAGNOSTICS),
        "stability": measures.get("list_stability"),
        **_measured(guarantee, SEGMENTS),
        "foresight": measures.get("foresight_mean"),
    }


def _measured(guarantee: GuaranteeNumbers, names: tuple[str, ...]) -> dict[str, Figure]:
    """Measures of what serves, which need not be the newest candidate; null where it has none."""
    return {name: guarantee["serving"]["measures"].get(name) for name in names}


def _validation(guarantee: GuaranteeNumbers) -> dict[str, Figure]:
    return {
        "value_capture": guarantee["value_capture"],
        "value_lift": guarantee["value_lift"],
        "value_lift_low": guarantee["value_lift_low"],
        "value_lift_high": guarantee["value_lift_high"],
        "value_oracle": guarantee["value_oracle"],
        "value_over_random": guarantee["value_over_random"],
        "value_over_random_low": guarantee["value_over_random_low"],
        "top_n_capture": guarantee["top_n_capture"],
        "clv_capture": guarantee["clv_capture"],
        "regime": guarantee["regime"],
        "best_sort": guarantee["best_sort"],
        "sort_lift": guarantee["sort_lift"],
        "sort_lift_low": guarantee["sort_lift_low"],
        "sort_lift_high": guarantee["sort_lift_high"],
    }


def _forecast(expected: ExpectedRevenueNumbers) -> dict[str, Figure]:
    return {
        "horizon_days": expected["horizon_days"],
        "expected": expected["expected"],
        "low": expected["low"],
        "high": expected["high"],
        "backtest_mase": expected["backtest_mase"],
        "coverage": expected["coverage"],
    }


def _insiders(answers: Answers) -> dict[str, Figure]:
    return {
        "count": answers["how_many"]["count"],
        "customer_share": answers["how_many"]["customer_share"],
        "revenue_share": answers["revenue_share"]["gross_revenue_share"],
        "net_revenue_share": answers["revenue_share"]["net_revenue_share"],
    }


def _programme(leave: LeaveNumbers) -> dict[str, Figure]:
    """`joined` and `left`: at the last check, who came back among the former."""
    last = leave["months"][-1] if leave["months"] else None
    return {
        "members": leave["count"],
        "joined": last["joined"] + last["returned"] if last else 0,
        "left": last["left"] if last else 0,
        "flip_share_worst": leave["worst_flip_share"],
    }


def flat(metrics: Mapping[str, Mapping[str, Figure]]) -> dict[str, float]:
    """The numbers alone, by dotted name, for a tracking server."""

    def numbers() -> Iterator[tuple[str, float]]:
        for section, values in metrics.items():
            for key, value in values.items():
                if isinstance(value, int | float):
                    yield f"{section}.{key}", value

    return dict(numbers())

"""The gates that a candidate passes before it may serve: each with its name, threshold, value and verdict."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from insiders.language import named

Measured = Mapping[str, float | None]

COMPARISONS = {
    ">=": lambda value, threshold: value >= threshold,
    ">": lambda value, threshold: value > threshold,
    "<=": lambda value, threshold: value <= threshold,
}

SIZE_MARGIN = 0.1  # share by which the list that serves may be smaller or larger than the one judged

MEANINGS = {
    "sort_lift_low": named("gate", "the list is not worse than the best plain sort"),
    "value_over_random_low": named("gate", "the list is better than chance"),
    "list_stability": named("gate", "the list stays when customers are resampled"),
    "foresight_over_rfm": named("gate", "segments foretell as much as the cells of RFM"),
    "foresight_gap": named("gate", "segments foretell more than those of permuted customers"),
    "stability_rand": named("gate", "segments stay when customers are resampled"),
    "segment_share": named("gate", "no degenerate segment"),
    "share_ratio_min": named("gate", "the list that serves is no smaller than the one judged"),
    "share_ratio_max": named("gate", "the list that serves is no larger than the one judged"),
    "champion_list": named("gate", "the list is no worse than the champion's in the same period"),
    "champion_segments": named("gate", "segments foretell no less than the champion's in the same period"),
}


class GateRecord(TypedDict):
    """A gate with its verdict, as JSON holds it."""

    name: str
    meaning: str
    comparison: str
    threshold: float
    value: float | None
    passed: bool


@dataclass(frozen=True)
class Gate:
    """A missing value (None) never passes."""

    name: str
    meaning: str
    comparison: str
    threshold: float
    value: float | None

    @property
    def passed(self) -> bool:
        return self.value is not None and bool(COMPARISONS[self.comparison](self.value, self.threshold))

    def as_record(self) -> GateRecord:
        return {
            "name": self.name,
            "meaning": self.meaning,
            "comparison": self.comparison,
            "threshold": self.threshold,
            "value": self.value,
            "passed": self.passed,
        }


@dataclass(frozen=True)
class Thresholds:
    """What params.yaml demands; the units stand there."""

    sort_lift_margin: float
    value_over_random_min: float
    list_stability_min: float
    foresight_margin: float
    stability_min: float
    champion_margin: float
    segment_share_min: float


def gates(measured: Measured, thresholds: Thresholds, champion: Measured | None) -> list[Gate]:
    """All gates. `measured` holds the validation's figures, the search's measures, and the sizes of both fits.

    `champion` has its own `sort_lift` and `foresight` of the same period; None where nothing serves yet, which no
    candidate can be worse than.
    """
    wanted = [
        ("sort_lift_low", ">=", 1 - thresholds.sort_lift_margin, "sort_lift_low"),
        ("value_over_random_low", ">", thresholds.value_over_random_min, "value_over_random_low"),
        ("list_stability", ">=", thresholds.list_stability_min, "list_stability"),
        ("foresight_over_rfm", ">=", -thresholds.foresight_margin, "foresight_over_rfm"),
        ("foresight_gap", ">", 0.0, "foresight_gap"),
        ("stability_rand", ">=", thresholds.stability_min, "stability_rand"),
        ("segment_share", ">=", thresholds.segment_share_min, "segment_share"),
        ("share_ratio_min", ">=", 1 - SIZE_MARGIN, "share_ratio"),
        ("share_ratio_max", "<=", 1 + SIZE_MARGIN, "share_ratio"),
    ]
    for name, key in (("champion_list", "sort_lift"), ("champion_segments", "foresight")):
        known = champion.get(key) if champion else None
        if known is not None:
            wanted.append((name, ">=", known - thresholds.champion_margin, key))
    return [
        Gate(name, MEANINGS[name], comparison, threshold, _number(measured.get(key)))
        for name, comparison, threshold, key in wanted
    ]


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)

"""The gates that a candidate passes before it may serve: each with its name, threshold, value and verdict."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from insiders.language import named

COMPARISONS = {
    ">=": lambda value, threshold: value >= threshold,
    ">": lambda value, threshold: value > threshold,
    "<=": lambda value, threshold: value <= threshold,
}

MEANINGS = {
    "value_lift_low": named("gate", "not worse than sorting by past revenue"),
    "value_over_random_low": named("gate", "better than chance"),
    "stability": named("gate", "the list stays when customers are resampled"),
    "control_gap_low": named("gate", "better separated than permuted customers"),
    "insider_share_min": named("gate", "no smaller than the programme wants"),
    "insider_share_max": named("gate", "no larger than the programme can take"),
    "segment_share": named("gate", "no degenerate segment"),
    "champion": named("gate", "no worse than the champion on the same period"),
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

    value_lift_margin: float
    value_over_random_min: float
    stability_min: float
    control_gap_min: float
    champion_margin: float
    insider_share_min: float
    insider_share_max: float
    segment_share_min: float


def gates(measured: Mapping[str, float | None], thresholds: Thresholds, champion_lift: float | None) -> list[Gate]:
    """All gates. `measured` holds the validation's figures, the search's stability and control gap, and the sizes.

    The sizes are those of both lists, the one that is judged and today's, which the same recipe makes.

    `champion_lift` is the champion's value lift on the same period; None where nothing serves yet, which no candidate
    can be worse than.
    """
    wanted = [
        ("value_lift_low", ">=", 1 - thresholds.value_lift_margin, "value_lift_low"),
        ("value_over_random_low", ">", thresholds.value_over_random_min, "value_over_random_low"),
        ("stability", ">=", thresholds.stability_min, "stability"),
        ("control_gap_low", ">", thresholds.control_gap_min, "control_gap_low"),
        ("insider_share_min", ">=", thresholds.insider_share_min, "insider_share_least"),
        ("insider_share_max", "<=", thresholds.insider_share_max, "insider_share_most"),
        ("segment_share", ">=", thresholds.segment_share_min, "segment_share"),
    ]
    if champion_lift is not None:
        wanted.append(("champion", ">=", champion_lift - thresholds.champion_margin, "value_lift"))
    return [
        Gate(name, MEANINGS[name], comparison, threshold, _number(measured.get(key)))
        for name, comparison, threshold, key in wanted
    ]


def _number(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value)

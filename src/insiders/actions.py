"""What to do for whom: plain rules, as data, on each segment's medians. No effect is promised before it is measured."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Suggestion(NamedTuple):
    """Fits a segment whose `column` is at least (or at most) `times` that of all customers, and at least `floor`."""

    key: str  # the sentence of this name says what to do
    for_insiders: bool | None  # None: for any segment
    column: str
    at_least: bool
    times: float
    floor: float = 0.0


# In order of urgency; all that fit are listed.
SUGGESTIONS = (
    Suggestion("invite", True, "customers", at_least=True, times=0),
    Suggestion("call", True, "recency_days", at_least=True, times=1.0),
    Suggestion("win_back", False, "recency_days", at_least=True, times=1.5),
    Suggestion("raise_frequency", False, "average_order_value", at_least=True, times=1.5),
    Suggestion("raise_basket", False, "order_count", at_least=True, times=1.5),
    Suggestion("check_returns", None, "returned_revenue_share", at_least=True, times=1.5, floor=0.05),
    Suggestion("welcome", False, "tenure_days", at_least=False, times=0.5),
)


def suggest(segments: Sequence[Mapping[str, Any]], overall: Mapping[str, float]) -> list[dict[str, Any]]:
    """Per segment the keys of what fits and the figures that decided it; `hold` where nothing does.

    `segments` and `overall` hold customers and the medians by column; segments also segment and is_insider.
    """
    return [
        {
            "segment": row["segment"],
            "customers": row["customers"],
            "is_insider": row["is_insider"],
            "do": _fits(row, overall),
        }
        for row in segments
    ]


def _fits(row: Mapping[str, Any], overall: Mapping[str, float]) -> list[dict[str, Any]]:
    found = [
        {"key": s.key, "column": s.column, "segment_value": row[s.column], "overall_value": overall[s.column]}
        for s in SUGGESTIONS
        if s.for_insiders in (None, row["is_insider"]) and _holds(s, row[s.column], overall[s.column])
    ]
    return found or [{"key": "hold", "column": None, "segment_value": None, "overall_value": None}]


def _holds(suggestion: Suggestion, value: float, reference: float) -> bool:
    limit = max(suggestion.times * reference, suggestion.floor)
    return value >= limit if suggestion.at_least else value <= limit

"""What models/registered.json says of a model, in the registry's words: tags for the gates, a card for people."""

from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any

GATE_PREFIX = "gate."


def gate_tags(gates: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """{"gate.stable": "passed 0.91 >= 0.75"} for gates with name, passed, value, comparison and threshold."""
    return {f"{GATE_PREFIX}{gate['name']}": f"{_verdict(gate)} {_claim(gate)}" for gate in gates}


def model_card(manifest: Mapping[str, Any]) -> str:
    """Markdown: what the model is, how it was judged, what it is for and what it is not for.

    `manifest` has the form of models/registered.json without what the registry itself decides (version, alias).
    """
    candidate, judged = manifest["candidate"], manifest["validation"]
    return "\n".join(
        [
            f"# Insiders: {candidate['embedding']} and {candidate['clusterer']}",
            "",
            "Puts a shop's customers into named segments and says who belongs into the loyalty programme.",
            "",
            f"Judged on the {judged['horizon_days']} days from {judged['as_of']}, which the search never saw, "
            f"with a list of {judged['n']} customers chosen before them.",
            "",
            *_table(["gate", "verdict", "claim", "meaning"], [_gate_row(gate) for gate in manifest["gates"]]),
            "",
            *_table(["on the untouched period", "value"], _rows(judged, skipped=("n", "as_of", "horizon_days"))),
            "",
            *_table(["in the search, over all origins", "value"], _rows(_whole(candidate["measures"]))),
            "",
            f"The judged list and the registered one, fitted on everything, agree at {_figure(manifest['agreement'])} "
            "(Jaccard, common customers).",
            "",
            *_table(["segment", "continues", "shared customers", "changed"], _segments(manifest["segments"])),
            "",
            f"Features: {', '.join(candidate['features'])}. Seed {candidate['seed']}, trial {candidate['trial']}, "
            f"params {candidate['params']}.",
            "",
            "For: choosing whom to invite, customer by customer, from a table of the same shop. Not for: another shop "
            "without a new search; decisions about credit, prices or anything that a person may not see or contest.",
        ]
    )


def _segments(segments: Iterable[Mapping[str, Any]]) -> list[list[str]]:
    """A row per segment: the champion's segment that it continues, if any, and the medians that moved."""
    return [
        [each["name"], each["matched_from"] or "new", str(each["shared_customers"]), _moves(each["changed"])]
        for each in segments
    ]


def _moves(changed: Mapping[str, Any]) -> str:
    told = (f"{name} {_figure(before)} to {_figure(now)}" for name, (before, now) in changed.items())
    return "; ".join(told) or "nothing"


def _gate_row(gate: Mapping[str, Any]) -> list[str]:
    return [gate["name"], _verdict(gate), _claim(gate), gate["meaning"]]


def _verdict(gate: Mapping[str, Any]) -> str:
    return "passed" if gate["passed"] else "failed"


def _claim(gate: Mapping[str, Any]) -> str:
    return f"{_figure(gate['value'])} {gate['comparison']} {_figure(gate['threshold'])}"


def _rows(values: Mapping[str, Any], skipped: tuple[str, ...] = ()) -> list[list[str]]:
    return [[key, _figure(value)] for key, value in values.items() if isinstance(value, Real) and key not in skipped]


def _whole(measures: Mapping[str, Any]) -> dict[str, Any]:
    """The measures without those of a single origin, which end in its number."""
    return {name: value for name, value in measures.items() if not name.rpartition("_")[2].isdigit()}


def _figure(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(header: list[str], rows: list[list[str]]) -> list[str]:
    return [_row(header), _row(["---"] * len(header)), *(_row(row) for row in rows)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

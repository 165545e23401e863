"""The verdict on a model in the registry's words: a tag for each gate, and a card in Markdown for people."""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from insiders.model.segments import Identity

GATE_PREFIX = "gate."


class Gate(Protocol):
    """A condition that a model had to meet, and its value."""

    @property
    def name(self) -> str: ...
    @property
    def meaning(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def comparison(self) -> str: ...
    @property
    def threshold(self) -> float: ...
    @property
    def passed(self) -> bool: ...


class CardFacts(NamedTuple):
    """What a card says.

    `candidate` and `validation` have the form that they have in models/registered.json; `agreement` is the Jaccard
    index of the judged list and the registered one.
    """

    candidate: Mapping[str, object]
    features: Sequence[str]
    measures: Mapping[str, object]
    validation: Mapping[str, object]
    gates: Sequence[Gate]
    agreement: float
    segments: "Sequence[Identity]"


def gate_tags(gates: Iterable[Gate]) -> dict[str, str]:
    """{"gate.stability": "passed 0.91 >= 0.75"}."""
    return {f"{GATE_PREFIX}{gate.name}": f"{_verdict(gate)} {_claim(gate)}" for gate in gates}


def model_card(facts: CardFacts) -> str:
    """Markdown: what the model is, how it was judged, what it is for and what it is not for."""
    candidate, validation = facts.candidate, facts.validation
    return "\n".join(
        [
            f"# Insiders: {candidate['embedding']} and {candidate['clusterer']}",
            "",
            "Puts a shop's customers into named segments and says who belongs into the loyalty programme.",
            "",
            f"Judged on the {validation['horizon_days']} days from {validation['as_of']}, which the search never saw, "
            f"with a list of {validation['n']} customers chosen before them.",
            "",
            *_table(["gate", "verdict", "claim", "meaning"], map(_gate_row, facts.gates)),
            "",
            *_table(["on the untouched period", "value"], _number_rows(validation, ("n", "as_of", "horizon_days"))),
            "",
            *_table(["in the search, over all origins", "value"], _number_rows(_over_all_origins(facts.measures))),
            "",
            f"The judged list and the registered one, fitted on everything, agree at {_figure(facts.agreement)} "
            "(Jaccard, common customers).",
            "",
            *_table(["segment", "continues", "shared customers", "changed"], map(_segment_row, facts.segments)),
            "",
            f"Features: {', '.join(facts.features)}. Seed {candidate['seed']}, trial {candidate['trial']}, "
            f"params {candidate['params']}.",
            "",
            "For: choosing whom to invite, customer by customer, from a table of the same shop. Not for: another shop "
            "without a new search; decisions about credit, prices or anything that a person may not see or contest.",
        ]
    )


def _gate_row(gate: Gate) -> list[str]:
    return [gate.name, _verdict(gate), _claim(gate), gate.meaning]


def _verdict(gate: Gate) -> str:
    return "passed" if gate.passed else "failed"


def _claim(gate: Gate) -> str:
    return f"{_figure(gate.value)} {gate.comparison} {_figure(gate.threshold)}"


def _segment_row(segment: "Identity") -> list[str]:
    """The champion's segment that this one continues, if any, and the medians that changed."""
    changes = (f"{name} {_figure(old)} to {_figure(new)}" for name, (old, new) in segment.changed.items())
    return [segment.name, segment.matched_from or "new", str(segment.shared_customers), "; ".join(changes) or "nothing"]


def _number_rows(values: Mapping[str, object], skipped: tuple[str, ...] = ()) -> list[list[str]]:
    return [[key, _figure(value)] for key, value in values.items() if isinstance(value, Real) and key not in skipped]


def _over_all_origins(measures: Mapping[str, object]) -> dict[str, object]:
    """Leave out the measures of a single origin, which end in its number."""
    return {name: value for name, value in measures.items() if not name.rpartition("_")[2].isdigit()}


def _figure(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(header: list[str], rows: Iterable[list[str]]) -> list[str]:
    return [_row(header), _row(["---"] * len(header)), *(_row(row) for row in rows)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"

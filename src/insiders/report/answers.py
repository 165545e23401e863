"""The nine answers: every number computed from the tables at hand, and one sentence built from the numbers."""

from collections.abc import Callable, Mapping
from typing import Any

from insiders.report import text
from insiders.report.inputs import Findings, Inputs, Numbers, Tables, Terms
from insiders.report.sections import (
    actions,
    enter,
    expected_revenue,
    guarantee,
    how_many,
    leave,
    revenue_share,
    traits,
    who,
)

# In the order of the page.
SECTIONS: dict[str, Callable[[Inputs], Mapping[str, Any]]] = {
    "who": who.numbers,
    "how_many": how_many.numbers,
    "traits": traits.numbers,
    "revenue_share": revenue_share.numbers,
    "expected_revenue": expected_revenue.numbers,
    "enter": enter.numbers,
    "leave": leave.numbers,
    "guarantee": guarantee.numbers,
    "actions": actions.numbers,
}


def build(tables: Tables, findings: Findings, terms: Terms) -> dict[str, Numbers]:
    """The nine answers in their order, each with its question, one sentence and the numbers behind it."""
    inputs = Inputs(tables, findings, terms)
    plain = {key: tidy(numbers(inputs)) for key, numbers in SECTIONS.items()}
    environment = text.environment(terms.language)
    words: Any = environment.globals["words"]
    for row in plain["traits"]["segments"]:
        row["in_words"] = [words.portrait(each) for each in row["apart"]]
    return {
        key: {"question": words.questions[key], "answer": text.sentence(environment, key, each), **each}
        for key, each in plain.items()
    }


def tidy(value: Any) -> Any:
    """Plain JSON values: numpy's become Python's, floats keep six decimals, what is not a number becomes null."""
    if isinstance(value, Mapping):
        return {str(key): tidy(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(each) for each in value]
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return round(value, 6) if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 - NaN
    return value

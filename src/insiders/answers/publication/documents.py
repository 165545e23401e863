"""The published documents: what a dashboard shows of a release beside its tables, as text in parts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd

from insiders.answers.inputs import Inputs
from insiders.answers.publication.pseudonyms import Pseudonyms
from insiders.io import engine, paths, tables
from insiders.io.params import Params
from insiders.report import text
from insiders.schemas.published import CUSTOMER_ID

if TYPE_CHECKING:
    import ibis.expr.types as ir

PART_LETTERS = 16_000  # of four bytes at most: what every database holds in one text


def documents(inputs: Inputs) -> "ir.Table":
    """One row per part of a document."""
    rows = [
        (name, number, part) for name, content in _contents(inputs) for number, part in enumerate(_parts(content), 1)
    ]
    return engine.scan_frame(inputs.connection, pd.DataFrame(rows, columns=["name", "part", "content"]))


def _contents(inputs: Inputs) -> Iterator[tuple[str, str]]:
    """Each document by name. With pseudonyms the intake is kept back: it may quote what stands in the delivery."""
    if inputs.settings.publish.pseudonymise:
        yield "answers", tables.as_json(_pseudonymous(inputs))
    else:
        yield "answers", tables.as_json(_without_list(inputs.answers))
        yield "intake", tables.read_text(paths.INTAKE)
    yield "settings", tables.as_json({**start(inputs.settings), "terms": dict(inputs.terms)})


def _parts(content: str) -> Iterator[str]:
    for start in range(0, max(1, len(content)), PART_LETTERS):
        yield content[start : start + PART_LETTERS]


def start(own: Params) -> dict[str, Any]:
    """What the pages start from: the language, what a place costs and brings."""
    place = {
        "cost": own.programme.place_cost,
        "margin_share": own.report.margin_share,
        "uplift": own.programme.place_uplift,
    }
    return {"language": own.report.language, "place": place}


def _without_list(answers: Any) -> dict[str, Any]:
    """The members are in `insiders`, however many they are."""
    return {**answers, "who": {name: value for name, value in answers["who"].items() if name != "members"}}


def _pseudonymous(inputs: Inputs) -> dict[str, Any]:
    """The answers with pseudonyms for ids, also in their sentences."""
    replaced = _replaced(_without_list(inputs.answers), Pseudonyms.from_environment())
    environment = text.environment(inputs.language)
    return {key: {**each, **_told(text.wording(environment, key, each))} for key, each in replaced.items()}


def _told(wording: text.Wording) -> dict[str, str]:
    question, answer = wording
    return {"question": question, "answer": answer}


def _replaced(value: Any, names: Pseudonyms) -> Any:
    match value:
        case dict():
            return {
                key: names.of(each) if key == CUSTOMER_ID else _replaced(each, names) for key, each in value.items()
            }
        case list():
            return [_replaced(each, names) for each in value]
        case _:
            return value

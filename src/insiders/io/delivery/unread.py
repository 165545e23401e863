"""Columns that are not read, and whether one of them says that a row is no sale."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from insiders.errors import InputError
from insiders.io import engine
from insiders.io.delivery.blocks import PROBLEM, ROW
from insiders.schemas import vocabulary

Table = Any  # Ibis has no types that mypy could follow

WORDS_MAX = 50  # different texts of a column that sorts rows into kinds
SHOWN = 5
# Words of a column with any name that leave little doubt; "credit" may be a way to pay, and "pending" a parcel's state.
TELLING = {
    "line_type": ("refund", "refunds", "return", "creditnote", "creditmemo", "devolucao", "estorno", "notadecredito"),
    "status": (
        "cancelled",
        "canceled",
        "voided",
        "refunded",
        "returned",
        "cancelado",
        "cancelada",
        "devolvido",
        "anulado",
    ),
}


class Unread(NamedTuple):
    """A column that is not read: how many different texts it has, and the commonest of them."""

    column: str
    texts: int
    common: tuple[str, ...]


def columns(raw: Table, mapping: Mapping[str, str | None]) -> list[str]:
    """List the columns that are none of ours."""
    return [name for name in raw.columns if name not in (*mapping.values(), ROW, PROBLEM)]


def summary(raw: Table, names: Sequence[str]) -> list[Unread]:
    """Sum up columns; those that hold nothing are left out."""
    if not names:
        return []
    (counts,) = engine.fetch_records(
        raw.aggregate(**{f"c{place}": raw[name].approx_nunique() for place, name in enumerate(names)})
    )
    texts = dict(zip(names, counts.values(), strict=True))
    return [Unread(name, texts[name], _common(raw, name)) for name in names if texts[name]]


def _common(raw: Table, name: str) -> tuple[str, ...]:
    held = raw.filter(raw[name].notnull())
    counted = held.group_by(text=held[name]).aggregate(rows=held.count())
    first = counted.order_by([counted.rows.desc(), counted.text]).limit(WORDS_MAX)
    return tuple(each["text"] for each in engine.fetch_records(first))


def refuse(raw: Table, mapping: Mapping[str, str | None], ignored: Collection[str]) -> None:
    """Stop where a column that is not read says of rows that they are returned or cancelled. Raises InputError."""
    names = [name for name in columns(raw, mapping) if name not in ignored]
    for column, texts, common in summary(raw, names):
        if texts > WORDS_MAX:
            continue
        words = {vocabulary.reduced(text): text for text in common}
        for ours, telling in TELLING.items():
            if word := next((words[each] for each in telling if each in words), None):
                raise InputError(
                    f"column {column!r} is not read and holds {word!r}: does it say which rows are no sales? Say so "
                    f'in params.yaml: ingest.columns: {{{ours}: "{column}"}} reads it, '
                    f'ingest.ignore: ["{column}"] does not'
                )

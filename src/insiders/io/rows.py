"""Text rows as they came to transactions, and the reason where one cannot be read."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import ibis

from insiders.io import dates, numbers
from insiders.io.blocks import PROBLEM, ROW
from insiders.schemas import MONEY

Table = Any  # Ibis has no types that mypy could follow
Text = Any

IDS = ("invoice", "product_code", "customer_id")
MISSING_IDS = ("", "nan", "null", "none", "n/a", "#n/a", "<na>", "nat")
SPACE = r"[\s\x{a0}]"
YEARS = (1900, 2199)  # anything outside is a typing error
PIECES_MAX = 1_000_000_000  # on one line
AMOUNT_MAX = 10**14  # quantity x price, what decimal(18, 4) can hold


class Form(NamedTuple):
    """How the file writes things."""

    date_forms: tuple[str, ...]
    decimal: str


@ibis.udf.scalar.builtin
def try_strptime(text: str, form: str) -> ibis.dtype("timestamp(6)"):  # type: ignore[empty-body, valid-type]
    """Read a date and time; null where the text is not written in this form."""


def form(raw: Table, mapping: Mapping[str, str | None], date_format: str | None, decimal: str | None) -> Form:
    """Tell from the whole file how dates and numbers are written, where it is not declared.

    Raises InputError where it is open.
    """
    when, quantity, price = (mapping[name] for name in ("invoiced_at", "quantity", "unit_price"))
    both = _distinct(raw, quantity).union(_distinct(raw, price))
    return Form(
        dates.declared(date_format) if date_format else dates.forms(dates.shapes(_distinct(raw, when)), str(when)),
        decimal or numbers.decimal_mark(both, f"columns {quantity!r} and {price!r}"),
    )


def _distinct(raw: Table, column: str | None) -> Table:
    kept = raw.filter(raw[PROBLEM].isnull(), raw[column].notnull())
    return kept.group_by(value=_trimmed(kept[column])).aggregate(rows=kept.count())


def read(raw: Table, mapping: Mapping[str, str | None], form: Form) -> Table:
    """Give the columns of a transaction, the number of the row, and the reason why it cannot be read (null: it can).

    In three steps, since the engine evaluates anew what stands twice in one.
    """
    texts = _texts(raw, mapping)
    parsed = texts.mutate(
        **{name: texts[name].lower().isin(MISSING_IDS).ifelse(None, texts[name]) for name in IDS},
        invoiced_at=_date(texts.invoiced_text, form.date_forms),
        quantity_plain=numbers.plain(texts.quantity_text, form.decimal),
        price_plain=numbers.plain(texts.price_text, form.decimal),
    )
    typed = parsed.mutate(
        quantity=parsed.quantity_plain.try_cast("int64"), unit_price=parsed.price_plain.try_cast(MONEY)
    )
    return typed.select(*mapping, ROW, **{PROBLEM: ibis.cases(*_problems(typed, mapping))})


def _texts(raw: Table, mapping: Mapping[str, str | None]) -> Table:
    """Name the columns and take off what is no content: space, and the ".0" of ids that went through a float."""
    theirs = {ours: raw[name] if name else ibis.null("string") for ours, name in mapping.items()}
    trimmed = {ours: _trimmed(text) for ours, text in theirs.items()}
    return raw.select(
        ROW,
        PROBLEM,
        **{name: trimmed[name].re_replace(r"^(\d+)\.0+$", r"\1") for name in IDS},
        description=theirs["description"],
        country=trimmed["country"].nullif(""),
        invoiced_text=trimmed["invoiced_at"].nullif(""),
        quantity_text=trimmed["quantity"].nullif(""),
        price_text=trimmed["unit_price"].nullif(""),
    )


def quarantine(raw: Table, read: Table) -> Table:
    """Give the rows that cannot be read, as they came, with the reason."""
    bad = read.filter(read[PROBLEM].notnull()).select(ROW, PROBLEM).distinct()  # one row of a CSV can stand in parts
    return raw.drop(PROBLEM).inner_join(bad, ROW)


def _problems(t: Table, mapping: Mapping[str, str | None]) -> list[tuple[Any, Any]]:
    """List what can be wrong with a row: condition and reason, the first that holds counts."""
    when, quantity, price = (mapping[name] for name in ("invoiced_at", "quantity", "unit_price"))
    return [
        (t[PROBLEM].notnull(), t[PROBLEM]),
        *((t[name].isnull(), f"{mapping[name]} is missing") for name in ("invoice", "product_code")),
        *(
            (t[name].re_search(r"^\d(\.\d+)?[eE]\+\d+$"), f"{mapping[name]} was rounded by a spreadsheet")
            for name in IDS
        ),
        (t.invoiced_text.isnull(), f"{when} is missing"),
        (t.invoiced_at.isnull(), f"{when} is not a date in the form of the column"),
        (~t.invoiced_at.year().between(*YEARS), f"{when} lies outside the years {YEARS[0]} to {YEARS[1]}"),
        (t.quantity_text.isnull(), f"{quantity} is missing"),
        (t.quantity_plain.isnull(), f"{quantity} is not a number"),
        (t.quantity_plain.re_search(r"\.\d*[1-9]|[eE]-"), f"{quantity} is not a whole number"),
        (t.quantity.isnull() | (t.quantity.abs() > PIECES_MAX), f"{quantity} is above {PIECES_MAX} pieces"),
        (t.price_text.isnull(), f"{price} is missing"),
        (t.price_text.re_search(r"\p{Sc}"), f"{price} holds a currency sign"),
        (t.price_plain.isnull(), f"{price} is not a number"),
        (numbers.has_over_four_decimals(t.price_plain), f"{price} has over 4 decimals"),
        (t.unit_price.isnull(), f"{price} is too large"),
        (t.quantity.abs() * t.unit_price.abs().cast("float64") >= AMOUNT_MAX, f"{quantity} x {price} is too large"),
    ]


def _trimmed(text: Text) -> Text:
    return text.re_replace(f"^{SPACE}+|{SPACE}+$", "")


def _date(trimmed: Text, forms: tuple[str, ...]) -> Any:
    return ibis.coalesce(*(try_strptime(trimmed, form) for form in forms), ibis.null("timestamp(6)"))

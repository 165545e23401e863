"""Text rows as they came to transactions, and the reason where one cannot be read.

A delivery repeats a few texts over and over: each distinct text of a column is read once, and joined to its rows.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import ibis

from insiders.io.delivery import dates, numbers
from insiders.io.delivery.blocks import PROBLEM, ROW

Table = Any  # Ibis has no types that mypy could follow
Text = Any

IDS = ("invoice", "product_code", "customer_id")
MISSING_IDS = ("", "nan", "null", "none", "n/a", "#n/a", "<na>", "nat")
SPACE = r"[\s\x{a0}]"
MONEY = "decimal(18, 4)"  # insiders.schemas checks it; to import that takes longer than to read a small file
YEARS = (1900, 2199)  # anything outside is a typing error
PIECES_MAX = 1_000_000_000  # on one line
AMOUNT_MAX = 10**14  # quantity x price, what decimal(18, 4) can hold


class Form(NamedTuple):
    """How the file writes things."""

    date_forms: tuple[str, ...]
    decimal: str


class Reading(NamedTuple):
    """What the texts of a column say (null: nothing), and what can be wrong with them: condition and reason."""

    value: Any
    problems: tuple[tuple[Any, str], ...] = ()


@ibis.udf.scalar.builtin
def try_strptime(text: str, form: str) -> ibis.dtype("timestamp(6)"):  # type: ignore[empty-body, valid-type]
    """Read a date and time; null where the text is not written in this form."""


def form(raw: Table, mapping: Mapping[str, str | None], date_format: str | None, decimal: str | None) -> Form:
    """Tell from the whole file how dates and numbers are written, where it is not declared.

    Raises InputError where it is open.
    """
    when, quantity, price = (mapping[name] for name in ("invoiced_at", "quantity", "unit_price"))
    good = raw.filter(raw[PROBLEM].isnull())
    both = _counted(good, quantity).union(_counted(good, price))
    return Form(
        dates.declared(date_format) if date_format else dates.forms(dates.shapes(_counted(good, when)), str(when)),
        decimal or numbers.decimal_mark(both, f"columns {quantity!r} and {price!r}"),
    )


def _counted(table: Table, column: str | None) -> Table:
    """Give each distinct text that is not empty: as it came, without the space around it, and how often."""
    texts = table.group_by(text=table[column]).aggregate(rows=table.count())
    trimmed = texts.mutate(value=texts.text.re_replace(f"^{SPACE}+|{SPACE}+$", ""))
    return trimmed.filter(trimmed.value != "")


def read(raw: Table, mapping: Mapping[str, str | None], form: Form) -> Table:
    """Give the columns of a transaction, the number of the row, and the reason why it cannot be read (null: it can)."""
    theirs = {ours: raw[name] if name else ibis.null("string") for ours, name in mapping.items()}
    description = theirs.pop("description")  # kept as it is
    rows = texts = raw.select(ROW, PROBLEM, description=description, **{_text(ours): theirs[ours] for ours in theirs})
    for ours in theirs:
        rows = rows.left_join(_values(texts, ours, mapping[ours], form), _text(ours))
    return rows.select(*mapping, ROW, **{PROBLEM: ibis.coalesce(*_problems(rows, mapping))}).mutate(
        amount=lambda t: ibis.ifelse(t[PROBLEM].isnull(), t.quantity.cast("decimal(18, 0)") * t.unit_price, None),
        **dict.fromkeys(("status", "line_type", "rest"), ibis.null("string")),
    )


def quarantine(raw: Table, read: Table) -> Table:
    """Give the rows that cannot be read, as they came, with the reason."""
    bad = read.filter(read[PROBLEM].notnull()).select(ROW, PROBLEM).distinct()  # one row of a CSV can stand in parts
    return raw.drop(PROBLEM).inner_join(bad, ROW)


def _text(ours: str) -> str:
    return f"{ours}_text"


def _wrong(ours: str) -> str:
    return f"{ours}_wrong"


def _values(rows: Table, ours: str, theirs: str | None, form: Form) -> Table:
    """One row per distinct text of a column: what it says, and what is wrong with it."""
    texts = _counted(rows, _text(ours))
    reading = _reading(texts.value, ours, form)
    wrong = [(condition, f"{theirs} {reason}") for condition, reason in reading.problems]
    found = {ours: reading.value, _wrong(ours): ibis.cases(*wrong) if wrong else ibis.null("string")}
    return texts.select(**{_text(ours): texts.text}, **found)


def _reading(text: Text, ours: str, form: Form) -> Reading:
    match ours:
        case "invoiced_at":
            return _date(text, form.date_forms)
        case "quantity":
            return _quantity(text, form.decimal)
        case "unit_price":
            return _price(text, form.decimal)
        case "country":
            return Reading(text)
    return _id(text)


def _id(text: Text) -> Reading:
    """Take off the ".0" of ids that went through a float."""
    whole = text.re_replace(r"^(\d+)\.0+$", r"\1")
    return Reading(
        whole.lower().isin(MISSING_IDS).ifelse(None, whole),
        ((whole.re_search(r"^\d(\.\d+)?[eE]\+\d+$"), "was rounded by a spreadsheet"),),
    )


def _date(text: Text, forms: tuple[str, ...]) -> Reading:
    at = ibis.coalesce(*(try_strptime(text, form) for form in forms), ibis.null("timestamp(6)"))
    return Reading(
        at,
        (
            (at.isnull(), "is not a date in the form of the column"),
            (~at.year().between(*YEARS), f"lies outside the years {YEARS[0]} to {YEARS[1]}"),
        ),
    )


def _quantity(text: Text, decimal: str) -> Reading:
    plain = numbers.plain(text, decimal)
    pieces = plain.try_cast("int64")
    return Reading(
        pieces,
        (
            (plain.isnull(), "is not a number"),
            (plain.re_search(r"\.\d*[1-9]|[eE]-"), "is not a whole number"),
            (pieces.isnull() | (pieces.abs() > PIECES_MAX), f"is above {PIECES_MAX} pieces"),
        ),
    )


def _price(text: Text, decimal: str) -> Reading:
    plain = numbers.plain(text, decimal)
    price = plain.try_cast(MONEY)
    return Reading(
        price,
        (
            (text.re_search(r"\p{Sc}"), "holds a currency sign"),
            (plain.isnull(), "is not a number"),
            (numbers.has_over_four_decimals(plain), "has over 4 decimals"),
            (price.isnull(), "is too large"),
        ),
    )


def _problems(rows: Table, mapping: Mapping[str, str | None]) -> list[Any]:
    """List what can be wrong with a row, of which the first that is there counts."""
    said = ("invoiced_at", "quantity", "unit_price")
    amount = rows.quantity.abs() * rows.unit_price.abs().cast("float64")
    return [
        rows[PROBLEM],
        *(_missing(rows, mapping, ours) for ours in ("invoice", "product_code")),
        *(rows[_wrong(ours)] for ours in IDS),
        *(problem for ours in said for problem in (rows[_wrong(ours)], _missing(rows, mapping, ours))),
        (amount >= AMOUNT_MAX).ifelse(f"{mapping['quantity']} x {mapping['unit_price']} is too large", None),
    ]


def _missing(rows: Table, mapping: Mapping[str, str | None], ours: str) -> Any:
    return rows[ours].isnull().ifelse(f"{mapping[ours]} is missing", None)

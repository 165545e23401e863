"""Text rows as they came to transactions, and the reason where one cannot be read.

A delivery repeats a few texts over and over: each distinct text of a column is read once, and joined to its rows.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import ibis

from insiders.io import engine, tables
from insiders.io.delivery import dates, numbers
from insiders.io.delivery.blocks import PROBLEM, ROW
from insiders.io.delivery.discounts import EXACT
from insiders.io.delivery.worth import PIECES
from insiders.schemas import vocabulary

Table = Any  # Ibis has no types that mypy could follow
Text = Any

IDS = ("invoice", "product_code", "customer_id")
MARK = "_"  # before an id that a spreadsheet would compute, or that begins like one so marked
FORMULA_ID = f"^{MARK}*{tables.COMPUTED}"
ADDRESS = r"^(?:mailto:|[^<>]*<)([^<>\s@]+@[^<>\s@]+)>?$"  # beside which stands a name, or what a browser does
MISSING_IDS = ("", "nan", "null", "none", "n/a", "#n/a", "<na>", "nat")
SPACE = r"[\s\x{a0}]"
BESIDES = ("tax", "shipping", "order_total")  # known, and no part of what a line is worth
MONEYS = ("unit_price", "line_total", "amount", "discount", "order_subtotal", "order_refund", *BESIDES)
TYPES = {
    "invoiced_at": "timestamp(6)",
    "quantity": PIECES,
    **dict.fromkeys(MONEYS, EXACT),
}  # of what is not text
INVISIBLE = "[\\x{200b}-\\x{200f}\\x{2060}\\x{feff}\\x{ad}]"
FALSE = (*sorted(vocabulary.NO), "", "none", "null", "não", "nan", "-")
CANCELLED = "cancelled"
WORKED_OUT = ("invoice", "product_code", "status")  # from other columns, where the file has none
WHOLE_ORDER = "order"  # the product of an order that is given without its lines
NULL = ibis.null("string")
SERIALS = (32_874, 73_050)  # days as spreadsheets count them: the years 1990 to 2099
NUMBERS = (0, 99_999)  # days that are numbered from any other date
YEARS = (1900, 2199)  # anything outside is a typing error
PIECES_MAX = 1_000_000_000  # on one line
AMOUNT_MAX = 10**14  # quantity x price, what decimal(18, 4) can hold


class Form(NamedTuple):
    """How the file writes things."""

    date_forms: tuple[str, ...]
    decimal: str
    has_words: bool = False  # months are words
    signs: Mapping[str, str] = {}  # our name of a column -> the currency sign in all of its numbers
    offsets: tuple[str, ...] = ()  # of the clocks from Greenwich, as written
    fills_dates: bool = False  # rows without a date take that of their order, which other rows tell

    @property
    def discount(self) -> Literal["money", "percent"] | None:
        """What the sign in all discounts says that they are."""
        sign = self.signs.get("discount")
        return ("percent" if sign == numbers.PERCENT else "money") if sign else None

    @property
    def currencies(self) -> list[str]:
        """The signs of currencies in the numbers."""
        return sorted({*self.signs.values()} - {numbers.PERCENT})


class Reading(NamedTuple):
    """What the texts of a column say (null: nothing), and what can be wrong with them: condition and reason."""

    value: Any
    problems: tuple[tuple[Any, str], ...] = ()


@ibis.udf.scalar.builtin
def try_strptime(text: str, form: str) -> ibis.dtype("timestamp(6)"):  # type: ignore[empty-body, valid-type]
    """Read a date and time; null where the text is not written in this form."""


def texts(raw: Table, mapping: Mapping[str, str | None]) -> dict[str, Table]:
    """Give for each of our columns its distinct texts, worked out once for all who ask.

    `text` as it came, `value` without the space around it, and in how many `rows` of good form it stands.
    """
    named = {ours: name for ours, name in mapping.items() if name and ours != "description"}
    return {ours: engine.materialize(raw.get_backend(), _counted(raw, name)) for ours, name in named.items()}


def form(
    texts: Mapping[str, Table], mapping: Mapping[str, str | None], date_format: str | None, decimal: str | None
) -> Form:
    """Tell from the whole file how dates and numbers are written, where it is not declared.

    Raises InputError where it is open.
    """
    good = {ours: table.filter((table.rows > 0) & (table.value != "")) for ours, table in texts.items()}
    money = {ours: good[ours] for ours in (*MONEYS, "quantity") if ours in good}
    signs = {ours: numbers.sign(money[ours], str(mapping[ours])) for ours in MONEYS if ours in good}
    return Form(
        **_clock(good["invoiced_at"], date_format, str(mapping["invoiced_at"])),
        decimal=decimal or _decimal(money, signs, mapping),
        signs={ours: sign for ours, sign in signs.items() if sign and (sign != numbers.PERCENT or ours == "discount")},
        fills_dates=bool(mapping["invoice"]) and _has_blanks(texts["invoiced_at"]),
    )


def _has_blanks(texts: Table) -> bool:
    (found,) = engine.fetch_records(texts.aggregate(blanks=(texts.text.isnull() & (texts.rows > 0)).any()))
    return bool(found["blanks"])


def _clock(values: Table, date_format: str | None, column: str) -> dict[str, Any]:
    """Tell how the dates are written."""
    has_words = dates.has_words(values)
    offsets = tuple(dates.offsets(values))
    if date_format:
        return {"date_forms": dates.declared(date_format), "has_words": has_words, "offsets": offsets}
    written = values.mutate(value=dates.plain(values.value, has_words=has_words))
    return {"date_forms": dates.forms(dates.shapes(written), column), "has_words": has_words, "offsets": offsets}


def _decimal(money: Mapping[str, Table], signs: Mapping[str, str | None], mapping: Mapping[str, str | None]) -> str:
    each = [
        table.mutate(value=numbers.bare(table.value, signs.get(ours))).select("text", "value", "rows")
        for ours, table in money.items()
    ]
    names = " and ".join(repr(mapping[ours]) for ours in ("quantity", *MONEYS) if ours in money)
    return numbers.decimal_mark(ibis.union(*each) if len(each) > 1 else each[0], f"columns {names}")


def _counted(raw: Table, column: str) -> Table:
    texts = raw.group_by(text=raw[column]).aggregate(rows=raw.count(where=raw[PROBLEM].isnull()))
    return texts.mutate(value=_trimmed(texts.text))


def _trimmed(text: Text) -> Text:
    """A text without the space around it; empty where a database has written that it holds none."""
    return text.re_replace(rf"^{SPACE}*\\N{SPACE}*$|^{SPACE}+|{SPACE}+$", "")


def read(raw: Table, texts: Mapping[str, Table], mapping: Mapping[str, str | None], form: Form) -> Table:
    """Give what the file says of our columns, the number of the row, and why it cannot be read (null: it can).

    A blank product code gives way to the description, and a blank invoice number to customer and day.
    """
    theirs = {ours: name for ours, name in mapping.items() if name and ours != "description"}
    description = raw[mapping["description"]] if mapping["description"] else ibis.null("string")
    kept = {_text(ours): raw[name] for ours, name in theirs.items()}
    rows = raw.select(ROW, PROBLEM, description=description, rest=_rest(raw, mapping), **kept)
    for ours, name in theirs.items():
        rows = rows.left_join(_values(texts[ours], ours, name, form), _text(ours))
    rows = rows.mutate(
        **{ours: ibis.null(TYPES.get(ours, "string")) for ours in mapping if ours not in (*theirs, "description")}
    )
    # Not `coalesce`, which would trim every description.
    code = ibis.ifelse(rows.product_code.isnull(), rows.description.strip().nullif(""), rows.product_code)
    rows = rows.mutate(
        product_code=code if mapping["product_code"] or mapping["description"] else ibis.literal(WHOLE_ORDER),
        invoice=rows.invoice if mapping["invoice"] else _visit(rows),
        status=ibis.ifelse(rows.cancelled.notnull(), CANCELLED, rows.status),
        invoiced_at=_of_order(rows) if form.fills_dates else rows.invoiced_at,
    )
    said = [ours for ours, name in mapping.items() if name or ours in WORKED_OUT]
    return rows.select(*said, "rest", ROW, **{PROBLEM: ibis.coalesce(*_problems(rows, mapping))})


def completed(read: Table, mapping: Mapping[str, str | None]) -> Table:
    """Add the columns of ours that the file does not have: empty ones take as long to keep as others."""
    empty = {ours: ibis.null(TYPES.get(ours, "string")) for ours in mapping if ours not in read.columns}
    return read.mutate(**empty).select(*mapping, "rest", ROW, PROBLEM)


def _rest(raw: Table, mapping: Mapping[str, str | None]) -> Any:
    """Sum up what is not read, so that rows which differ there only are no duplicates."""
    kept = [name for ours, name in mapping.items() if ours not in BESIDES]
    others = [name for name in raw.columns if name not in (*kept, ROW, PROBLEM)]
    return ibis.literal("\x1f").join([raw[name].fill_null("") for name in others]).hexdigest("md5") if others else NULL


def _of_order(rows: Table) -> Any:
    """Date a row by its order, where only the order's first row bears the date; a wrong date stays wrong."""
    good = ibis.ifelse(rows[_wrong("invoiced_at")].isnull(), rows.invoiced_at, None)
    first = good.min().over(ibis.window(group_by="invoice"))
    return ibis.ifelse(rows[_text("invoiced_at")].isnull(), first, rows.invoiced_at)


def _visit(rows: Table) -> Any:
    """Number an order by its customer and day, where the file numbers none."""
    return rows.customer_id.fill_null("") + " " + rows.invoiced_at.strftime("%Y-%m-%d")


def quarantine(raw: Table, read: Table) -> Table:
    """Give the rows that cannot be read, as they came, with the reason."""
    bad = read.filter(read[PROBLEM].notnull()).select(ROW, PROBLEM).distinct()  # one row of a CSV can stand in parts
    return raw.drop(PROBLEM).inner_join(bad, ROW)


def numbered(table: Table) -> Table:
    """Number rows that came in no order by what they hold, so that the same rows get the same numbers."""
    names = [ibis.asc(name, nulls_first=True) for name in table.columns if name != ROW]
    return table.mutate(**{ROW: ibis.row_number().over(ibis.window(order_by=names)) + 1})


def _text(ours: str) -> str:
    return f"{ours}_text"


def _wrong(ours: str) -> str:
    return f"{ours}_wrong"


def _values(texts: Table, ours: str, theirs: str, form: Form) -> Table:
    """One row per distinct text of a column that is not empty: what it says, and what is wrong with it."""
    texts = texts.filter(texts.value != "")
    reading = _reading(texts.value, ours, form)
    wrong = [(condition, f"{theirs} {reason}") for condition, reason in reading.problems]
    found = {ours: reading.value, _wrong(ours): ibis.cases(*wrong) if wrong else ibis.null("string")}
    return texts.select(**{_text(ours): texts.text}, **found)


def _reading(text: Text, ours: str, form: Form) -> Reading:
    if ours in MONEYS:
        return _price(numbers.bare(text, form.signs.get(ours)), form.decimal)
    readings: dict[str, Callable[[], Reading]] = {
        "invoiced_at": lambda: _date(text, form),
        "quantity": lambda: _quantity(text, form.decimal),
        "customer_id": lambda: _person(text),
        "invoice": lambda: _id(text),
        "product_code": lambda: _id(text),
        "cancelled": lambda: Reading(_says_nothing(text).ifelse(None, text)),
    }
    return readings.get(ours, lambda: Reading(text))()


def _says_nothing(text: Text) -> Any:
    """Whether a text of a column that speaks of cancelling does not: a no, or the state of a sale."""
    return text.lower().isin(FALSE) | text.lower().re_replace(r"[\W_]", "").isin(sorted(vocabulary.SALE))


def _id(text: Text) -> Reading:
    """Take off the ".0" of ids that went through a float, the mark of a text in a spreadsheet, and what nobody sees."""
    seen = text.re_replace(INVISIBLE, "").re_replace("^'+", "")
    whole = seen.re_replace(r"^(\d+)\.0+$", r"\1")
    return Reading(
        whole.lower().isin(MISSING_IDS).ifelse(None, whole),
        ((whole.re_search(r"^\d(\.\d+)?[eE]\+\d+$"), "was rounded by a spreadsheet"),),
    )


def _person(text: Text) -> Reading:
    """An id of a customer; of an e-mail the address alone, whose letters are the same large and small.

    One that a spreadsheet would compute is marked here, and so the same in every file: it could not be in some lists.
    """
    read = _id(text)
    value = read.value.re_replace("[’‘`´]", "'").re_replace(ADDRESS, r"\1")  # noqa: RUF001 - the ones that people write
    value = value.contains("@").ifelse(value.lower(), value)
    is_formula = value.re_search(FORMULA_ID) & ~value.re_search(tables.NUMBER)
    return Reading(is_formula.ifelse(MARK + value, value), read.problems)


def person(text: Text) -> Any:
    """An id of a customer as it is written in every table."""
    return _person(text).value


def person_of(text: Text) -> Any:
    """The id of a customer that a text as delivered stands for; null where it stands for nobody."""
    return person(_trimmed(text)).nullif("")


def document_of(text: Text) -> Any:
    """The number of an invoice that a text as delivered stands for; null where it holds none."""
    return _id(_trimmed(text)).value.nullif("")


def _date(text: Text, form: Form) -> Reading:
    plain = dates.plain(text, has_words=form.has_words)
    read = [_parsed(each, one) for one in form.date_forms for each in (text, plain)]
    at = ibis.coalesce(*read, ibis.null("timestamp(6)"))
    return Reading(
        at,
        (
            (at.isnull(), "is not a date in the form of the column"),
            (~at.year().between(*YEARS), f"lies outside the years {YEARS[0]} to {YEARS[1]}"),
        ),
    )


def _parsed(text: Text, form: str) -> Any:
    if not (counting := dates.counted(form)):
        return try_strptime(text, form)
    count = text.replace(",", ".").try_cast("float64")
    days = count * counting.seconds / dates.SECONDS["days"]
    is_day = days.between(*(SERIALS if form == dates.SERIAL else NUMBERS))
    seconds = (ibis.ifelse(is_day, count, None) * counting.seconds).round().cast("int64")
    return (ibis.timestamp(f"{counting.zero}") + seconds.as_interval("s")).cast("timestamp(6)")


def _quantity(text: Text, decimal: str) -> Reading:
    plain = numbers.plain(numbers.bare(text), decimal)
    pieces = plain.try_cast(PIECES)
    return Reading(
        pieces,
        (
            (plain.isnull(), "is not a number"),
            (pieces.isnull() | (pieces.abs() > PIECES_MAX), f"is above {PIECES_MAX} pieces"),
        ),
    )


def _price(text: Text, decimal: str) -> Reading:
    plain = numbers.plain(text, decimal)
    price = plain.try_cast(EXACT)
    return Reading(
        price,
        (
            (text.re_search(r"\p{Sc}"), "holds a currency sign"),
            (plain.isnull(), "is not a number"),
            (price.isnull(), "is too large"),
        ),
    )


def _problems(rows: Table, mapping: Mapping[str, str | None]) -> list[Any]:
    """List what can be wrong with a row, of which the first that is there counts."""
    ids = [ours for ours in IDS if mapping[ours]]
    money = _carriers(mapping)
    said = ("invoiced_at", *(["quantity"] if mapping["quantity"] else []), *money)
    return [
        rows[PROBLEM],
        *(_missing(rows, mapping, ours) for ours in ("invoice", "product_code") if mapping[ours]),
        *(rows[_wrong(ours)] for ours in ids),
        *(problem for ours in said for problem in (rows[_wrong(ours)], _missing(rows, mapping, ours))),
        *([rows[_wrong("discount")]] if mapping["discount"] else []),
        *(_too_large(rows, mapping, ours) for ours in money),
    ]


def _carriers(mapping: Mapping[str, str | None]) -> list[str]:
    """The columns of money that a row must have."""
    return [ours for ours in ("unit_price", "line_total", "amount") if mapping[ours]]


def _too_large(rows: Table, mapping: Mapping[str, str | None], ours: str) -> Any:
    worth = rows[ours].abs().cast("float64") * (
        rows.quantity.abs().cast("float64").fill_null(1) if ours == "unit_price" else 1
    )
    name = f"{mapping['quantity']} x {mapping[ours]}" if ours == "unit_price" else mapping[ours]
    return (worth >= AMOUNT_MAX).ifelse(f"{name} is too large", None)


def _missing(rows: Table, mapping: Mapping[str, str | None], ours: str) -> Any:
    return rows[ours].isnull().ifelse(f"{mapping[ours]} is missing", None)

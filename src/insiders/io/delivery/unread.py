"""Columns that are not read, and whether one of them says that a row is no sale."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import ibis

from insiders.errors import InputError
from insiders.io import engine
from insiders.io.delivery.blocks import PROBLEM, ROW
from insiders.schemas import vocabulary

Table = Any  # Ibis has no types that mypy could follow

WORDS_MAX = 50  # different texts of a column that sorts rows into kinds
SHOWN = 5
LINES_MIN = 1.05  # of an order, in the mean: a number of its own on each line says nothing of orders
DECIDING = ("product_code", "description", "invoice", "customer_id", "invoiced_at")
TIME = r"(?i)[ T,]*\d{1,2}[:h]\d{2}.*$"  # of a day, behind it
WHOLE, ONE = re.compile(r"-?\d{1,6}([.,]0+)?"), re.compile(r"1([.,]0+)?")
TOGETHER = 10  # columns of one view: each of its questions binds all of them


def _words(words: str) -> frozenset[str]:
    return frozenset(map(vocabulary.reduced, words.split(",")))


# Names of columns that say so of the rows in which they hold anything but NOTHING.
NAMES = re.compile(
    "refund|cancel|chargeback|void|devol|estorn|reembols|anulad|returned|isreturn|returnq|qtyreturn|retourn|annul|stornier|"
    "rembours|erstatt|rimbors|terugbet|delet|storno|retour|devuelt|^reso$|zwrot|revers|returnd|returnreason|creditnote|"
    "credited|退|取消|返品"
)
FLAG = re.compile("is|has|was")  # whose 1 is a yes
# ... and of those in which they hold UNPAID.
PAID_NAMES = re.compile("(is|was|order)?(paid|pago|paga|pagado|pagada)(yn|yesno)?")
UNPAID = vocabulary.NO | _words("not paid,unpaid")
# ... and of columns of what was taken off: asked about where nothing that is read says what was paid in the end.
DISCOUNTS = re.compile("discount|descont|descuent|rabat|remise|sconto|korting|markdown|rebate")
PAID = ("line_total", "amount", "order_subtotal")
NOTHING = re.compile(r"[\W_0]*|no|n|false|f|none|nan|null|nao|never|paid|fulfilled")
CURRENCIES = _words(
    "usd,eur,gbp,brl,jpy,cad,aud,chf,cny,inr,mxn,ars,clp,cop,pen,uyu,sek,nok,dkk,pln,czk,huf,ron,try,zar,nzd,sgd,hkd,"
    "krw,thb,aed,sar,ils,bgn,euro,euros,dollar,dollars,us dollar,pound,pounds,pound sterling,british pound,real,reais,"
    "swiss franc,yen,zloty"
)
SEVERAL = 2  # currencies, or numbers
NUMBER = re.compile(r"[^a-zA-Z]*\d[^a-zA-Z]*")
SIGNS = frozenset(["$", "€", "£", "¥", "₹", "R$", "US$", "C$", "A$", "zł", "kr"])
SAYING_SO = ("line_type", "status", "cancelled")  # which rows are no sales
QUESTIONS = {  # by what the column could be of ours
    **dict.fromkeys(SAYING_SO, "does it say which rows are no sales?"),
    "order_refund": "is it what was paid back of the order? Pieces that came back are lines of their own.",
    "currency": "are the amounts in several currencies?",
    "discount": "is it taken off the price of a line?",
}


class Unread(NamedTuple):
    """A column that is not read: how many different texts it has, and the commonest of them."""

    column: str
    texts: int
    common: tuple[str, ...]


def summary(raw: Table, mapping: Mapping[str, str | None]) -> list[Unread]:
    """Sum up the columns that are none of ours; those that hold nothing are left out."""
    names = [name for name in raw.columns if name not in (*mapping.values(), ROW, PROBLEM)]
    if not names:
        return []
    (counts,) = engine.fetch_records(
        raw.aggregate(**{f"c{place}": raw[name].approx_nunique() for place, name in enumerate(names)})
    )
    texts = dict(zip(names, counts.values(), strict=True))
    held = [name for name in names if texts[name]]
    parts = (engine.view(raw.select(*held[start : start + TOGETHER])) for start in range(0, len(held), TOGETHER))
    return [Unread(name, texts[name], _common(part, name)) for part in parts for name in part.columns]


def _common(raw: Table, name: str) -> tuple[str, ...]:
    held = raw.filter(raw[name].notnull())
    counted = held.group_by(text=held[name]).aggregate(rows=held.count())
    first = counted.order_by([counted.rows.desc(), counted.text]).limit(WORDS_MAX)
    return tuple(each["text"] for each in engine.fetch_records(first))


def refuse(unread: Sequence[Unread], mapping: Mapping[str, str | None], ignored: Collection[str]) -> None:
    """Stop where a column that is not read says of rows that they are no sales, or in which currency they are.

    Raises InputError.
    """
    is_paid = any(mapping[ours] for ours in PAID)
    for each in unread:
        if each.column in ignored or not (doubt := _doubt(each) or (None if is_paid else _discount(each))):
            continue
        ours, text = doubt
        if ours in SAYING_SO and mapping[ours] and not mapping["cancelled"]:
            ours = "cancelled"
        raise InputError(
            f"column {each.column!r} is not read and holds {text!r}: {QUESTIONS[ours]} Say so in params.yaml: "
            f'ingest.columns: {{{ours}: "{each.column}"}} reads it, ingest.ignore: ["{each.column}"] does not'
        )


def refuse_order_number(
    raw: Table, unread: Sequence[Unread], mapping: Mapping[str, str | None], ignored: Collection[str]
) -> None:
    """Stop where the lines have no order, and a column that is not read parts them as only orders do.

    Each of its texts stands for one customer on one day, and there are more of them than customers and days: without it
    two orders of a day would be one. Raises InputError.
    """
    if mapping["invoice"] or not (mapping["product_code"] or mapping["description"]):
        return
    given = [name for ours in ("customer_id", "invoiced_at") if (name := mapping[ours])]
    day = str(mapping["invoiced_at"])
    raw = raw.mutate(**{day: raw[day].re_replace(TIME, "")})
    (counted,) = engine.fetch_records(raw.aggregate(rows=raw.count(), orders=_different(raw, *given)))
    for each in unread:
        if each.column in ignored or each.texts > counted["rows"] / LINES_MIN:
            continue
        values = {"texts": _different(raw, each.column), "parts": _different(raw, each.column, *given)}
        (seen,) = engine.fetch_records(raw.filter(raw[each.column].notnull()).aggregate(**values))
        if counted["orders"] < seen["texts"] == seen["parts"]:
            raise InputError(
                f"no column is read as the order's number, and {each.column!r} parts the lines as orders do: say so in "
                f'params.yaml, ingest.columns: {{invoice: "{each.column}"}} reads it, ingest.ignore: ["{each.column}"] '
                "takes the lines of a customer on one day for one order"
            )


def refuse_quantity(
    raw: Table, unread: Sequence[Unread], mapping: Mapping[str, str | None], ignored: Collection[str]
) -> None:
    """Stop where lines have a price and no quantity, and a column that is not read may be it.

    It holds whole numbers, 1 among them, that nothing else decides: no product, order, customer or time; the number of
    a line stands once in each order, and where a product stands in an order again and again its rows are pieces.
    Without it every line would be one piece. Raises InputError.
    """
    if mapping["quantity"] or mapping["line_total"] or mapping["amount"]:
        return
    deciding = {ours: name for ours in DECIDING if (name := mapping[ours])}
    for each in unread:
        if each.column in ignored or not _counts(each):
            continue
        held = raw.filter(raw[each.column].notnull())
        alone = {ours: _different(held, name) for ours, name in deciding.items()}
        pairs = {f"{ours} and it": _different(held, name, each.column) for ours, name in deciding.items()}
        lines = _different(held, *deciding.values())
        (seen,) = engine.fetch_records(held.aggregate(rows=held.count(), lines=lines, **alone, **pairs))
        several = [ours for ours in deciding if seen[ours] * LINES_MIN < seen["rows"]]
        is_decided = any(seen[f"{ours} and it"] < seen[ours] * LINES_MIN for ours in several)
        is_number = "invoice" in several and seen["invoice and it"] * LINES_MIN > seen["rows"]
        are_pieces = seen["lines"] * LINES_MIN < seen["rows"]
        if several and not (is_decided or is_number or are_pieces):
            raise InputError(
                f"no column is read as the quantity, and {each.column!r} holds whole numbers such as "
                f"{', '.join(each.common[:SHOWN])}: is it how many pieces? Say so in params.yaml: ingest.columns: "
                f'{{quantity: "{each.column}"}} reads it, ingest.ignore: ["{each.column}"] makes each line one piece'
            )


def _counts(each: Unread) -> bool:
    """Whether it holds whole numbers, several, and 1 among them."""
    is_whole = all(WHOLE.fullmatch(text) for text in each.common)
    return is_whole and len(each.common) >= SEVERAL and any(ONE.fullmatch(text) for text in each.common)


def _different(raw: Table, *names: str) -> Any:
    return ibis.struct({name: raw[name].fill_null("") for name in names}).nunique()


def _discount(each: Unread) -> tuple[str, str] | None:
    if not DISCOUNTS.search(vocabulary.reduced(each.column)):
        return None
    off = (text for text in each.common if NUMBER.fullmatch(text) and not NOTHING.fullmatch(text.strip()))
    text = next(off, None)
    return ("discount", text) if text else None


def _named(each: Unread, text: str) -> str:
    """What a column is of ours whose name speaks of no sale: an amount, a state, or a yes for each row that is none."""
    if NUMBER.fullmatch(text) and not FLAG.match(vocabulary.reduced(each.column)):
        return "order_refund"
    answers = {vocabulary.reduced(word) for word in each.common} - {""}
    return "cancelled" if answers <= vocabulary.YES | vocabulary.NO else "status"


def _doubt(each: Unread) -> tuple[str, str] | None:
    """What the column could be of ours, and the text that says so."""
    if NAMES.search(vocabulary.reduced(each.column)):
        held = (text for text in each.common if not NOTHING.fullmatch(text.strip().casefold()))
        if text := next(held, None):
            return _named(each, text), text
    if each.texts > WORDS_MAX:
        return None
    said = {vocabulary.key(text): text for text in each.common}
    if PAID_NAMES.fullmatch(vocabulary.reduced(each.column)) and (unpaid := UNPAID & {*said}):
        return "status", said[min(unpaid)]
    if len(each.common) >= SEVERAL and ({*said} <= CURRENCIES or {*each.common} <= SIGNS):
        return "currency", each.common[0]
    if {*said} in vocabulary.SIDES:
        return "line_type", each.common[-1]
    state = next((text for text in each.common if vocabulary.CLEAR_VOID & vocabulary.words(text)), None)
    kind = next((text for word, text in said.items() if word in vocabulary.CLEAR_REFUND), None)
    return ("line_type", kind) if kind else ("status", state) if state else None

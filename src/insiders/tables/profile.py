"""What a delivery holds, in the few figures that the rules of cleaning ask for before one of them is applied."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import ibis
from ibis import _

Table = Any  # Ibis has no types that mypy could follow
Fetch = Callable[[Table], list[dict[str, Any]]]  # evaluates a small table, one dictionary per row

LEADING = 3  # customers whose number of orders and places is looked at
ORDER_FACTS = ("customer_id", "country", "status")  # what some exports write on the first line of an order only
BUSY_QUANTILE = 0.95  # of the customers by number of orders, the one with most left out: what a busy one has
TOTAL_SHARE_MIN = 0.9  # of the lines of a code of subtotals equal the sum of the others on their invoice
TOTALS_MIN = 3
PAIR = 2  # lines, of which each may happen to be worth what the other is
# Texts that may be the name of a service and nothing else: short, and so begun. The vocabulary decides.
SERVICE_START = (
    r"^\W*(ship|post|deliv|freight|carr|hand|tax|fee|tip|grat|sur|serv|"
    r"frete|envio|entr|taxa|custo|gast|fle|imp|pro|gor)"
)
SERVICE_LENGTH_MAX = 28  # letters of such a text; a bound in the expression would cost ten times as much
LETTERS = r"^\D+"  # with which the numbers of some invoices begin
SAME_PRODUCT = ("customer_id", "product_code", "unit_price")
SAME_SALE = (*SAME_PRODUCT, "quantity")
SEVERAL = 2  # words, before one says anything that another does not
WORDS_MAX = 200  # different words in a column of states; with more it is none


class Code(NamedTuple):
    """A product code that may stand for a service: its commonest text, its lines and what known customers paid."""

    code: str
    text: str | None
    rows: int
    paid: Decimal


class CreditNotes(NamedTuple):
    """Lines of the invoices that begin like credit notes."""

    rows: int
    positive: int
    repeated: int  # of the positive ones: equal to an earlier sale, to the same customer


class Repeating(NamedTuple):
    """Invoices whose numbers begin alike, with positive lines only, and those that equal an earlier sale."""

    start: str
    rows: int
    repeated: int


class Holder(NamedTuple):
    """A customer id by its invoices and countries."""

    customer_id: str
    orders: int
    places: int


class Word(NamedTuple):
    """A word of a column of states or types, and its lines: how many, of negative amounts, and sold before.

    A line was sold before by `_sold_before`.
    """

    word: str
    rows: int
    negative: int = 0
    repeated: int = 0


class Profile(NamedTuple):
    """The whole delivery; money is what known customers paid (positive amounts)."""

    rows: int
    negative: int  # of amounts below 0
    repeats: int  # rows beyond the first of those that agree in every delivered column
    paid: Decimal
    orders: int
    busy_orders: float  # of a customer, at BUSY_QUANTILE
    numbered_from_zero: bool  # the ids 1 and 2 are there
    codes: tuple[Code, ...]
    credit_notes: CreditNotes
    repeating: tuple[Repeating, ...]  # of the invoices that begin otherwise than most, and than credit notes
    holders: tuple[Holder, ...]
    placeholders: tuple[Holder, ...]
    total_codes: tuple[str, ...]
    gaps: int  # invoices of which some lines name the one customer, country or state, and others none
    statuses: tuple[Word, ...]
    types: tuple[Word, ...]


@ibis.udf.scalar.builtin(name="hash")
def _hash(row) -> ibis.dtype("uint64"):  # type: ignore[empty-body, no-untyped-def, valid-type] # noqa: ANN001 - any struct
    """Give a number that equal rows have in common, and others seldom."""


def shared(transactions: Table) -> Table:
    """One row per `digest` that several rows have: those that agree in every column, and seldom others."""
    return _digested(transactions).group_by("digest").aggregate(rows=_.count()).filter(_.rows > 1).select("digest")


def _digested(transactions: Table) -> Table:
    return transactions.mutate(digest=_hash(ibis.struct({name: transactions[name] for name in transactions.columns})))


def distinct(transactions: Table, digests: Table | None = None) -> Table:
    """One row per set of rows that agree in every delivered column, with their number as `copies`.

    Only rows of `digests`, which are `shared`, are compared in full: all of them would take twice the memory.
    """
    rows, digests = _digested(transactions), shared(transactions) if digests is None else digests
    alone = rows.anti_join(digests, "digest").drop("digest").mutate(copies=ibis.literal(1, "int64"))
    same = rows.semi_join(digests, "digest").group_by(transactions.columns).aggregate(copies=_.count())
    return alone.union(same)


class Grouped(NamedTuple):
    """Rows as `distinct` gives them, and grouped by `people` and `invoices`; each is asked several times."""

    rows: Table
    people: Table
    invoices: Table


def measure(
    grouped: Grouped, prefix: str | None, codes: Sequence[str], fetch: Fetch, is_placeholder: Callable[[str], bool]
) -> Profile:
    """Profile a delivery; `is_placeholder` tells of an id whether it is nobody's."""
    rows, people, invoices = grouped
    (whole,) = fetch(_whole(rows))
    (crowd,) = fetch(_crowd(people))
    ids = [Holder(**each) for each in fetch(people.filter(_may_be_nobody(people.customer_id)))]
    leading = people.order_by([people.orders.desc(), people.customer_id]).limit(LEADING)
    widest = people.order_by([people.places.desc(), people.customer_id]).limit(LEADING)
    return Profile(
        **whole,
        **crowd,
        codes=tuple(Code(**each) for each in fetch(_codes(rows, codes))),
        credit_notes=_credit_notes(rows, prefix, fetch),
        repeating=_repeating(grouped, prefix, fetch),
        holders=tuple(Holder(**each) for each in fetch(leading.union(widest, distinct=True))),
        placeholders=tuple(sorted(each for each in ids if is_placeholder(each.customer_id))),
        total_codes=tuple(sorted(each["product_code"] for each in fetch(_total_codes(rows, invoices)))),
        gaps=fetch(_gaps(rows, invoices).aggregate(invoices=_.count()))[0]["invoices"],
        statuses=_words(rows, "status", prefix, fetch),
        types=_words(rows, "line_type", prefix, fetch),
    )


def _whole(rows: Table) -> Table:
    return rows.aggregate(
        rows=_.copies.sum(),
        negative=_.copies.sum(where=_.amount < 0).coalesce(0),
        repeats=(_.copies - 1).sum(),
        paid=_.amount.sum(where=(_.amount > 0) & _.customer_id.notnull()).coalesce(0),
    )


def people(rows: Table) -> Table:
    """One row per customer id: its invoices and countries."""
    known = rows.filter(_.customer_id.notnull())
    return known.group_by("customer_id").aggregate(orders=_.invoice.nunique(), places=_.country.nunique())


def invoices(rows: Table) -> Table:
    """One row per invoice: its lines, what they are worth, and on how many of them each fact of the order stands."""
    named = {f"{name}s": _[name].count() for name in ORDER_FACTS}
    worth = {"whole": _.amount.sum(), "least": _.amount.min()}
    return rows.group_by("invoice").aggregate(lines=_.count(), **worth, **named)


def _crowd(people: Table) -> Table:
    return people.cross_join(people.aggregate(most=_.orders.max())).aggregate(
        orders=_.orders.sum().coalesce(0),
        busy_orders=_.orders.quantile(BUSY_QUANTILE, where=_.orders < _.most)
        .coalesce(_.orders.max(), 0)
        .cast("float64"),
        numbered_from_zero=_.customer_id.isin(["1", "2"]).sum().coalesce(0) == len(("1", "2")),
    )


def _may_be_nobody(customer_id: Any) -> Any:
    """Few ids are looked at one by one: of no digit from 1 to 9, of nines, -1, and those of a guest with a number."""
    return ~customer_id.re_search("[1-9]") | customer_id.re_search("(?i)guest|example|^-1$|^-?9{4,}$")


def _codes(rows: Table, patterns: Sequence[str]) -> Table:
    """Codes that may stand for a service; of texts that are equally common the last by letters."""
    paid = _.amount.sum(where=(_.amount > 0) & _.customer_id.notnull()).coalesce(0)
    # Each text is looked at once. Spark has no rule for the commonest value.
    each = rows.group_by(code=_.product_code, text=_.description).aggregate(
        lines=_.count(), rows=_.copies.sum(), paid=paid
    )
    texts = each.filter(one_of(_.code, patterns) | _is_short_service(_.text))
    commonest = texts.text.argmax(ibis.struct({"lines": texts.lines, "text": texts.text}), where=texts.text.notnull())
    return texts.group_by("code").aggregate(text=commonest, rows=_.rows.sum(), paid=_.paid.sum())


def _is_short_service(text: Any) -> Any:
    return (text.length() <= SERVICE_LENGTH_MAX) & text.lower().re_search(SERVICE_START)


def one_of(code: Any, patterns: Sequence[str]) -> Any:
    """Tell whether a code is one of these; one that ends with * stands for every code that begins so."""
    found = code.isin([pattern for pattern in patterns if not pattern.endswith("*")])
    for pattern in patterns:
        if pattern.endswith("*"):
            found = found | code.startswith(pattern[:-1])
    return found


def _credit_notes(rows: Table, prefix: str | None, fetch: Fetch) -> CreditNotes:
    if not prefix:
        return CreditNotes(0, 0, 0)
    noted = rows.filter(rows.invoice.startswith(prefix))
    (counted,) = fetch(noted.aggregate(rows=_.count(), positive=(_.amount > 0).sum().coalesce(0)))
    if not counted["positive"]:
        return CreditNotes(**counted, repeated=0)
    sold = rows.filter(~rows.invoice.startswith(prefix)).group_by(SAME_SALE).aggregate(first_at=_.invoiced_at.min())
    repeated = noted.filter(_.amount > 0).inner_join(sold, SAME_SALE).filter(_.first_at <= _.invoiced_at)
    return CreditNotes(**counted, repeated=fetch(repeated.aggregate(rows=_.count()))[0]["rows"])


def _repeating(grouped: Grouped, prefix: str | None, fetch: Fetch) -> tuple[Repeating, ...]:
    """Look at the invoices that begin with letters which fewer than half of the lines have."""
    rows, invoices, start = grouped.rows, grouped.invoices, _.invoice.re_extract(LETTERS, 0)
    is_lettered = ~_.invoice.substr(0, 1).between("0", "9") & ~_.invoice.startswith(prefix or " ")
    starts = invoices.filter(is_lettered).group_by(start=start).aggregate(rows=_.lines.sum(), least=_.least.min())
    whole = invoices.aggregate(whole=_.lines.sum())
    found = fetch(starts.cross_join(whole).filter((_.least > 0) & (_.rows * 2 < _.whole)).order_by("start"))
    if not found:
        return ()
    is_one = start.isin([each["start"] for each in found])
    sold = rows.filter(~is_one).group_by(SAME_SALE).aggregate(first_at=_.invoiced_at.min())
    again = rows.filter(is_lettered & is_one).inner_join(sold, SAME_SALE).filter(_.first_at <= _.invoiced_at)
    counted = {each["start"]: each["rows"] for each in fetch(again.group_by(start=start).aggregate(rows=_.count()))}
    return tuple(Repeating(each["start"], each["rows"], counted.get(each["start"], 0)) for each in found)


def _total_codes(rows: Table, invoices: Table) -> Table:
    """Codes of which nearly every line is worth what the other lines of its invoice are worth together."""
    sums = rows.inner_join(invoices, "invoice").mutate(
        is_sum=(_.lines > 1) & (_.amount != 0) & (_.amount * 2 == _.whole)
    )
    counted = sums.group_by("product_code").aggregate(
        rows=_.count(), sums=_.is_sum.sum(), clear=(_.is_sum & (_.lines > PAIR)).sum()
    )
    return counted.filter((_.sums >= TOTALS_MIN) & (_.clear > 0) & (_.sums >= _.rows * TOTAL_SHARE_MIN))


def _gaps(rows: Table, invoices: Table) -> Table:
    """One row per invoice that names one customer, country or state on some of its lines and none on others."""
    partial = invoices.filter(ibis.or_(*(_[f"{name}s"].between(1, _.lines - 1) for name in ORDER_FACTS)))
    counts = {f"{name}s": _[name].nunique() for name in ORDER_FACTS}
    blanks = {f"no_{name}": _[name].isnull().any() for name in ORDER_FACTS}
    named = rows.semi_join(partial, "invoice").group_by("invoice").aggregate(**counts, **blanks)
    return named.filter(ibis.or_(*((named[f"{name}s"] == 1) & named[f"no_{name}"] for name in ORDER_FACTS)))


def _words(rows: Table, column: str, prefix: str | None, fetch: Fetch) -> tuple[Word, ...]:
    """The words of a column; the lines of credit notes, which `_credit_notes` looks at, repeat nothing."""
    named = rows.filter(rows[column].notnull()).mutate(word=rows[column])
    counted = named.group_by("word").aggregate(
        rows=_.copies.sum(), negative=_.copies.sum(where=_.amount < 0).coalesce(0)
    )
    frequent = fetch(counted.order_by([ibis.desc("rows"), "word"]).limit(WORDS_MAX))
    others = named.filter(~named.invoice.startswith(prefix)) if prefix else named
    repeated = _sold_before(others, fetch) if len(frequent) >= SEVERAL else {}
    return tuple(Word(**each, repeated=repeated.get(each["word"], 0)) for each in frequent)


def _sold_before(lines: Table, fetch: Fetch) -> dict[str, int]:
    """Of each `word` of the lines how many of these follow a line of another word that may be the sale of the same.

    The customer, product and price are the same, and the pieces no more: what came back is often part of a line.
    """
    sold = lines.group_by(*SAME_PRODUCT, sold_as=_.word).aggregate(first_at=_.invoiced_at.min(), most=_.quantity.max())
    again = lines.inner_join(sold, SAME_PRODUCT).filter(
        (_.sold_as != _.word) & (_.first_at < _.invoiced_at) & (_.quantity <= _.most) & (_.amount > 0)
    )
    each = again.select("word", *SAME_PRODUCT, "quantity", "invoice", "invoiced_at").distinct().group_by("word")
    return {one["word"]: one["lines"] for one in fetch(each.aggregate(lines=_.count()))}

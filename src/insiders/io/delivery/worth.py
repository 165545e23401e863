"""What a line is worth: by unit price, by its total or by the order's amount, less its discount."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import ibis
from ibis import _

from insiders.errors import InputError
from insiders.io.delivery import discounts
from insiders.io.delivery.blocks import PROBLEM
from insiders.io.delivery.discounts import EXACT, Discount, Fetch, Table
from insiders.schemas.vocabulary import reduced

PIECES, MONEY = "decimal(14, 4)", "decimal(18, 4)"
CENTS, PLACES = 2, 4  # decimals of an amount whose price has more than four, and of any other
AGREEMENT_MIN = 0.95  # of the lines, for what a column means
CENT = 0.01  # of rounding for each line of an order
ORDERS_MIN = 20  # of several products ...
AMOUNTS_MIN = 5  # ... and different amounts, before it says anything that the lines of an order are equal
PRODUCTS_MIN = 5  # sold in several quantities, before their prices say anything
# Names under which some exports write the unit's price and others the line's.
OPEN_NAMES = ("itemprice", "price", "preco", "precio", "valor", "lineprice", "lineitemprice")

# Columns that lead to the amount of a line, or to its state, and are no part of a transaction.
STEPS = (
    *("line_total", "discount", "tax", "shipping", "order_subtotal", "order_total", "order_refund"),
    *("cancelled", "currency"),
)
WORKED_OUT = ("quantity", "unit_price", "amount")

PriceIs = Literal["unit", "line"]
Kind = Discount | Literal["plain", "price", "taxed"]


class Declared(NamedTuple):
    """What params.yaml says of the money, and the sign in the discounts; None: it is told from the data."""

    price_is: PriceIs | None = None
    discount_is: Discount | None = None
    discount_sign: Literal["money", "percent"] | None = None
    is_known: bool = False  # of a known export, which itself says where a discount is still to be taken off


class Basis(NamedTuple):
    """Which column carries the money, whether of one piece or of the whole line, and what a discount is."""

    column: Literal["unit_price", "line_total", "amount"]
    is_unit: bool
    discount: Discount = "none"


def basis(parsed: Table, columns: Mapping[str, str | None], declared: Declared, fetch: Fetch) -> Basis:
    """Tell the basis from the data. Raises InputError where columns contradict each other, or one is open."""
    rows, price_is = parsed.filter(parsed[PROBLEM].isnull()), declared.price_is
    if not columns["unit_price"] or (columns["line_total"] and price_is == "line"):
        if columns["line_total"]:
            return Basis("line_total", False, _off_totals(rows, columns, declared, fetch))
        if price_is is None:
            _refuse_repeated(rows, str(columns["amount"]), fetch)
            _refuse_shipping(rows, columns, fetch)
        return Basis("amount", False)
    if columns["line_total"] and price_is is None:
        return _compared(rows, columns, declared, fetch)
    is_open = price_is is None and reduced(str(columns["unit_price"])) in OPEN_NAMES
    is_total = price_is == "line" or (is_open and _is_line_total(rows, fetch))
    gross = rows.unit_price if is_total else rows.unit_price * rows.quantity.fill_null(1)
    return Basis("unit_price", not is_total, _discount(rows, gross, columns["discount"], declared, fetch))


def are_of_lines(parsed: Table, columns: Mapping[str, str | None], fetch: Fetch) -> bool:
    """Whether what has the name of an order's total is each line's own: within orders it differs as the prices do."""
    if not columns["order_total"] or columns["line_total"] or not columns["unit_price"]:
        return False
    named = parsed.filter(parsed[PROBLEM].isnull() & parsed.order_total.notnull())
    orders = named.group_by("invoice").aggregate(
        prices=(_.quantity.fill_null(1) * _.unit_price).nunique(), totals=_.order_total.nunique()
    )
    several = orders.filter(_.prices > 1).aggregate(orders=_.count(), own=(_.totals > 1).sum().coalesce(0))
    (seen,) = fetch(several)
    return bool(seen["own"] * 2 > seen["orders"])


def with_line_totals(parsed: Table, columns: Mapping[str, str | None]) -> tuple[Table, dict[str, str | None]]:
    """Take an order's total for the line's; a line without one is worth its price times its quantity."""
    own = parsed.order_total.coalesce((parsed.unit_price * parsed.quantity.fill_null(1)).cast(EXACT))
    rows = parsed.mutate(line_total=own, order_total=ibis.null(EXACT))
    return rows, {**columns, "line_total": columns["order_total"], "order_total": None}


def _discount(rows: Table, gross: Any, name: str | None, declared: Declared, fetch: Fetch) -> Discount:
    if not name:
        return "none"
    return declared.discount_is or discounts.kind(rows, gross, discounts.Column(name, declared.discount_sign), fetch)


def _off_totals(rows: Table, columns: Mapping[str, str | None], declared: Declared, fetch: Fetch) -> Discount:
    """Tell whether a discount is still to be taken off the totals of lines that have no price beside them."""
    if not (name := columns["discount"]):
        return "none"
    if declared.discount_is or declared.is_known:
        return declared.discount_is or "none"
    if found := discounts.off_totals(rows, discounts.Column(name, declared.discount_sign), fetch):
        return found
    raise InputError(
        f"{columns['line_total']!r} may be what a line cost before or after {name!r}: say so in params.yaml, "
        f'ingest.discount_is: money (or piece, order, share, percent) takes it off, ingest.ignore: ["{name}"] does not'
    )


def _refuse_repeated(rows: Table, name: str, fetch: Fetch) -> None:
    """Raise InputError where an amount is most likely that of the whole order, repeated on each of its lines."""
    orders = rows.group_by("invoice").aggregate(
        products=_.product_code.nunique(), least=_.amount.min(), most=_.amount.max()
    )
    same = _.least == _.most
    several = orders.filter(_.products > 1).aggregate(
        orders=_.count(), same=same.sum().coalesce(0), amounts=_.most.nunique(where=same)
    )
    (seen,) = fetch(several)
    if seen["same"] < AGREEMENT_MIN * seen["orders"] or seen["orders"] < ORDERS_MIN or seen["amounts"] < AMOUNTS_MIN:
        return
    raise InputError(
        f"column {name!r} holds the same amount on all lines of an order, on {seen['same']:,} of {seen['orders']:,} "
        "orders of several products: is it what the whole order cost? Then deliver what each line costs, or a row per "
        "order; where it is the line's own, say so in params.yaml, ingest.price_is: line"
    )


def _refuse_shipping(rows: Table, columns: Mapping[str, str | None], fetch: Fetch) -> None:
    """Raise InputError where an order's amount most likely holds the postage that stands beside it."""
    if not columns["shipping"]:
        return
    (seen,) = fetch(rows.aggregate(rows=(_.shipping > 0).sum().coalesce(0)))
    if seen["rows"]:
        raise InputError(
            f"column {columns['amount']!r} may hold the postage of {columns['shipping']!r}, which is no revenue of "
            "goods: say in params.yaml which column has what the goods cost alone, ingest.columns: {amount: ...}, or "
            f'ingest.ignore: ["{columns["shipping"]}"] takes the amount as it is'
        )


def _compared(rows: Table, columns: Mapping[str, str | None], declared: Declared, fetch: Fetch) -> Basis:
    """Where a line has a price and a total: the total counts, if it is price times quantity, less a discount."""
    match _agreement(rows, fetch):
        case None:
            raise InputError(
                f"{columns['line_total']!r} is not {columns['quantity']!r} x {columns['unit_price']!r} on most lines: "
                "say in params.yaml which of them is what customers paid, ingest.price_is: unit (the price of one "
                "piece) or line (the total of the line)"
            )
        case "taxed":  # what the shop earns is the price; the tax on it is not
            return Basis("unit_price", True)
        case "plain":
            off = _discount(rows, rows.line_total, columns["discount"], declared, fetch)
            return Basis("line_total", False, off)
        case _:
            return Basis("line_total", False)


def _agreement(rows: Table, fetch: Fetch) -> Kind | None:
    """What the total of nearly all lines is: of several, which differ on a few lines only, what it is on most."""
    gross, total = rows.quantity.cast("float64") * rows.unit_price.cast("float64"), rows.line_total.cast("float64")
    off: dict[Kind, Any] = {
        kind: discounts.less(gross, rows.discount, kind, rows.quantity).cast("float64") for kind in discounts.OFF_LINES
    }
    said: dict[Kind, Any] = {
        "plain": gross,
        **off,
        "price": rows.unit_price.cast("float64"),
        "taxed": gross + rows.tax.cast("float64").fill_null(0),
    }
    near = CENT * rows.quantity.cast("float64").abs().fill_null(1) + CENT
    agree = {name: ((total - value).abs() <= near).sum().coalesce(0) for name, value in said.items()}
    (seen,) = fetch(rows.aggregate(rows=rows.count(), **agree))
    best = max(said, key=lambda name: seen[name])
    return best if seen[best] >= AGREEMENT_MIN * seen["rows"] else None


def _is_line_total(rows: Table, fetch: Fetch) -> bool:
    """Tell a total from a unit price: of a product sold in several quantities it grows with the quantity."""
    sold = rows.filter((rows.quantity > 0) & (rows.unit_price > 0)).select("product_code", "quantity", "unit_price")
    each = sold.mutate(part=(_.unit_price.cast("float64") / _.quantity.cast("float64")).round(PLACES)).distinct()
    products = each.group_by("product_code").aggregate(
        quantities=_.quantity.nunique(), prices=_.unit_price.nunique(), parts=_.part.round(CENTS).nunique()
    )
    several = products.filter(_.quantities > 1)
    (seen,) = fetch(
        several.aggregate(line=(_.parts < _.prices).sum().coalesce(0), unit=(_.prices < _.parts).sum().coalesce(0))
    )
    return seen["line"] >= PRODUCTS_MIN and seen["line"] >= AGREEMENT_MIN * (seen["line"] + seen["unit"])


def priced(rows: Table, basis: Basis) -> Table:
    """Give parsed rows whole pieces, the price of one, and the amount; a weight counts as one piece at its price.

    Where a price has more than four decimals, the amount of the line is rounded to cents. A delivery repeats few prices
    and quantities, so each combination is worked out once.
    """
    given = ["quantity", basis.column, *(["discount"] if basis.discount != "none" else [])]
    combinations = rows.filter(_[PROBLEM].isnull()).select(given).distinct()
    said = {f"{name}_said": combinations[name] for name in given}
    worth = combinations.select(**said, **_worth(combinations, basis))
    same = [rows[name].identical_to(worth[f"{name}_said"]) for name in given]
    others = [name for name in rows.columns if name not in WORKED_OUT]
    return rows.left_join(worth, [rows[PROBLEM].isnull(), *same]).select(
        *(rows[name] for name in others), *(worth[name] for name in WORKED_OUT)
    )


def _worth(rows: Table, basis: Basis) -> dict[str, Any]:
    quantity = rows.quantity.fill_null(1)
    price = rows[basis.column]
    is_back = (quantity < 0) | (price < 0)
    gross = quantity * price if basis.is_unit else ibis.ifelse(is_back, -price.abs(), price)
    off = rows.discount if basis.discount != "none" else ibis.null(EXACT)
    net = discounts.less(gross.cast(EXACT), off, basis.discount, quantity)
    is_fine = basis.is_unit and price != price.round(PLACES).cast(EXACT)
    amount = ibis.ifelse(is_fine, net.round(CENTS).cast(MONEY), net.cast(MONEY)) if basis.is_unit else net.cast(MONEY)
    is_whole = quantity == quantity.floor()
    pieces = ibis.ifelse(is_whole, quantity, quantity.sign()).cast("int64")
    whole_price = price if basis.is_unit else _part(gross, pieces)
    unit_price = ibis.ifelse(is_whole, whole_price.cast(MONEY), (gross / pieces).cast(MONEY))
    return {"quantity": pieces, "unit_price": unit_price, "amount": amount}


def settled(rows: Table, columns: Mapping[str, str | None], basis: Basis) -> Table:
    """Spread over the lines of an order what it says of itself: less was paid than they cost, or some came back."""
    if not (columns["order_subtotal"] or columns["order_refund"] or basis.discount == "order"):
        return rows
    order = ibis.window(group_by="invoice")
    off = rows.discount.abs().max().over(order) if basis.discount == "order" else ibis.null("float64")
    sums = rows.mutate(
        whole=rows.amount.sum().over(order).cast("float64"),
        slack=rows.count().over(order) * CENT,
        paid=rows.order_subtotal.max().over(order).cast("float64"),
        off=off.cast("float64").fill_null(0.0),
        back=rows.order_refund.abs().max().over(order).cast("float64"),
    )
    left = ibis.greatest(_.paid.fill_null(_.whole - _.off) - _.back.fill_null(0.0), 0.0)
    spread = (_.amount.cast("float64") * left / _.whole).round(PLACES).cast(MONEY)
    lower = (_.whole > 0) & (left < _.whole - _.slack)
    return sums.mutate(amount=ibis.ifelse(lower, spread, _.amount)).drop("whole", "slack", "paid", "off", "back")


def _part(total: Any, pieces: Any) -> Any:
    """The price of one piece, of the sign that makes pieces x price the total."""
    return total.cast("float64") / ibis.ifelse(pieces == 0, 1, pieces)

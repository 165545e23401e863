"""What a column of discounts holds: money off the line, its pieces or the order, a share (0.15) or percent (15).

Nothing but the file can tell, and what it leaves open is asked: half of a line of 1.20 and half a unit of money off it
are both 0.50.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import ibis
from ibis import _

from insiders.errors import InputError
from insiders.schemas.vocabulary import reduced

Table = Any  # Ibis has no types that mypy could follow
Fetch = Callable[[Table], list[dict[str, Any]]]
Discount = Literal["none", "money", "piece", "order", "share", "percent"]

EXACT = "decimal(22, 8)"
MONEYS: tuple[Discount, ...] = ("money", "piece", "order")  # off the line, off each of its pieces, off the whole order
OFF_LINES: tuple[Discount, ...] = ("money", "piece", "share", "percent")  # what each line says of itself
HUNDRED = 100
# In the column's name.
RATES = ("%", "percent", "pct", "porcent", "rate", "taxa", "share", "pourcent", "taux", "prozent", "procent")
MONEY = (
    *("amount", "valor", "value", "importe", "monto", "montant", "betrag", "importo", "bedrag", "kwota"),
    *("lineitemdiscount", "promotiondiscount", "retaildisc"),
)
PER_PIECE = ("perunit", "perpiece", "peritem", "each", "unitdisc", "unitario", "porunidad", "porpeca", "porpieza")
PER_LINE = ("lineitem", "linedisc", "rowdisc", "totaldisc", "dalinha", "delalinea", "promotiondiscount", "retaildisc")
PER_ORDER = ("orderdisc", "dopedido", "delpedido", "cartdisc", "basketdisc", "invoicedisc")
AGREEMENT_MIN = 0.95  # of the lines or orders that have a discount
CENTS, CENT = 2, 0.01  # decimals of money that is given off; what rounding may do to each line
HALF_CENT = 0.0050001  # 10 % of 9.95 is written as 0.99 or 1.00
NOTICED_MIN = 0.005  # of its line: nobody gives less money off
RATES_MAX = 20  # different rates that a shop grants
STEPS = 20  # in 1: rates are whole 5 % ...
HALVES = 2  # ... and percents at least halves
TELLING = 5  # worth of a line from which on one cent more or less is no other whole percent
LINES_MIN = 20  # such lines, before they say anything
PRODUCTS_MIN = 5  # sold in several quantities with a discount, before they say anything
SIZES_MIN = 5  # discounts that are the same on all lines of an order, before it is no promotion of so much a line


class Column(NamedTuple):
    """The column of discounts: its name in the file, and what the sign in all of its numbers says that they are."""

    name: str
    sign: Literal["money", "percent"] | None = None


class Lines(NamedTuple):
    """The lines with a discount: how many there are, and of how many something holds."""

    lines: int
    most: float  # the largest discount
    sizes: int  # different discounts
    whole: int  # discounts without decimals
    stepped: int  # that are whole steps of 5 %
    halved: int  # that are whole halves
    fine: int  # with more decimals than money has
    over: int  # above the line's own price
    unnoticed: int  # below NOTICED_MIN of it
    telling: int  # lines of TELLING and more
    following: int  # of those, discounts that are a whole percent of the price, rounded to cents
    percents: int  # different ones

    @property
    def follow(self) -> bool:
        """Whether the discounts follow the prices, by fewer different percents than amounts of money."""
        follows = self.telling >= LINES_MIN and self.following >= AGREEMENT_MIN * self.telling
        return follows and self.percents < self.sizes


def kind(rows: Table, gross: Any, column: Column, fetch: Fetch) -> Discount:
    """Tell what a column holds of parsed rows, whose lines cost `gross` without it: none where it is empty.

    By its name and sign, by what the orders cost, by what can and what is likely to be. Raises InputError where it is
    open.
    """
    each = _each(rows, gross)
    lines = _lines(each, fetch)
    if not lines.lines:
        return "none"
    possible = _by_orders(each, _by_name(column, "share" if lines.most <= 1 else "percent"), fetch)
    if len(possible) > 1:
        possible = _by_size(lines, possible, column.name)
    return possible[0] if len(possible) == 1 else _off_what(each, possible, column.name, fetch)


def off_totals(rows: Table, column: Column, fetch: Fetch) -> Discount | None:
    """Tell what is still to be taken off the lines' totals, by what the orders cost; None: that does not say it."""
    each = _each(rows, rows.line_total)
    lines = _lines(each, fetch)
    if not lines.lines:
        return "none"
    all_: Sequence[Discount] = ("none", *_by_name(column, "share" if lines.most <= 1 else "percent"))
    agreeing = _by_orders(each, all_, fetch)
    return agreeing[0] if len(agreeing) < len(all_) else None  # of several that agree any one gives what orders cost


def _each(rows: Table, gross: Any) -> Table:
    return rows.mutate(size=rows.discount.abs().fill_null(0), gross=gross.cast(EXACT), pieces=_pieces(rows))


def _lines(each: Table, fetch: Fetch) -> Lines:
    return Lines(**fetch(_measured(each.filter(_.size > 0), _.gross.abs()))[0])


def less(gross: Any, off: Any, kind: Discount, quantity: Any) -> Any:
    """Take a discount off, whatever its sign; money off a line that is paid back lowers what is paid back.

    What is off the order leaves the line as it is.
    """
    size = off.abs().fill_null(0)
    if kind in ("none", "order"):
        return gross
    if kind in MONEYS:
        whole = size * quantity.abs().fill_null(1) if kind == "piece" else size
        return (gross - ibis.ifelse(gross < 0, -whole, whole)).cast(EXACT)
    part = size.cast("float64") / (HUNDRED if kind == "percent" else 1)
    return (gross.cast("float64") * (1 - part)).cast(EXACT)


def _pieces(rows: Table) -> Any:
    return rows.quantity.abs().fill_null(1)


def _by_name(column: Column, rate: Discount) -> tuple[Discount, ...]:
    said = f"{column.name.casefold()} {reduced(column.name)}"
    if column.sign == "percent" or (not column.sign and any(word in said for word in RATES)):
        return ("percent" if column.sign else rate,)
    return MONEYS if column.sign or any(word in said for word in MONEY) else (rate, *MONEYS)


def _by_orders(each: Table, possible: Sequence[Discount], fetch: Fetch) -> Sequence[Discount]:
    """Keep what agrees best with the orders' totals, where they are given and agree with any."""
    sums = {found: less(each.gross, each["size"], found, each.pieces).sum().cast("float64") for found in possible}
    sums["order"] = (each.gross.sum() - each["size"].max()).cast("float64")
    total = each.order_subtotal.max().coalesce(each.order_total.max() - each.shipping.max().fill_null(0))
    orders = each.group_by("invoice").aggregate(
        **sums, total=total.cast("float64"), slack=_.count() * CENT, discount=_["size"].sum()
    )
    given = orders.filter(_.total.notnull() & (_.discount > 0))
    agree: Mapping[str, Any] = {found: ((_[found] - _.total).abs() <= _.slack).sum().coalesce(0) for found in possible}
    (counted,) = fetch(given.aggregate(orders=_.count(), **agree))
    most = max(counted[found] for found in possible)
    is_clear = most >= AGREEMENT_MIN * counted["orders"] > 0
    return [found for found in possible if counted[found] == most] if is_clear else possible


def _by_size(lines: Lines, possible: Sequence[Discount], name: str) -> Sequence[Discount]:
    """Keep a rate, or money, where the discounts can be one of them only. Raises InputError where they can be both."""
    rates = [found for found in possible if found not in MONEYS]
    if not rates:
        return possible
    can_be_rate = _can_be_rate(lines)
    if can_be_rate != _can_be_money(lines):
        return rates if can_be_rate else [found for found in possible if found in MONEYS]
    raise InputError(
        f"column {name!r} holds discounts up to {lines.most:g}: are they money off the line, or "
        f"{'a share of its price' if rates[0] == 'share' else 'percent of its price'}? Say so in params.yaml, "
        f"ingest.discount_is: money or {rates[0]} (or piece, or order: what the money is off)"
    )


def _off_what(each: Table, possible: Sequence[Discount], name: str, fetch: Fetch) -> Discount:
    """Tell what money is off, of what is still possible.

    Raises InputError where orders of several lines or lines of several pieces leave it open.

    A percent of the price of a piece is one of the line's price too where the pieces divide it, and not the reverse;
    what grows with the pieces of a product is off the line.
    """
    said, off = reduced(name), each.filter(_.size > 0)
    named: dict[Discount, tuple[str, ...]] = {"piece": PER_PIECE, "order": PER_ORDER, "money": PER_LINE}
    called = (found for found, words in named.items() if found in possible and any(word in said for word in words))
    if found := next(called, None):
        return found
    is_of_order = _is_of_order(each, fetch) if "order" in possible else False
    if is_of_order:
        return "order"
    by_line = [found for found in possible if found != "order"]
    if is_of_order is False and (found := by_line[0] if len(by_line) == 1 else _off_lines(off, fetch)):
        return found
    raise InputError(
        f"column {name!r} holds money off lines of several pieces, or the same on all lines of an order: is it off the "
        "whole line, off each piece or off the whole order? Say so in params.yaml, ingest.discount_is: money (off the "
        "line), piece or order"
    )


def _is_of_order(each: Table, fetch: Fetch) -> bool | None:
    """Tell whether a discount is that of the order, repeated on all of its lines; None: it may be."""
    orders = each.group_by("invoice").aggregate(most=_["size"].max(), least=_["size"].min(), prices=_.gross.nunique())
    several = orders.filter((_.prices > 1) & (_.most > 0))
    same = _.most == _.least
    (seen,) = fetch(several.aggregate(orders=_.count(), same=same.sum().coalesce(0), sizes=_.most.nunique(where=same)))
    if seen["same"] < AGREEMENT_MIN * seen["orders"] or not seen["orders"]:
        return False
    return True if seen["orders"] >= LINES_MIN and seen["sizes"] >= SIZES_MIN else None


def _off_lines(off: Table, fetch: Fetch) -> Literal["money", "piece"] | None:
    several = off.filter(_.pieces != 1)
    by_line, by_piece = (
        Lines(**fetch(_measured(several, price))[0]) for price in (_.gross.abs(), _.gross.abs() / _.pieces)
    )
    is_over = by_piece.over > (1 - AGREEMENT_MIN) * by_piece.lines
    if not by_line.lines or is_over or by_line.follow or _grows(off, fetch):
        return "money"
    return "piece" if by_piece.follow else None


def _grows(off: Table, fetch: Fetch) -> bool:
    """Tell whether products that are sold in several quantities have more off the more pieces a line has."""
    each = off.mutate(part=(_.size.cast("float64") / _.pieces.cast("float64")).round(CENTS))
    products = each.group_by("product_code").aggregate(
        quantities=_.pieces.nunique(), sizes=_.size.nunique(), parts=_.part.nunique()
    )
    several = products.filter(_.quantities > 1)
    (seen,) = fetch(
        several.aggregate(grows=(_.parts < _.sizes).sum().coalesce(0), stays=(_.sizes < _.parts).sum().coalesce(0))
    )
    return bool(seen["grows"] >= PRODUCTS_MIN and seen["grows"] >= AGREEMENT_MIN * (seen["grows"] + seen["stays"]))


def _measured(off: Table, price: Any) -> Table:
    """What Lines counts, beside `price` as that from which the discounts are taken."""
    size, gross = off["size"], price.resolve(off)
    percent = (size.cast("float64") / gross.nullif(0).cast("float64")).round(CENTS)
    off_by = (percent * gross.cast("float64") - size.cast("float64")).abs()
    is_following = (gross >= TELLING) & (off_by < HALF_CENT)
    holds = {
        "whole": size == size.floor(),
        "stepped": size * STEPS == (size * STEPS).floor(),
        "halved": size * HALVES == (size * HALVES).floor(),
        "fine": size != size.round(CENTS),
        "over": size > gross + CENT,
        "unnoticed": size < gross * NOTICED_MIN,
        "telling": gross >= TELLING,
        "following": is_following,
    }
    return off.aggregate(
        lines=off.count(),
        most=size.max().coalesce(0).cast("float64"),
        sizes=size.nunique(),
        percents=percent.nunique(where=is_following),
        **{name: condition.sum().coalesce(0) for name, condition in holds.items()},
    )


def _can_be_money(lines: Lines) -> bool:
    """No more than the line costs, in cents, and enough to be noticed."""
    slips = (1 - AGREEMENT_MIN) * lines.lines
    return lines.over <= slips and lines.fine <= slips and lines.unnoticed * 2 <= lines.lines


def _can_be_rate(lines: Lines) -> bool:
    """A few rates that do not follow the price, and not everything for nothing."""
    slips = (1 - AGREEMENT_MIN) * lines.lines
    if lines.follow:
        return False
    if lines.most > 1:
        return lines.most <= HUNDRED and lines.lines - lines.halved <= slips
    are_steps = lines.lines - lines.stepped <= slips
    return lines.whole < lines.lines and (are_steps or lines.sizes <= RATES_MAX)

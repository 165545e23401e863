"""What a column of discounts holds: money off the line, a share of it (0.15) or percent of it (15).

Nothing but the file can tell, and what it leaves open is asked: half of a line of 1.20 and half a unit of money off it
are both 0.50.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import ibis
from ibis import _

from insiders.errors import InputError
from insiders.schemas.vocabulary import reduced

Table = Any  # Ibis has no types that mypy could follow
Fetch = Callable[[Table], list[dict[str, Any]]]
Discount = Literal["none", "money", "share", "percent"]

EXACT = "decimal(22, 8)"
KINDS: tuple[Discount, ...] = ("money", "share", "percent")
HUNDRED = 100
RATES = ("%", "percent", "pct", "porcent", "rate", "taxa", "share")  # in the column's name
MONEY = ("amount", "valor", "value", "importe", "monto", "lineitemdiscount", "promotiondiscount", "retaildisc")
AGREEMENT_MIN = 0.95  # of the lines or orders that have a discount
CENTS, CENT = 2, 0.01  # decimals of money that is given off; what rounding may do to each line
NOTICED_MIN = 0.005  # of its line: nobody gives less money off
RATES_MAX = 20  # different rates that a shop grants
STEPS = 20  # in 1: rates are whole 5 % ...
HALVES = 2  # ... and percents at least halves
TELLING = 5  # worth of a line from which on one cent more or less is no other whole percent
LINES_MIN = 20  # such lines, before they say anything


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


def kind(rows: Table, gross: Any, name: str, fetch: Fetch) -> Discount:
    """Tell what column `name` holds of parsed rows, whose lines cost `gross` without it: none where it is empty.

    By its name, by what the orders cost, by what can and what is likely to be. Raises InputError where it is open.
    """
    each = rows.mutate(size=rows.discount.abs().fill_null(0), gross=gross.cast(EXACT))
    (counted,) = fetch(_measured(each.filter(_.size > 0)))
    lines = Lines(**counted)
    if not lines.lines:
        return "none"
    rate: Discount = "share" if lines.most <= 1 else "percent"
    if called := _by_name(name, rate):
        return called
    if borne_out := _by_orders(each, rate, fetch):
        return borne_out
    can_be: dict[Discount, bool] = {"money": _can_be_money(lines), rate: _can_be_rate(lines)}
    possible = [found for found, is_possible in can_be.items() if is_possible]
    if len(possible) == 1:
        return possible[0]
    raise InputError(
        f"column {name!r} holds discounts up to {lines.most:g}: are they money off the line, or "
        f"{'a share of its price' if rate == 'share' else 'percent of its price'}? Say so in params.yaml, "
        f"ingest.discount_is: money or {rate}"
    )


def less(gross: Any, off: Any, kind: Discount) -> Any:
    """Take a discount off, whatever its sign; money off a line that is paid back lowers what is paid back."""
    size = off.abs().fill_null(0)
    if kind == "none":
        return gross
    if kind == "money":
        return (gross - ibis.ifelse(gross < 0, -size, size)).cast(EXACT)
    part = size.cast("float64") / (HUNDRED if kind == "percent" else 1)
    return (gross.cast("float64") * (1 - part)).cast(EXACT)


def _by_name(name: str, rate: Discount) -> Discount | None:
    said = f"{name.casefold()} {reduced(name)}"
    if any(word in said for word in RATES):
        return rate
    return "money" if any(word in said for word in MONEY) else None


def _by_orders(each: Table, rate: Discount, fetch: Fetch) -> Discount | None:
    """Tell it where the orders' totals are given, and agree with one of the two."""
    either: tuple[Discount, Discount] = (rate, "money")
    sums = {found: less(each.gross, each["size"], found).sum().cast("float64") for found in either}
    total = each.order_subtotal.max().coalesce(each.order_total.max() - each.shipping.max().fill_null(0))
    orders = each.group_by("invoice").aggregate(
        **sums, total=total.cast("float64"), slack=_.count() * CENT, discount=_["size"].sum()
    )
    given = orders.filter(_.total.notnull() & (_.discount > 0))
    agree: Mapping[str, Any] = {found: ((_[found] - _.total).abs() <= _.slack).sum().coalesce(0) for found in either}
    (counted,) = fetch(given.aggregate(orders=_.count(), **agree))
    fits = [found for found in either if counted[found] >= AGREEMENT_MIN * counted["orders"] > 0]
    return fits[0] if len(fits) == 1 else None


def _measured(off: Table) -> Table:
    size, gross = off["size"], off.gross.abs()
    percent = (size.cast("float64") / gross.nullif(0).cast("float64")).round(CENTS)
    of_percent = (percent * gross.cast("float64")).round(CENTS)
    is_following = (gross >= TELLING) & ((of_percent - size.cast("float64")).abs() < CENT / 2)
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
    follows = lines.telling >= LINES_MIN and lines.following >= AGREEMENT_MIN * lines.telling
    if follows and lines.percents < lines.sizes:
        return False
    if lines.most > 1:
        return lines.most <= HUNDRED and lines.lines - lines.halved <= slips
    are_steps = lines.lines - lines.stepped <= slips
    return lines.whole < lines.lines and (are_steps or lines.sizes <= RATES_MAX)

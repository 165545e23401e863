"""What a block of customers does: orders, their lines, what is undone, and the dirt of a real file.

Orders and lines are frames of whole numbers. A line has `invoice` (any number that its invoice shares), `minute`
(from the first day on), `who` (row of the customer; -1: nobody known), `code` and `text` (positions in the catalogue;
text -1: none), `quantity`, `cents`, `is_credit`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from insiders.simulate import process as p
from insiders.simulate.catalogue import Catalogue

NOBODY, NO_TEXT = -1, -1
MINUTES = 1440  # of a day
SURPLUS = 1.4  # anonymous orders are drawn in excess and cut at the share asked for
MEAN_ANONYMOUS_LINES = 80


@dataclass(frozen=True)
class Shopping:
    """What the orders of a block are drawn from; `factors` is the season of each day."""

    goods: Catalogue
    customers: pd.DataFrame
    factors: p.Floats
    anonymous_share: float
    rng: np.random.Generator


def lines(shop: Shopping) -> pd.DataFrame:
    """All lines of the block in the order of time, the invoices numbered from 0 in that order."""
    orders, sales = _all_sales(shop)
    size = len(orders)
    orders["fate"] = _fates(orders, shop.rng)
    parts = [sales, *_undone(shop, orders, sales), *_extras(shop, orders)]
    singles = [_old_returns(shop), _slip(shop), _fees(shop, orders), _adjustments(shop, len(sales))]
    first = 2 * size
    for part in singles:
        parts.append(part.assign(invoice=first + np.arange(len(part))))
        first += len(part)
    return _in_order(_described(_duplicated(pd.concat(parts, ignore_index=True), shop.rng), shop))


def further_lines(shop: Shopping) -> pd.DataFrame:
    """The lines of Poisson orders alone, without those of the arrival: what a programme adds to a block."""
    orders = _poisson_orders(shop)
    if orders.empty:
        return orders
    sales = _sales(shop, orders)
    orders["fate"] = _fates(orders, shop.rng)
    return _in_order(pd.concat([sales, *_undone(shop, orders, sales)], ignore_index=True))


def _all_sales(shop: Shopping) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Orders and sale lines: the known customers', then as many without id as the share asks for."""
    known = _known_orders(shop)
    sales = _sales(shop, known)
    asked = round(len(sales) * shop.anonymous_share / (1 - shop.anonymous_share))
    strangers = _anonymous_orders(shop, round(SURPLUS * asked / MEAN_ANONYMOUS_LINES) + 3 * (asked > 0))
    others = _sales(shop, strangers)
    kept = int(np.searchsorted(np.cumsum(np.bincount(others["invoice"], minlength=len(strangers))), asked))
    others = others[others["invoice"] <= kept].assign(invoice=lambda frame: frame["invoice"] + len(known))
    orders = pd.concat([known, strangers[: kept + 1]], ignore_index=True)
    return orders, pd.concat([sales, others], ignore_index=True)


def _known_orders(shop: Shopping) -> pd.DataFrame:
    """One order on the day of arrival, then Poisson with the season until the customer drops out."""
    who, day = _later_days(shop)
    arrival = shop.customers["arrival"].to_numpy()
    return _orders(shop, np.append(np.arange(len(arrival)), who), np.append(arrival, day))


def _poisson_orders(shop: Shopping) -> pd.DataFrame:
    """From the day after the arrival on, with the season until the customer drops out."""
    return _orders(shop, *_later_days(shop))


def _later_days(shop: Shopping) -> tuple[p.Ints, p.Ints]:
    """Customer and day of each order after the arrival."""
    customers, days = shop.customers, len(shop.factors)
    arrival, dropout = customers["arrival"].to_numpy(), customers["dropout"].to_numpy().clip(0, days)
    summed = np.append(0.0, np.cumsum(shop.factors))
    since, until = summed[arrival + 1], summed[dropout]
    counts = shop.rng.poisson(customers["orders_per_day"].to_numpy() * np.maximum(until - since, 0))
    who = np.repeat(np.arange(len(customers)), counts)
    moment = since[who] + shop.rng.random(len(who)) * (until - since)[who]
    return who, np.searchsorted(summed, moment, side="right") - 1


def _orders(shop: Shopping, who: p.Ints, day: p.Ints) -> pd.DataFrame:
    customers = shop.customers
    value = customers["order_value"].to_numpy()[who] * _factor(shop.rng, p.ORDER_SIGMA, len(who))
    return pd.DataFrame(
        {
            "who": who,
            "minute": _minutes(day, shop.rng),
            "value": value,
            "line_value": customers["line_value"].to_numpy()[who],
            "markup": 1.0,
            "note_share": p.NOTE_SHARE,
        }
    )


def _anonymous_orders(shop: Shopping, count: int) -> pd.DataFrame:
    day = shop.rng.choice(len(shop.factors), count, p=shop.factors / shop.factors.sum())
    return pd.DataFrame(
        {
            "who": NOBODY,
            "minute": _minutes(day, shop.rng),
            "value": p.ANONYMOUS.value_median * np.exp(p.ANONYMOUS.value_sigma * shop.rng.standard_normal(count)),
            "line_value": p.ANONYMOUS.line_value,
            "markup": p.ANONYMOUS.markup,
            "note_share": p.ANONYMOUS.note_share,
        }
    )


def _factor(rng: np.random.Generator, sigma: float, count: int) -> p.Floats:
    """Lognormal factors with the mean 1."""
    return np.exp(sigma * rng.standard_normal(count) - sigma**2 / 2)


def _minutes(day: p.Ints, rng: np.random.Generator) -> p.Ints:
    hour = p.FIRST_HOUR + rng.choice(len(p.HOUR_SHARES), len(day), p=p.HOUR_SHARES)
    return day * MINUTES + hour * 60 + rng.integers(0, 60, len(day))


def _sales(shop: Shopping, orders: pd.DataFrame) -> pd.DataFrame:
    """Split each order's value among lines with one product each; what rounds to no piece is left out."""
    rng, goods = shop.rng, shop.goods
    lots = orders["value"] / (orders["line_value"] * np.exp(p.LINE_VALUE_SIGMA * rng.standard_normal(len(orders))))
    order = np.repeat(np.arange(len(orders)), 1 + lots.clip(upper=p.LONGEST_ORDER - 1).astype(np.int64))
    weight = rng.standard_gamma(2.0, len(order))
    worth = (orders["value"] / np.bincount(order, weight, len(orders))).to_numpy()[order] * weight
    order, product, worth = _merged(order, _products(shop, orders["who"].to_numpy()[order]), worth, goods.products)
    unit = np.round(goods.cents[product] * orders["markup"].to_numpy()[order])
    unit = np.where(100 * worth >= p.BULK_PACK * unit, np.round(unit * p.BULK_FACTOR), unit)
    pieces = 100 * worth / unit
    pack = p.PACKS[np.maximum(np.searchsorted(p.PACKS, pieces, side="right") - 1, 0)]
    quantity = pack * _whole(rng, pieces / pack)
    found = pd.DataFrame({"invoice": order, "code": product, "quantity": quantity, "cents": unit.astype(np.int64)})
    return _of_orders(found[quantity > 0].reset_index(drop=True), orders)


def _products(shop: Shopping, who: p.Ints) -> p.Ints:
    """Draw a product for each line: a category to the customer's taste, in it one by popularity."""
    tastes = shop.customers.filter(regex="^taste_").to_numpy()
    steps = np.cumsum(np.vstack([tastes, p.CATEGORY_SHARES]), axis=1)[:, :-1]  # the last row is NOBODY's: row -1
    draw = shop.rng.random(len(who))
    category = np.zeros(len(who), dtype=np.int64)
    for step in steps.T:
        category += draw >= step[who]
    found = np.searchsorted(shop.goods.demand, category + shop.rng.random(len(who)), side="right")
    return np.minimum(found, shop.goods.products - 1)


def _merged(order: p.Ints, product: p.Ints, worth: p.Floats, products: int) -> tuple[p.Ints, p.Ints, p.Floats]:
    """Add up lines of the same order and product, lest equal ones look like exact duplicates."""
    key = order * products + product
    by_key = np.argsort(key, kind="stable")
    key = key[by_key]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    order, product = np.divmod(key[starts], products)
    return order, product, np.add.reduceat(worth[by_key], starts)


def _whole(rng: np.random.Generator, expected: p.Floats) -> p.Ints:
    """Round up or down at random, so that the mean is what was expected."""
    return (expected + rng.random(len(expected))).astype(np.int64)


def _of_orders(found: pd.DataFrame, orders: pd.DataFrame) -> pd.DataFrame:
    """Lines of orders: their `invoice` is still the row of the order."""
    row = found["invoice"].to_numpy()
    who, minute = orders["who"].to_numpy()[row], orders["minute"].to_numpy()[row]
    return found.assign(who=who, minute=minute, text=found["code"], is_credit=False)


KEPT, CANCELLED, CREDITED, DISCOUNTED, NOTED = range(5)


def _fates(orders: pd.DataFrame, rng: np.random.Generator) -> p.Ints:
    """Draw what becomes of each order: at most one of cancelled, credited, discounted, noted."""
    share = np.cumsum([p.CANCELLED_SHARE, p.CREDITED_SHARE, p.DISCOUNTED_SHARE])
    fate = np.searchsorted(share, rng.random(len(orders)), side="right")
    noted = np.where(rng.random(len(orders)) < orders["note_share"], NOTED, KEPT)
    return np.choose(fate, [CANCELLED, CREDITED, DISCOUNTED, noted])


def _undone(shop: Shopping, orders: pd.DataFrame, sales: pd.DataFrame) -> list[pd.DataFrame]:
    """Make the cancellations, credits and credit notes, each on an invoice of its own beside the order's."""
    fate = orders["fate"].to_numpy()[sales["invoice"]]
    cancelled = sales[fate == CANCELLED]
    parts = [
        cancelled.assign(quantity=-cancelled["quantity"], minute=cancelled["minute"] + SAME_DAY),
        _credits(orders, sales[fate == CREDITED], shop.goods.position("M"), 1.0),
        _credits(orders, sales[fate == DISCOUNTED], shop.goods.position("D"), p.DISCOUNT),
        _notes(shop, sales[fate == NOTED]),
    ]
    return [part.assign(invoice=part["invoice"] + len(orders), is_credit=True) for part in parts]


SAME_DAY = 25  # minutes from an order to what undoes it at once


def _credits(orders: pd.DataFrame, sales: pd.DataFrame, code: int, share: float) -> pd.DataFrame:
    """One line an order that gives a share of its amount back."""
    amount = (sales["quantity"] * sales["cents"]).groupby(sales["invoice"]).sum()
    cents = np.round(amount.to_numpy() * share).astype(np.int64)
    found = pd.DataFrame({"invoice": amount.index.to_numpy(), "code": code, "quantity": -1, "cents": cents})
    given = _of_orders(found, orders)
    return given.assign(minute=given["minute"] + SAME_DAY)


def _notes(shop: Shopping, sales: pd.DataFrame) -> pd.DataFrame:
    """Take some lines of each order back, in whole or in part, on a day of trade weeks later."""
    rng = shop.rng
    invoices, place = np.unique(sales["invoice"], return_inverse=True)
    delay = rng.choice(len(p.NOTE_DELAYS), len(invoices), p=p.NOTE_DELAYS)[place]
    days = len(shop.factors)
    day = p.next_open(np.append(shop.factors, np.zeros(len(p.NOTE_DELAYS))))[sales["minute"] // MINUTES + delay]
    part = np.where(rng.random(len(sales)) < p.WHOLE_SHARE, 1.0, rng.random(len(sales)))
    quantity = _whole(rng, part * sales["quantity"].to_numpy())
    misbooked = rng.random(len(sales)) < p.MISBOOKED_SHARE
    code = np.where(misbooked, rng.integers(0, shop.goods.products, len(sales)), sales["code"])
    back = (rng.random(len(sales)) < p.NOTE_LINE_SHARE) & (quantity > 0) & (day < days)
    minute = day * MINUTES + sales["minute"] % MINUTES
    return sales.assign(quantity=-quantity, code=code, text=code, minute=minute)[back]


def _extras(shop: Shopping, orders: pd.DataFrame) -> list[pd.DataFrame]:
    """Services on known customers' invoices, and things that come free of charge."""
    country = shop.customers["country"].to_numpy()
    known = np.flatnonzero(orders["who"] != NOBODY)
    where = country[orders["who"].to_numpy()[known]]
    parts = [_extra(shop, known[_covers(extra, where)], code, extra) for code, extra in p.EXTRAS.items()]
    free = known[shop.rng.random(len(known)) < p.FREE_SHARE]
    gift = shop.rng.integers(0, shop.goods.products, len(free))
    parts.append(pd.DataFrame({"invoice": free, "code": gift, "quantity": 1, "cents": 0}))
    return [_of_orders(part, orders) for part in parts]


def _covers(extra: p.Extra, country: np.ndarray) -> np.ndarray:
    if extra.only == p.ABROAD:
        return country != p.COUNTRIES[0]
    return np.full(len(country), True) if extra.only is None else country == extra.only


def _extra(shop: Shopping, orders: p.Ints, code: str, extra: p.Extra) -> pd.DataFrame:
    on = orders[shop.rng.random(len(orders)) < extra.share]
    cents = _cents(shop.rng, extra.price_low, extra.price_high, len(on))
    return pd.DataFrame({"invoice": on, "code": shop.goods.position(code), "quantity": 1, "cents": cents})


def _cents(rng: np.random.Generator, low: float, high: float, count: int) -> p.Ints:
    return np.round(100 * rng.uniform(low, high, count)).astype(np.int64)


def _line(who: Any, minute: Any, code: Any, quantity: Any, cents: Any) -> pd.DataFrame:
    """Lines that make an invoice each; a negative number of pieces makes it a credit note."""
    frame = pd.DataFrame({"who": who, "minute": minute, "code": code, "quantity": quantity, "cents": cents})
    return frame.assign(text=frame["code"], is_credit=frame["quantity"] < 0)


def _old_returns(shop: Shopping) -> pd.DataFrame:
    """Take back what was bought before the first day; on the day of arrival, so no expectation holds it."""
    rng = shop.rng
    who = np.flatnonzero(rng.random(len(shop.customers)) < p.OLD_RETURN_SHARE)
    code = rng.integers(0, shop.goods.products, len(who))
    minute = _minutes(shop.customers["arrival"].to_numpy()[who], rng)
    return _line(who, minute, code, -rng.integers(1, 13, len(who)), shop.goods.cents[code])


def _slip(shop: Shopping) -> pd.DataFrame:
    """Make a mistyped order of tens of thousands of pieces, on the day of arrival, cancelled at once."""
    who = shop.rng.integers(0, len(shop.customers))
    code = shop.rng.integers(0, shop.goods.products)
    cents = shop.goods.cents[code]
    pieces = round(100 * p.SLIP_AMOUNT / cents)
    noon = shop.customers["arrival"].to_numpy()[who] * MINUTES + 12 * 60
    return _line(who, [noon, noon + p.SLIP_MINUTES], code, [pieces, -pieces], cents)


def _fees(shop: Shopping, orders: pd.DataFrame) -> pd.DataFrame:
    """Services without id: postage in bulk, marketplaces, banks."""
    thousands = (orders["who"] == NOBODY).sum() / 1000
    counts = {code: round(fee.per_thousand * thousands) for code, fee in p.FEES.items()}
    return pd.concat([_fee(shop, code, count) for code, count in counts.items()], ignore_index=True)


def _fee(shop: Shopping, code: str, count: int) -> pd.DataFrame:
    fee = p.FEES[code]
    cents = _cents(shop.rng, fee.price_low, fee.price_high, count)
    return _line(NOBODY, _any_time(shop, count), shop.goods.position(code), fee.quantity, cents)


def _any_time(shop: Shopping, count: int) -> p.Ints:
    day = shop.rng.choice(np.flatnonzero(shop.factors), count)
    return _minutes(day, shop.rng)


def _adjustments(shop: Shopping, sales: int) -> pd.DataFrame:
    """Stock adjustments at price zero: as often pieces lost as found, most without a text; never a credit note."""
    rng, count = shop.rng, round(p.ADJUSTMENT_SHARE * sales) * (shop.anonymous_share > 0)
    pieces = np.ceil(rng.lognormal(2.0, 1.5, count)).astype(np.int64) * rng.choice([-1, 1], count)
    code = rng.integers(0, shop.goods.products, count)
    remark = len(shop.goods.texts) - 1 - rng.integers(0, len(p.ADJUSTMENTS), count)
    text = np.where(rng.random(count) < p.ADJUSTMENT_BLANK_SHARE, NO_TEXT, remark)
    return _line(NOBODY, _any_time(shop, count), code, pieces, 0).assign(text=text, is_credit=False)


def _described(lines: pd.DataFrame, shop: Shopping) -> pd.DataFrame:
    """Give some lines of products the second description."""
    plain = (lines["text"] >= 0) & (lines["text"] < shop.goods.products)
    other = plain & (shop.rng.random(len(lines)) < p.ALTERNATIVE_USE)
    return lines.assign(text=lines["text"] + other * len(shop.goods.codes))


def _duplicated(lines: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    return lines.loc[lines.index.repeat(1 + (rng.random(len(lines)) < p.DUPLICATE_SHARE))]


def _in_order(lines: pd.DataFrame) -> pd.DataFrame:
    key = lines["minute"].to_numpy() * (lines["invoice"].max() + 1) + lines["invoice"].to_numpy()
    by_time = np.argsort(key, kind="stable")
    key = key[by_time]
    invoice = np.cumsum(np.diff(key, prepend=key[:1]) > 0)
    return lines.iloc[by_time].assign(invoice=invoice)

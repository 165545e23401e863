"""The shop as others see it: its invoice lines in the real file's form, and the truth about its customers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from insiders.simulate import process as p
from insiders.simulate import trade
from insiders.simulate.catalogue import Catalogue, catalogue
from insiders.simulate.customers import draw
from insiders.units import round_off

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 5000  # customers generated together
FIRST_INVOICE = 410_001
CATALOGUE_STREAM, CUSTOMER_STREAM, TRADE_STREAM, UPLIFT_STREAM = range(4)


@dataclass(frozen=True)
class Settings:
    """Size and time of a shop; the names are those of the section `simulate` of the params."""

    customers: int
    start: date
    days: int
    products: int
    anonymous_share: float
    programme_uplift: float = 0.0  # further orders of whoever is invited, as a share of their own


@dataclass(frozen=True)
class Shop:
    """A shop with known customers: same settings and seed, same blocks.

    `invited` holds by customer since when the programme invites them; it adds further orders from that day on, on
    invoices of their own, and changes nothing else.
    """

    settings: Settings
    seed: int
    invited: Mapping[str, date] = field(default_factory=dict)

    def truths(self) -> Iterator[pd.DataFrame]:
        """Yield the truth about the customers, block by block; see `truth`."""
        settings = self.settings
        for block, first in enumerate(range(0, settings.customers, BLOCK)):
            count = min(BLOCK, settings.customers - first)
            yield draw(first, count, settings.start, settings.days, self._rng(CUSTOMER_STREAM, block))

    def truth(self) -> pd.DataFrame:
        """One row per customer: class, arrival, dropout, rates per day, mean amount of an order, tastes (sum 1)."""
        drawn = pd.concat(self.truths(), ignore_index=True)
        return drawn.assign(**{name: round_off(drawn[name]) for name in drawn.select_dtypes("float64")})

    def blocks(self) -> Iterator["pa.Table"]:
        """Yield the invoice lines under the real file's column names; time stamps and exact prices, not texts."""
        settings = self.settings
        goods = catalogue(settings.products, self._rng(CATALOGUE_STREAM))
        factors = p.season(settings.start, settings.days)
        invoice = FIRST_INVOICE
        for block, customers in enumerate(self.truths()):
            known = customers.assign(
                arrival=_day(customers["arrived_on"], settings.start),
                dropout=_day(customers["dropped_on"], settings.start),
            )
            rng = self._rng(TRADE_STREAM, block)
            lines = trade.lines(trade.Shopping(goods, known, factors, settings.anonymous_share, rng))
            yield _delivered(lines.assign(number=lines["invoice"] + invoice), goods, known, settings.start)
            invoice += int(lines["invoice"].iloc[-1]) + 1
        if settings.programme_uplift and self.invited:
            yield from self._further(goods, factors, invoice)

    def _further(self, goods: Catalogue, factors: p.Floats, invoice: int) -> Iterator["pa.Table"]:
        """Yield what the invited buy because of the programme, on invoices from this number on."""
        start = self.settings.start
        for block, customers in enumerate(self.truths()):
            known = self._lifted(customers)
            rng = self._rng(UPLIFT_STREAM, block)
            lines = trade.further_lines(trade.Shopping(goods, known, factors, 0.0, rng))
            if len(lines):
                yield _delivered(lines.assign(number=lines["invoice"] + invoice), goods, known, start)
                invoice += int(lines["invoice"].iloc[-1]) + 1

    def _lifted(self, customers: pd.DataFrame) -> pd.DataFrame:
        """The customers at the pace of their further orders, who "arrive" with the day before the first of them."""
        start, days = self.settings.start, self.settings.days
        since = customers["customer_id"].map(
            lambda each: (self.invited[each] - start).days if each in self.invited else days
        )
        arrival = _day(customers["arrived_on"], start)
        return customers.assign(
            arrival=np.maximum(arrival, since - 1).clip(-1, days - 1),
            dropout=_day(customers["dropped_on"], start),
            orders_per_day=customers["orders_per_day"] * self.settings.programme_uplift,
        )

    def _rng(self, *stream: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=stream))


def _day(column: pd.Series, start: date) -> pd.Series:
    return (column - pd.Timestamp(start)).dt.days


def _delivered(lines: pd.DataFrame, goods: Catalogue, customers: pd.DataFrame, start: date) -> "pa.Table":
    import pyarrow as pa

    who, number = lines["who"].to_numpy(), lines["number"].to_numpy()
    stamp = np.datetime64(start, "us") + lines["minute"].to_numpy().astype("timedelta64[m]")
    return pa.table(
        {
            "InvoiceNo": _numbers(lines),
            "StockCode": _taken(goods.codes, lines["code"].to_numpy()),
            "Description": _taken(goods.texts, lines["text"].to_numpy()),
            "Quantity": lines["quantity"].to_numpy(),
            "InvoiceDate": stamp,
            "UnitPrice": _decimal(lines["cents"].to_numpy()),
            "CustomerID": _taken(customers["customer_id"].tolist(), who),
            "Country": _countries(customers, who, number),
        }
    )


def _taken(values: list[str], position: p.Ints) -> "pa.Array":
    """Take the value at each position; null at -1."""
    import pyarrow as pa

    return pa.array(values).take(pa.array(position, mask=position < 0))


def _numbers(lines: pd.DataFrame) -> "pa.Array":
    """Write the invoice's number as text, a credit note's with a C before it."""
    each = lines.drop_duplicates("invoice")
    texts = [f"C{number}" if c else str(number) for number, c in zip(each["number"], each["is_credit"], strict=True)]
    return _taken(texts, lines["invoice"].to_numpy())


def _countries(customers: pd.DataFrame, who: p.Ints, number: p.Ints) -> "pa.Array":
    place = {name: position for position, name in enumerate(p.COUNTRIES)}
    both = np.stack([customers[name].map(place).to_numpy() for name in ("country", "second_country")])
    return _taken(list(p.COUNTRIES), np.where(who < 0, 0, both[number % 2, who]))


def _decimal(cents: p.Ints) -> "pa.Array":
    """Whole cents as exact decimals with two places."""
    import pyarrow as pa

    words = np.stack([cents, cents >> 63], axis=1)  # 128 bits: the number and its sign
    return pa.Array.from_buffers(pa.decimal128(12, 2), len(cents), [None, pa.py_buffer(np.ascontiguousarray(words))])

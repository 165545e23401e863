"""The process in numbers: what the facts of the real file were calibrated with (tests/test_simulate.py checks them).

Rates are per day, money is in the shop's currency, shares are 0 to 1.
"""

from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

# Factor on everybody's order rate; about 1 on average over a year.
MONTH_FACTORS = np.array([0.80, 0.81, 1.00, 0.83, 1.11, 1.01, 0.83, 0.87, 1.13, 1.12, 1.54, 1.28])
WEEKDAY_FACTORS = np.array([1.08, 1.20, 1.31, 1.52, 1.07, 0.00, 0.82])  # Monday first
CLOSED_FROM, CLOSED_TO = 1224, 102  # over New Year; month x 100 + day
HOUR_SHARES = np.array([0.03, 0.08, 0.12, 0.12, 0.17, 0.14, 0.12, 0.11, 0.06, 0.03, 0.01, 0.01])  # of the orders
FIRST_HOUR = 8

COMEBACK_DAYS = 60.0  # how soon those who knew the shop come back
COMEBACK_WEIGHT = 3.2  # how many of them on the first day for each new customer


class Class(NamedTuple):
    """A class of customers: gamma order rates and dropout hazards, lognormal mean values of an order."""

    name: str
    share: float
    rate_shape: float
    rate_mean: float
    dropout_shape: float
    dropout_mean: float
    value_median: float
    value_sigma: float
    line_value: float


RETAIL = Class("retail", 0.965, 1.0, 0.0145, 0.6, 0.0014, 305.0, 0.48, 17.0)
WHOLESALE = Class("wholesale", 0.035, 0.80, 0.0680, 0.6, 0.0010, 730.0, 1.15, 55.0)
RATE_ELASTICITY = 0.12  # mean order value grows with (rate / mean rate of the class) to this power
VALUE_LIMIT = 2.0  # standard deviations (log) that a mean value keeps to
ORDER_SIGMA = 0.65  # of an order's value around the customer's mean (log)
LINE_VALUE_SIGMA = 0.45  # of the worth of a line: around the class's mean by customer, around theirs by order (log)
LONGEST_ORDER = 400  # lines
LONGEST_LIFE = 36_500  # days

CANCELLED_SHARE = 0.005  # of orders: cancelled whole within minutes
CREDITED_SHARE = 0.002  # of orders: credited in full under M on the same day
DISCOUNTED_SHARE = 0.004  # of orders: given back DISCOUNT of their amount under D on the same day
DISCOUNT = 0.10
NOTE_SHARE = 0.30  # of the other orders: followed by a credit note ...
NOTE_LINE_SHARE = 0.06  # ... that takes back each line with this probability
WHOLE_SHARE = 0.60  # of lines taken back: all pieces; of the others a uniform part
MISBOOKED_SHARE = 0.08  # of lines taken back: under another product
NOTE_DELAYS = np.exp(-np.arange(61) / 15.0) * (np.arange(61) > 0)
NOTE_DELAYS /= NOTE_DELAYS.sum()  # of the days from the order to the note: 1 to 60; then the next day of trade
OLD_RETURN_SHARE = 0.08  # of customers: bring something back, with their first order, that they bought before


class Anonymous(NamedTuple):
    """Orders without a customer id: lognormal values, dearer single pieces, few returns."""

    value_median: float
    value_sigma: float
    line_value: float
    markup: float
    note_share: float


ANONYMOUS = Anonymous(360.0, 1.5, 5.0, 1.65, 0.03)

DUPLICATE_SHARE = 0.0098  # of lines: delivered twice
ADJUSTMENT_SHARE = 0.0046  # of lines: stock adjustments at price zero, without id
ADJUSTMENT_BLANK_SHARE = 0.59  # of these: without a description
FREE_SHARE = 0.002  # of known orders: something free of charge with it
SLIP_AMOUNT = 160_000.0  # of the mistyped order; one in each block of customers
SLIP_MINUTES = 12  # until it is cancelled

PACKS = np.array([1, 2, 3, 4, 6, 12, 24, 48, 96, 192, 480])  # pieces are ordered in multiples of one of these
BULK_PACK, BULK_FACTOR = 24, 0.85  # from this pack on a piece is cheaper

# fmt: off
COUNTRIES = (
    "United Kingdom", "Germany", "France", "EIRE", "Spain", "Belgium", "Netherlands", "Switzerland", "Portugal",
    "Italy", "Australia", "Norway", "Finland", "Sweden", "Austria", "Denmark", "Japan", "Cyprus", "Poland", "USA",
    "Greece", "Iceland", "Israel", "Malta", "Canada", "Singapore", "Unspecified",
)
# fmt: on
HOME_SHARE = 0.905  # of customers: in the first country
TWO_COUNTRIES_SHARE = 0.002  # of customers: give another country with every second invoice


class Category(NamedTuple):
    """A part of the catalogue: its share of the demand and of the products, its price level, its things."""

    share: float
    price_level: float
    things: tuple[str, ...]


CATEGORIES = {
    "kitchen": Category(0.16, 1.0, ("MIXING BOWL", "EGG CUP", "RECIPE BOX", "SPOON REST", "BUTTER DISH")),
    "table": Category(0.12, 1.1, ("CAFÉ TUMBLER", "SIDE PLATE", "NAPKIN RING", "CAKE DOME", "MILK JUG")),
    "lights": Category(0.11, 1.2, ("TEALIGHT JAR", "WINDOW STAR", "TABLE LAMP", "PAPER SHADE", "CANDLE PLATE")),
    "garden": Category(0.09, 1.6, ("BIRD FEEDER", "PLANT LABEL", "SEED TIN", "WATERING CAN", "HERB TROUGH")),
    "bags": Category(0.11, 0.9, ("SHOPPER", "LUNCH SACK", "DRAWSTRING POUCH", "WEEKEND HOLDALL", "COOL BAG")),
    "paper": Category(0.11, 0.4, ("NOTEBOOK", "GIFT WRAP", "ENVELOPE SET", "DESK PLANNER", "£1 TOKEN CARD")),
    "toys": Category(0.07, 0.8, ("WOODEN TRAIN", "FINGER PUPPET", "SPINNING TOP", "MEMORY GAME", "PULL-ALONG DUCK")),
    "wall": Category(0.07, 1.3, ("PHOTO FRAME", "COAT HOOK", "ENAMEL SIGN", "WALL CLOCK", "CHALK BOARD")),
    "textile": Category(0.06, 1.9, ("CUSHION COVER", "TEA TOWEL", "THROW", "DOOR STOP", "APRON")),
    "jewellery": Category(0.04, 1.0, ("BEAD BRACELET", "HAIR SLIDE", "DROP EARRINGS", "TRINKET TRAY")),
    "bath": Category(0.03, 1.0, ("SOAP DISH", "BATH SALTS", "HAND CREAM", "TOWEL RAIL", "SPONGE BASKET")),
    "festive": Category(0.03, 0.7, ("BAUBLE", "TREE SKIRT", "CRACKER BOX", "ADVENT BUNTING", "SLEIGH BELL")),
}
CATEGORY_SHARES = np.array([category.share for category in CATEGORIES.values()])
STYLES = ("BLUE", "SAGE", "CORAL", "OCHRE", "PLUM", "IVORY", "CHARCOAL", "MINT", "COPPER", "STRIPED", "RUSTIC")
MOTIFS = ("FERN", "SWALLOW", "PEBBLE", "MARKET", "HARBOUR", "MEADOW", "ACORN", "COMET", "FOX", "TULIP", "LATTICE")
TASTE_CONCENTRATION = 2.5  # of the Dirichlet tastes around CATEGORY_SHARES: the lower, the narrower a taste
POPULARITY_SIGMA = 1.5  # of products within their category (log)
POPULARITY_MAX = 40.0  # times the median
PRICE_MEDIAN, PRICE_SIGMA = 2.30, 0.80
ALTERNATIVE_SHARE = 0.16  # of products: have a second description, ...
ALTERNATIVE_USE = 0.2  # ... on this share of their lines
LETTER_SHARE = 0.25  # of product codes: end in a letter

SERVICES = {
    "POST": "POSTAGE",
    "C2": "CARRIAGE",
    "M": "Manual",
    "D": "Discount",
    "DOT": "DOTCOM POSTAGE",
    "AMAZONFEE": "AMAZON FEE",
    "BANK CHARGES": "Bank Charges",
    "S": "SAMPLES",
    "CRUK": "CRUK Commission",
    "B": "Adjust bad debt",
}
ADJUSTMENTS = ("broken in store", "recount", "wet", "found in aisle", "not on shelf")


class Fee(NamedTuple):
    """A service booked on its own, without id: how often for each 1,000 anonymous orders, and at which prices."""

    per_thousand: int
    quantity: int
    price_low: float
    price_high: float


FEES = {
    "DOT": Fee(480, 1, 30.0, 530.0),
    "AMAZONFEE": Fee(23, -1, 500.0, 13_300.0),
    "BANK CHARGES": Fee(17, -1, 20.0, 550.0),
    "S": Fee(43, -1, 5.0, 90.0),
    "M": Fee(70, 1, 1.0, 300.0),
    "B": Fee(2, 1, -11_000.0, -9_000.0),
}


class Extra(NamedTuple):
    """A service on a known customer's invoice: on which share of them, and at which prices."""

    share: float
    price_low: float
    price_high: float
    only: str | None  # country; None: all


ABROAD = "abroad"
EXTRAS = {
    "POST": Extra(0.65, 18.0, 95.0, ABROAD),
    "C2": Extra(0.9, 50.0, 50.01, "EIRE"),
    "M": Extra(0.012, 1.0, 150.0, None),
    "CRUK": Extra(0.001, 1.0, 5.0, None),
}


def season(first: date, days: int) -> Floats:
    """Factor on the order rate for each of `days` days from `first` on; 0 where the shop is closed."""
    each = pd.date_range(first, periods=days)
    month, month_day = each.month.to_numpy(), each.month.to_numpy() * 100 + each.day.to_numpy()
    is_open = (month_day < CLOSED_FROM) & (month_day > CLOSED_TO)
    return MONTH_FACTORS[month - 1] * WEEKDAY_FACTORS[each.day_of_week.to_numpy()] * is_open


def next_open(factors: Floats) -> Ints:
    """For each day the first one from it on that is open: its position, or the length where there is none."""
    days = np.arange(len(factors))
    ahead = np.where(factors > 0, days, len(factors))
    return np.minimum.accumulate(ahead[::-1])[::-1]

"""Who the customers are, in truth: one row each, and what they can be expected to bring in any period."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from insiders.simulate import process as p

FIRST_CUSTOMER = 10_001
DAY = "timedelta64[D]"

# Of an order's amount, in expectation: what no cancellation or credit undoes, and what a later note takes back.
KEPT = 1 - p.CANCELLED_SHARE - p.CREDITED_SHARE - p.DISCOUNTED_SHARE * p.DISCOUNT
TAKEN_BACK = (
    (1 - p.CANCELLED_SHARE - p.CREDITED_SHARE - p.DISCOUNTED_SHARE)
    * (p.NOTE_SHARE * p.NOTE_LINE_SHARE)
    * (p.WHOLE_SHARE + (1 - p.WHOLE_SHARE) / 2)
)


def draw(first: int, count: int, start: date, days: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the customers `first` to `first + count`: one row each, money per order, rates per day, tastes as shares."""
    wholesale = rng.random(count) < p.WHOLESALE.share
    arrival = np.datetime64(start, "us") + _arrivals(start, days, count, rng).astype(DAY)
    frame = pd.DataFrame(
        {
            "customer_id": pd.Series(np.arange(first, first + count) + FIRST_CUSTOMER).astype("str"),
            "class": np.where(wholesale, p.WHOLESALE.name, p.RETAIL.name),
            "arrived_on": arrival,
            **_behaviour(wholesale, rng),
            **_countries(count, rng),
        }
    )
    life = np.minimum(rng.exponential(size=count) / frame["dropout_per_day"].to_numpy(), p.LONGEST_LIFE)
    frame["dropped_on"] = arrival + (1 + life.astype(np.int64)).astype(DAY)
    tastes = rng.dirichlet(p.TASTE_CONCENTRATION * p.CATEGORY_SHARES, count)
    frame["main_category"] = np.array(list(p.CATEGORIES))[tastes.argmax(axis=1)]
    return frame.join(pd.DataFrame(tastes, columns=[f"taste_{name}" for name in p.CATEGORIES]))


def _behaviour(wholesale: np.ndarray, rng: np.random.Generator) -> dict[str, p.Floats]:
    count = len(wholesale)

    def by_class(name: str) -> p.Floats:
        return np.where(wholesale, getattr(p.WHOLESALE, name), getattr(p.RETAIL, name))

    pace = np.maximum(rng.gamma(by_class("rate_shape")) / by_class("rate_shape"), 1e-9)
    hazard = np.maximum(rng.gamma(by_class("dropout_shape")) / by_class("dropout_shape"), 1e-9)
    spread = rng.standard_normal(count).clip(-p.VALUE_LIMIT, p.VALUE_LIMIT)
    return {
        "orders_per_day": pace * by_class("rate_mean"),
        "dropout_per_day": hazard * by_class("dropout_mean"),
        "order_value": by_class("value_median") * np.exp(by_class("value_sigma") * spread) * pace**p.RATE_ELASTICITY,
        "line_value": by_class("line_value") * rng.lognormal(0, p.LINE_VALUE_SIGMA, count),
    }


def _arrivals(start: date, days: int, count: int, rng: np.random.Generator) -> p.Ints:
    """Day of the first order, counted from the first day of trade."""
    comeback = p.COMEBACK_WEIGHT * np.exp(-np.arange(days) / p.COMEBACK_DAYS)
    weight = np.cumsum(p.season(start, days) * (1 + comeback))
    return np.searchsorted(weight, rng.random(count) * weight[-1], side="right")


def _countries(count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Draw the countries of a customer's even and odd invoices; abroad the first of the list are the most frequent."""
    abroad = np.ceil((len(p.COUNTRIES) - 1) * rng.random((2, count)) ** 3).astype(np.int64)
    first = np.where(rng.random(count) < p.HOME_SHARE, 0, abroad[0])
    second = np.where(rng.random(count) < p.TWO_COUNTRIES_SHARE, abroad[1], first)
    return {"country": np.array(p.COUNTRIES)[first], "second_country": np.array(p.COUNTRIES)[second]}


def expected_revenue(truth: pd.DataFrame, start: date, end: date) -> pd.Series:
    """Give each customer's expected net revenue in [start, end), knowing the truth and who is left at `start`.

    Net of cancellations, credits and returns, those of earlier orders included. The expectation is over the orders
    (earlier ones too), their amounts and the dropout after `start`. Null for those who had not arrived before `start`.
    """
    zero = start - timedelta(days=2 * len(p.NOTE_DELAYS))  # no order before it can be returned after `start`
    factors = p.season(zero, (end - zero).days)
    first = (start - zero).days
    noted = _noted(factors, first)
    worth = _coming(truth, start, factors[first:] * (KEPT - TAKEN_BACK * noted[first:]))
    worth -= TAKEN_BACK * _gone_by(truth, zero, factors[:first], noted[:first])
    return (truth["order_value"] * worth).where(truth["arrived_on"] < pd.Timestamp(start)).rename("expected_revenue")


def _noted(factors: p.Floats, first: int) -> p.Floats:
    """For an order on each day: the probability that its credit note, if there is one, falls on `first` or later."""
    booked = p.next_open(factors)
    falls = ((booked >= first) & (booked < len(factors))).astype(np.float64)
    return np.correlate(np.append(falls, np.zeros(len(p.NOTE_DELAYS) - 1)), p.NOTE_DELAYS, mode="valid")


def _coming(truth: pd.DataFrame, start: date, worth: p.Floats) -> p.Floats:
    """Sum up what the orders to come are worth, in mean orders; `worth` of a day includes its season."""
    alive = (truth["dropped_on"] > pd.Timestamp(start)).to_numpy(dtype=np.float64)
    survival = np.exp(-truth["dropout_per_day"].to_numpy())
    total = np.zeros(len(truth))
    for each in worth:
        total += each * alive
        alive *= survival
    return total * truth["orders_per_day"].to_numpy()


def _gone_by(truth: pd.DataFrame, zero: date, factors: p.Floats, worth: p.Floats) -> p.Floats:
    """Sum up `worth` over the orders of the days from `zero` on: the first, which is sure, and the others expected."""
    days = len(worth)
    arrival, dropout = ((truth[name] - pd.Timestamp(zero)).dt.days.to_numpy() for name in ("arrived_on", "dropped_on"))
    summed = np.append(0.0, np.cumsum(factors * worth))
    others = summed[dropout.clip(0, days)] - summed[(arrival + 1).clip(0, days)]
    first = np.where((arrival >= 0) & (arrival < days), worth[arrival.clip(0, days - 1)], 0.0)
    return truth["orders_per_day"].to_numpy() * np.maximum(others, 0) + first

"""The one figure for what the members will bring, and everybody's expectations on its level.

What a customer is expected to bring has the level of the quarters before, and knows no season. The forecast of the list
knows both. All expectations follow it by one factor: those of the members add up to it, and nobody changes place.
"""

from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from threadpoolctl import threadpool_limits

from insiders.answers import assignments
from insiders.answers.assignments import Served
from insiders.explore.cohorts import sums
from insiders.io import engine, paths, tables
from insiders.io.params import Params
from insiders.units import round_off
from insiders.value import forecast
from insiders.value.forecast import Outlook

LEVELLED = ("expected_orders", "expected_revenue", "expected_low", "expected_high")  # a year's level is no quarter's


class Foretold(NamedTuple):
    """What is said of the customers, on the level of the forecast of the list."""

    served: Served
    outlook: Outlook

    def write(self, folder: Path = Path()) -> None:
        """Write all tables and data/outlook.json, below `folder`; where one fails, none of them changes."""
        with tables.atomic_write(folder / paths.OUTLOOK) as temporary:
            tables.write_json(self.outlook, temporary)
            assignments.write(self.served, folder)


def write_unforetold(served: Served, folder: Path) -> None:
    """Write the tables of customers whose orders are not known; another list's forecast does not stay beside them."""
    assignments.write(served, folder)
    (folder / paths.OUTLOOK).unlink(missing_ok=True)


def foretell(served: Served, customers: pd.DataFrame, months: pd.DataFrame, settings: Params) -> Foretold:
    """Forecast the members of today from the orders (data/orders.parquet), and bring the expectations to its level.

    `customers` are those of today (schemas.CUSTOMERS), `months` those of the past month starts (schemas.HISTORY).
    """
    as_of, horizon_days = customers["as_of"].iloc[0], settings.featurize.horizon_days
    looked_at = list(forecast.LOOKED_AT)  # of all columns the frames would be copied
    earlier = months.loc[months["as_of"] < as_of, looked_at]
    known = pd.concat([earlier, customers[looked_at]], ignore_index=True)
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        groups = forecast.groups(_monthly(as_of.date()), known, _members(served, earlier), horizon_days)
        outlook = forecast.outlook(groups, as_of, horizon_days, settings.forecast.ways)
    return Foretold(on_level(served, outlook["expected"]), outlook)


def on_level(served: Served, expected: float) -> Served:
    """The same, but the members' expectations add up to `expected`; unchanged where they promise nothing."""
    inside = pd.Index(served.assigned.loc[served.assigned["is_insider"], "customer_id"])
    is_inside = inside.get_indexer(served.expectations["customer_id"]) >= 0  # isin goes through the ids one by one
    promised = served.expectations.loc[is_inside, "expected_revenue"].sum()
    if promised <= 0 or expected <= 0:
        return served
    scaled = served.expectations.copy()
    scaled[list(LEVELLED)] = round_off(scaled[list(LEVELLED)] * (expected / promised))
    return served._replace(expectations=scaled, insiders=_listed(served.insiders, scaled))


def _listed(insiders: pd.DataFrame, expectations: pd.DataFrame) -> pd.DataFrame:
    """The list with these expectations, in hundredths."""
    amounts = ["expected_revenue", "expected_low", "expected_high"]
    own = expectations.set_index("customer_id").loc[insiders["customer_id"], amounts]
    return insiders.assign(**{name: own[name].round(2).to_numpy() for name in amounts})


def _members(served: Served, earlier: pd.DataFrame) -> pd.DataFrame:
    """The members at each of the `earlier` month starts, and today's."""
    keys, assigned = ["customer_id", "as_of"], served.assigned
    today = assigned.loc[assigned["is_insider"], keys]
    past = forecast.past_members(served.memberships, earlier, len(today) / len(assigned))
    return pd.concat([past, today], ignore_index=True)


def _monthly(as_of: date) -> pd.DataFrame:
    """Net revenue of each customer in each full month before the day."""
    connection = engine.connect()
    orders = engine.scan(connection, paths.ORDERS)
    (first_day,) = engine.fetch_row(connection, sums.first_day(orders))
    amounts = sums.monthly(orders, as_of).select("customer_id", "month", "net_revenue")
    summed = engine.fetch(connection, amounts.order_by("customer_id", "month"))
    return forecast.monthly(summed, pd.Timestamp(first_day), pd.Timestamp(as_of))

"""What the list and every segment are expected to bring, and what the orders tell of the past."""

import pandas as pd
from threadpoolctl import threadpool_limits

from insiders.answers.inputs import Inputs
from insiders.explore import profiles
from insiders.explore.cohorts import sums
from insiders.io import engine, paths, tables
from insiders.report.numbers import ExpectedRevenueNumbers
from insiders.value import forecast
from insiders.value.forecast import Group, Outlook, SegmentOutlook


class Expected(Outlook):
    """The forecast of the list, and the value of the customers of each segment."""

    lifetime_value: list[SegmentOutlook]


def numbers(inputs: Inputs) -> ExpectedRevenueNumbers:
    return with_past(expected(inputs), inputs)


def with_past(expected: Expected, inputs: Inputs) -> ExpectedRevenueNumbers:
    days = int(inputs.members["tenure_days"].max())
    return {**expected, **inputs.past, **profiles.size(inputs.members), "history_days": days}


def expected(inputs: Inputs) -> Expected:
    """See forecast.outlook and forecast.segments."""
    members = inputs.members
    with threadpool_limits(1):  # several threads make the small steps of a fit slower, and its last bits uncertain
        outlook = forecast.outlook(_groups(inputs), inputs.insiders, members["as_of"].iloc[0], inputs.horizon_days)
    expectations = inputs.expectations.merge(members[["customer_id", "segment"]], on="customer_id")
    return {**outlook, "lifetime_value": forecast.segments(expectations, outlook["level_error"])}


def _groups(inputs: Inputs) -> list[Group]:
    """The members of each past month start, and today's."""
    keys, members = ["customer_id", "as_of"], inputs.members
    customers = pd.concat([tables.read(paths.HISTORY), tables.read(paths.CUSTOMERS)]).drop_duplicates(keys)
    earlier, today = customers[customers["as_of"] < members["as_of"].iloc[0]], members.loc[members["is_insider"], keys]
    past = forecast.past_members(tables.read(paths.MEMBERSHIPS), earlier, len(today) / len(members))
    return forecast.groups(_monthly(inputs), customers, pd.concat([past, today]), inputs.horizon_days)


def _monthly(inputs: Inputs) -> pd.DataFrame:
    orders = inputs.scan(paths.ORDERS)
    (first_day,) = engine.fetch_row(inputs.connection, sums.first_day(orders))
    amounts = sums.monthly(orders, inputs.as_of).select("customer_id", "month", "net_revenue")
    summed = inputs.fetch(amounts.order_by("customer_id", "month"))
    return forecast.monthly(summed, pd.Timestamp(first_day), pd.Timestamp(inputs.as_of))

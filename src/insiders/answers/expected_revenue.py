"""What the list and every segment are expected to bring, and what the orders tell of the past."""

from insiders.answers.inputs import Inputs
from insiders.explore import profiles
from insiders.report.numbers import ExpectedRevenueNumbers
from insiders.value import forecast
from insiders.value.forecast import Outlook, SegmentOutlook


class Expected(Outlook):
    """The forecast of the list, and the value of the customers of each segment."""

    lifetime_value: list[SegmentOutlook]


def numbers(inputs: Inputs) -> ExpectedRevenueNumbers:
    return with_past(expected(inputs), inputs)


def with_past(expected: Expected, inputs: Inputs) -> ExpectedRevenueNumbers:
    days = int(inputs.members["tenure_days"].max())
    return {**expected, **inputs.past, **profiles.size(inputs.members), "history_days": days}


def expected(inputs: Inputs) -> Expected:
    """The forecast that was made with the list (list_forecast.foretell), and that of the segments on its level."""
    expectations = inputs.expectations.merge(inputs.members[["customer_id", "segment"]], on="customer_id")
    return {**inputs.outlook, "lifetime_value": forecast.segments(expectations, inputs.outlook["level_error"])}

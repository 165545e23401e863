"""What they will bring next."""

from insiders.explore.profiles import size
from insiders.report.inputs import Inputs, Numbers


def numbers(inputs: Inputs) -> Numbers:
    """`history_days`: from the first order of anybody to as_of."""
    members = inputs.tables.members
    told = {**inputs.findings.forecast, **inputs.findings.past, **size(members)}
    return {**told, "history_days": int(members["tenure_days"].max())}

"""When somebody stops being one: the rule to stay by, and the programme as it would have gone."""

from insiders.answers import customer
from insiders.answers.inputs import Inputs
from insiders.programme import leave
from insiders.programme.leave import LeaveNumbers


def numbers(inputs: Inputs) -> LeaveNumbers:
    return leave.numbers(inputs.criteria, inputs.timeline, customer.terms(inputs.settings.report))

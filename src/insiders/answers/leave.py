"""When somebody stops being one: the border to stay above, and the membership check by check."""

from insiders.answers.inputs import Inputs
from insiders.programme import leave
from insiders.programme.leave import LeaveNumbers, Programme
from insiders.programme.stillness import StillnessTerms


def numbers(inputs: Inputs) -> LeaveNumbers:
    own = inputs.settings.programme
    still = StillnessTerms(own.flip_share_max, own.flip_months, own.leave_share_max, own.bands, own.grace_months)
    return leave.numbers(inputs.criteria, inputs.timeline, Programme(inputs.movement, inputs.terms, still))

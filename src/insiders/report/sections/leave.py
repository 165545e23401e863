"""When somebody stops being one."""

from insiders.programme.leave import LeaveNumbers
from insiders.report.inputs import Inputs


def numbers(inputs: Inputs) -> LeaveNumbers:
    return inputs.findings.leave

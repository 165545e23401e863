"""What it takes to become one."""

from insiders.programme.enter import EnterNumbers
from insiders.report.inputs import Inputs


def numbers(inputs: Inputs) -> EnterNumbers:
    return inputs.findings.enter

"""What it takes to become one."""

from insiders.report.inputs import Inputs, Numbers


def numbers(inputs: Inputs) -> Numbers:
    return inputs.findings.enter

"""What marketing can do."""

from insiders.report.inputs import Inputs, Numbers


def numbers(inputs: Inputs) -> Numbers:
    return inputs.findings.actions

"""What it takes to become one: the conditions that describe today's membership."""

from insiders.answers.inputs import Inputs
from insiders.programme import enter
from insiders.programme.enter import EnterNumbers


def numbers(inputs: Inputs) -> EnterNumbers:
    return enter.numbers(inputs.criteria, inputs.timeline)

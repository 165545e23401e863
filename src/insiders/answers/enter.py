"""What it takes to become one: the rule that describes today's list."""

from insiders.answers.inputs import Inputs
from insiders.programme import enter
from insiders.programme.enter import EnterNumbers


def numbers(inputs: Inputs) -> EnterNumbers:
    return enter.numbers(inputs.criteria, inputs.timeline)

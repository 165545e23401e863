"""The published tables of the membership: stretches of it, and every change."""

from typing import TYPE_CHECKING

from insiders.answers.inputs import Inputs
from insiders.io import engine, ledger
from insiders.programme import hands, stretches

if TYPE_CHECKING:
    import ibis.expr.types as ir


def members(inputs: Inputs) -> "ir.Table":
    return engine.scan_frame(inputs.connection, stretches.stretches(inputs.programme, inputs.movement))


def events(inputs: Inputs) -> "ir.Table":
    by_hand = map(hands.entry, ledger.read_hands())
    return engine.scan_frame(inputs.connection, stretches.changes(inputs.movement, by_hand))

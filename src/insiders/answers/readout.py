"""Does the programme itself bring anything? The experiment read as of the day of the tables."""

import ibis
import pandas as pd

from insiders.answers.inputs import Inputs
from insiders.io import engine, params, paths
from insiders.io.params import Params
from insiders.language import TEXTS_ARE_IN, Language
from insiders.programme import readout
from insiders.programme.experiment import Design
from insiders.programme.readout import Reading, ReadOut
from insiders.report import text


def read(inputs: Inputs) -> ReadOut | None:
    """The reading by the members, the movement and the orders; None before the first decision."""
    drawn = readout.participants(inputs.programme, inputs.movement)
    if drawn.empty:
        return None
    orders = inputs.scan(paths.ORDERS).filter(lambda order: order.ordered_at < pd.Timestamp(inputs.as_of))
    enrolled = ibis.memtable(drawn[["customer_id", "enrolled_on"]])
    revenue = inputs.fetch(readout.monthly_revenue(orders, enrolled))
    (first,) = engine.fetch_row(inputs.connection, orders.aggregate(first=orders.ordered_at.min().date()))
    return readout.read(drawn, revenue, Reading(first, inputs.as_of), design(inputs.settings))


def design(settings: Params) -> Design:
    return Design(settings.programme.held_out_share, **settings.report.experiment.model_dump())


def tell() -> list[str]:
    """Lines for a person: the verdict, the arms, what could be detected so far, and when to read it again."""
    inputs = Inputs(params.read())
    reading = read(inputs)
    if reading is None:
        return [
            "The tables know of no decision, so there is no experiment to read: `insiders enrol`, then `dvc repro`."
        ]
    return lines(Language(TEXTS_ARE_IN, inputs.language.currency), reading)


def lines(language: Language, reading: ReadOut) -> list[str]:
    """The question, the verdict, the arms, what could be detected so far, and when to read it again."""
    return text.readout(language, reading)

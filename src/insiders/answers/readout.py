"""Does the programme itself bring anything? The experiment read as of the day of the tables."""

import ibis
import pandas as pd

from insiders.io import engine, params, paths, tables
from insiders.io.params import Params
from insiders.language import TEXTS_ARE_IN, Language
from insiders.programme import readout
from insiders.programme.experiment import Design
from insiders.programme.readout import Reading, ReadOut
from insiders.report import text


def read(settings: Params) -> ReadOut | None:
    """The reading by data/members.parquet, data/movement.parquet and the orders; None before the first decision."""
    drawn = readout.participants(tables.read(paths.MEMBERS), tables.read(paths.MOVEMENT))
    as_of = tables.read(paths.ASSIGNMENTS)["as_of"].iloc[0]
    con = engine.connect()
    orders = engine.scan(con, paths.ORDERS).filter(lambda order: order.ordered_at < as_of)
    enrolled = ibis.memtable(drawn[["customer_id", "enrolled_on"]])
    revenue = pd.DataFrame() if drawn.empty else engine.fetch(con, readout.monthly_revenue(orders, enrolled))
    (first,) = engine.fetch_row(con, orders.aggregate(first=orders.ordered_at.min().date()))
    return readout.read(drawn, revenue, Reading(first, as_of.date()), design(settings))


def design(settings: Params) -> Design:
    return Design(settings.programme.held_out_share, **settings.report.experiment.model_dump())


def tell() -> list[str]:
    """Lines for a person: the verdict, the arms, what could be detected so far, and when to read it again."""
    settings = params.read()
    reading = read(settings)
    if reading is None:
        return [
            "The tables know of no decision, so there is no experiment to read: `insiders enrol`, then `dvc repro`."
        ]
    return lines(Language(TEXTS_ARE_IN, settings.preprocess.currency), reading)


def lines(language: Language, reading: ReadOut) -> list[str]:
    """The question, the verdict, the arms, what could be detected so far, and when to read it again."""
    return text.readout(language, reading)

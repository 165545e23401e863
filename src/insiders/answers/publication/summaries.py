"""The published tables of few rows: segments, months, forecast, cleaning, gates, experiment."""

from typing import TYPE_CHECKING

import pandas as pd

from insiders.answers import readout
from insiders.answers.inputs import Inputs
from insiders.explore import months
from insiders.explore.profiles import TRAITS
from insiders.io import engine, paths
from insiders.language import Language
from insiders.programme.arms import INVITED
from insiders.programme.members import inside
from insiders.programme.readout import ReadOut
from insiders.schemas.published import INSIDE, OUTSIDE

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOT_BEGUN = "not_begun"  # experiment.verdict before the first decision


def segments(inputs: Inputs) -> "ir.Table":
    """The segments as the page describes them, and the means of what is expected of their customers."""
    portuguese = Language("pt-BR", inputs.settings.preprocess.currency)
    rows = pd.DataFrame(inputs.answers["traits"]["segments"])
    named = rows.assign(
        name_pt=[portuguese.segment(name) for name in rows["segment"]], revenue_share=rows["net_revenue_share"]
    )
    columns = ["segment", "name_pt", "customers", "insiders", "revenue_share", *TRAITS]
    described = engine.scan_frame(inputs.connection, named[columns])
    return described.left_join(_foretold(inputs), "segment").drop("segment_right")


def _foretold(inputs: Inputs) -> "ir.Table":
    expected = inputs.scan(paths.EXPECTATIONS)
    known = expected.inner_join(inputs.scan(paths.ASSIGNMENTS).select("customer_id", "segment"), "customer_id")
    return known.group_by("segment").aggregate(
        foretells_orders=known.expected_orders.mean(),
        foretells_revenue=known.expected_revenue.mean(),
        foretells_back=known.probability_active.mean(),
    )


def revenue_by_month(inputs: Inputs) -> "ir.Table":
    sums = months.activity(inputs.scan(paths.ORDERS), inputs.scan(paths.ASSIGNMENTS), inputs.as_of)
    rows = months.every_month(inputs.fetch(sums), inputs.as_of)
    sides = rows.assign(side=rows["is_insider"].map({True: INSIDE, False: OUTSIDE}))
    return engine.scan_frame(inputs.connection, sides)


def forecast(inputs: Inputs) -> "ir.Table":
    """The months ahead; none where there are no members."""
    types = {"month": "str", "expected": "float64", "low": "float64", "high": "float64"}
    types |= {"days": "int64", "is_partial": "bool"}
    ahead = pd.DataFrame(inputs.outlook["months"], columns=[*types]).astype(types)
    rows = ahead.assign(month=ahead["month"] + "-01", way=inputs.outlook["way"]).astype({"way": "str"})
    return engine.scan_frame(inputs.connection, rows)


def ledger(inputs: Inputs) -> "ir.Table":
    rules = inputs.ledger
    return engine.scan_frame(inputs.connection, rules.assign(position=range(1, len(rules) + 1)))


def gates(inputs: Inputs) -> "ir.Table":
    """The candidate's gates; none where there was no recipe to judge."""
    shown = ["name", "value", "comparison", "threshold", "passed", "meaning"]
    types = {"name": "str", "value": "float64", "comparison": "str", "threshold": "float64", "passed": "bool"}
    rows = pd.DataFrame(inputs.registered["gates"], columns=shown).astype({**types, "meaning": "str"})
    return engine.scan_frame(inputs.connection, rows.rename(columns={"name": "gate"}))


def experiment(inputs: Inputs) -> "ir.Table":
    """The read-out; before the first decision the sizes of the arms alone."""
    reading = readout.read(inputs)
    if reading is None:
        arms = inside(inputs.programme).groupby("arm").size().rename("customers").reset_index()
        return engine.scan_frame(inputs.connection, arms.assign(verdict=NOT_BEGUN))
    return engine.scan_frame(inputs.connection, _by_arm(reading))


def _by_arm(reading: ReadOut) -> pd.DataFrame:
    """The arms of a read-out; the effect stands with those who are invited."""
    effect = reading["effect"]
    money = (effect["money"], effect["money_low"], effect["money_high"]) if effect else (None, None, None)
    figures = ("effect", "low", "high")
    rows = [
        {
            "arm": each["arm"],
            "customers": each["drawn"],
            "revenue_per_customer": each["net_revenue"],
            **dict(zip(figures, money if each["arm"] == INVITED else (None, None, None), strict=True)),
            "verdict": reading["verdict"],
        }
        for each in reading["arms"]
    ]
    return pd.DataFrame(rows).astype({name: "float64" for name in ("revenue_per_customer", *figures)})

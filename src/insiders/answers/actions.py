"""What marketing can do: actions and their audiences, and products to recommend."""

from typing import cast

import pandas as pd

from insiders import schemas
from insiders.answers.inputs import Inputs
from insiders.explore import wholesalers
from insiders.io import params, paths, tables
from insiders.io.tables import Contents
from insiders.programme import actions
from insiders.report import audiences, text
from insiders.report.numbers import (
    ActionsNumbers,
    Example,
    RecommendationEvidence,
    RecommendationNumbers,
    RecommendedProduct,
)

SIDES = {"insiders": True, "others": False, "any": None}
EXAMPLES_MAX = 3  # customers, and products of each, that the page shows


def numbers(inputs: Inputs) -> ActionsNumbers:
    plan = actions.numbers(_inputs(inputs), terms(inputs.settings.report, inputs.horizon_days))
    return {**plan, "recommendations": _recommendations(inputs)}


def lists(inputs: Inputs) -> Contents:
    """Who is meant by what, and what to recommend to whom, as a spreadsheet may show them."""
    meant = actions.audiences(_inputs(inputs), terms(inputs.settings.report, inputs.horizon_days))
    people = inputs.members.assign(is_wholesaler=wholesalers.flags(inputs.members))
    worded = tables.spreadsheet_safe(audiences.worded(meant, people, inputs.language, text.labels(inputs.language)))
    kinds = dict.fromkeys([*(each.kind for each in inputs.settings.report.actions), *actions.WARNINGS])
    return {
        paths.AUDIENCES: (worded, schemas.AUDIENCES),
        **{paths.audience(kind): (worded[worded["action"] == kind], schemas.AUDIENCES) for kind in kinds},
        paths.RECOMMENDATIONS: (tables.spreadsheet_safe(inputs.recommended), schemas.RECOMMENDATIONS),
    }


def _inputs(inputs: Inputs) -> actions.Inputs:
    enter = inputs.criteria.enter
    return actions.Inputs(inputs.members, inputs.past_customers, inputs.expectations, enter.rule if enter else ())


def terms(own: params.Report, horizon_days: int) -> actions.ActionTerms:
    chosen = [_action(each) for each in own.actions]
    return actions.ActionTerms(
        chosen, own.margin_share, own.late_probability_max, own.shortfall_max, horizon_days, own.audience_min
    )


def _action(each: params.Action) -> actions.Action:
    return actions.Action(
        kind=each.kind,
        for_insiders=SIDES[each.segments],
        conditions=tuple(
            actions.Condition(on.column, on.bound == "at_least", on.times, on.floor) for on in each.conditions
        ),
        cost=actions.Cost(**each.cost.model_dump()),
        uplift=actions.Uplift(*each.uplift),
    )


def _recommendations(inputs: Inputs) -> RecommendationNumbers:
    own = inputs.settings.report
    evidence = cast("RecommendationEvidence", inputs.recommendations.evidence)
    return {
        **evidence,
        "ratio_min": own.recommendation_ratio_min,
        "on_sale_days": own.on_sale_days,
        "examples": examples(inputs.recommended, inputs.members),
    }


def examples(shown: pd.DataFrame, members: pd.DataFrame) -> list[Example]:
    """The first products for the Insiders of whom most is expected: customer_id and products, as in RECOMMENDATIONS."""
    order = ["expected_revenue", "net_revenue", "recency_days", "customer_id"]
    best = members[members["is_insider"]].sort_values(order, ascending=[False, False, True, True])
    columns = ["product_code", "description", "because"]
    theirs = {name: shown.loc[shown["customer_id"] == name, columns] for name in best["customer_id"].head(EXAMPLES_MAX)}
    return [
        {"customer_id": name, "products": _plain(products.head(EXAMPLES_MAX))}
        for name, products in theirs.items()
        if len(products)
    ]


def _plain(frame: pd.DataFrame) -> list[RecommendedProduct]:
    rows: list[RecommendedProduct] = frame.astype(object).where(frame.notna(), None).to_dict("records")
    return rows

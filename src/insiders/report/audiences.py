"""Who is meant by what, in words."""

from collections.abc import Mapping

import pandas as pd

from insiders.language import Language

MONEY = (
    "net_revenue",
    "net_revenue_90d",
    "net_revenue_180d",
    "net_revenue_365d",
    "average_order_value",
    "gross_revenue",
)


# What is told of each customer beside the action.
PERSONAL = ["status", "country", "is_wholesaler", "as_of", "release"]


def worded(
    audiences: pd.DataFrame, people: pd.DataFrame, language: Language, labels: Mapping[str, str]
) -> pd.DataFrame:
    """Why somebody is meant, by the figure that decided it (schemas.AUDIENCES); `people` are all customers."""
    figures = audiences[["column", "value", "segment"]].itertuples(index=False)
    why = [_why(column, value, segment, language, labels) for column, value, segment in figures]
    texts = audiences[["customer_id", "segment", "action"]].assign(why=why, arm=audiences["arm"]).astype("str")
    return texts.merge(people[["customer_id", *PERSONAL]], on="customer_id", how="left", validate="many_to_one")


def _why(column: str | None, value: float, segment: str, language: Language, labels: Mapping[str, str]) -> str:
    if not isinstance(column, str):
        return language.say("in the segment {segment}").format(segment=language.segment(segment))
    figure = language.money(value) if column in MONEY else language.number(value)
    return language.say("{figure}: {value}").format(figure=labels.get(column, column), value=figure)

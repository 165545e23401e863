"""Who is meant by what, in words, and examples of what is recommended to whom."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from insiders.language import Language

EXAMPLES = 3  # customers, and products of each, that the page shows
MONEY = ("net_revenue", "net_revenue_90d", "net_revenue_180d", "average_order_value", "gross_revenue")


def worded(audiences: pd.DataFrame, language: Language, labels: Mapping[str, str]) -> pd.DataFrame:
    """Why somebody is meant, by the figure that decided it: customer_id, segment, action, why."""
    figures = audiences[["column", "value", "segment"]].itertuples(index=False)
    why = [_why(column, value, segment, language, labels) for column, value, segment in figures]
    return audiences[["customer_id", "segment", "action"]].assign(why=why).astype("str")


def _why(column: str | None, value: float, segment: str, language: Language, labels: Mapping[str, str]) -> str:
    if not isinstance(column, str):
        return language.say("in the segment {segment}").format(segment=language.segment(segment))
    figure = language.money(value) if column in MONEY else language.number(value)
    return language.say("{figure}: {value}").format(figure=labels.get(column, column), value=figure)


def examples(shown: pd.DataFrame, members: pd.DataFrame) -> list[dict[str, Any]]:
    """The first products for the Insiders of whom most is expected: customer_id and products, as in RECOMMENDATIONS."""
    order = ["expected_revenue", "net_revenue", "recency_days", "customer_id"]
    best = members[members["is_insider"]].sort_values(order, ascending=[False, False, True, True])
    columns = ["product_code", "description", "because"]
    theirs = {name: shown.loc[shown["customer_id"] == name, columns] for name in best["customer_id"].head(EXAMPLES)}
    return [
        {"customer_id": name, "products": _plain(products.head(EXAMPLES))}
        for name, products in theirs.items()
        if len(products)
    ]


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [dict(row) for row in frame.astype(object).where(frame.notna(), None).to_dict("records")]

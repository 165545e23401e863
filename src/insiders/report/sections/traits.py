"""What they are like: the Insiders beside the others, and every segment in figures and words."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from insiders.report import portraits
from insiders.report.inputs import Inputs, Numbers
from insiders.report.profiles import TRAITS, segments

APART = tuple(trait for trait in TRAITS if trait != "orders_per_month")  # which says what order_count says
NEW: Numbers = {"matched_from": None, "changed": {}}  # a segment that continues no other


def numbers(inputs: Inputs) -> Numbers:
    tables = inputs.tables
    known = portraits.portraits(tables.members, tables.products, APART)
    origins = _origins(tables.registered)
    return {
        "count": int(tables.members["is_insider"].sum()),
        "medians": medians(tables.members),
        "unsure_below": portraits.UNSURE,
        "segments": [
            row | known[row["segment"]] | origins.get(row["segment"], NEW) for row in segments(tables.members)
        ],
    }


def medians(members: pd.DataFrame) -> list[Numbers]:
    """Medians of the Insiders and of the others; the ratio is null where the others' median is not positive."""
    inside = members["is_insider"]
    ours, theirs = (members.loc[side, list(TRAITS)].median() for side in (inside, ~inside))
    return [
        {
            "trait": trait,
            "insiders": ours[trait],
            "others": theirs[trait],
            "ratio": ours[trait] / theirs[trait] if theirs[trait] > 0 else None,
        }
        for trait in TRAITS
    ]


def _origins(registered: Mapping[str, Any]) -> dict[str, Numbers]:
    """By segment: the earlier champion's segment that it continues, and the medians that moved; of what serves only."""
    if registered["version"] != registered["champion_version"]:
        return {}
    return {each["name"]: {key: each[key] for key in NEW} for each in registered["segments"]}

"""What they are like: the Insiders beside the others and beside every segment, in figures and words."""

from collections.abc import Iterable, Mapping
from math import fsum
from typing import Any

import pandas as pd

from insiders.evidence import effects
from insiders.explore import portraits, rhythm, wholesalers
from insiders.explore.profiles import TRAITS, segments
from insiders.report.inputs import Inputs, Numbers, Tables
from insiders.units import CONFIDENCE

APART = tuple(trait for trait in TRAITS if trait != "orders_per_month")  # which says what order_count says
NEW: Numbers = {"matched_from": None, "changed": {}}  # a segment that continues no other
COUNTRIES = 5  # told by name


def numbers(inputs: Inputs) -> Numbers:
    tables = inputs.tables
    members, inside = tables.members, tables.members["is_insider"]
    weekdays, hours = (rhythm.shares(tables.rhythm, column) for column in ("weekday", "hour"))
    return {
        "count": int(inside.sum()),
        "medians": medians(members),
        "confidence": CONFIDENCE,
        "against": against(members),
        "unsure_below": portraits.UNSURE,
        "segments": _described(tables),
        "products": tables.own_products.to_dict("records"),
        "countries": countries(members),
        "weekdays": weekdays,
        "busiest_weekday": rhythm.busiest(weekdays, "weekday"),
        "hours": hours,
        "busiest_hour": rhythm.busiest(hours, "hour"),
        "returns": {name: returns(members[side]) for name, side in _sides(inside)},
        "wholesalers": wholesalers.told(members),
    }


def medians(members: pd.DataFrame) -> list[Numbers]:
    """Medians and quartiles of the Insiders and of the others, and how far apart the two are (Cliff's delta).

    The ratio is null where the others' median is not positive.
    """
    inside = members["is_insider"]
    ours, theirs = (members.loc[side, list(TRAITS)].quantile([0.25, 0.5, 0.75]) for side in (inside, ~inside))
    return [
        {
            "trait": trait,
            "insiders": ours.loc[0.5, trait],
            "others": theirs.loc[0.5, trait],
            "ratio": ours.loc[0.5, trait] / theirs.loc[0.5, trait] if theirs.loc[0.5, trait] > 0 else None,
            "insiders_quartiles": ours.loc[[0.25, 0.75], trait].tolist(),
            "others_quartiles": theirs.loc[[0.25, 0.75], trait].tolist(),
            **effect(members.loc[inside, trait], members.loc[~inside, trait]),
        }
        for trait in TRAITS
    ]


def against(members: pd.DataFrame) -> list[Numbers]:
    """The Insiders beside each other segment, the one with the highest revenue per customer first."""
    inside = members["is_insider"]
    found = members[~inside].groupby("segment")
    names = [row["segment"] for row in segments(members) if row["segment"] in found.groups]
    return [
        {
            "segment": name,
            "traits": [
                {
                    "trait": trait,
                    "median": found.get_group(name)[trait].median(),
                    **effect(members.loc[inside, trait], found.get_group(name)[trait]),
                }
                for trait in TRAITS
            ],
        }
        for name in names
    ]


def effect(ours: "pd.Series[float]", theirs: "pd.Series[float]") -> Numbers:
    """Cliff's delta with its interval; null where either side has too few."""
    found = effects.cliffs_delta(ours.to_numpy(float), theirs.to_numpy(float))
    return dict.fromkeys(effects.Effect._fields) if found is None else found._asdict()


def countries(members: pd.DataFrame) -> list[Numbers]:
    """The countries of most Insiders, each with its share of the Insiders and of the others."""
    inside = members["is_insider"]
    parts = pd.DataFrame({name: _parts(members.loc[side, "country"]) for name, side in _sides(inside)}).fillna(0.0)
    named = parts.rename_axis("country").reset_index()
    first = named.sort_values(["insiders", "others", "country"], ascending=[False, False, True]).head(COUNTRIES)
    return first[["country", "insiders", "others"]].to_dict("records")


def _parts(values: "pd.Series[str]") -> "pd.Series[float]":
    return values.value_counts(normalize=True)


def returns(side: pd.DataFrame) -> Numbers:
    """How many of a side gave anything back, and what part of all that they bought; null where they bought nothing."""
    gross = fsum(side["gross_revenue"])
    return {
        "customers": float((side["returned_revenue"] > 0).mean()) if len(side) else None,
        "revenue": fsum(side["returned_revenue"]) / gross if gross > 0 else None,
    }


def _described(tables: Tables) -> list[Numbers]:
    known = portraits.portraits(tables.members, tables.products, APART)
    origins = _origins(tables.registered)
    return [row | known[row["segment"]] | origins.get(row["segment"], NEW) for row in segments(tables.members)]


def _origins(registered: Mapping[str, Any]) -> dict[str, Numbers]:
    """By segment: the earlier champion's segment that it continues, and the medians that moved; of what serves only."""
    if registered["version"] != registered["champion_version"]:
        return {}
    return {each["name"]: {key: each[key] for key in NEW} for each in registered["segments"]}


def _sides(inside: "pd.Series[bool]") -> Iterable[tuple[str, "pd.Series[bool]"]]:
    return ("insiders", inside), ("others", ~inside)

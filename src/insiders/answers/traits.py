"""What they are like: the Insiders beside the others and beside every segment, in figures and words."""

from collections.abc import Iterable
from math import fsum

import pandas as pd

from insiders import schemas
from insiders.answers.inputs import Inputs
from insiders.answers.manifest import Manifest
from insiders.evidence import effects
from insiders.explore import portraits, rfm, rhythm, wholesalers
from insiders.explore.profiles import TRAITS, SegmentProfile
from insiders.explore.rfm import RfmNumbers
from insiders.io import paths, tables
from insiders.io.tables import Contents
from insiders.report import text
from insiders.report.numbers import (
    CountryShares,
    EffectNumbers,
    Origin,
    ReturnShares,
    SegmentEffects,
    SegmentTraits,
    TraitMedians,
    TraitsNumbers,
    tidy,
)
from insiders.units import CONFIDENCE

APART = tuple(trait for trait in TRAITS if trait != "orders_per_month")  # which says what order_count says
NEW: Origin = {"matched_from": None, "changed": {}}  # a segment that continues no other
COUNTRIES = 5  # told by name


def numbers(inputs: Inputs) -> TraitsNumbers:
    members, inside = inputs.members, inputs.members["is_insider"]
    weekdays, hours = rhythm.shares(inputs.rhythm, "weekday"), rhythm.shares(inputs.rhythm, "hour")
    return {
        "count": int(inside.sum()),
        "medians": medians(members),
        "confidence": CONFIDENCE,
        "against": against(members, inputs.segments),
        "unsure_below": portraits.UNSURE,
        "segments": _segments(inputs),
        "products": inputs.insider_products.to_dict("records"),
        "countries": countries(members),
        "weekdays": weekdays,
        "busiest_weekday": rhythm.busiest(weekdays, "weekday"),
        "hours": hours,
        "busiest_hour": rhythm.busiest(hours, "hour"),
        "returns": {name: returns(members[side]) for name, side in _sides(inside)},
        "wholesalers": wholesalers.numbers(members),
        "rfm": _rfm(inputs),
    }


def lists(inputs: Inputs) -> Contents:
    """R, F and M of every customer, and the group that marketing knows."""
    members = inputs.members
    scored = rfm.scores(members).assign(as_of=members["as_of"], release=members["release"])
    return {paths.RFM: (tables.spreadsheet_safe(scored), schemas.RFM)}


def _rfm(inputs: Inputs) -> RfmNumbers:
    active = inputs.expectations[["customer_id", "probability_active"]]
    known = inputs.members.merge(active, on="customer_id", how="left", validate="one_to_one")
    return rfm.numbers(known, [row["segment"] for row in inputs.segments], inputs.settings.report.quiet_months)


def medians(members: pd.DataFrame) -> list[TraitMedians]:
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


def against(members: pd.DataFrame, segments: Iterable[SegmentProfile]) -> list[SegmentEffects]:
    """The Insiders beside each other segment, the one with the highest revenue per customer first."""
    inside = members["is_insider"]
    groups = members[~inside].groupby("segment")
    names = [row["segment"] for row in segments if row["segment"] in groups.groups]
    return [
        {
            "segment": name,
            "traits": [
                {
                    "trait": trait,
                    "median": groups.get_group(name)[trait].median(),
                    **effect(members.loc[inside, trait], groups.get_group(name)[trait]),
                }
                for trait in TRAITS
            ],
        }
        for name in names
    ]


def effect(ours: "pd.Series[float]", theirs: "pd.Series[float]") -> EffectNumbers:
    """Cliff's delta with its interval; null where either side has too few."""
    found = effects.cliffs_delta(ours.to_numpy(float), theirs.to_numpy(float))
    if found is None:
        return {"delta": None, "low": None, "high": None}
    return {"delta": found.delta, "low": found.low, "high": found.high}


def countries(members: pd.DataFrame) -> list[CountryShares]:
    """The countries of most Insiders, each with its share of the Insiders and of the others."""
    inside = members["is_insider"]
    parts = pd.DataFrame({name: _parts(members.loc[side, "country"]) for name, side in _sides(inside)}).fillna(0.0)
    named = parts.rename_axis("country").reset_index()
    first = named.sort_values(["insiders", "others", "country"], ascending=[False, False, True]).head(COUNTRIES)
    rows: list[CountryShares] = first[["country", "insiders", "others"]].to_dict("records")
    return rows


def _parts(values: "pd.Series[str]") -> "pd.Series[float]":
    return values.value_counts(normalize=True)


def returns(side: pd.DataFrame) -> ReturnShares:
    """How many of a side gave anything back, and what part of all that they bought; null where they bought nothing."""
    gross = fsum(side["gross_revenue"])
    return {
        "customers": float((side["returned_revenue"] > 0).mean()) if len(side) else None,
        "revenue": fsum(side["returned_revenue"]) / gross if gross > 0 else None,
    }


def _segments(inputs: Inputs) -> list[SegmentTraits]:
    words = text.words(inputs.language)
    portrait = portraits.portraits(inputs.members, inputs.segment_products, APART)
    origin = _origins(inputs.registered)
    return [
        {
            **row,
            **portrait[row["segment"]],
            **origin.get(row["segment"], NEW),
            "in_words": [words.portrait(tidy(each)) for each in portrait[row["segment"]]["apart"]],
        }
        for row in inputs.segments
    ]


def _origins(registered: Manifest) -> dict[str, Origin]:
    """By segment: the earlier champion's segment that it continues, and the medians that moved; of what serves only."""
    if registered["version"] != registered["champion_version"]:
        return {}
    return {
        each["name"]: {"matched_from": each["matched_from"], "changed": each["changed"]}
        for each in registered["segments"]
    }


def _sides(inside: "pd.Series[bool]") -> Iterable[tuple[str, "pd.Series[bool]"]]:
    return ("insiders", inside), ("others", ~inside)

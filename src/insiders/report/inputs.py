"""What the answers are made of: tables, what other parts worked out from them, and what the list was asked to be."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from insiders.language import Language

Numbers = dict[str, Any]


class Tables(NamedTuple):
    members: pd.DataFrame  # customers.parquet with segment, is_insider, model_version, and confidence where known
    insiders: pd.DataFrame
    months: pd.DataFrame
    products: pd.DataFrame  # typical of each segment, as products.named tells them
    ledger: pd.DataFrame
    trials: pd.DataFrame
    registered: Mapping[str, Any]
    source: Mapping[str, Any]


class Findings(NamedTuple):
    """What other parts worked out from the same tables."""

    enter: Numbers
    leave: Numbers
    forecast: Numbers
    actions: list[Numbers]
    past: Numbers  # as cohorts.past tells it
    insights: list[Numbers]


class Terms(NamedTuple):
    """What the list was asked to be."""

    language: Language
    seed: int
    horizon_days: int
    share_min: float
    share_max: float
    lift_margin: float


class Inputs(NamedTuple):
    """All of it: what each section gets."""

    tables: Tables
    findings: Findings
    terms: Terms

"""What the answers are made of: tables, what other parts worked out from them, and what the list was asked to be."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from insiders.language import Language
from insiders.programme.enter import EnterNumbers
from insiders.programme.leave import LeaveNumbers

Numbers = dict[str, Any]


class Tables(NamedTuple):
    members: pd.DataFrame  # customers with all of assignments, confidence where known, and everybody's expected_revenue
    insiders: pd.DataFrame
    months: pd.DataFrame
    products: pd.DataFrame  # typical of each segment, as products.named tells them
    own_products: pd.DataFrame  # the same of all Insiders together, more of them
    rhythm: pd.DataFrame  # orders by side, weekday and hour, as rhythm.by_hour counts them
    ledger: pd.DataFrame
    trials: pd.DataFrame
    registered: Mapping[str, Any]
    source: Mapping[str, Any]


class Findings(NamedTuple):
    """What other parts worked out from the same tables."""

    enter: EnterNumbers
    leave: LeaveNumbers
    forecast: Numbers
    actions: Numbers
    past: Mapping[str, Any]  # cohorts.PastNumbers
    insights: Sequence[Mapping[str, Any]]  # insights.InsightNumbers
    guarantee: Numbers  # hypotheses.summary and experiment.plan


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

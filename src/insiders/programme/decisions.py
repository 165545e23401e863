"""What a recorded decision is, and when one may be recorded."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypedDict

import pandas as pd

from insiders.errors import InputError
from insiders.programme.membership import Policy


class DecisionTerms(TypedDict):
    """How a decision was taken: how many places among how many customers, by which policy, model and inputs."""

    size: int
    customers: int
    band: float
    border: int  # the last place at which a member stays
    grace_months: int
    rule: str  # as JSON (rules.as_text) where a rule decides, else empty
    model_version: str
    release: str


def terms(record: Mapping[str, Any]) -> DecisionTerms:
    """Terms as a file holds them, or the one row of schemas.TERMS."""
    return DecisionTerms(
        size=int(record["size"]),
        customers=int(record["customers"]),
        band=float(record["band"]),
        border=int(record["border"]),
        grace_months=int(record["grace_months"]),
        rule=str(record["rule"]),
        model_version=str(record["model_version"]),
        release=str(record["release"]),
    )


class Decision(NamedTuple):
    """The members as of a day (schemas.MEMBERS, by customer_id), and how it came to them.

    Of those before the last one, which alone is walked on from, only what happened: status, event and reason.
    """

    as_of: date
    terms: DecisionTerms
    members: pd.DataFrame

    @property
    def policy(self) -> Policy:
        return Policy(self.terms["band"], self.terms["grace_months"])

    @property
    def share(self) -> float:
        return self.terms["size"] / self.terms["customers"]


def is_new(days: Sequence[date], as_of: date) -> bool:
    """Whether a decision as of this day is to be recorded; False where it already is.

    Raises InputError where a later one is recorded: it was taken without this one.
    """
    if as_of in days:
        return False
    if days and as_of < max(days):
        raise InputError(
            f"a decision as of {as_of} comes too late: that of {max(days)} is recorded, and was taken without it; "
            f"decide as of a later day, or withdraw it first with `insiders enrol --undo`"
        )
    return True

"""All that the period after a list says of it, as plain values for page and JSON."""

import math
from collections.abc import Sequence
from typing import TypedDict

from insiders.evidence.hypotheses.aftermath import Aftermath
from insiders.evidence.hypotheses.claims import VERDICTS, Claim, Finding, findings
from insiders.evidence.hypotheses.groups import Group, groups
from insiders.evidence.hypotheses.lookalikes import BALANCED_BELOW, Balance, balance, match_pairs
from insiders.evidence.hypotheses.resampling import Resampling

CORRECTION = "Holm"


class _People(TypedDict):
    """Customers of the day of the list and newcomers; `newcomer_share` is theirs of the period's net revenue."""

    listed: int
    known: int
    newcomers: int
    newcomer_share: float | None


class Later(_People):
    """Who was compared with whom, how, and what the groups brought."""

    before_days: int
    after_days: int
    level: float
    error_rate: float
    resamples: int
    correction: str
    caliper: float
    pairs: int
    balanced_below: float
    balance: list[Balance]
    groups: dict[str, Group]


class Summary(TypedDict):
    """`verdicts`: how many claims are true, false, not decidable."""

    later: Later
    hypotheses: list[Finding]
    verdicts: dict[str, int]


def summary(aftermath: Aftermath, claims: Sequence[Claim], caliper: float, resampling: Resampling) -> Summary:
    """Match the list's look-alikes, test the claims and sum up the groups; `caliper` as in match_pairs."""
    pairs = match_pairs(aftermath, caliper)
    tests = findings(aftermath, pairs, claims, resampling)
    return {
        "later": {
            **_people(aftermath),
            "before_days": aftermath.before_days,
            "after_days": aftermath.after_days,
            "level": resampling.level,
            "error_rate": 1 - resampling.level,
            "resamples": resampling.resamples,
            "correction": CORRECTION,
            "caliper": caliper,
            "pairs": len(pairs.insiders),
            "balanced_below": BALANCED_BELOW,
            "balance": balance(aftermath, pairs),
            "groups": groups(aftermath, pairs, resampling),
        },
        "hypotheses": tests,
        "verdicts": {verdict: sum(row["verdict"] == verdict for row in tests) for verdict in VERDICTS},
    }


def _people(aftermath: Aftermath) -> _People:
    revenue = aftermath.after["net_revenue"].to_numpy()
    total = math.fsum(revenue)
    return {
        "listed": int(aftermath.is_listed.sum()),
        "known": int(aftermath.is_customer.sum()),
        "newcomers": int((~aftermath.is_customer).sum()),
        "newcomer_share": math.fsum(revenue[~aftermath.is_customer]) / total if total > 0 else None,
    }

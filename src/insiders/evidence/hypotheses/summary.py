"""All that the period after a list says of it, as plain values."""

import math
from typing import Any

from insiders.evidence.hypotheses.aftermath import Aftermath
from insiders.evidence.hypotheses.claims import VERDICTS, Claim, Terms, verdicts
from insiders.evidence.hypotheses.groups import groups
from insiders.evidence.hypotheses.lookalikes import BALANCED_BELOW, balance, pairs

CORRECTION = "Holm"


def summary(found: Aftermath, claims: list[Claim], caliper: float, terms: Terms) -> dict[str, Any]:
    """`later`: who was compared with whom, and what the groups brought; `hypotheses`: the claims with their verdicts.

    `verdicts`: how many claims are true, false, not decidable.
    """
    matched = pairs(found, caliper)
    tested = verdicts(found, matched, claims, terms)
    return {
        "later": {
            **_people(found),
            "before_days": found.before_days,
            "after_days": found.after_days,
            "level": terms.level,
            "error_rate": 1 - terms.level,
            "resamples": terms.resamples,
            "correction": CORRECTION,
            "caliper": caliper,
            "pairs": len(matched.listed),
            "balanced_below": BALANCED_BELOW,
            "balance": balance(found, matched),
            "groups": groups(found, matched, terms.level, terms.resamples, terms.seed),
        },
        "hypotheses": tested,
        "verdicts": {verdict: sum(row["verdict"] == verdict for row in tested) for verdict in VERDICTS},
    }


def _people(found: Aftermath) -> dict[str, Any]:
    """Customers of the day of the list and since; `newcomer_share`: of the period's net revenue."""
    revenue = found.after["net_revenue"].to_numpy()
    total = math.fsum(revenue)
    return {
        "listed": int(found.chosen.sum()),
        "known": int(found.known.sum()),
        "newcomers": int((~found.known).sum()),
        "newcomer_share": math.fsum(revenue[~found.known]) / total if total > 0 else None,
    }

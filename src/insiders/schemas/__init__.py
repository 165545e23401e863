"""The contract of every table: its grain, its columns with unit and definition, and the identities that hold in it.

Tables of lines and orders are checked where they lie, by the engine; tables of customers in memory. Money is exact
(decimal, four places) up to the features, and a float in the shop's currency from there on.

A contract is imported when it is first asked for: `insiders check` reads a file in less time than their library takes.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insiders.schemas.customers import CUSTOMERS, HISTORY, HOLDOUT, JUDGED, SNAPSHOTS
    from insiders.schemas.features import FEATURES, FEATURES_VERSION
    from insiders.schemas.lines import LEDGER, LINES, ORDERS, TRANSACTIONS
    from insiders.schemas.programme import MEMBERS, MOVEMENT, TERMS
    from insiders.schemas.results import (
        ASSIGNMENTS,
        AUDIENCES,
        CONFIDENCE,
        EXPECTATIONS,
        EXPERIMENT,
        INSIDERS,
        LABELS,
        MEMBERSHIPS,
        PLACES,
        RECOMMENDATIONS,
        RFM,
        TOP,
    )

__all__ = [
    "ASSIGNMENTS",
    "AUDIENCES",
    "CONFIDENCE",
    "CUSTOMERS",
    "EXPECTATIONS",
    "EXPERIMENT",
    "FEATURES",
    "FEATURES_VERSION",
    "HISTORY",
    "HOLDOUT",
    "INSIDERS",
    "JUDGED",
    "LABELS",
    "LEDGER",
    "LINES",
    "MEMBERS",
    "MEMBERSHIPS",
    "MOVEMENT",
    "ORDERS",
    "PLACES",
    "RECOMMENDATIONS",
    "RFM",
    "SNAPSHOTS",
    "TERMS",
    "TOP",
    "TRANSACTIONS",
]

_HOMES = {
    "ASSIGNMENTS": "results",
    "AUDIENCES": "results",
    "CONFIDENCE": "results",
    "CUSTOMERS": "customers",
    "EXPECTATIONS": "results",
    "EXPERIMENT": "results",
    "FEATURES": "features",
    "FEATURES_VERSION": "features",
    "HISTORY": "customers",
    "HOLDOUT": "customers",
    "INSIDERS": "results",
    "JUDGED": "customers",
    "LABELS": "results",
    "LEDGER": "lines",
    "LINES": "lines",
    "MEMBERS": "programme",
    "MEMBERSHIPS": "results",
    "MOVEMENT": "programme",
    "ORDERS": "lines",
    "PLACES": "results",
    "RECOMMENDATIONS": "results",
    "RFM": "results",
    "SNAPSHOTS": "customers",
    "TERMS": "programme",
    "TOP": "results",
    "TRANSACTIONS": "lines",
}


def __getattr__(name: str) -> object:
    """Import a contract of __all__ (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

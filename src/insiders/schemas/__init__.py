"""The contract of every table: its grain, its columns with unit and definition, and the identities that hold in it.

Tables of lines and orders are checked where they lie, by the engine; tables of customers in memory. Money is exact
(decimal, four places) up to the features, and a float in the shop's currency from there on.
"""

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

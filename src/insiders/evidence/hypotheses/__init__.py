"""The guarantee: whether a list that was made before a period was better than the rest in it.

=============  ====================================================================================================
outcomes       what each customer did in a stretch of days, from the orders
aftermath      the customers of the list's day, the list, and what they did before and after
lookalikes     for each listed customer one who looked the same and was not listed
groups         net revenue before and after: the list, its look-alikes, the sort, the rest
claims         what is claimed of the list, tested on the period after it
resampling     intervals by drawing customers again, p-values by dealing the list out anew
summary        all of it, as plain values
=============  ====================================================================================================
"""

from insiders.evidence.hypotheses.aftermath import MEASURES, Aftermath, Stretch, aftermath
from insiders.evidence.hypotheses.claims import Claim, Terms, verdicts
from insiders.evidence.hypotheses.groups import groups
from insiders.evidence.hypotheses.lookalikes import Pairs, balance, pairs
from insiders.evidence.hypotheses.outcomes import outcomes
from insiders.evidence.hypotheses.summary import summary

__all__ = [
    "MEASURES",
    "Aftermath",
    "Claim",
    "Pairs",
    "Stretch",
    "Terms",
    "aftermath",
    "balance",
    "groups",
    "outcomes",
    "pairs",
    "summary",
    "verdicts",
]

"""The guarantee: whether a list that was made before a period was better than the rest in it.

=============  ====================================================================================================
outcomes       what each customer did in a period, from the orders
aftermath      the customers of the list's day, the list, and what they did before and after
lookalikes     for each listed customer one who looked the same and was not listed (matched controls)
groups         net revenue before and after: the list, its look-alikes, the sort, the rest
claims         what is claimed of the list, tested on the period after it
resampling     bootstrap intervals, permutation p-values
summary        all of it, as plain values
=============  ====================================================================================================
"""

from insiders.evidence.hypotheses.aftermath import MEASURES, Aftermath, Period, aftermath
from insiders.evidence.hypotheses.claims import Claim, Finding, findings
from insiders.evidence.hypotheses.groups import Group, groups
from insiders.evidence.hypotheses.lookalikes import Pairs, balance, match_pairs
from insiders.evidence.hypotheses.outcomes import OUTCOMES, outcomes
from insiders.evidence.hypotheses.resampling import Resampling
from insiders.evidence.hypotheses.summary import Later, Summary, summary

__all__ = [
    "MEASURES",
    "OUTCOMES",
    "Aftermath",
    "Claim",
    "Finding",
    "Group",
    "Later",
    "Pairs",
    "Period",
    "Resampling",
    "Summary",
    "aftermath",
    "balance",
    "findings",
    "groups",
    "match_pairs",
    "outcomes",
    "summary",
]

"""What to do for whom: rules, which are data, on each segment's medians; what it costs, and from when on it pays.

No effect is promised: what an action earns is known only by trying it on a part of the customers, chosen by lot.
"""

from insiders.actions.effects import Cost, Uplift
from insiders.actions.rules import Condition, Rule
from insiders.actions.summary import Known, Terms, audiences, summary

__all__ = ["Condition", "Cost", "Known", "Rule", "Terms", "Uplift", "audiences", "summary"]

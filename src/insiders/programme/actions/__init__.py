"""What to do for whom: rules, which are data, on each segment's medians; what it costs, and from when on it pays.

No effect is promised: what an action earns is known only by trying it on a part of the customers, chosen by lot.
"""

from insiders.programme.actions.effects import Cost, Uplift
from insiders.programme.actions.rules import Condition, Rule
from insiders.programme.actions.summary import Known, Terms, audiences, summary

__all__ = ["Condition", "Cost", "Known", "Rule", "Terms", "Uplift", "audiences", "summary"]

"""What to do for whom: actions for segments, what they cost and when they pay, and whom to contact first.

No effect is promised: what an action earns is known only from an experiment on customers drawn by lot.
"""

from insiders.programme.actions.effects import Cost, Uplift
from insiders.programme.actions.summary import WARNINGS, ActionsNumbers, ActionTerms, Inputs, audiences, numbers
from insiders.programme.actions.targeting import Action, Condition

__all__ = [
    "WARNINGS",
    "Action",
    "ActionTerms",
    "ActionsNumbers",
    "Condition",
    "Cost",
    "Inputs",
    "Uplift",
    "audiences",
    "numbers",
]

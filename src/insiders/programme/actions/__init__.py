"""What to do for whom: actions for segments, what they cost and when they pay, and whom to contact first.

No effect is promised: what an action earns is known only from an experiment on customers drawn by lot.
"""

from insiders.programme.actions.effects import Cost, Uplift
from insiders.programme.actions.summary import WARNINGS, ActionsNumbers, Inputs, Terms, audiences, numbers
from insiders.programme.actions.targeting import Action, Condition

__all__ = [
    "WARNINGS",
    "Action",
    "ActionsNumbers",
    "Condition",
    "Cost",
    "Inputs",
    "Terms",
    "Uplift",
    "audiences",
    "numbers",
]

"""The answers of the page, in its order: page, JSON, pictures and texts follow from this list.

An answer's key names its modules and templates: answers/KEY.py, templates/sentences/KEY.j2 (title, question and
sentence), templates/sections/KEY.html.j2 and, where it has pictures, report/figures/KEY.py.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from insiders.answers import (
    actions,
    enter,
    expected_revenue,
    guarantee,
    how_many,
    leave,
    revenue_share,
    traits,
    who,
)
from insiders.answers.inputs import Inputs
from insiders.io.tables import Contents
from insiders.report.figures.actions import pictures as draw_actions
from insiders.report.figures.enter import pictures as draw_enter
from insiders.report.figures.expected_revenue import pictures as draw_expected_revenue
from insiders.report.figures.guarantee import pictures as draw_guarantee
from insiders.report.figures.how_many import pictures as draw_how_many
from insiders.report.figures.leave import pictures as draw_leave
from insiders.report.figures.revenue_share import pictures as draw_revenue_share
from insiders.report.figures.scene import Scene
from insiders.report.figures.style import Picture
from insiders.report.figures.traits import pictures as draw_traits
from insiders.report.figures.who import pictures as draw_who


def no_pictures(_: Scene) -> dict[str, Picture]:
    return {}


def no_lists(_: Inputs) -> Contents:
    return {}


class Answer(NamedTuple):
    """`pictures` leaves out what has no numbers; `lists` are files of customers that belong to the answer."""

    key: str
    numbers: Callable[[Inputs], Mapping[str, object]]
    pictures: Callable[[Scene], dict[str, Picture]] = no_pictures
    lists: Callable[[Inputs], Contents] = no_lists


ANSWERS = (
    Answer("who", who.numbers, draw_who),
    Answer("how_many", how_many.numbers, draw_how_many),
    Answer("traits", traits.numbers, draw_traits, traits.lists),
    Answer("revenue_share", revenue_share.numbers, draw_revenue_share),
    Answer("expected_revenue", expected_revenue.numbers, draw_expected_revenue),
    Answer("enter", enter.numbers, draw_enter),
    Answer("leave", leave.numbers, draw_leave),
    Answer("guarantee", guarantee.numbers, draw_guarantee, guarantee.lists),
    Answer("actions", actions.numbers, draw_actions, actions.lists),
)

"""The pictures of the rule to enter and of the programme."""

import numpy as np
import pandas as pd
import pytest

import report_tables as shop
from insiders.language import Language
from insiders.programme import criteria
from insiders.programme import enter as entering
from insiders.programme import leave as leaving
from insiders.report import text
from insiders.report.figures import enter, leave, style
from insiders.report.figures.scene import Scene
from insiders.report.numbers import tidy

ENGLISH = Language("en", "GBP")


def scene(people: pd.DataFrame) -> Scene:
    timeline = shop.timeline_of(people)
    learned = criteria.learn(timeline, shop.DECIDED)
    told = leaving.numbers(learned, timeline, shop.told(timeline))
    answers = {"enter": entering.numbers(learned, timeline), "leave": told}
    return Scene(people, shop.trials(), tidy(answers), text.labels(ENGLISH), ENGLISH)


def test_both_pictures_are_drawn_and_equal_data_give_equal_bytes():
    people = shop.members(shop.customers())
    one, other = ({**enter.pictures(scene(people)), **leave.pictures(scene(people))} for _ in range(2))
    assert list(one) == ["enter_rule", "programme"]
    assert [style.svg(*each) for each in one.values()] == [style.svg(*each) for each in other.values()]


def test_without_a_rule_there_is_no_picture():
    assert enter.pictures(scene(shop.nobody())) == leave.pictures(scene(shop.nobody())) == {}


def condition(column: str, threshold: float, bound: str = "at_least") -> dict:
    return {"column": column, "bound": bound, "threshold": threshold}


@pytest.mark.parametrize(
    ("ways", "shown", "lines"),
    [
        ([[condition("order_count", 5)]], ["orders", "net revenue"], 1),
        ([[condition("net_revenue", 5)]], ["net revenue", "days since the last order"], 1),
        (
            [
                [condition("order_count", 9), condition("net_revenue", 100)],
                [condition("recency_days", 9, "at_most"), condition("order_count", 5)],
            ],
            ["orders", "net revenue"],
            3,
        ),
    ],
)
def test_the_figures_that_most_conditions_concern_are_shown(ways, shown, lines):
    people = shop.members(shop.customers())
    axes = enter.enter_rule(people, ways, text.labels(ENGLISH)).axes[0]
    assert [axes.get_xlabel(), axes.get_ylabel()] == shown
    assert len([line for line in axes.lines if line.get_linestyle() == "--"]) == lines


def test_every_customer_is_one_dot_of_one_kind():
    people = shop.members(shop.customers()).assign(net_revenue=lambda each: each["net_revenue"] - 200)
    assert (people["net_revenue"] < 0).any()
    ways = [[condition("net_revenue", 3000)]]
    axes = enter.enter_rule(people, ways, text.labels(ENGLISH)).axes[0]
    dots = {each.get_label(): np.asarray(each.get_offsets()) for each in axes.collections}
    met, inside = people["net_revenue"] >= 3000, people["is_insider"]
    assert {name: len(each) for name, each in dots.items()} == {
        "other customers": (~met & ~inside).sum(),
        "Insiders who meet it": (met & inside).sum(),
        "others who meet it": (met & ~inside).sum(),
        "Insiders who miss it": (~met & inside).sum(),
    }
    assert np.concatenate(list(dots.values())).min() > 0  # the axis is logarithmic


def test_bars_add_up_to_the_members_and_who_left_stands_below():
    checks = pd.DataFrame(
        {
            "as_of": ["2011-11-01", "2011-12-01", "2011-12-10"],
            "joined": [9, 3, 0],
            "returned": [0, 0, 1],
            "stayed": [0, 8, 9],
            "in_grace": [0, 1, 0],
            "left": [0, 0, 2],
        }
    )
    axes = leave.programme(checks).axes[0]
    tops = [0.0] * 3
    for bar in axes.patches:
        place = round(bar.get_x() + bar.get_width() / 2)
        tops[place] = max(tops[place], bar.get_y() + bar.get_height())
    assert tops == [9, 12, 10]
    assert min(bar.get_height() for bar in axes.patches) == -2
    assert [label.get_text().strip() for label in axes.get_xticklabels()][-1] == "now"

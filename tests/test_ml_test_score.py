"""docs/ml-test-score.md against the tests: each one that it names is there, and its points add up."""

import re

from small_shop import TOP

PAGE = (TOP / "docs/ml-test-score.md").read_text(encoding="utf-8")
GROUPS = re.findall(r"^## (\w+): ([\d.]+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
ITEM = re.compile(r"^\| (.+?) \| (0|0\.5|1) \| (.+?) \|$", re.MULTILINE)


def test_four_groups_of_seven_items_add_up_and_the_lowest_is_the_score() -> None:
    totals = []
    for _, stated, table in GROUPS:
        points = [float(each) for _, each, _ in ITEM.findall(table)]
        assert (len(points), sum(points)) == (7, float(stated))
        totals.append(sum(points))
    assert len(totals) == 4
    assert f"lowest group: {min(totals)}**" in PAGE


def test_every_test_that_is_named_is_there_and_a_full_point_has_one() -> None:
    for item, points, proof in ITEM.findall(PAGE):
        named = re.findall(r"`(test_\w+)\.(test_\w+)`", proof)
        assert bool(named) == (points == "1"), item
        for module, name in named:
            assert f"def {name}(" in (TOP / f"tests/{module}.py").read_text(encoding="utf-8"), name

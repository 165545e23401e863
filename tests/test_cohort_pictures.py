"""Pictures of cohorts, flow and revenue tree: what they draw is what the numbers say, also at their edges."""

from typing import Any

import numpy as np
import pytest

import report_tables as shop
from insiders.language import Language
from insiders.report.figures import cohorts as figures
from insiders.report.figures import movement, style
from insiders.report.figures.scene import Scene

PAST = shop.past()


def test_a_cell_is_the_share_of_its_cohort_and_partial_months_stay_white() -> None:
    rows = PAST["cohorts"]["cohorts"]
    axes = figures.cohorts(rows).axes[0]
    [mesh] = axes.collections
    drawn = mesh.get_array().reshape(13, 12)
    assert drawn[0, :11].tolist() == pytest.approx([0.1] * 11)
    assert drawn.mask[0, 11]  # December 2011, of which eight days are known
    assert [letters.get_text() for letters in axes.texts][:12] == ["10"] * 12
    assert axes.get_yticklabels()[0].get_text() == "Dec 2010 (100)"


def test_only_the_latest_cohorts_are_drawn() -> None:
    rows = PAST["cohorts"]["cohorts"] * 3
    assert len(figures.cohorts(rows[-figures.SHOWN :]).axes[0].get_yticks()) == 13


def test_bars_of_the_flow_stack_upwards_and_the_lapsed_hang() -> None:
    rows = PAST["flow"]
    axes = figures.flow(rows).axes[0]
    tops = [bar.get_y() + bar.get_height() for bar in axes.containers[2]]
    assert tops[5] == sum(rows[5][status]["customers"] for status in ("retained", "returning", "new"))
    assert axes.containers[3][5].get_height() == -rows[5]["lapsed"]["customers"]
    assert axes.containers[3][0].get_height() == 0  # not yet known
    assert axes.containers[0][-1].get_hatch() == "////"


@pytest.mark.parametrize("amounts", [(2000.0, 1500.0, -500.0), (-4000.0, -300.0, -200.0)])
def test_the_steps_of_the_tree_lead_from_before_to_after(amounts: tuple[float, ...]) -> None:
    start = PAST["revenue_tree"]["earlier"]["net_revenue"]
    end = start + sum(amounts)
    parts = [{**part, "amount": amount} for part, amount in zip(PAST["revenue_tree"]["parts"], amounts, strict=True)]
    found: dict[str, Any] = {**PAST["revenue_tree"], "parts": parts, "later": {"net_revenue": end}}
    bars = figures.tree(found).axes[0].patches
    assert (bars[0].get_height(), bars[1].get_height()) == (start, end)
    steps = [(bar.get_y(), bar.get_y() + bar.get_height()) for bar in bars[2:]]
    assert np.allclose([one[1] for one in steps[:-1]], [other[0] for other in steps[1:]])
    assert steps[-1][1] == pytest.approx(end)


def test_a_first_month_has_a_flow_and_neither_cohorts_nor_a_tree() -> None:
    first = PAST["cohorts"]["cohorts"][0]
    young = {
        "flow": PAST["flow"][:1],
        "cohorts": {"cohorts": [{**first, "months": first["months"][:1]}]},
        "revenue_tree": None,
        "movement": None,
    }
    people = shop.members(shop.customers())
    scene = Scene(people, shop.trials(), {"expected_revenue": young}, {}, Language("pt-BR", "BRL"))
    assert list(figures.pictures(scene)) == ["flow"]


def test_pictures_speak_and_are_the_same_twice() -> None:
    people = shop.members(shop.customers())
    scene = Scene(people, shop.trials(), {"expected_revenue": PAST}, {}, Language("en", "GBP"))
    one, other = ([style.svg(*each) for each in figures.pictures(scene).values()] for _ in range(2))
    assert one == other
    assert all('role="img"><title>' in drawing for drawing in one)
    assert len(one) == 4


def test_a_band_is_as_wide_as_the_customers_who_moved() -> None:
    moved = PAST["movement"]
    [axes] = movement.alluvial(moved).axes
    widths = sorted(band.get_path().vertices[0, 1] - band.get_path().vertices[-1, 1] for band in axes.patches)
    counts = [each["customers"] for row in moved["rows"] for each in row["to"] if each["customers"]]
    assert widths == pytest.approx(sorted(count / sum(counts) for count in counts))
    names = {text.get_text() for text in axes.texts}
    assert {"Segment 1", "Segment 2"} <= names

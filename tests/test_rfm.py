"""Groups that marketing knows, beside the segments; worked out by hand."""

import pandas as pd
import pytest

from insiders.evidence import groupings
from insiders.explore import rfm

PEOPLE = pd.DataFrame(
    {
        "customer_id": list("abcde"),
        "segment": ["Best", "Best", "Rest", "Rest", "Rest"],
        "is_insider": [True, True, False, False, False],
        "recency_days": [1.0, 10.0, 50.0, 100.0, 300.0],
        "order_count": [20.0, 10.0, 1.0, 4.0, 2.0],
        "net_revenue": [4000.0, 2000.0, 50.0, 400.0, 100.0],
        "probability_active": [1.0, 0.9, 0.5, 0.25, 0.0],
    }
)


def test_scores_are_fifths_and_name_a_group() -> None:
    scored = rfm.scores(PEOPLE)
    assert scored[list(rfm.SCORED)].to_numpy().tolist() == [[5, 5, 5], [4, 4, 4], [3, 1, 1], [2, 3, 3], [1, 2, 2]]
    assert scored["group"].tolist() == ["champions", "loyal", "about to sleep", "at risk", "lost"]


def test_every_group_has_its_place() -> None:
    assert set(rfm.GROUPS) == {name for row in groupings.RFM_NAMES for name in row}


def test_groups_and_segments_count_the_same_customers() -> None:
    told = rfm.numbers(PEOPLE, ["Best", "Rest"], quiet_months=3)
    counts = {row["group"]: row["customers"] for row in told["groups"]}
    crossed = {name: sum(row["groups"][name] for row in told["segments"]) for name in rfm.GROUPS}
    assert crossed == counts
    assert sum(counts.values()) == len(PEOPLE)
    assert sum(row["net_revenue_share"] or 0 for row in told["groups"]) == pytest.approx(1)


def test_revenue_per_customer_is_orders_times_ticket() -> None:
    """All: 37 orders of 5 customers bring 6550; the best: 30 of 2 bring 6000."""
    best, rest = rfm.numbers(PEOPLE, ["Best", "Rest"], quiet_months=3)["segments"]
    assert (best["orders_per_customer"], best["value_per_order"]) == (15, 200)
    assert best["orders_multiple"] == pytest.approx(15 / (37 / 5))
    assert best["value_multiple"] == pytest.approx(200 / (6550 / 37))
    assert best["revenue_multiple"] == pytest.approx(3000 / (6550 / 5))
    assert (best["lapsed_share"], rest["lapsed_share"]) == (0, pytest.approx(2 / 3))
    assert rest["leaving_share"] == pytest.approx(1 - 0.75 / 3)

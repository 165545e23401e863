"""Insights of small shops worked out by hand: what is kept, what is not, and how insights are ranked."""

from math import asin, inf, isclose, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from insiders.explore import insights
from insiders.explore.insights import Evidence

NOTHING: dict[str, Any] = {"back_months": 3, "cohorts": []}


def people(count: int = 400, insiders: int = 40, seed: int = 3) -> pd.DataFrame:
    """A tenth of the customers brings about half of the revenue."""
    rng = np.random.default_rng(seed)
    inside = np.arange(count) < insiders
    gross = np.where(inside, rng.uniform(800, 1200, count), rng.uniform(50, 150, count)).round(2)
    returned = np.where(rng.random(count) < 0.2, (gross / 10).round(2), 0.0)
    return pd.DataFrame(
        {
            "is_insider": inside,
            "gross_revenue": gross,
            "returned_revenue": returned,
            "net_revenue": gross - returned,
            "order_count": np.where(inside, 9.0, rng.integers(2, 4, count)),
            "order_count_90d": 1.0,
            "country": "UK",
        }
    )


def evidence(members: pd.DataFrame | None = None, **changes: Any) -> Evidence:
    customers = people() if members is None else members
    return Evidence(customers, NOTHING, [], None, None)._replace(**changes)


def keys(evidence: Evidence) -> list[str]:
    return [each["key"] for each in insights.strongest(evidence)]


def month(new: int, returning: int | None, lapsed: int | None) -> dict[str, Any]:
    counts = {"new": new, "returning": returning, "lapsed": lapsed}
    return {**{name: {"customers": n} for name, n in counts.items()}, "base": None if lapsed is None else 1}


def cohort(name: str, back: int | None, *, is_censored: bool = False) -> dict[str, Any]:
    return {"cohort": name, "customers": 400, "back": back, "is_censored": is_censored, "is_partial": False}


def test_concentration_compares_revenue_with_heads() -> None:
    [insight] = insights.strongest(evidence())
    members = people()
    share = members.loc[members["is_insider"], "net_revenue"].sum() / members["net_revenue"].sum()
    assert insight["key"] == "concentration"
    assert insight["values"]["count"] == 40
    assert isclose(insight["values"]["share"], share)
    assert insight["values"]["base"] == 0.1
    assert isclose(insight["effect"], 2 * asin(sqrt(share)) - 2 * asin(sqrt(0.1)))
    assert isclose(insight["score"], abs(insight["effect"]) * insight["certainty"])


def test_the_error_of_a_group_s_share_is_that_of_many_samples() -> None:
    shop = people(seed=5)
    [insight] = insights.concentration(evidence(shop))
    rng = np.random.default_rng(0)
    drawn = [shop.iloc[rng.integers(0, len(shop), len(shop))] for _ in range(400)]
    gaps = [
        each.loc[each["is_insider"], "net_revenue"].sum() / each["net_revenue"].sum() - each["is_insider"].mean()
        for each in drawn
    ]
    assert (insight.share - insight.base) / insight.z == pytest.approx(np.std(gaps), rel=0.15)  # but for one customer


def test_a_period_that_went_well_is_told_only_where_a_list_is_defended() -> None:
    validation = {
        "value_capture": 0.6,
        "value_over_random": 6.0,
        "value_over_random_low": 5.0,
        "n": 40,
        "horizon_days": 90,
    }
    [first, *_] = insights.strongest(evidence(validation=validation))
    assert first["key"] == "afterwards"
    assert isclose(first["values"]["base"], 0.1)
    assert first["values"]["n"] == 40
    assert "afterwards" not in keys(evidence(validation=None))
    unknown = dict.fromkeys(validation, None)
    assert "afterwards" not in keys(evidence(validation=unknown))


def test_chance_is_not_told() -> None:
    validation = {
        "value_capture": 0.3,
        "value_over_random": 3.0,
        "value_over_random_low": 0.6,
        "n": 40,
        "horizon_days": 90,
    }
    assert "afterwards" not in keys(evidence(validation=validation))


def test_of_comers_and_growth_the_stronger_is_told() -> None:
    tree = {
        "earlier": {"net_revenue": 1000.0},
        "later": {"net_revenue": 1300.0, "from": "2024-03-01", "to": "2024-05-31"},
        "change": 300.0,
        "change_error": 60.0,
        "is_year_apart": False,
        "parts": [
            {"factor": "customers", "amount": 400.0},
            {"factor": "orders_per_customer", "amount": -150.0},
            {"factor": "value_per_order", "amount": 50.0},
        ],
    }
    rows = [month(9, None, 3), month(100, 20, 50), month(100, 20, 50), month(100, 20, 50), month(5, 1, None)]
    both = evidence(tree=tree, flow=rows)
    [comers] = insights.flow(both)
    [growth] = insights.growth(both)
    assert (comers.details, comers.share) == ({"months": 3, "came": 360, "went": 150}, 360 / 510)
    assert growth.details["factor"] == "customers"
    assert (growth.details["change_share"], growth.share) == (0.3, 1300 / 2300)
    assert [key for key in keys(both) if key in ("flow", "growth")] == ["flow"]
    falling = tree | {"change": -300.0, "earlier": {"net_revenue": 1600.0}}
    [fall] = insights.growth(evidence(tree=falling))
    assert fall.details["factor"] == "orders_per_customer"
    assert fall.effect < 0
    assert (fall.details["change_share"], fall.details["change_size"]) == (-0.1875, 0.1875)


def test_newer_cohorts_are_compared_with_older_ones_that_can_tell() -> None:
    cohorts = [
        cohort("2024-01", 390, is_censored=True),
        cohort("2024-02", 200),
        cohort("2024-03", 200),
        cohort("2024-04", 120),
        cohort("2024-05", 120),
        cohort("2024-06", None),
    ]
    [insight] = insights.retention(evidence(cohorts={"back_months": 3, "cohorts": cohorts}))
    assert (insight.share, insight.base) == (0.3, 0.5)
    assert (insight.details["from"], insight.details["to"]) == ("2024-04", "2024-05")
    pooled = sqrt(0.4 * 0.6 * 2 / 800)
    assert isclose(insight.z, -0.2 / pooled, rel_tol=1e-7)  # eight digits are kept
    assert not list(insights.retention(evidence(cohorts={"back_months": 3, "cohorts": cohorts[:2]})))


def test_a_country_is_told_where_its_customers_bring_more_than_their_part() -> None:
    members = people()
    members["country"] = np.where(np.arange(400) % 4 == 0, "Eire", "UK")
    members.loc[members["country"] == "Eire", ["gross_revenue", "net_revenue"]] *= 3
    [insight] = insights.country(evidence(members))
    assert (insight.details["country"], insight.base) == ("Eire", 0.25)
    assert insight.share > 0.4
    assert not list(insights.country(evidence(people())))


def test_a_country_among_many_must_stand_out_more() -> None:
    z = insights._bonferroni(3.0, 10)
    assert 2 * NormalDist().cdf(-z) == pytest.approx(10 * 2 * NormalDist().cdf(-3.0))
    assert insights._bonferroni(0.1, 50) == pytest.approx(0.0)
    assert insights._bonferroni(40.0, 5) == inf


def test_insiders_who_are_more_active_and_return_less() -> None:
    members = people()
    members["order_count_90d"] = np.where(members["is_insider"] | (np.arange(400) % 2 == 0), 1.0, 0.0)
    members["returned_revenue"] = np.where(members["is_insider"], 0.0, members["gross_revenue"] * 0.2)
    both = evidence(members)
    [active] = insights.still_active(both)
    [returns] = insights.returns(both)
    assert (active.share, active.base) == (1.0, 0.5)
    assert returns.share == 0.0
    assert returns.base == pytest.approx(0.2)


def test_one_customer_makes_no_insight() -> None:
    """A mistyped order of one customer, cancelled at once, says nothing of what the others return."""
    members = people().assign(returned_revenue=0.0)
    [nothing] = insights.returns(evidence(members))
    assert nothing.z == 0.0
    members.loc[399, ["gross_revenue", "returned_revenue"]] = 160_000.0
    [insight] = insights.returns(evidence(members))
    assert insight.base > 0.7
    assert insight.certainty == 0.0
    rich = people(insiders=1).assign(net_revenue=1.0)
    rich.loc[0, "net_revenue"] = 1e6
    [one] = insights.concentration(evidence(rich))
    assert (one.share > 0.99, one.certainty) == (True, 0.0)


def test_at_most_three_are_told_the_strongest_first() -> None:
    members = people()
    members["order_count"] = np.where(members["is_insider"], 9.0, 1.0)
    members["order_count_90d"] = members["is_insider"].astype(float)
    members["returned_revenue"] = np.where(members["is_insider"], 0.0, members["gross_revenue"] * 0.2)
    flow = [month(100, 20, 50)] * 3
    assert {each.key for candidate in insights.CANDIDATES for each in candidate(evidence(members, flow=flow))} == {
        "concentration",
        "single_order",
        "still_active",
        "returns",
        "flow",
    }
    strongest = insights.strongest(evidence(members, flow=flow))
    scores = [each["score"] for each in strongest]
    assert [each["key"] for each in strongest] == ["still_active", "single_order", "returns"]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_a_shop_with_hardly_any_customers_has_no_insights(count: int) -> None:
    assert keys(evidence(people(count, 0))) == []


def test_negative_revenue_is_no_share() -> None:
    members = people().assign(net_revenue=-1.0)
    assert not list(insights.concentration(evidence(members)))
    assert insights.cohen_h(1.2, -0.1) == pytest.approx(np.pi)


def test_nobody_named_leaves_what_concerns_everybody() -> None:
    members = people().assign(is_insider=False)
    members.loc[:199, "order_count"] = 1.0
    members.loc[:199, ["gross_revenue", "net_revenue"]] = 1.0
    assert keys(evidence(members)) == ["single_order"]


def test_where_nothing_differs_nothing_is_told() -> None:
    """Lists by lot: of 200 shops hardly any tells of a difference, whatever is looked at."""
    sure = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        members = people(300, 60, seed)
        members["is_insider"] = rng.permutation(members["is_insider"].to_numpy())
        members["order_count_90d"] = rng.integers(0, 2, 300).astype(float)
        sure += any(each.certainty >= 0.95 for each in insights.concentration(evidence(members)))
    assert sure / 200 < 0.1


def test_the_order_of_the_customers_changes_nothing() -> None:
    members = people()
    assert insights.strongest(evidence(members.sample(frac=1, random_state=1))) == insights.strongest(evidence(members))

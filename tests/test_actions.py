"""Actions: which fits whom, when it pays, who is about to leave, who is one step from entering; worked out by hand."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from insiders.errors import InputError
from insiders.programme import actions
from insiders.programme.actions import effects, entering, leaving, targeting
from insiders.programme.rules import Condition, Rule

AS_OF = pd.Timestamp("2011-12-10")
FREE = actions.Cost(per_customer=0.0, per_order=0.0, share_of_revenue=0.0)
ASSUMED = actions.Uplift(0.0, 0.1)
OUTLOOK = effects.Outlook(customers=10, orders=20.0, revenue=1000.0, low=800.0, high=1200.0)


def action(kind: str, for_insiders: bool | None, *conditions: actions.Condition) -> actions.Action:
    return actions.Action(kind, for_insiders, conditions, FREE, ASSUMED)


def at_least(column: str, times: float, floor: float = 0.0) -> actions.Condition:
    return actions.Condition(column, at_least=True, times=times, floor=floor)


def people(**columns: list) -> pd.DataFrame:
    """Two Insiders and four others; the medians of all are 40 days and 400."""
    plain = {
        "customer_id": ["a", "b", "c", "d", "e", "f"],
        "segment": ["Best", "Best", "Rest", "Rest", "Rest", "Rest"],
        "is_insider": [True, True, False, False, False, False],
        "recency_days": [10.0, 12.0, 30.0, 50.0, 90.0, 100.0],
        "tenure_days": [300.0] * 6,
        "gap_mean_days": [10.0] * 6,
        "gap_std_days": [5.0] * 6,
        "net_revenue": [2000.0, 900.0, 500.0, 300.0, 200.0, 100.0],
        "as_of": [AS_OF] * 6,
        "status": ["member", "member", "", "", "", ""],
        "until": pd.Series([pd.NaT] * 6, dtype="datetime64[us]"),
        "arm": ["invited", "invited", "", "", "", ""],
        "hand": [""] * 6,
    }
    return pd.DataFrame({**plain, **columns})


def expected(members: pd.DataFrame) -> pd.DataFrame:
    revenue = members["net_revenue"] / 2
    bounds = {"expected_low": revenue / 2, "expected_high": revenue * 2}
    return members[["customer_id"]].assign(expected_orders=2.0, expected_revenue=revenue, **bounds)


def inputs(members: pd.DataFrame, past: pd.DataFrame | None = None, enter: Rule = ()) -> actions.Inputs:
    return actions.Inputs(members, members.head(0) if past is None else past, expected(members), enter)


def terms(*chosen: actions.Action) -> actions.ActionTerms:
    return actions.ActionTerms(
        chosen, margin_share=0.4, late_probability_max=0.1, shortfall_max=0.5, horizon_days=90, audience_min=2
    )


# --- which action fits whom ---


def test_a_rule_fits_by_the_segment_s_median_and_means_those_who_meet_it_themselves() -> None:
    matches = list(targeting.matches(people(), [action("win_back", None, at_least("recency_days", 1.5))]))

    assert [(each.segment, each.audience["customer_id"].tolist()) for each in matches] == [("Rest", ["e", "f"])]
    assert matches[0].conditions == [
        {"column": "recency_days", "bound": "at_least", "limit": 60.0, "segment_value": 70.0, "overall_value": 40.0}
    ]


def test_all_conditions_must_hold_and_a_floor_keeps_small_medians_quiet() -> None:
    away = at_least("recency_days", 1.5)

    assert list(targeting.matches(people(), [action("x", None, away, at_least("net_revenue", 1.0))])) == []
    assert list(targeting.matches(people(), [action("x", None, away._replace(floor=71.0))])) == []
    few = actions.Condition("net_revenue", at_least=False, times=1.0, floor=0.0)
    assert [each.segment for each in targeting.matches(people(), [action("x", None, away, few)])] == ["Rest"]


@pytest.mark.parametrize(("side", "segments"), [(True, ["Best"]), (False, ["Rest"]), (None, ["Best", "Rest"])])
def test_a_rule_is_for_insiders_for_others_or_for_any(side: bool | None, segments: list[str]) -> None:
    assert [each.segment for each in targeting.matches(people(), [action("perks", side)])] == segments


@pytest.mark.parametrize("column", ["colour", "segment"])
def test_a_column_that_is_no_figure_of_customers_is_named(column: str) -> None:
    with pytest.raises(InputError, match=f"report.actions names the column '{column}': expected a number of customers"):
        list(targeting.matches(people(), [action("perks", None, at_least(column, 1.0))]))


def test_where_a_figure_is_not_known_of_anybody_its_rule_fits_nobody() -> None:
    unknown = people(gap_std_days=[np.nan] * 6)

    assert list(targeting.matches(unknown, [action("perks", None, at_least("gap_std_days", 0.0))])) == []


def test_segments_stand_by_worth_and_hold_where_nothing_fits() -> None:
    segments = actions.numbers(inputs(people()), terms(action("perks", True)))["segments"]

    assert [(row["segment"], row["customers"], row["is_insider"]) for row in segments] == [
        ("Best", 2, True),
        ("Rest", 4, False),
    ]
    assert [[each["key"] for each in row["do"]] for row in segments] == [["perks"], ["hold"]]
    assert segments[0]["do"][0]["audience"] == 2
    assert segments[0]["do"][0]["column"] == "customers"


def test_every_audience_is_named_with_what_says_why() -> None:
    nobody_else = terms(action("perks", True), action("win_back", False, at_least("recency_days", 1.5)))
    audiences = actions.audiences(inputs(people()), nobody_else)

    assert audiences[["customer_id", "segment", "action"]].to_numpy().tolist() == [
        ["a", "Best", "perks"],
        ["b", "Best", "perks"],
        ["e", "Rest", "win_back"],
        ["f", "Rest", "win_back"],
    ]
    assert audiences["column"].tolist() == [None, None, "recency_days", "recency_days"]
    assert audiences["value"].tolist()[2:] == [90.0, 100.0]


def test_the_audience_is_as_large_as_the_page_says() -> None:
    customers, asked = (
        inputs(people()),
        terms(action("perks", True), action("win_back", None, at_least("recency_days", 1.5))),
    )
    counts = actions.audiences(customers, asked).groupby(["segment", "action"]).size().to_dict()

    for row in actions.numbers(customers, asked)["segments"]:
        assert {(row["segment"], each["key"]): each["audience"] for each in row["do"]}.items() <= counts.items()


def test_actions_are_ranked_by_gain_over_all_segments_and_few_customers_are_no_audience() -> None:
    """`mail` means the six: 2000 expected, of which 5 % are added at a margin of 0.4, less 6 x 1."""
    mail = action("cross_sell", None)._replace(cost=actions.Cost(1.0, 0.0, 0.0))
    perks = action("perks", True)._replace(cost=actions.Cost(50.0, 0.0, 0.0))
    visit = action("company_visit", True, at_least("net_revenue", 1.0, floor=1000.0))
    ranked = actions.numbers(inputs(people()), terms(visit, perks, mail))["ranked"]

    assert [(row["key"], row["audience"], row["segments"]) for row in ranked] == [("cross_sell", 6, 2), ("perks", 2, 1)]
    assert [row["gain"] for row in ranked] == pytest.approx([0.4 * 2000 * 0.05 - 6, 0.4 * 1450 * 0.05 - 100])
    assert [row["cost"] for row in ranked] == [6.0, 100.0]


# --- the money ---


def test_an_audience_is_the_sum_of_its_customers_and_their_chances() -> None:
    frame = pd.DataFrame(
        {
            "expected_orders": [1.0, 2.0],
            "expected_revenue": [100.0, 200.0],
            "expected_low": [70.0, 190.0],
            "expected_high": [110.0, 240.0],
        }
    )

    assert effects.Outlook.of(frame) == effects.Outlook(2, 3.0, 300.0, 250.0, 350.0)  # 30 and 40 make 50


def test_break_even_counts_what_would_have_been_bought_anyway() -> None:
    visit, voucher = FREE._replace(per_customer=15.0), FREE._replace(share_of_revenue=0.1)
    shipping = FREE._replace(per_order=5.0)

    assert effects.break_even(visit, OUTLOOK, 0.4) == pytest.approx(150 / 400)
    assert effects.break_even(voucher, OUTLOOK, 0.4) == pytest.approx(100 / 300)  # margin of a further sale: 0.4 - 0.1
    assert effects.break_even(shipping, OUTLOOK, 0.4) == pytest.approx(100 / (400 - 100))
    assert effects.break_even(FREE._replace(share_of_revenue=0.4), OUTLOOK, 0.4) is None
    assert effects.break_even(visit, OUTLOOK._replace(revenue=0.0, orders=0.0), 0.4) is None


@settings(deadline=None)
@given(
    st.builds(actions.Cost, st.floats(0, 100), st.floats(0, 5), st.floats(0, 0.2)),
    st.builds(effects.Outlook, st.integers(1, 500), st.floats(1, 1e3), st.floats(2e4, 1e6), st.just(0.0), st.just(0.0)),
)
def test_at_its_break_even_an_action_earns_nothing(cost: actions.Cost, outlook: effects.Outlook) -> None:
    needed = effects.break_even(cost, outlook, 0.5)

    assert needed is not None
    assert effects.profit(cost, outlook, 0.5, needed) == pytest.approx(0, abs=1e-6 * (1 + effects.cost(cost, outlook)))


def test_the_effect_spans_the_assumed_uplift_and_what_is_expected() -> None:
    figures = effects.effect(FREE._replace(per_customer=2.0), OUTLOOK, 0.4, actions.Uplift(0.02, 0.1))

    assert (figures["cost"], figures["break_even_uplift"], figures["verdict"]) == (20.0, 0.05, "depends")
    assert_allclose([figures["added_low"], figures["added_high"]], [0.02 * 800, 0.1 * 1200])
    assert_allclose([figures["profit_low"], figures["profit_high"]], [0.4 * 0.02 * 800 - 20, 0.4 * 0.1 * 1200 - 20])


@pytest.mark.parametrize(("per_customer", "verdict"), [(0.5, "yes"), (2.0, "depends"), (9.0, "no")])
def test_the_verdict_sets_the_break_even_against_what_is_assumed(per_customer: float, verdict: str) -> None:
    cost = FREE._replace(per_customer=per_customer)

    assert effects.effect(cost, OUTLOOK, 0.4, actions.Uplift(0.02, 0.1))["verdict"] == verdict


def test_a_discount_costs_more_the_more_is_bought() -> None:
    figures = effects.effect(FREE._replace(share_of_revenue=0.3), OUTLOOK, 0.4, actions.Uplift(0.0, 0.1))

    assert figures["profit_low"] == pytest.approx(-0.3 * 1200)  # no uplift, and the most is bought
    assert figures["profit_high"] == pytest.approx(0.4 * 0.1 * 800 - 0.3 * 1.1 * 800)
    assert figures["verdict"] == "no"


# --- about to leave ---


def waiting(recency: float, gaps: int, mean: float) -> float:
    one = pd.DataFrame({"recency_days": [recency], "tenure_days": [recency + gaps * mean], "gap_mean_days": [mean]})
    return float(leaving.waiting_probability(one, 1.0)[0])


def test_a_wait_is_judged_by_the_customer_s_own_rhythm_and_by_how_well_it_is_known() -> None:
    assert waiting(30, 1, 30) == pytest.approx(1 / 2)  # two gaps alike: the second is as often the longer
    assert waiting(90, 3, 30) == pytest.approx((1 + 90 / 90) ** -3)  # Lomax, the exponential with its mean unknown
    assert waiting(90, 1000, 30) == pytest.approx(np.exp(-3), rel=0.01)
    assert all(one > other for one, other in pairwise(waiting(away, 4, 30) for away in (1, 30, 60, 120)))


def test_without_a_gap_there_is_no_rhythm() -> None:
    single = people(gap_mean_days=[np.nan] * 6, gap_std_days=[np.nan] * 6)

    assert np.isnan(leaving.waiting_probability(single, 1.0)).all()
    assert leaving.regularity(single) == 1.0
    assert leaving.about_to_leave(single, 0.99).empty
    assert actions.numbers(inputs(single), terms())["about_to_leave"]["without_rhythm"] == 2


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0])
def test_regularity_is_found_again_though_each_customer_has_few_gaps(shape: float) -> None:
    drawn = np.random.default_rng(5).gamma(shape, 30 / shape, size=(20_000, 3))
    customers = pd.DataFrame(
        {
            "recency_days": 1.0,
            "tenure_days": 1.0 + drawn.sum(axis=1),
            "gap_mean_days": drawn.mean(axis=1),
            "gap_std_days": drawn.std(axis=1, ddof=1),
        }
    )

    assert leaving.regularity(customers) == pytest.approx(shape, rel=0.05)


@pytest.mark.parametrize("shape", [1.0, 3.0])
def test_as_many_are_late_by_chance_as_is_stated(shape: float) -> None:
    """Calibrated also for those of whom two gaps are known: the third is 'too long' in a tenth of the cases."""
    drawn = np.random.default_rng(6).gamma(shape, 30 / shape, size=(20_000, 3))
    customers = pd.DataFrame(
        {"recency_days": drawn[:, 2], "tenure_days": drawn.sum(axis=1), "gap_mean_days": drawn[:, :2].mean(axis=1)}
    )

    assert (leaving.waiting_probability(customers, shape) <= 0.1).mean() == pytest.approx(0.1, abs=0.01)


def test_a_clockwork_that_stops_is_noticed_at_once_and_no_longer_than_the_bounds_allow() -> None:
    recency = [10.0, 20.0, 30.0, 50.0, 90.0, 100.0]
    clock = people(gap_std_days=[0.0] * 6, recency_days=recency, tenure_days=[300 + each for each in recency])

    assert leaving.regularity(clock) == leaving.SHAPES[1]
    assert leaving.about_to_leave(clock, 0.01)["customer_id"].tolist() == ["b"]  # 20 days at a gap of 10; a is on time


def test_only_members_are_about_to_leave_the_least_probable_first() -> None:
    late = leaving.about_to_leave(people(recency_days=[60.0, 40.0, 90.0, 90.0, 90.0, 90.0]), 0.2)

    assert late["customer_id"].tolist() == ["a", "b"]
    assert late["probability"].is_monotonic_increasing


def test_who_was_late_is_followed_for_a_horizon() -> None:
    waits = [[60.0, 5.0], [90.0, 29.0], [2.0, 10.0], [92.0, 9.0]]  # of the two Insiders, at four dates
    dates = [AS_OF - pd.Timedelta(days=days) for days in (92, 62, 31, 0)]
    checks = [people(recency_days=[*waits[k], 1.0, 1.0, 1.0, 1.0]).assign(as_of=at) for k, at in enumerate(dates)]
    backtest = leaving.backtest(pd.concat(checks), horizon_days=60, probability_max=0.1)

    # First date to third: one late, both order. Second to last: both late, the second orders. The others: too recent.
    assert backtest == {
        "dates": 2,
        "horizon_days": 60,
        "late": {"members": 3, "ordered_share": pytest.approx(2 / 3)},
        "on_time": {"members": 1, "ordered_share": 1.0},
    }


def test_without_a_date_a_horizon_back_nothing_is_tested() -> None:
    past = people().assign(as_of=AS_OF - pd.Timedelta(days=89))
    tested = actions.numbers(inputs(people(), past), terms())["about_to_leave"]["tested"]

    assert tested["dates"] == 0
    assert tested["late"] == {"members": 0, "ordered_share": None}


# --- one step from entering ---

RICH, RECENT = Condition("net_revenue", 600.0), Condition("recency_days", 40.0)


def test_one_step_is_the_single_condition_that_is_missing_and_near() -> None:
    misses = entering.near_misses(people(), ((RICH, RECENT),), shortfall_max=0.5)

    assert misses[["customer_id", "column", "value", "missing"]].to_numpy().tolist() == [
        ["c", "net_revenue", 500.0, 100.0]
    ]
    assert misses["shortfall"].tolist() == [pytest.approx(1 / 6)]


def test_of_several_ways_the_nearest_counts_and_who_meets_one_lacks_nothing() -> None:
    rule = ((RICH,), (RECENT._replace(threshold=45.0),))
    misses = entering.near_misses(people(), rule, shortfall_max=0.5)

    assert misses[["customer_id", "column"]].to_numpy().tolist() == [["d", "recency_days"]]  # c meets the second way


def test_without_a_rule_or_without_others_nobody_is_one_step_away() -> None:
    assert entering.near_misses(people(), (), 0.5).empty
    assert entering.near_misses(people(is_insider=[True] * 6), ((RICH,),), 0.5).empty
    assert actions.numbers(inputs(people(is_insider=[False] * 6)), terms())["one_step"]["count"] == 0


def test_all_three_lists_are_in_one_table_of_audiences() -> None:
    members = people(recency_days=[90.0, 12.0, 30.0, 50.0, 90.0, 100.0])
    audiences = actions.audiences(inputs(members, enter=((RICH, RECENT),)), terms(action("perks", True)))

    assert audiences[["customer_id", "action"]].to_numpy().tolist() == [
        ["a", "perks"],
        ["b", "perks"],
        ["a", "about_to_leave"],
        ["c", "one_step_from_entering"],
    ]


def test_neither_the_order_of_rows_nor_the_names_of_customers_matter() -> None:
    members, asked = people(), terms(action("perks", None), action("win_back", None, at_least("recency_days", 1.5)))
    other = members.assign(customer_id=members["customer_id"].map(dict(zip("abcdef", "zyxwvu", strict=True)))).iloc[
        ::-1
    ]
    answers = (actions.numbers(inputs(each, enter=((RICH,),)), asked) for each in (members, other))
    plain, renamed = ({**each, "about_to_leave": None, "one_step": each["one_step"]["count"]} for each in answers)

    assert plain == renamed

"""The rule that describes a list: what it says, in each of its forms, how it is found, and that it is monotone."""

import re
from functools import cache

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import report_tables as shop
from insiders.language import Language
from insiders.programme import criteria, enter, learning, leave, rules, standing
from insiders.programme.rules import AT_LEAST, EXPIRING, Condition
from insiders.report import text
from insiders.report.numbers import tidy

LEDGER = pd.DataFrame(
    {
        "customer_id": list("abcdef"),
        "net_revenue": [5000.0, 4100.0, 3900.0, 2500.0, 900.0, -100.0],
        "order_count": [12.0, 9.0, 3.0, 8.0, 1.0, 1.0],
        "recency_days": [3.0, 20.0, 90.0, 10.0, 200.0, 300.0],
    }
)
RULE = ((Condition("net_revenue", 4000.0), Condition("recency_days", 30.0)),)
TWO_WAYS = (*RULE, (Condition("order_count", 8.0),))


def people(count: int = 600, seed: int = 0) -> pd.DataFrame:
    """Customers with every column that a rule may look at; the shorter a window, the less is in it."""
    rng = np.random.default_rng(seed)
    orders = rng.geometric(0.2, count).astype(float)
    net = np.round(orders * rng.lognormal(5, 1, count), 2)
    parts = rng.random((2, count))
    return pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in range(count)],
            "net_revenue": net,
            "net_revenue_365d": net,
            "net_revenue_180d": np.round(net * parts[0], 2),
            "net_revenue_90d": np.round(net * parts[0] * parts[1], 2),
            "order_count": orders,
            "order_count_180d": np.ceil(orders * parts[0]),
            "order_count_90d": np.floor(orders * parts[0] * parts[1]),
            "recency_days": rng.integers(1, 360, count).astype(float),
            "tenure_days": rng.integers(10, 360, count).astype(float),
        }
    )


# --- what a rule says ---


def test_all_conditions_of_one_way_must_hold():
    assert rules.meets(RULE, LEDGER).tolist() == [True, True, False, False, False, False]


def test_one_way_is_enough():
    assert rules.meets(TWO_WAYS, LEDGER).tolist() == [True, True, False, True, False, False]


def test_a_rule_without_a_way_holds_for_nobody():
    assert not rules.meets((), LEDGER).any()


def test_thresholds_to_stay_are_looser_and_as_memorable():
    assert rules.loosen(TWO_WAYS, 0.2) == (
        (Condition("net_revenue", 3000.0), Condition("recency_days", 40.0)),
        (Condition("order_count", 6.0),),
    )
    assert rules.loosen(((Condition("order_count_90d", 1.0),),), 0.5) == ((Condition("order_count_90d", 1.0),),)


def test_room_is_that_of_the_condition_that_binds_in_the_best_way():
    assert rules.margin(RULE, LEDGER).round(4).tolist()[:3] == [0.25, 0.025, -2.0]
    assert rules.margin(TWO_WAYS, LEDGER).round(4).tolist()[:4] == [0.5, 0.125, -0.625, 0.0]


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        (1400, 2600, False, [1500, 2000, 2500]),
        (2000, 2000, False, [2000]),
        (0.9, 3.5, True, [1, 2, 3]),
        (17.5, 40, True, [18, 19, 20, 25, 30, 40]),
        (0.03, 0.05, False, [0.03, 0.04, 0.05]),
        (5, 4, False, []),
    ],
)
def test_memorable_numbers(low, high, whole, expected):
    assert rules.memorable(low, high, whole).tolist() == expected


# --- three forms of one rule ---


def by_python(rule, customers):
    names: dict = {}
    exec(rules.as_python(rule, "enters"), names)
    return np.array([names["enters"](row) for row in customers.to_dict("records")])


def by_sql(rule, customers):
    with duckdb.connect() as con:
        con.register("customers", customers)
        found = con.execute(f"SELECT customer_id FROM customers WHERE {rules.as_sql(rule)}").fetchall()
    return customers["customer_id"].isin([each for (each,) in found]).to_numpy()


def test_the_written_forms():
    assert rules.as_sql(TWO_WAYS) == "(net_revenue >= 4000 AND recency_days <= 30) OR (order_count >= 8)"
    assert rules.as_sql(RULE) == "net_revenue >= 4000 AND recency_days <= 30"
    assert rules.as_python(RULE, "stays") == (
        'def stays(customer):\n    return bool(customer["net_revenue"] >= 4000 and customer["recency_days"] <= 30)\n'
    )


@pytest.mark.parametrize("seed", range(3))
def test_python_sql_and_the_sentence_name_the_same_customers_as_the_rule(seed):
    customers = people(seed=seed)
    chosen = pd.Series(customers["net_revenue_180d"] + customers["net_revenue"] / 4 > 700)
    fit = learning.learn(customers, chosen)

    for rule in (fit.rule, rules.loosen(fit.rule, 0.3)):
        meeting = rules.meets(rule, customers)
        assert 0 < meeting.sum() < len(customers)
        assert by_python(rule, customers).tolist() == meeting.tolist()
        assert by_sql(rule, customers).tolist() == meeting.tolist()
        assert by_sentence(rule, customers).tolist() == meeting.tolist()


LABELS = text.environment(Language("en", "GBP")).globals["words"].labels


def by_sentence(rule, customers):
    """As a reader of the page's sentence would choose: ways apart by "; or", conditions by commas and "and"."""
    said = str(text.environment(Language("en", "GBP")).globals["words"].rule(rules.to_plain(rule)))
    ways = [re.split(", | and ", re.sub(r"(?<=\d),(?=\d)", "", way)) for way in said.split("; or ")]
    rows = customers.to_dict("records")
    return np.array([any(all(agrees(row, each) for each in way) for way in ways) for row in rows])


def agrees(row, condition):
    if recent := re.fullmatch(r"last order no more than ([\d.]+) days ago", condition):
        return row["recency_days"] <= float(recent[1])
    label, least = re.fullmatch(r"(.+): at least £?([\d.]+)", condition).groups()
    [column] = [column for column in AT_LEAST if LABELS[column] == label]
    return row[column] >= float(least)


def test_a_threshold_with_cents_is_written_as_it_is():
    rule = ((Condition("net_revenue", 0.25), Condition("recency_days", 30.0)),)
    assert rules.as_sql(rule) == "net_revenue >= 0.25 AND recency_days <= 30"


# --- how it is found ---


def test_a_rule_that_made_the_list_is_found_again():
    customers = people(2000)
    chosen = (customers["net_revenue"] >= 1500) & (customers["recency_days"] <= 60)

    fit = learning.learn(customers, chosen)

    assert {frozenset(way) for way in fit.rule} == {
        frozenset({Condition("net_revenue", 1500.0), Condition("recency_days", 60.0)})
    }
    assert (fit.precision, fit.recall) == (1, 1)


def test_two_ways_that_made_the_list_are_found_again():
    customers = people(3000)
    lately = customers["net_revenue_90d"] >= 500
    chosen = lately | ((customers["net_revenue"] >= 1500) & (customers["recency_days"] <= 200))

    fit = learning.learn(customers, chosen)

    assert {frozenset(way) for way in fit.rule} == {
        frozenset({Condition("net_revenue_90d", 500.0)}),
        frozenset({Condition("net_revenue", 1500.0), Condition("recency_days", 200.0)}),
    }


def test_a_list_by_another_figure_is_described_well_and_briefly():
    customers = people(3000)
    score = np.sqrt(customers["net_revenue"].clip(lower=0)) * np.exp(-customers["recency_days"] / 300)
    chosen = score > score.quantile(0.93)

    fit = learning.learn(customers, chosen)

    assert rules.count_conditions(fit.rule) <= learning.CONDITIONS_MAX
    assert min(fit.precision, fit.recall) > 0.8
    meeting = rules.meets(fit.rule, customers)
    assert fit.precision == (meeting & chosen).sum() / meeting.sum()
    assert fit.recall == (meeting & chosen).sum() / chosen.sum()


def test_every_way_can_be_lost():
    customers = people(2000)
    fit = learning.learn(customers, customers["net_revenue"] > 2000)

    assert all(any(condition.column in EXPIRING for condition in way) for way in fit.rule)
    assert fit.recall > 0.9


def test_neither_order_nor_names_change_the_rule():
    customers = people()
    mixed = customers.sample(frac=1, random_state=5).assign(customer_id=lambda each: each["customer_id"].str[::-1])

    fits = [learning.learn(each, each["net_revenue_180d"] + each["order_count"] > 900) for each in (customers, mixed)]

    assert fits[0] == fits[1]


@pytest.mark.parametrize("factor", [100.0, 1000.0])
def test_the_unit_of_money_changes_no_member(factor):
    customers = people()
    money = [column for column in AT_LEAST if column.startswith("net_revenue")]
    scaled = customers.assign(**{column: customers[column] * factor for column in money})
    chosen = customers["net_revenue_180d"] + customers["net_revenue"] / 4 > 700

    ours, theirs = (learning.learn(each, chosen) for each in (customers, scaled))

    assert rules.meets(ours.rule, customers).tolist() == rules.meets(theirs.rule, scaled).tolist()


@pytest.mark.parametrize("everyone", [True, False])
def test_no_rule_where_all_or_none_are_on_the_list(everyone):
    assert learning.learn(people(), pd.Series(everyone, index=range(600))) is None


def test_no_rule_where_nothing_tells_anybody_apart():
    same = people(20).assign(**dict.fromkeys(AT_LEAST, 5.0))
    assert learning.learn(same, pd.Series([True] * 5 + [False] * 15)) is None


def test_one_insider_has_a_rule():
    customers = people(50)
    fit = learning.learn(customers, customers["net_revenue"] == customers["net_revenue"].max())
    assert fit.recall == 1


# --- monotone ---

GROWTH = {column: st.floats(0, 5000) if up else st.floats(0, 400) for column, up in AT_LEAST.items()}


@cache
def learned(seed):
    customers = people(300, seed)
    listed = pd.Series(np.random.default_rng(seed).random(300) < 0.1) | (customers["net_revenue_180d"] > 900)
    return customers, learning.learn(customers, listed).rule


@settings(deadline=None)
@given(seed=st.integers(0, 5), more=st.fixed_dictionaries(GROWTH), slack=st.sampled_from([0.0, 0.1, 0.4]))
def test_who_buys_more_or_more_lately_is_never_out_while_the_other_is_in(seed, more, slack):
    customers, entry = learned(seed)
    rule = rules.loosen(entry, slack) if slack else entry
    better = customers.assign(
        **{
            column: customers[column] + more[column] if up else (customers[column] - more[column]).clip(lower=1)
            for column, up in AT_LEAST.items()
        }
    )

    assert not (rules.meets(rule, customers) & ~rules.meets(rule, better)).any()


@settings(deadline=None)
@given(seed=st.integers(0, 5), slack=st.floats(0.01, 0.9))
def test_who_may_enter_may_stay(seed, slack):
    customers, rule = learned(seed)

    stay = rules.loosen(rule, slack)

    assert stay != rule
    assert not (rules.meets(rule, customers) & ~rules.meets(stay, customers)).any()


# --- where a customer stands ---


def test_what_is_missing_is_what_the_nearest_way_asks_for():
    third = LEDGER.iloc[[2]]  # 3900 of 4000 and 90 of 30 days; 3 of 8 orders
    assert standing.missing(TWO_WAYS, third) == [(Condition("order_count", 8.0), 3.0, False)]
    assert standing.missing(RULE, LEDGER.iloc[[0]]) == []


def test_of_ways_equally_far_the_one_with_less_to_make_up_is_nearer():
    both = (Condition("net_revenue", 1000.0), Condition("order_count", 10.0))
    rule = (both, (Condition("order_count", 10.0),))
    assert standing.nearest(rule, LEDGER.iloc[[4]]) == rule[1]


# --- the answers ---


def answers(people):
    timeline = shop.timeline_of(people)
    learned = criteria.learn(timeline, shop.DECIDED)
    return enter.numbers(learned, timeline), leave.numbers(learned, timeline, shop.told(timeline))


def test_the_answer_says_how_well_the_rule_fits_now_and_before():
    customers = shop.members(shop.customers())
    entering, _ = answers(customers)
    rule = rules.from_plain(entering["ways"])

    meeting = rules.meets(rule, customers)
    assert entering["named"] == meeting.sum()
    assert entering["precision"] == (meeting & customers["is_insider"]).sum() / meeting.sum()
    assert entering["conditions"] == sum(map(len, entering["ways"])) <= 5
    assert [row["as_of"] for row in entering["past"]] == ["2011-10-01", "2011-11-01", "2011-12-01"]
    past = shop.timeline_of(customers).past
    then = past[past["as_of"] == "2011-11-01"]
    met = rules.meets(rule, then)
    assert entering["past"][1] == {
        "as_of": "2011-11-01",
        "count": then["is_insider"].sum(),
        "precision": (met & then["is_insider"]).sum() / met.sum(),
        "recall": (met & then["is_insider"]).sum() / then["is_insider"].sum(),
    }


def test_what_deciding_by_the_conditions_alone_would_have_brought():
    customers = shop.members(shop.customers())
    timeline = shop.timeline_of(customers)
    entering, _ = answers(customers)
    first = timeline.past[timeline.past["as_of"] == "2011-10-01"]  # what came after the others is not known yet
    met = rules.meets(learning.learn(first, first["is_insider"]).rule, first)
    share = first.loc[met, "next_revenue"].sum() / first.loc[first["is_insider"], "next_revenue"].sum()
    assert (entering["value_share"], entering["value_dates"]) == (pytest.approx(share), 1)


def test_the_words_to_stay_describe_those_above_the_looser_border():
    customers = shop.members(shop.customers())
    _, leaving = answers(customers)
    assert (leaving["size"], leaving["border"], leaving["grace_months"]) == (40, 50, 1)
    met, above = rules.meets(rules.from_plain(leaving["ways"]), customers), customers["place"] <= 50
    assert leaving["precision"] == (met & above).sum() / met.sum()
    assert leaving["recall"] == (met & above).sum() / 50
    entering, _ = answers(customers)
    assert met[rules.meets(rules.from_plain(entering["ways"]), customers)].all()


def test_who_came_and_went_is_told_with_the_reason():
    _, leaving = answers(shop.members(shop.customers()))
    assert [(row["as_of"], row["members"]) for row in leaving["months"]] == [
        *(("2011-10-01", 37), ("2011-11-01", 37), ("2011-12-01", 39), ("2011-12-10", 40))
    ]  # three, two and one were no customers yet, and 12005 was no member in November
    moved = {(row["event"], row["customer_id"]): row["reason"] for row in leaving["latest"]}
    assert moved["left", "12005"] == "fell"
    assert moved["returned", "12005"] == "by_rank"
    assert {"as_of": "2011-11-01", "event": "left", "reason": "fell", "customers": 1} in leaving["reasons"]
    assert leaving["worst_flip_share"] == 1 / 37
    assert leaving["decisions"] == 0


def test_what_stillness_costs_is_the_revenue_that_the_score_alone_would_have_brought():
    customers = shop.members(shop.customers())
    past = shop.timeline_of(customers).past
    first = past[past["as_of"] == "2011-10-01"]
    _, leaving = answers(customers)
    best = first.nsmallest(37, "place")["next_revenue"].sum()
    assert leaving["value_share"] == pytest.approx(first.loc[first["is_insider"], "next_revenue"].sum() / best)


def test_without_a_list_nothing_is_claimed():
    entering, leaving = answers(shop.nobody())

    assert entering["ways"] == leaving["ways"] == leaving["months"] == leaving["latest"] == []
    assert entering["precision"] is leaving["precision"] is leaving["worst_flip_share"] is leaving["met"] is None
    with_rule = [set(each) for each in answers(shop.members(shop.customers()))]
    assert [set(entering), set(leaving)] == with_rule  # the same keys, so that a page can be written for both


@pytest.mark.parametrize("months", ["none", "one customer"])
def test_a_shop_with_no_or_little_past_says_what_it_cannot_tell(months):
    timeline = shop.timeline_of(shop.members(shop.customers()))
    timeline = timeline._replace(past=timeline.past.iloc[: 0 if months == "none" else 1])
    learned = criteria.learn(timeline, shop.DECIDED)
    entering = tidy(enter.numbers(learned, timeline))
    leaving = tidy(leave.numbers(learned, timeline, shop.told(timeline)))

    assert entering["precision"] > 0.9
    assert len(entering["past"]) == (0 if months == "none" else 1)
    if months == "none":
        assert entering["past_precision"] is entering["past_recall"] is None
    assert leaving["worst_flip_share"] is leaving["mean_flip_share"] is leaving["met"] is None
    assert entering["value_share"] is None
    assert leaving["without"]["worst_flip_share"] is None
    said = text.wording(text.environment(Language("en", "GBP")), "leave", leaving).answer
    assert said.endswith("Too little is known of the past to tell how many would flip in and out.")

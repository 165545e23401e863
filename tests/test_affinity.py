"""Recommendations: by hand where a shop is small enough, and against what was known when they were made."""

from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from pandas.testing import assert_frame_equal

from insiders import affinity
from insiders.affinity import evidence, scores
from insiders.affinity import space as affinity_space
from insiders.affinity.neighbours import SUPPORT, near
from insiders.affinity.space import space
from insiders.tables import lines, profile
from insiders.tables.rules import Policy
from ledgers import cleaned, fetched, real_data, real_transactions, transaction

AS_OF = date(2011, 12, 1)
PERIODS = affinity.Periods.before(AS_OF, 60)
START = AS_OF - timedelta(days=300)


def purchases(text: str) -> pd.DataFrame:
    """Read "customer product day" by the line."""
    rows = [line.split() for line in text.strip().splitlines()]
    frame = pd.DataFrame(rows, columns=["customer_id", "product_code", "bought_on"]).astype("str")
    return frame.assign(bought_on=pd.to_datetime(frame["bought_on"]))


LEDGER = purchases(
    """
    ann  tea   2011-11-01
    ann  tea   2011-11-20
    ann  cup   2011-11-20
    bob  tea   2011-11-10
    bob  cup   2011-06-01
    cid  tea   2011-11-30
    cid  lamp  2011-05-01
    dora lamp  2011-12-01
    """
)


def shop(customers: int = 120, groups: int = 2, seed: int = 3) -> pd.DataFrame:
    """Customers who buy, on 12 days, from the 20 products of their own group; with one group, from all 20 at random."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(customers), 12)
    what = rng.integers(20, size=len(who)) + 20 * (who % groups)
    day = pd.Timestamp(START) + pd.to_timedelta(rng.integers(300, size=len(who)), unit="D")
    names = {"customer_id": [f"c{each:03d}" for each in who], "product_code": [f"p{each:02d}" for each in what]}
    return pd.DataFrame({**names, "bought_on": day}).astype({"customer_id": "str", "product_code": "str"})


def recommended(bought: pd.DataFrame) -> affinity.Recommendations:
    return affinity.recommend(bought, PERIODS, on_sale_days=90, seed=1)


@pytest.fixture(scope="module")
def told() -> affinity.Recommendations:
    return recommended(shop())


def test_only_sales_of_products_are_purchases() -> None:
    rows = [
        transaction("1 tea 2 2011-11-01T09:00 3.00 ann"),
        transaction("2 tea 1 2011-11-01T17:00 3.00 ann"),
        transaction("3 POST 1 2011-11-02 9.00 ann"),
        transaction("4 M 1 2011-11-02 9.00 ann"),
        transaction("C5 tea -1 2011-11-03 3.00 ann"),
        transaction("6 cup 1 2011-12-01 3.00 ann"),
    ]
    found = fetched(affinity.purchases(cleaned(rows), AS_OF))

    assert found.to_numpy().tolist() == [["ann", "tea", pd.Timestamp("2011-11-01")]]


def test_the_space_is_what_was_known_the_most_bought_first() -> None:
    known = space(LEDGER, AS_OF, on_sale_days=30)

    assert known.customers.tolist() == ["ann", "bob", "cid"]
    assert known.products.tolist() == ["tea", "cup", "lamp"]
    assert known.bought.toarray().tolist() == [[1, 1, 0], [1, 1, 0], [1, 0, 1]]
    assert known.age_days.toarray().tolist() == [[11, 11, 0], [21, 183, 0], [1, 0, 214]]
    assert known.on_sale.tolist() == [True, True, False]


def test_likeness_is_the_cosine_of_the_buyers_with_support_below() -> None:
    tea_cup, tea_lamp = 2 / (np.sqrt(3 * 2) + SUPPORT), 1 / (np.sqrt(3 * 1) + SUPPORT)
    plain, without_lamp = (near(space(LEDGER, AS_OF, days), damping=False).toarray() for days in (365, 30))

    assert_allclose(plain, [[0, tea_cup, tea_lamp], [tea_cup, 0, 0], [tea_lamp, 0, 0]])
    assert_allclose(without_lamp, plain * [1, 1, 0])  # nobody bought a lamp lately: it is recommended to nobody


def test_of_very_many_products_only_the_common_ones_are_recommended(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one too rare to be recommended that a customer buys again is not new to them."""
    monkeypatch.setattr(affinity_space, "COMMON", 2)
    again = pd.concat([LEDGER, purchases("ann tea 2011-12-02\ncid lamp 2011-12-02\nann lamp 2011-12-02")])
    known = space(again, AS_OF, 365)
    model = scores.fit(known, scores.Recipe(damping=False, fade_days=None, trend=0.0), scores.Popularity(None))
    shown = scores.ranked(model, known, np.arange(3))
    later = evidence.wanted(again, known, AS_OF, AS_OF + timedelta(days=30))

    assert near(known, damping=False).shape == (2, 2)
    assert known.products[shown[shown != scores.NOTHING]].tolist() == ["cup"]  # all that cid lacks; nobody gets a lamp
    assert (later.rows.tolist(), later.counts.tolist()) == ([0], [1])


def test_damping_takes_votes_from_those_who_buy_much() -> None:
    many = [f"ann thing{number} 2011-11-02" for number in range(20)]
    known = space(pd.concat([LEDGER, purchases("\n".join(many))]), AS_OF, 365)
    tea, cup, lamp = (known.products.tolist().index(code) for code in ("tea", "cup", "lamp"))
    plain, damped = (near(known, damping=damping).toarray() for damping in (False, True))

    assert plain[tea, cup] / plain[tea, lamp] > damped[tea, cup] / damped[tea, lamp]


def test_trend_and_fading_look_at_the_age_of_purchases() -> None:
    known = space(LEDGER, AS_OF, 365)
    model = scores.fit(known, scores.Recipe(damping=False, fade_days=11.0, trend=1.0), scores.Popularity(None))
    usual = 4 / 6  # pairs of customer and product of the last 30 days, by all

    assert_allclose(model.weights.toarray()[0], [0.5, 0.5, 0.0])
    assert_allclose(model.trend, [(3 + 5 * usual) / 8, (1 + 5 * usual) / 7, (0 + 5 * usual) / 6])
    assert_allclose(model.filler, [3 / 4, 2 / 4, 1 / 4])


def test_what_is_shown_is_new_to_the_customer_and_on_sale(told: affinity.Recommendations) -> None:
    bought = shop()
    recent = set(bought.loc[bought["bought_on"] >= pd.Timestamp(AS_OF - timedelta(days=90)), "product_code"])
    both = told.shown.merge(bought, on=["customer_id", "product_code"])

    assert both.empty
    assert set(told.shown["product_code"]) <= recent
    assert (
        told.shown.groupby("customer_id")["rank"].apply(lambda rank: rank.tolist() == [*range(1, len(rank) + 1)]).all()
    )
    assert set(told.shown["customer_id"]) == set(bought["customer_id"])


def test_a_product_off_sale_is_not_shown() -> None:
    known = space(LEDGER, AS_OF, 30)
    model = scores.fit(known, scores.RECIPES[0], scores.Popularity(None))

    assert scores.ranked(model, known, np.arange(3))[:, 0].tolist() == [scores.NOTHING, scores.NOTHING, 1]


def test_popularity_shows_each_customer_the_first_products_that_are_new_to_them() -> None:
    known = space(shop(customers=40, groups=2), AS_OF, 20)
    rows, model = np.arange(5, 40), scores.fit(known, None, scores.Popularity(30))
    order = sorted(np.flatnonzero(known.on_sale), key=lambda column: (-model.filler[column], column))
    new = [[column for column in order if not known.bought[row, column]] for row in rows]
    expected = [(each + [scores.NOTHING] * scores.SHOWN)[: scores.SHOWN] for each in new]

    assert scores.ranked(model, known, rows).tolist() == expected
    assert scores.ranked(model, known._replace(on_sale=~known.on_sale & False), rows).max() == scores.NOTHING


def test_who_buys_like_their_group_is_shown_their_group_and_why(told: affinity.Recommendations) -> None:
    first = told.shown[told.shown["rank"] == 1]
    group = first["customer_id"].str[1:].astype(int) % 2
    of_product, of_reason = (first[column].str[1:].astype(int) // 20 for column in ("product_code", "because"))
    reasons = first[["customer_id", "because"]].set_axis(["customer_id", "product_code"], axis=1)

    assert (of_product == group).all()
    assert (of_reason == group).all()
    assert len(reasons.merge(shop().drop_duplicates(["customer_id", "product_code"]))) == len(reasons)
    assert told.evidence["verdict"] == "better"
    assert told.evidence["served"] == "neighbours"
    assert told.evidence["ratio"] > 1.2


def test_where_nobody_buys_like_anybody_popularity_is_served() -> None:
    told = recommended(shop(groups=1))

    assert told.evidence["verdict"] != "better"
    assert told.evidence["served"] == "popularity"
    assert told.shown["because"].isna().all()


def test_nothing_from_a_date_on_touches_what_is_known_at_it() -> None:
    bought, at = shop(), PERIODS.test
    later = bought["bought_on"] >= pd.Timestamp(at)
    changed = bought.assign(
        product_code=bought["product_code"].mask(later, "a" + bought["product_code"]),  # other codes, sorted first
        customer_id=bought["customer_id"].mask(later, "a" + bought["customer_id"]),
    )
    kept, others = (space(frame, at, 90) for frame in (bought[~later], changed))

    for one, other in zip(kept, others, strict=True):
        dense = (each.toarray() if hasattr(each, "toarray") else each for each in (one, other))
        np.testing.assert_array_equal(*dense)


def test_the_last_period_does_not_choose_the_recipe() -> None:
    bought = shop()
    later = bought["bought_on"] >= pd.Timestamp(PERIODS.test)
    turned = bought.assign(product_code=bought["product_code"].mask(later, bought["product_code"].iloc[0]))
    plain, other = (evidence.choose(frame, PERIODS.choice, PERIODS.test, 90) for frame in (bought, turned))

    assert plain == other
    assert len(plain.tried) == len(scores.RECIPES)


def test_purchases_from_as_of_on_change_nothing(told: affinity.Recommendations) -> None:
    future = shop(seed=4).assign(bought_on=pd.Timestamp(AS_OF), product_code="aaa")
    again = recommended(pd.concat([shop(), future], ignore_index=True))

    assert_frame_equal(told.shown, again.shown)
    assert told.evidence == again.evidence


def test_neither_the_order_of_rows_nor_the_names_of_customers_matter(told: affinity.Recommendations) -> None:
    bought = shop().sample(frac=1, random_state=5, ignore_index=True)
    names = dict(
        zip(sorted(set(bought["customer_id"])), (f"x{number:03d}" for number in range(500, 380, -1)), strict=True)
    )
    again = recommended(bought.assign(customer_id=bought["customer_id"].map(names).astype("str")))
    renamed = told.shown.assign(customer_id=told.shown["customer_id"].map(names).astype("str"))

    assert told.evidence == again.evidence
    assert_frame_equal(renamed.sort_values(["customer_id", "rank"], ignore_index=True), again.shown)


def test_only_first_purchases_of_known_customers_are_wanted() -> None:
    known = space(LEDGER, date(2011, 11, 10), 365)
    later = evidence.wanted(LEDGER, known, date(2011, 11, 10), date(2011, 12, 2))

    assert known.customers.tolist() == ["ann", "bob", "cid"]
    assert known.products.tolist() == ["cup", "lamp", "tea"]
    assert later.rows.tolist() == [0, 1, 2]  # not dora, whom nobody knew
    assert later.counts.tolist() == [1, 1, 1]  # ann bought tea again, which is not new to her
    assert later.places.tolist() == [0 * 3 + 0, 1 * 3 + 2, 2 * 3 + 2]


def test_what_the_space_does_not_know_counts_as_missed() -> None:
    known = space(LEDGER, date(2011, 11, 15), 365)
    news = pd.concat([LEDGER, purchases("ann novelty 2011-11-16")])
    later = evidence.wanted(news, known, date(2011, 11, 15), AS_OF)
    shown = np.full((len(later.rows), scores.SHOWN), scores.NOTHING)
    shown[0, 1] = known.products.tolist().index("cup")
    reached = evidence.measures(shown, later, known)

    assert later.counts.tolist() == [2, 1]  # ann: cup and the novelty; cid: tea
    assert reached.hit.tolist() == [1.0, 0.0]
    assert reached.recall.tolist() == [0.5, 0.0]
    assert_allclose(reached.ndcg, [(1 / np.log2(3)) / (1 + 1 / np.log2(3)), 0.0])
    assert reached.coverage == 1 / 3


def test_a_ratio_is_better_only_where_its_interval_says_so() -> None:
    ours, theirs = np.array([0.2, 0.4] * 50), np.array([0.1, 0.2] * 50)

    twice = evidence.compared(ours, theirs, seed=1)
    assert (twice["ratio"], twice["ratio_low"], twice["ratio_high"], twice["verdict"]) == (2.0, 2.0, 2.0, "better")
    assert evidence.compared(theirs, ours, seed=1)["verdict"] == "worse"
    assert evidence.compared(np.array([1.0, 0.0]), np.array([0.0, 1.0]), seed=1)["verdict"] == "undecided"
    assert evidence.compared(ours, 0 * theirs, seed=1) == evidence.UNDECIDED


@pytest.mark.parametrize(
    "text",
    ["ann tea 2011-11-30", "ann tea 2011-11-30\nbob tea 2011-01-01", "ann tea 2011-11-30\nann cup 2011-11-29"],
    ids=["one purchase", "one product", "one customer"],
)
def test_a_shop_with_nothing_to_learn_from_shows_nothing(text: str) -> None:
    told = recommended(purchases(text))

    assert told.shown.empty
    assert told.shown.columns.tolist() == ["customer_id", "rank", "product_code", "because"]
    assert told.evidence["verdict"] == "undecided"
    assert told.evidence["neighbours"] is None


def test_without_an_earlier_period_what_is_bought_most_is_shown() -> None:
    told = recommended(LEDGER[LEDGER["bought_on"] >= "2011-11-01"])

    assert told.evidence["tested"] == 0
    assert told.evidence["served"] == "popularity"
    assert told.shown[["customer_id", "product_code"]].to_numpy().tolist() == [["bob", "cup"], ["cid", "cup"]]


@pytest.mark.real
@real_data
def test_on_the_real_data_neighbours_find_a_fifth_more_than_popularity() -> None:
    policy = Policy("C", service_codes=["POST", "DOT", "C2", "BANK CHARGES"], credit_codes=["M", "D"])
    judged = lines.judge(profile.distinct(ibis.memtable(real_transactions())), policy)
    bought = fetched(affinity.purchases(lines.clean(judged), date(2011, 12, 10)), "customer_id")
    told = affinity.recommend(bought, affinity.Periods.before(date(2011, 12, 10), 90), on_sale_days=60, seed=1)

    assert told.evidence["verdict"] == "better"
    assert told.evidence["ratio"] >= 1.2

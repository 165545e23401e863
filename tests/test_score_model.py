import numpy as np
import pandas as pd
import pytest
import skops.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from insiders.io import package
from insiders.value import rankers, score_model, scores
from insiders.value.money import Money, Past
from insiders.value.score_model import CANDIDATES, Horizon
from population import DAY, customers

HORIZON = Horizon(90, 1)
LAST_DAY_WEIGHT = np.exp(-1 / 240)  # of an amount of the day before, in faded_revenue


@pytest.fixture(scope="module")
def now():
    return customers(600, seed=2)


@pytest.fixture(scope="module")
def past():
    return [customers(600, seed, DAY - pd.Timedelta(days=days)) for seed, days in ((3, 90), (4, 120))]


@pytest.fixture(scope="module")
def parts(now, past):
    return score_model.fit_parts(now, past, HORIZON)


@pytest.fixture(scope="module", params=["boosting_lifetime_net", "faded_revenue"])
def model(request, now, past):
    return score_model.fit(request.param, now, past, HORIZON)


def bought(frame, amount):
    """The same customers after one more order on the last day that is known, of a product they did not have."""
    last = frame["tenure_days"] - frame["recency_days"]
    repeats = (last / frame["gap_mean_days"]).round().fillna(0) + (frame["recency_days"] > 1)
    raised = {name: frame[name] + amount for name in frame if name.startswith(("net_revenue", "gross_revenue"))}
    counted = {name: frame[name] + 1 for name in ("order_count", "order_count_90d", "distinct_product_count")}
    moved = {
        "recency_days": 1.0,
        "orders_per_month": counted["order_count"] * 30 / np.maximum(frame["tenure_days"], 30),
        "faded_revenue": frame["faded_revenue"] + amount * LAST_DAY_WEIGHT,
        "gap_mean_days": ((frame["tenure_days"] - 1) / repeats).where(repeats > 0),
    }
    return frame.assign(**raised, **counted, **moved)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(amount=st.floats(0.01, 1e5))
@pytest.mark.parametrize("name", CANDIDATES)
def test_a_customer_who_buys_never_falls_by_buying(name, parts, now, amount):
    score = score_model.combine(CANDIDATES[name], parts, now)
    few = now.head(40)
    before, after = score.of(few), score.of(bought(few, amount))
    assert (after >= before - 1e-6 * np.abs(before)).all()


@pytest.mark.parametrize("name", CANDIDATES)
def test_a_score_does_not_depend_on_the_batch(name, parts, now):
    score = score_model.combine(CANDIDATES[name], parts, now)
    together = score.of(now)
    alone = [score.of(now.iloc[[row]])[0] for row in (0, 17, 599)]
    np.testing.assert_allclose(alone, together[[0, 17, 599]], rtol=1e-6)


def test_a_log_mean_by_hand(parts, now):
    score = score_model.combine(("faded_revenue", "net_revenue"), parts, now)
    coins = [now[name].median() / 1000 for name in ("faded_revenue", "net_revenue")]
    logs = [np.log1p(now[name] / coin) for name, coin in zip(("faded_revenue", "net_revenue"), coins, strict=True)]
    np.testing.assert_allclose(score.of(now), sum(logs) / 2, rtol=1e-5)


def test_every_candidate_is_judged_and_without_a_past_the_learned_ones_are_left_out(parts, now):
    assert set(score_model.candidate_scores(parts, now)) == set(CANDIDATES)
    young = score_model.candidate_scores(score_model.fit_parts(now, [], HORIZON), now)
    assert set(young) == {name for name, own in CANDIDATES.items() if not set(own) & set(rankers.FITS)}


def test_trees_rank_those_first_who_bring_more(parts, now):
    later = now["next_revenue"].to_numpy()
    for name in rankers.FITS:
        first = np.argsort(-parts[name].score(now))[:60]
        assert later[first].mean() > 2 * later.mean()


def test_the_same_customers_in_another_order_give_the_same_trees(now, past):
    shuffled = [each.sample(frac=1, random_state=3) for each in past]
    one, other = (rankers.fit("boosting", now, each, 1).score(now) for each in (past, shuffled))
    assert one.tolist() == other.tolist()


def test_no_outcome_is_in_the_score_that_it_calibrates(past):
    """Where the past says nothing, trees that had seen the outcome would still seem to know it."""
    rng = np.random.default_rng(5)
    blind = past[0].assign(next_revenue=rng.permutation(past[0]["next_revenue"].to_numpy()))
    crossed = rankers.cross_scores("boosting", blind, 1)
    own = rankers.fit("boosting", blind, [blind], 1).score(blind)
    later = blind["next_revenue"].rank()
    known, none = (np.corrcoef(pd.Series(each).rank(), later)[0, 1] for each in (own, crossed))
    assert known > 0.07 > none


def test_money_rises_with_the_score_and_lies_within_its_interval(model, now):
    found = model.predict(now).sort_values("score")
    assert (np.diff(found["expected_revenue"]) >= -1e-6 * found["expected_revenue"].iloc[1:]).all()
    assert (found["expected_low"] <= found["expected_revenue"]).all()
    assert (found["expected_revenue"] <= found["expected_high"]).all()
    assert found.index.tolist() != now.index.tolist()
    assert model.predict(now).index.tolist() == now.index.tolist()


def test_money_is_calibrated_in_sum_and_the_intervals_hold(past):
    held, sums = [], []
    for seed in range(20, 30):
        later = customers(600, seed)
        found = score_model.fit("lifetime_faded", later, past, HORIZON).predict(later)
        actual = later["next_revenue"]
        held.append(((found["expected_low"] <= actual) & (actual <= found["expected_high"])).mean())
        sums.append(actual.sum() / found["expected_revenue"].sum())
    assert 0.75 < np.mean(held) < 0.87
    assert 0.85 < np.mean(sums) < 1.2


def test_money_by_hand():
    # 400 customers: who has a score of 2 brought 10 x the level, who has 1 brought 1; the mean is 5.5.
    scores_then = np.repeat([1.0, 2.0], 200)
    money = Money.fit([Past(scores_then, np.repeat([1.0, 10.0], 200))], scores_then)
    found = money.expected(np.array([1.0, 2.0, 3.0]))["expected_revenue"]
    assert found.tolist() == pytest.approx([1, 10, 10 * np.e], rel=1e-5)
    assert money.expected(np.array([0.0]))["expected_revenue"].tolist() == pytest.approx([1], rel=1e-5)


def test_where_nobody_came_back_next_to_nothing_is_expected():
    money = Money.fit([Past(np.arange(100.0), np.zeros(100))], np.arange(100.0))
    assert money.expected(np.arange(100.0))["expected_high"].max() < 0.01


def test_a_score_model_is_stored_without_pickle(model, now):
    stored = skops.io.dumps(model)
    types = skops.io.get_untrusted_types(data=stored)
    assert set(types) <= set(package.TRUSTED)
    assert_frame_equal(skops.io.loads(stored, trusted=types).predict(now), model.predict(now))


def test_the_plain_sorts_are_the_columns(now):
    for name, sort in scores.PLAIN.items():
        if name != "rfm_quintiles":
            assert sort(now, now).tolist() == now[name].tolist()


def test_trees_that_learned_the_same_are_grown_once_whoever_they_rank(monkeypatch, now, past):
    grown = []
    known = rankers.FITS["boosting"]
    monkeypatch.setitem(rankers.FITS, "boosting", lambda *given: grown.append(given[2]) or known(*given))
    first = rankers.fit("boosting", now, past, 77)
    assert rankers.fit("boosting", now.iloc[:50], past, 77).trees is first.trees
    assert rankers.fit("boosting", now, [past[0].iloc[:100]], 77).trees is not first.trees
    assert grown == [77, 77]

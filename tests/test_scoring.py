import numpy as np
import pandas as pd
import pytest

from insiders.evidence import scoring
from insiders.evidence.judge import Window
from insiders.evidence.scoring import Date, Draws
from insiders.value.score_model import CANDIDATES, Horizon
from population import DAY, customers

IDS = np.array(["a", "b", "c", "d"])


def date(**scores):
    """Four customers, of whom the first brings 60 next, the second 30, the third 10."""
    named = {name: np.array(each, dtype=float) for name, each in scores.items()}
    return Date(IDS, np.array([60.0, 30, 10, 0]), named)


def many(seed, count=1500, noise=0.5):
    """A good score, a worse one, one by lot and the oracle, of customers whose ids every date shares."""
    rng = np.random.default_rng(7)
    rate = rng.lognormal(0, 1.2, count)
    rng = np.random.default_rng(seed)
    later = rng.poisson(rate) * rng.lognormal(0, 0.3, count)
    names = {"good": noise, "worse": 3 * noise, "lot": 50}
    scores = {name: np.log(rate) + rng.normal(0, each, count) for name, each in names.items()}
    return Date(np.array([f"{n:04d}" for n in range(count)]), later, scores | {"oracle": later})


def test_oracle_share_and_hits_by_hand():
    day = date(one=[4, 3, 2, 1], other=[1, 4, 2, 3])
    assert scoring.oracle_share(day, "one", 0.5) == 1
    assert scoring.oracle_share(day, "other", 0.5) == pytest.approx(30 / 90)
    assert scoring.hit_rate(day, "one", 0.5) == 1
    assert scoring.hit_rate(day, "other", 0.5) == 0.5  # b and d, of a and b
    assert scoring.hit_rate(day, "other", 1) == 1


def test_customers_who_tie_at_the_boundary_count_by_chance():
    day = date(tied=[1, 1, 1, 1])
    assert scoring.oracle_share(day, "tied", 0.5) == pytest.approx(50 / 90)
    assert scoring.hit_rate(day, "tied", 0.5) == pytest.approx(0.5)


def test_who_brought_nothing_is_no_hit():
    day = Date(IDS, np.array([5.0, 0, 0, 0]), {"wrong": np.array([0.0, 3, 2, 1])})
    assert scoring.hit_rate(day, "wrong", 0.75) == 0
    assert np.isnan(scoring.hit_rate(day._replace(next_revenue=np.zeros(4)), "wrong", 0.75))


def test_the_opponent_is_the_best_sort_of_the_other_dates():
    best, poor = [4, 3, 2, 1], [1, 2, 3, 4]
    dates = [date(x=best, y=poor), date(x=best, y=poor), date(x=poor, y=best)]
    assert scoring.opponents(dates[:1], ["y", "x"], [0.25]) == ["x"]
    # The first two dates have a draw of x and y among the others, which the order of the sorts decides.
    assert scoring.opponents(dates, ["y", "x"], [0.25]) == ["y", "y", "x"]


def test_lift_over_the_rival_of_each_date():
    days = [date(own=[4, 3, 2, 1], sort=[3, 4, 2, 1]), date(own=[4, 3, 2, 1], sort=[4, 3, 2, 1])]
    assert scoring.lifts(days, "own", ["sort", "sort"], 0.25).tolist() == [2, 1]
    found = scoring.figures(days, "own", ["sort", "sort"], 0.25)
    assert found["sort_lift"] == pytest.approx(1.5)
    assert found["sort_lift_min"] == 1
    assert found["oracle_share"] == found["hit_rate"] == 1


def test_a_list_is_a_score_at_its_own_size():
    days = [date(list=[1, 0, 1, 0], sort=[4, 3, 2, 1])]
    assert scoring.lifts(days, "list", ["sort"], 0.5).tolist() == pytest.approx([70 / 90])


def test_a_score_against_itself_has_no_uncertainty():
    days = [many(1), many(2)]
    assert scoring.pooled(days, ("good", ["good", "good"]), 0.06, Draws(50, 1)) == pytest.approx((1, 1, 1, 1))


def test_the_interval_holds_the_estimate_and_tells_better_from_worse():
    days = [many(seed) for seed in (1, 2, 3)]
    better = scoring.pooled(days, ("good", ["lot"] * 3), 0.06, Draws(200, 1))
    assert 1 < better.low < better.mean < better.high
    assert better.worst < better.mean
    equal = scoring.pooled(days, ("good", ["worse"] * 3), 0.06, Draws(200, 1))
    assert equal.high - equal.low < better.high - better.low


def test_periods_that_differ_widen_the_interval():
    same = [many(1), many(1), many(1)]
    other = [many(1), many(1), many(1)._replace(scores={"good": many(1).scores["lot"], "lot": many(1).scores["good"]})]
    narrow, wide = (scoring.pooled(days, ("good", ["lot"] * 3), 0.06, Draws(200, 1)) for days in (same, other))
    assert np.log(wide.high / wide.low) > 2 * np.log(narrow.high / narrow.low)


def test_the_interval_covers_a_true_lift_of_one():
    """Two scores equally far from the truth, in 60 shops of three dates: 95 % intervals hold 1 in most of them."""
    held = 0
    for shop in range(60):
        days = []
        for period in range(3):
            day, rng = many(100 * shop + period, 400), np.random.default_rng(9000 + 10 * shop + period)
            rate = np.random.default_rng(7).lognormal(0, 1.2, 400)
            twin = np.log(rate) + rng.normal(0, 0.5, 400)
            days.append(day._replace(scores={"one": day.scores["good"], "two": twin}))
        found = scoring.pooled(days, ("one", ["two"] * 3), 0.13, Draws(200, shop))
        held += found.low <= 1 <= found.high
    assert held >= 52


def test_where_nobody_brings_anything_there_is_no_lift():
    empty = [date(one=[1, 2, 3, 4])._replace(next_revenue=np.zeros(4))] * 2
    assert np.isnan(scoring.pooled(empty, ("one", ["one", "one"]), 0.5, Draws(20, 1)).mean)
    assert np.isnan(scoring.figures(empty, "one", ["one", "one"], 0.5)["sort_lift"])


def test_the_simplest_score_that_nothing_beats_by_the_margin_is_chosen():
    days = [date(plain=[3, 4, 2, 1], best=[4, 3, 2, 1], lot=[1, 1, 1, 1])]
    # At half of the customers both got 90; at a quarter the plain one 30 of 60, so on average 0.71 of the best.
    assert scoring.choose(days, ["lot", "plain", "best"], 0.2, [0.25, 0.5]) == "best"
    assert scoring.choose(days, ["lot", "plain", "best"], 0.3, [0.25, 0.5]) == "plain"
    assert scoring.choose(days, ["best", "plain"], 0.3, [0.25, 0.5]) == "best"
    nothing = [days[0]._replace(next_revenue=np.zeros(4))]
    assert scoring.choose(nothing, ["plain", "best"], 0.1) == "plain"


def test_every_candidate_is_scored_by_what_was_known_at_its_window():
    window = Window(customers(300, seed=2), customers(300, seed=3, as_of=DAY - pd.Timedelta(days=90)))
    known, blind = (
        scoring.dates_of([each], Horizon(90, 1))[0]
        for each in (window, Window(window.customers.assign(next_revenue=0.0), window.past))
    )
    assert set(known.scores) == {*CANDIDATES, "random"}
    assert known.next_revenue.tolist() == window.customers["next_revenue"].tolist()
    for name, score in known.scores.items():
        assert score.tolist() == blind.scores[name].tolist()  # what follows the window is in no score

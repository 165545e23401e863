"""The group's months: worked by hand where that is possible, else by what must and must not matter."""

import math
import sys
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from scipy.linalg import toeplitz

import forecast_tables as shop
import judged_tables
from insiders.errors import InputError
from insiders.value import forecast, lifetime
from insiders.value.forecast import combination, season, ways
from insiders.value.forecast.groups import LEARN_FROM

TWO = pd.DataFrame({"expected_revenue": [100.0, 300.0], "expected_low": [70.0, 200.0], "expected_high": [130.0, 340.0]})
END = pd.Timestamp("2011-12-01")
NOISY = shop.series(12, noise=0.2)


def outlook(rates: np.ndarray, as_of: pd.Timestamp = END, horizon_days: int = 90) -> dict:
    dates = [*(day for day in shop.month_starts(rates) if day < as_of), as_of]
    return forecast.outlook(shop.groups(rates, dates), as_of, horizon_days)


# Misses and intervals


def test_both_half_widths_add_up_in_squares():
    assert forecast.chance_error(TWO) == pytest.approx(math.hypot(30, 100))  # the wider side of each
    assert forecast.interval(400, 30, 0.1) == (400 - 50, 400 + 50)
    assert forecast.interval(10, 900, None) == (0, 910)


def test_the_level_is_off_by_what_the_backtest_shows():
    rms = math.sqrt((0.1**2 + (2 / 9) ** 2) / 2)

    assert forecast.level_error(judged_tables.BACKTEST) == pytest.approx(rms * 1.8856180831641267)  # t, two dates, 90 %
    assert forecast.level_error([]) is None


def test_errors_are_scaled_by_those_of_the_naive_forecast():
    assert forecast.mase(judged_tables.BACKTEST) == pytest.approx((10_000 + 20_000) / (30_000 + 25_000))
    assert forecast.mase([]) is None


def test_coverage_counts_the_rows_inside_their_interval():
    assert forecast.coverage(judged_tables.BACKTEST) == 0.5
    assert forecast.coverage([]) is None


# Ways


def test_ways_continue_a_series_as_worked_out_by_hand():
    logs = np.log([100.0, 200.0, 400.0, 800.0])

    assert np.exp(ways.recent(logs, 2)) == pytest.approx([1400 / 3] * 2)
    # 100, then half way (in logarithms) to each next month
    assert np.exp(ways.smoothed(logs, 1)) == pytest.approx([100 * 2 ** (3 / 2 + 2 / 4 + 1 / 8)])
    assert (ways.autoregression(logs, 2) == ways.smoothed(logs, 2)).all()  # too short for one


def likelihood(logs: np.ndarray, mean: float, persistence: float, shock: float = 0.0) -> float:
    """Of the months together, an ARMA(1,1) with the variance that suits them best."""
    steps = np.arange(1, len(logs))
    near = (1 + persistence * shock) * (persistence + shock) * persistence ** (steps - 1)
    covariance = toeplitz([1 + 2 * persistence * shock + shock**2, *near])
    squares = (logs - mean) @ np.linalg.solve(covariance, logs - mean)
    scale = np.linalg.slogdet(covariance)[1] - len(logs) * np.log(1 - persistence**2)
    return -len(logs) / 2 * np.log(squares * (1 - persistence**2)) - scale / 2


def parameters(forecast: np.ndarray) -> tuple[float, float]:
    """Mean and persistence behind three steps of a forecast that goes back to its mean."""
    one, two, three = forecast
    persistence = (three - two) / (two - one)
    return one - (two - one) / (persistence - 1), persistence


@pytest.mark.parametrize("seed", range(4))
def test_an_autoregression_is_the_most_likely_one(seed: int):
    logs = np.log(shop.series(12, noise=0.3, seed=seed))

    mean, persistence = parameters(ways.autoregression(logs, 3))
    best = likelihood(logs, mean, persistence)
    for far in (-0.02, 0.02):
        assert likelihood(logs, mean, persistence + far) < best
        assert likelihood(logs, mean + far, persistence) < best
    assert -1 < persistence < 1


@pytest.mark.parametrize("seed", range(4))
def test_a_moving_average_is_at_least_as_likely_as_none(seed: int):
    logs = np.log(shop.series(18, noise=0.3, seed=seed))
    mean, persistence = parameters(ways.moving_autoregression(logs, 3))

    most = max(likelihood(logs, mean, persistence, shock) for shock in ways.COARSE)

    others = [likelihood(logs, mean, each, shock) for each in ways.COARSE for shock in ways.COARSE]
    assert most == pytest.approx(max(others), abs=1e-6)
    assert most >= max(likelihood(logs, mean, each) for each in ways.COARSE)


@pytest.mark.parametrize("known", range(1, 15))
@pytest.mark.parametrize("kind", ["noise", "flat", "trend"])
def test_every_way_tells_something_of_any_short_series(known: int, kind: str):
    logs = np.log(
        {"noise": shop.series(known, noise=0.5), "flat": shop.series(known), "trend": shop.series(known, 0.3)}[kind]
    )

    for way in (ways.TOP_DOWN[name] for name in ways.OWN):
        assert np.isfinite(way(logs, 4)).all()


YEARS = np.where(np.arange(36) % 12 == 11, math.e, 1.0) * shop.RATE  # every November brings more


WAVE = np.exp(np.sin(np.arange(36) * np.pi / 6)) * shop.RATE  # half of the year above its mean, the other half below


def of_last(rates: np.ndarray, **changes: float) -> np.ndarray:
    """Season of the months ahead of the date after all months."""
    *earlier, last = shop.groups(rates)
    return season.of_months(season.of_group(last._replace(**changes), earlier), last.ahead)


def test_a_season_is_told_from_one_year_where_the_group_followed_it():
    assert not of_last(WAVE[:11]).any()  # a month less than a year
    ahead = of_last(WAVE[:21])  # until August: September, October and November are ahead

    assert (ahead / np.sin(np.arange(21, 24) * np.pi / 6)) == pytest.approx([0.9] * 3, abs=0.1)


def test_a_cohort_without_newcomers_has_no_season():
    assert of_last(WAVE[:21]).any()
    assert not of_last(WAVE[:21], newcomers=0.01).any()


def test_a_season_that_the_group_did_not_follow_is_not_used():
    *earlier, last = shop.groups(shop.series(21))  # which never moved
    seasonal = [each._replace(shop=WAVE[: each.known_months]) for each in (*earlier, last)]

    assert not any(season.of_group(seasonal[-1], seasonal[:-1]).values())


def test_growth_is_no_season():
    growing = shop.series(24, growth=0.03)

    assert np.abs(of_last(growing)).max() < 0.03  # 0.16 at either end of a year, were it one


# Groups


def known(*rows: tuple[str, str, float]) -> pd.DataFrame:
    """Customers (date, id, net revenue) as featurize would know them."""
    frame = pd.DataFrame(rows, columns=["as_of", "customer_id", "net_revenue"])
    features = {"recency_days": 20.0, "tenure_days": 50.0, "gap_mean_days": 15.0}
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]), **features)


def sums(*rows: tuple[str, str, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "month", "net_revenue"])
    return frame.assign(month=pd.to_datetime(frame["month"]))


SOLD = sums(("a", "2011-01-01", 310.0), ("b", "2011-01-01", 31.0), ("a", "2011-03-01", 62.0), ("b", "2011-04-01", 60.0))
MARCH = known(("2011-03-01", "a", 310.0), ("2011-03-01", "b", 31.0))


def test_months_that_the_data_cover_in_part_are_left_out():
    first, as_of = pd.Timestamp("2011-01-02"), pd.Timestamp("2011-04-20")

    found = forecast.monthly(SOLD, first, as_of)

    assert [f"{month:%Y-%m}" for month in found.columns] == ["2011-02", "2011-03"]
    assert found.loc["a"].tolist() == [0, 62]
    whole = forecast.monthly(SOLD, pd.Timestamp("2011-01-01"), pd.Timestamp("2011-05-01"))
    assert [f"{month:%m}" for month in whole.columns] == ["01", "02", "03", "04"]


def test_a_group_knows_its_months_and_what_came_after():
    revenue = forecast.monthly(SOLD, pd.Timestamp("2011-01-01"), pd.Timestamp("2011-05-01"))

    (found,) = forecast.groups(revenue, MARCH, MARCH.query("customer_id == 'a'"), 90)

    assert (found.members, found.known_months) == (1, 2)
    assert found.rates == pytest.approx([10, 0])
    assert found.shop == pytest.approx([11, 0])
    assert found.actual[:2] == pytest.approx([2, 0])
    assert np.isnan(found.actual[2])  # May is not over
    assert found.days.tolist() == [31, 30, 31]
    assert (found.bottom_up > 0).all()
    assert found.chance > 0


def test_the_running_month_is_told_for_the_days_that_are_left():
    within = MARCH.assign(as_of=pd.Timestamp("2011-03-22"))
    revenue = forecast.monthly(SOLD, pd.Timestamp("2011-01-01"), pd.Timestamp("2011-05-01"))

    (found,) = forecast.groups(revenue, within, within, 90)

    assert [f"{month:%m}" for month in found.ahead] == ["03", "04", "05", "06"]
    assert found.days.tolist() == [10, 30, 31, 30]
    assert np.isnan(found.actual[0])  # part of it was known
    assert found.known_months == 2


def test_members_whose_promise_is_no_number_are_taken_at_their_pace(monkeypatch: pytest.MonkeyPatch):
    revenue = forecast.monthly(SOLD, pd.Timestamp("2011-01-01"), pd.Timestamp("2011-05-01"))
    expect = lifetime.expect
    monkeypatch.setattr(lifetime, "expect", lambda *given: {**expect(*given), "expected_revenue": [np.nan]})

    (found,) = forecast.groups(revenue, MARCH, MARCH, 90)

    assert found.bottom_up == pytest.approx([341 / 50] * 3)
    assert found.chance == pytest.approx(1 / math.sqrt(2))


def test_a_group_is_the_one_of_its_date():
    history = pd.concat(
        [MARCH, known(("2011-04-01", "a", 100.0), ("2011-04-01", "b", 500.0), ("2011-04-01", "c", 1.0))]
    )

    sort = forecast.past_members(history.assign(is_insider=False), history, 0.4)

    assert sort.to_numpy().tolist() == [["a", pd.Timestamp("2011-03-01")], ["b", pd.Timestamp("2011-04-01")]]
    named = history.assign(is_insider=history["customer_id"] == "c")
    mixed = forecast.past_members(named, history, 0.4)
    assert sorted(mixed["customer_id"]) == ["a", "c"]  # the rule where it names somebody, else the sort
    assert forecast.past_members(named, history, 0.0).empty


# The whole


def test_a_level_that_never_moves_is_continued():
    told = outlook(shop.series(12))

    assert told["expected"] == pytest.approx(90 * shop.RATE)
    assert [row["days"] for row in told["months"]] == [31, 31, 29]
    assert [row["actual"] / shop.RATE for row in told["past"][:3]] == pytest.approx([31, 31, 28])
    assert told["bottom_up"] == told["top_down"] == pytest.approx(90 * shop.RATE)
    assert told["backtest_mase"] is None  # nothing was missed, by nobody
    assert told["way"] == "combined"
    assert told["coverage"] == 1


def test_promises_that_were_missed_before_are_corrected():
    rates = 2 * shop.series(12)  # always twice what the members promise

    told = outlook(rates)

    taught = sum(each.known_months >= LEARN_FROM for each in shop.groups(rates)[:-1])
    share = taught / (taught + combination.PRIOR_DATES)
    assert told["bottom_up"] == pytest.approx(90 * shop.RATE * 2**share)
    assert told["top_down"] == pytest.approx(180 * shop.RATE)


def test_what_erred_less_weighs_more():
    *earlier, last = shop.groups(shop.series(12))
    wrong = [each._replace(bottom_up=each.bottom_up * (1 + each.known_months % 2)) for each in earlier]

    right, doubted = (combination.forecasts([*each, last])[-1] for each in (earlier, wrong))

    one, other = (abs(each["combined"].logs - each["top_down"].logs) for each in (right, doubted))
    assert one == pytest.approx(0)
    assert (other < 0.3 * abs(doubted["bottom_up"].logs - doubted["top_down"].logs)).all()  # half of it beforehand


def test_a_way_that_lost_to_the_naive_one_is_not_used():
    *earlier, last = shop.groups(shop.series(12))
    wrong = [each._replace(bottom_up=each.bottom_up * (1 + each.known_months % 2)) for each in (*earlier, last)]

    told = forecast.outlook(wrong, END, 90)

    assert told["way"] == told["naive"] == "recent"
    assert told["expected"] == pytest.approx(90 * shop.RATE)
    assert [row["expected"] for row in told["backtest"]] == pytest.approx([row["naive"] for row in told["backtest"]])


def test_nothing_after_a_date_touches_what_is_told_at_it():
    other = NOISY.copy()
    other[8:] *= 5  # from August on
    before, after = (combination.forecasts(shop.groups(rates)) for rates in (NOISY, other))

    for place, (one, two) in enumerate(zip(before, after, strict=True)):
        same = all((one[name].logs == two[name].logs).all() and one[name].level == two[name].level for name in one)
        assert same == (place < 8)  # the group that knows eight months is the last one unchanged


def test_intervals_widen_with_the_months_ahead_with_chance_and_with_misses():
    calm, wild = (outlook(shop.series(12, noise=noise)) for noise in (0.05, 0.8))

    widths = [math.log(row["high"] / row["low"]) for row in calm["months"]]
    assert widths == sorted(widths)
    assert wild["level_error"] > calm["level_error"] > 0
    narrow, wide = (
        forecast.outlook([each._replace(chance=chance) for each in shop.groups(NOISY)], END, 90)
        for chance in (0.0, 0.5)
    )
    assert wide["chance_error"] > narrow["chance_error"] == 0
    assert wide["high"] > narrow["high"]


def test_a_quarter_is_surer_than_its_months():
    told = outlook(NOISY)

    quarter, *months = (math.log(row["high"] / row["low"]) for row in (told, *told["months"]))
    assert quarter < sum(months) / len(months)
    assert told["low"] < told["expected"] < told["high"]


def test_the_horizon_takes_the_days_that_lie_in_it():
    told = outlook(shop.series(12), as_of=pd.Timestamp("2011-12-10"))

    assert [(row["month"], row["days"], row["is_partial"]) for row in told["months"]] == [
        ("2011-12", 22, True),
        ("2012-01", 31, False),
        ("2012-02", 29, False),
        ("2012-03", 31, False),
    ]
    assert told["expected"] == pytest.approx(90 * shop.RATE)


@pytest.mark.parametrize("horizon_days", [7, 30, 45, 90, 365])
def test_any_horizon_can_be_asked_for(horizon_days: int):
    rates = shop.series(6)
    found = [shop.group(rates, day, horizon_days) for day in shop.month_starts(rates)]

    told = forecast.outlook(found, found[-1].as_of, horizon_days)

    assert told["expected"] == pytest.approx(horizon_days * shop.RATE)


def test_backtests_begin_where_four_months_are_known_and_end_with_the_data():
    told = outlook(NOISY)

    assert [row["as_of"] for row in told["backtest"]] == [f"2011-{month:02}-01" for month in range(4, 10)]
    first = told["backtest_months"][0]
    assert (first["as_of"], first["month"], first["ahead"]) == ("2011-04-01", "2011-04", 1)
    assert first["actual"] == pytest.approx(NOISY[4] * 30)
    assert first["naive"] == pytest.approx(NOISY[1:4].mean() * 30)
    assert len(told["backtest_months"]) == told["tested_months"] == 6 * 3 + 2 + 1
    assert told["backtest"][0]["naive"] == pytest.approx(NOISY[1:4].mean() * (30 + 31 + 30))


def test_a_november_is_foreseen_where_last_november_is_known():
    rates = YEARS[:23] * np.exp(np.random.default_rng(1).normal(0, 0.1, 23))

    told = outlook(rates, as_of=shop.START + pd.DateOffset(months=23))

    november = told["months"][0]
    assert november["month"] == "2012-11"
    assert november["expected"] > 1.8 * told["months"][1]["expected"]
    assert november["low"] < math.e * shop.RATE * 30 < november["high"]


@pytest.mark.parametrize("months", [0, 1, 3])
def test_few_months_are_told_as_few(months: int):
    rates = shop.series(months)
    as_of = shop.START + pd.DateOffset(months=months)
    told = forecast.outlook([shop.group(rates, as_of)], as_of, 90)

    assert told["few_months"]
    assert told["known_months"] == months
    assert (told["backtest_mase"], told["coverage"], told["backtest"], told["ways"]) == (None, None, [], [])
    assert 0 < told["low"] < told["expected"] < told["high"] < math.inf
    assert (told["top_down"] is None) == (months == 0)


def test_nobody_is_expected_to_bring_nothing():
    told = forecast.outlook([], END, 90)

    assert (told["expected"], told["low"], told["high"], told["chance_error"]) == (0, 0, 0, None)
    assert told["months"] == []
    gone = forecast.outlook(shop.groups(NOISY)[:-1], END, 90)  # a list then, none today
    assert gone["expected"] == 0


def test_months_of_nothing_and_of_refunds_end_in_small_and_finite_figures():
    rates = np.where(np.arange(12) % 4 == 3, -500.0, 0.0)

    told = outlook(rates)

    assert 0 < told["low"] < told["expected"] < told["high"] < 90 * shop.RATE


def test_the_unit_of_money_does_not_matter():
    dear = [
        each._replace(
            rates=each.rates * 1000, shop=each.shop * 1000, actual=each.actual * 1000, bottom_up=each.bottom_up * 1000
        )
        for each in shop.groups(NOISY)
    ]

    one, thousand = (forecast.outlook(found, END, 90) for found in (shop.groups(NOISY), dear))

    assert thousand["expected"] == pytest.approx(1000 * one["expected"], rel=1e-6)
    assert thousand["backtest_mase"] == pytest.approx(one["backtest_mase"], rel=1e-6)
    assert thousand["coverage"] == one["coverage"]


def test_rows_and_names_do_not_matter():
    revenue = forecast.monthly(SOLD, pd.Timestamp("2011-01-01"), pd.Timestamp("2011-05-01"))
    names = {"a": "z", "b": "q"}
    shuffled = MARCH.sample(frac=1, random_state=1).replace({"customer_id": names})
    other = revenue.rename(index=names).sample(frac=1, random_state=2)

    (one,), (two,) = (forecast.groups(each, group, group, 90) for each, group in ((revenue, MARCH), (other, shuffled)))

    for name in one._fields:
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_errors_of_segments_add_up_and_the_best_comes_first():
    customers = shop.expectations(["low", "low", "high"]).assign(expected_revenue=[10.0, 20.0, 100.0])

    high, low = forecast.segments(customers, 0.5)

    assert (high["segment"], low["segment"]) == ("high", "low")
    assert (low["customers"], low["expected"], low["per_customer"], low["year_per_customer"]) == (2, 30, 15, 400)
    assert low["low"] <= low["expected"] <= low["high"]


def selected(seed: int) -> list[forecast.Group]:
    """Everybody's months are drawn from one distribution: those who were best by now are no better later."""
    months = pd.date_range("2011-01-01", periods=12, freq="MS")
    amounts = np.random.default_rng(seed).lognormal(3, 1.5, (120, 12))
    revenue = pd.DataFrame(amounts, index=[f"c{place}" for place in range(120)], columns=months)
    dates = [*months[2::2], months[-1] + pd.offsets.MonthBegin(1)]
    history = pd.concat(
        [
            known(*((f"{day:%Y-%m-%d}", name, revenue.loc[name, months < day].sum()) for name in revenue.index)).assign(
                recency_days=15.0, tenure_days=float((day - months[0]).days), gap_mean_days=30.0
            )
            for day in dates
        ]
    )
    chosen = forecast.past_members(history.assign(is_insider=False), history, 0.1)
    return forecast.groups(revenue, history, chosen, 90)


def test_regression_to_the_mean_is_foreseen_by_the_members_and_so_by_the_whole():
    groups = selected(1)
    told = combination.forecasts(groups)
    came = [(group, each, group.actual_logs[0]) for group, each in list(zip(groups, told, strict=True))[1:-1]]

    naive = np.mean([combination.naive(group)[0] - actual for group, _, actual in came])
    assert naive > 0.8  # the past of those who are chosen by it is twice as good as their future
    missed = {way: np.mean([each[way].logs[0] - actual for _, each, actual in came]) for way in came[0][1]}
    assert abs(missed["bottom_up"]) < 0.75 * naive
    assert missed["combined"] < missed["top_down"] < naive * 1.1


# The ways that are asked for


def test_only_the_ways_that_are_asked_for_are_weighed_and_scored():
    groups = shop.groups(NOISY)
    told = forecast.outlook(groups, END, 90, ("recent", "arima"))

    assert [each["way"] for each in told["ways"]] == ["recent", "arima", "bottom_up", "top_down", "combined"]
    alone = combination.forecasts(groups, ("smoothing",))[-1]
    assert alone["top_down"].logs == pytest.approx(alone["smoothing"].logs)


def test_prophet_without_its_extra_is_refused_with_the_way_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "prophet", None)
    with pytest.raises(InputError, match="make prophet"):
        forecast.outlook(shop.groups(NOISY), END, 90, ("recent", "prophet"))


@pytest.mark.skipif(
    find_spec("prophet") is None, reason="prophet, an extra, is not installed: `make prophet` installs it"
)
def test_prophet_continues_a_trend_and_is_weighed_as_the_others_are(recwarn):
    rising = np.log(100) + 0.05 * np.arange(12)
    assert ways.prophet(rising, 3) == pytest.approx(np.log(100) + 0.05 * np.arange(12, 15), abs=0.01)
    assert np.array_equal(ways.prophet(rising, 3), ways.prophet(rising, 3))
    assert ways.prophet(np.full(12, 4.0), 2).tolist() == [4.0, 4.0]

    told = forecast.outlook(shop.groups(NOISY), END, 90, (*ways.OWN, "prophet"))
    assert "prophet" in {each["way"] for each in told["ways"]}
    assert told["low"] < told["expected"] < told["high"]
    assert not recwarn.list

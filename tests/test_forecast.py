import math

import pandas as pd
import pytest

import report_tables as shop
from insiders import forecast

TWO = pd.DataFrame({"expected_revenue": [100.0, 300.0], "expected_low": [70.0, 200.0], "expected_high": [130.0, 340.0]})


def test_without_backtest_independent_errors_add_up_in_squares():
    told = forecast.outlook(TWO, [], 90)

    width = math.hypot(30, 100)  # the wider side of each
    assert (told["expected"], told["low"], told["high"]) == (400, 400 - width, 400 + width)
    assert (told["level_error"], told["backtest_mase"], told["coverage"]) == (None, None, None)


def test_the_level_seen_in_the_backtest_widens_the_interval():
    told = forecast.outlook(TWO, shop.BACKTEST, 90)

    rms = math.sqrt((0.1**2 + (2 / 9) ** 2) / 2)
    level = rms * 1.8856180831641267  # Student's t, two dates, 90 %
    assert told["level_error"] == pytest.approx(level)
    assert told["high"] - 400 == pytest.approx(math.hypot(math.hypot(30, 100), level * 400))
    assert told["more_than_expected"] == 1


def test_the_interval_is_narrower_than_the_sum_of_lows_and_highs():
    many = pd.concat([TWO] * 50)

    told = forecast.outlook(many, [], 90)

    assert many["expected_low"].sum() < told["low"] < told["high"] < many["expected_high"].sum()


def test_errors_are_scaled_by_those_of_the_naive_forecast():
    assert forecast.mase(shop.BACKTEST) == pytest.approx((10_000 + 20_000) / (30_000 + 25_000))


def test_coverage_counts_the_dates_inside_their_interval():
    assert forecast.coverage(shop.BACKTEST) == 0.5


def test_the_interval_never_goes_below_zero():
    wild = pd.DataFrame({"expected_revenue": [10.0], "expected_low": [0.0], "expected_high": [900.0]})

    assert forecast.outlook(wild, [], 90)["low"] == 0


def test_nobody_is_expected_to_bring_nothing():
    told = forecast.outlook(TWO.head(0), [], 90)

    assert (told["expected"], told["low"], told["high"], told["chance_error"]) == (0, 0, 0, None)

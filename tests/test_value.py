"""Lifetime value against published estimates, known truths and what must not matter."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import special

from insiders.errors import InputError
from insiders.value import lifetime
from ledgers import POLICY, real_data, real_transactions

EPOCH = pd.Timestamp("2024-01-01")
HORIZON = 90
UNSEEN_SEASON = 1.24
PUBLISHED = {
    "bg_nbd": ([0.2426, 4.4135, 0.7929, 2.4258], -9582.43),
    "pareto_nbd": ([0.553, 10.578, 0.606, 11.669], -9594.976),
}


@cache
def cdnow() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).parent / "fixtures/cdnow.csv", comment="#")


def histories(table: pd.DataFrame) -> lifetime.Histories:
    return lifetime.Histories(*(table[name].to_numpy(float) for name in ("repeats", "last_week", "seen_week")))


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_estimates_of_cdnow_are_found(name: str) -> None:
    sample = cdnow()
    assert sample["customers"].sum() == 2357

    parameters, likelihood = lifetime.fit_process(
        lifetime.PROCESSES[name], histories(sample), sample["customers"].to_numpy(float)
    )

    published, published_likelihood = PUBLISHED[name]
    assert_allclose(list(parameters.values()), published, rtol=2e-3)
    assert likelihood == pytest.approx(published_likelihood, abs=0.006)


def test_the_published_expectation_of_one_cdnow_customer_is_found() -> None:
    one = lifetime.Histories(np.array([2.0]), np.array([30.43]), np.array([38.86]))
    parameters = np.array(PUBLISHED["bg_nbd"][0])
    process = lifetime.PROCESSES["bg_nbd"]
    terms = process.terms(parameters, one)

    active = np.exp(terms.active - np.logaddexp(terms.active, terms.gone))

    assert active * process.orders_if_active(parameters, one, 39.0) == pytest.approx(1.226, abs=5e-4)


def test_the_published_spend_of_cdnow_is_found() -> None:
    buyers = cdnow().query("repeats > 0")

    found = lifetime.fit_spend(buyers["repeats"].to_numpy(float), buyers["mean_spend"].to_numpy(float))

    assert_allclose([found.p, found.q, found.v], [6.25, 3.74, 15.44], atol=0.01)


@pytest.mark.parametrize("name", lifetime.PROCESSES)
def test_gradients_are_those_of_the_likelihood(name: str) -> None:
    process, sample = lifetime.PROCESSES[name], histories(cdnow())
    point = np.array([0.5, 9.0, 0.7, 8.0])[: len(process.starts[0])]
    count = cdnow()["customers"].to_numpy(float)

    def at(shift: np.ndarray) -> float:
        return lifetime.log_likelihood(process, point + shift, sample, count)[0]

    steps = np.diag(1e-5 * point)
    numeric = [(at(step) - at(-step)) / (2 * step.sum()) for step in steps]
    assert_allclose(lifetime.log_likelihood(process, point, sample, count)[1], numeric, rtol=1e-5)


@pytest.mark.parametrize("parameters", [(0.5, 10.0, 0.6, 4.0), (2.0, 5.0, 3.0, 20.0), (0.1, 40.0, 1.0, 39.0)])
def test_the_sum_over_times_of_leaving_is_the_closed_form(parameters: tuple[float, ...]) -> None:
    """Schmittlein et al. 1987, A10 and A11, where the difference of two hypergeometric functions is still exact."""
    r, alpha, s, beta = parameters
    h = lifetime.Histories(np.array([0.0, 1.0, 6.0]), np.array([0.0, 3.0, 25.0]), np.array([39.0, 39.0, 39.0]))
    order, low, high = r + s + h.repeats, *sorted((alpha, beta))
    second = s + 1 if alpha >= beta else r + h.repeats

    def power(t: np.ndarray) -> np.ndarray:
        return special.hyp2f1(order, second, order + 1, (high - low) / (high + t)) / (high + t) ** order

    expected = np.log(s / order * beta**s * (power(h.last) - power(h.tenure)))
    assert_allclose(lifetime.PROCESSES["pareto_nbd"].terms(np.array(parameters), h).gone, expected, rtol=1e-9)


def test_expected_orders_are_known_where_all_but_everybody_leaves_after_an_order() -> None:
    h = lifetime.Histories(np.array([0.0, 1.0, 0.0]), np.array([0.0, 20.0, 0.0]), np.array([5.0, 30.0, 300.0]))
    r, alpha, horizon = 0.11, 7.6, 90.0
    found = lifetime.PROCESSES["bg_nbd"].orders_if_active(np.array([r, alpha, 403.4, 6.1e-6]), h, horizon)
    longer = (alpha + h.tenure) / (alpha + h.tenure + horizon)
    assert_allclose(found, 1 - longer ** (r + h.repeats), rtol=0.02)  # one more order at most


def test_expected_orders_have_no_gap_where_a_formula_divides_by_zero() -> None:
    h = lifetime.Histories(np.array([0.0, 3.0]), np.array([0.0, 30.0]), np.array([60.0, 60.0]))
    for name in ("bg_nbd", "pareto_nbd"):
        near = [
            lifetime.PROCESSES[name].orders_if_active(np.array([0.6, 50.0, a, 2.5]), h, 90.0)
            for a in (0.9999, 1, 1.0001)
        ]
        assert_allclose(near[0], near[1], rtol=1e-3)
        assert_allclose(near[2], near[1], rtol=1e-3)


def orders_of(customers: int, seed: int, *, leaving: bool, season: float = 1.0) -> pd.DataFrame:
    """One row per order of a shop that follows the model, but that orders are worth `season` times more at its end."""
    days = 374 + HORIZON
    rng = np.random.default_rng(seed)
    rate, arrived = rng.gamma(0.8, 1 / 80, customers), rng.integers(0, 340, customers)
    stays = rng.exponential(1 / rng.gamma(0.9, 1 / 60, customers)) if leaving else np.full(customers, np.inf)
    count = rng.poisson(rate * (days - arrived))
    who = np.repeat(np.arange(customers), count)
    day = arrived[who] + np.ceil(rng.random(len(who)) * (days - arrived[who]))
    kept = day - arrived[who] <= stays[who]
    who, day = np.r_[np.arange(customers), who[kept]], np.r_[arrived, day[kept]]
    worth = 1 / rng.gamma(3.5, 1 / 400, customers)
    amount = rng.gamma(2.5, 1, len(who)) * worth[who] * np.where(day >= 374, season, 1)
    return pd.DataFrame({"customer": who, "day": day, "amount": amount})


def customers_at(orders: pd.DataFrame, day: int) -> pd.DataFrame:
    """The features that value.py reads, as of the day, and the revenue of the HORIZON days from then on."""
    of = orders[orders["day"] < day].groupby("customer")
    first, last, count = of["day"].min(), of["day"].max(), of["day"].nunique()
    coming = orders[orders["day"].between(day, day + HORIZON - 1)].groupby("customer")["amount"].sum()
    return pd.DataFrame(
        {
            "customer_id": "c" + first.index.astype(str),
            "as_of": EPOCH + pd.Timedelta(days=day),
            "recency_days": day - last,
            "tenure_days": day - first,
            "gap_mean_days": (last - first) / (count - 1).where(count > 1),
            "net_revenue": of["amount"].sum(),
            "next_revenue": coming.reindex(first.index).fillna(0),
        }
    ).reset_index(drop=True)


@cache
def shop(*, leaving: bool, season: float = 1.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers of day 374 with what came next, and the same as of four earlier days."""
    orders = orders_of(3000, 7, leaving=leaving, season=season)
    return customers_at(orders, 374), pd.concat([customers_at(orders, day) for day in (224, 284)])


@cache
def calibrated(*, leaving: bool, season: float = 1.0) -> lifetime.ValueModel:
    known, past = shop(leaving=leaving, season=season)
    return lifetime.calibrate(lifetime.fit(known), past, HORIZON, UNSEEN_SEASON)


def coverage(predicted: pd.DataFrame, known: pd.DataFrame, where: pd.Series | slice = slice(None)) -> float:
    low, high, came = predicted["expected_low"], predicted["expected_high"], known["next_revenue"].to_numpy()
    return float(((low <= came) & (came <= high))[where].mean())


def test_parameters_of_a_shop_that_keeps_its_customers_are_recovered() -> None:
    model = lifetime.fit(customers_at(orders_of(6000, 1, leaving=False), 374))

    assert model.process == "nbd"
    assert not model.dropout_identified
    assert "cannot be told" in model.notes[0]
    assert_allclose(list(model.parameters.values()), [0.8, 80], rtol=0.12)
    assert_allclose([model.spend.p, model.spend.q, model.spend.v], [2.5, 3.5, 400], rtol=0.12)


@pytest.mark.parametrize("name", ["bg_nbd", "pareto_nbd"])
def test_parameters_of_a_process_with_dropout_are_recovered(name: str) -> None:
    truth = {"bg_nbd": [0.8, 40.0, 0.7, 2.0], "pareto_nbd": [0.8, 40.0, 0.9, 60.0]}[name]
    h = simulated(name, truth, 8000)

    found, _ = lifetime.fit_process(lifetime.PROCESSES[name], h, np.ones(len(h.tenure)))

    assert_allclose(list(found.values()), truth, rtol=0.25)


def simulated(name: str, truth: list[float], customers: int) -> lifetime.Histories:
    rng = np.random.default_rng(3)
    rate, seen = rng.gamma(truth[0], 1 / truth[1], customers), rng.uniform(60, 700, customers)
    coin = rng.beta(*truth[2:], customers) if name == "bg_nbd" else np.zeros(customers)
    hazard = rng.gamma(truth[2], 1 / truth[3], customers)
    end = seen if name == "bg_nbd" else np.minimum(seen, rng.exponential(1 / hazard))
    repeats, last = np.zeros(customers), np.zeros(customers)
    going, now = np.ones(customers, bool), np.zeros(customers)
    while going.any():
        now = now + rng.exponential(1 / rate)
        going &= now < end
        repeats, last = repeats + going, np.where(going, now, last)
        going &= rng.random(customers) >= coin
    return lifetime.Histories(repeats, last, seen)


def test_customers_who_leave_are_noticed() -> None:
    known = customers_at(orders_of(6000, 1, leaving=True), 374)

    model = lifetime.fit(known)
    predicted = lifetime.predict(model, known, HORIZON)

    assert model.dropout_identified
    assert model.process == "pareto_nbd"
    assert predicted["probability_active"].between(0, 1).all()
    assert predicted["expected_revenue"].sum() == pytest.approx(known["next_revenue"].sum(), rel=0.1)


@pytest.mark.parametrize("leaving", [False, True])
def test_intervals_hold_what_comes_as_often_as_they_say(leaving: bool) -> None:
    known, _ = shop(leaving=leaving)
    tested = calibrated(leaving=leaving)
    plain = replace(tested, calibration=lifetime.Calibration())
    without_season = replace(tested, calibration=replace(tested.calibration, season=1.0))
    best = known["net_revenue"].rank(ascending=False) <= 400

    for each in (plain, without_season):
        predicted = lifetime.predict(each, known, HORIZON)
        open_cases = predicted["probability_order"] >= 0.2  # of others, nothing alone is more than 80 % of the outcomes
        assert coverage(predicted, known, open_cases) == pytest.approx(0.8, abs=0.04)
        assert coverage(predicted, known, best) == pytest.approx(0.8, abs=0.07)
    assert 0.8 <= coverage(lifetime.predict(tested, known, HORIZON), known, best) <= 0.92
    assert tested.calibration.slope == pytest.approx(1, abs=0.15)


def test_a_season_not_seen_before_is_told_and_allowed_for() -> None:
    known, _ = shop(leaving=False, season=1.4)

    model = calibrated(leaving=False, season=1.4)

    predicted = lifetime.predict(model, known, HORIZON)
    assert "season" in model.notes[1]
    assert predicted["expected_revenue"].sum() < 0.85 * known["next_revenue"].sum()
    assert coverage(predicted, known) >= 0.7


def test_windows_over_a_year_need_no_allowance_for_a_season() -> None:
    known, past = shop(leaving=False)
    long_ago = past.assign(as_of=past["as_of"] - pd.Timedelta(days=330))

    model = lifetime.calibrate(lifetime.fit(known), pd.concat([past, long_ago]), HORIZON, UNSEEN_SEASON)

    assert model.calibration.season == 1
    assert "cover a year" in model.notes[1]


def test_an_interval_has_an_end_also_where_all_that_came_was_beyond_belief() -> None:
    known, _ = shop(leaving=False)
    model = calibrated(leaving=False)
    surprised = replace(model, calibration=replace(model.calibration, levels=(0.5, 1.0, 1.0)))

    assert np.isfinite(lifetime.predict(surprised, known, HORIZON)["expected_high"]).all()


def test_windows_that_end_after_as_of_or_are_not_known_teach_nothing() -> None:
    known, past = shop(leaving=False)
    model = lifetime.fit(known)
    later = past.assign(as_of=model.as_of - pd.Timedelta(days=HORIZON - 1))
    unknown = past.assign(next_revenue=np.nan)

    assert lifetime.calibrate(model, later, HORIZON, UNSEEN_SEASON) == model
    assert lifetime.calibrate(model, unknown, HORIZON, UNSEEN_SEASON) == model
    assert lifetime.calibrate(model, pd.concat([later, past, unknown]), HORIZON, UNSEEN_SEASON) == calibrated(
        leaving=False
    )


def test_calibration_keeps_the_total_of_past_windows() -> None:
    known, past = shop(leaving=False)
    doubled = past.assign(next_revenue=2 * past["next_revenue"])

    twice = lifetime.calibrate(lifetime.fit(known), doubled, HORIZON, UNSEEN_SEASON)

    sums = [
        lifetime.predict(each, known, HORIZON)["expected_revenue"].sum() for each in (calibrated(leaving=False), twice)
    ]
    assert sums[1] == pytest.approx(2 * sums[0], rel=1e-4)


def test_the_distribution_of_revenue_is_close_to_a_simulation() -> None:
    known = shop(leaving=False)[0].query("gap_mean_days.notna()").head(40)
    model = lifetime.fit(shop(leaving=False)[0])
    rng, draws = np.random.default_rng(1), (40_000, len(known))
    r, alpha = model.parameters.values()
    repeats = lifetime.histories(known).repeats
    counts = rng.poisson(rng.gamma(r + repeats, size=draws) / (alpha + known["tenure_days"].to_numpy()) * HORIZON)
    rate = rng.gamma(model.spend.p * (repeats + 1) + model.spend.q, size=draws)
    scale = (model.spend.v + known["net_revenue"].to_numpy()) / rate
    revenue = rng.gamma(np.where(counts > 0, model.spend.p * counts, 1)) * np.where(counts > 0, scale, 0)

    predicted = lifetime.predict(model, known, HORIZON)

    assert_allclose(predicted["expected_orders"], counts.mean(axis=0), rtol=0.04)
    assert_allclose(predicted["expected_revenue"], revenue.mean(axis=0), rtol=0.05)
    low, high = (predicted[f"expected_{end}"].to_numpy() for end in ("low", "high"))
    assert_allclose((revenue > high).mean(axis=0), np.where(low > 0, 0.1, 0.2), atol=0.02)
    assert_allclose((revenue < low).mean(axis=0), np.where(low > 0, 0.1, 0.0), atol=0.03)


def test_order_days_are_counted_not_invoices() -> None:
    one = pd.DataFrame({"tenure_days": [50.0, 9.0], "recency_days": [20.0, 9.0], "gap_mean_days": [15.0, np.nan]})

    assert [list(part) for part in lifetime.histories(one)] == [[2, 0], [30, 0], [50, 9]]


def test_rows_and_names_do_not_matter() -> None:
    known, past = shop(leaving=True)
    shuffled = known.sample(frac=1, random_state=1)
    renamed = shuffled.assign(customer_id="x" + shuffled["customer_id"].str[::-1])

    def predicted(customers: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
        model = lifetime.calibrate(lifetime.fit(customers), history, HORIZON, UNSEEN_SEASON)
        return (
            lifetime.predict(model, customers, HORIZON)
            .set_index(customers.index)
            .sort_index()
            .drop(columns="customer_id")
        )

    expected = predicted(known, past)

    pd.testing.assert_frame_equal(predicted(renamed, past.sample(frac=1, random_state=2)), expected, check_exact=True)


def test_the_unit_of_money_does_not_matter() -> None:
    known, past = shop(leaving=False)
    money = ["net_revenue", "next_revenue"]

    def revenue(factor: float) -> pd.DataFrame:
        customers, history = (each.assign(**each[money] * factor) for each in (known, past))
        model = lifetime.calibrate(lifetime.fit(customers), history, HORIZON, UNSEEN_SEASON)
        return (
            lifetime.predict(model, customers, HORIZON).filter(like="expected_").drop(columns="expected_orders")
            / factor
        )

    pd.testing.assert_frame_equal(revenue(1000), revenue(1), rtol=1e-4)


def test_one_customer_of_a_billion_hardly_moves_the_others() -> None:
    known, _ = shop(leaving=False)
    rich = pd.concat([known, known.head(1).assign(customer_id="rich", net_revenue=1e9)], ignore_index=True)

    plain, beside = (lifetime.predict(lifetime.fit(each), known, HORIZON)["expected_revenue"] for each in (known, rich))

    assert plain.corr(beside, method="spearman") > 0.998


def test_refunds_lower_the_expectation_and_never_below_zero() -> None:
    known, _ = shop(leaving=False)
    model = lifetime.fit(known)
    one = known.iloc[[0] * 4].assign(net_revenue=[-500.0, 0.0, 100.0, 10_000.0])

    predicted = lifetime.predict(model, one, HORIZON)

    assert predicted["expected_revenue"].iloc[0] == predicted["expected_revenue"].iloc[1] > 0
    assert predicted["expected_revenue"].iloc[1:].is_monotonic_increasing
    assert (predicted["expected_low"] >= 0).all()


def test_expectations_are_those_of_the_prediction() -> None:
    known, _ = shop(leaving=True)
    model = lifetime.fit(known)

    expected = pd.DataFrame(lifetime.expect(model, known, HORIZON))

    predicted = lifetime.predict(model, known, HORIZON)
    pd.testing.assert_frame_equal(predicted[expected.columns], expected, check_exact=True)
    assert predicted.columns.difference(expected.columns).tolist() == ["customer_id", "expected_high", "expected_low"]


def test_an_interval_holds_its_expectation() -> None:
    for leaving in (False, True):
        known, _ = shop(leaving=leaving)
        predicted = lifetime.predict(calibrated(leaving=leaving), known, HORIZON)
        assert predicted["expected_revenue"].between(predicted["expected_low"], predicted["expected_high"]).all()
        assert np.isfinite(predicted.drop(columns="customer_id")).all(axis=None)


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_the_smallest_shops_get_finite_figures(rows: int) -> None:
    few = shop(leaving=False)[0].head(rows)
    nobody_returned = few.assign(recency_days=few["tenure_days"], gap_mean_days=np.nan, net_revenue=10.0)
    for customers in (few, nobody_returned):
        predicted = lifetime.predict(lifetime.fit(customers), customers, HORIZON)
        assert np.isfinite(predicted.drop(columns="customer_id")).all(axis=None)


@pytest.mark.parametrize("rows", [0, 3])
def test_a_shop_without_net_revenue_is_refused(rows: int) -> None:
    customers = shop(leaving=False)[0].head(rows).assign(net_revenue=0.0)

    with pytest.raises(InputError, match=f"none of {rows} customers has a net_revenue above 0"):
        lifetime.fit(customers)


def real_windows() -> pd.DataFrame:
    """Customers of the real data as of the validation date and of earlier ones, by the project's own features."""
    import ibis

    from insiders.io import engine
    from insiders.tables import features, lines, orders, profile
    from insiders.tables.features import Windows

    con = engine.connect(threads=1)
    rows = engine.materialize(con, profile.distinct(ibis.memtable(real_transactions())))
    clean = engine.materialize(con, lines.clean(engine.materialize(con, lines.judge(rows, POLICY))))
    baskets = engine.materialize(con, orders.orders(clean))
    days = [date(2011, 9, 11) - timedelta(days=back) for back in (0, 90, 120, 180)]
    known = features.customers(baskets, clean, days, Windows(date(2010, 12, 1), HORIZON, 240))
    return engine.fetch(con, features.with_next_revenue(known, baskets, days, HORIZON))


@pytest.mark.real
@real_data
def test_the_real_data_tells_no_dropout_and_its_unseen_autumn_lies_within_the_intervals() -> None:
    windows = real_windows()
    for _, known in windows.groupby("as_of"):
        model = lifetime.fit(known)
        values = list(model.log_likelihoods.values())
        assert model.process == "nbd"
        assert_allclose(values, values[0], atol=0.01)  # more parameters, the same optimum: every ascent arrived

    predicted = lifetime.predict(lifetime.calibrate(model, windows, HORIZON, UNSEEN_SEASON), known, HORIZON)
    best = predicted["expected_revenue"].rank(ascending=False) <= 200
    for rows in (best, slice(None)):
        assert 0.70 <= coverage(predicted, known, rows) <= 0.9

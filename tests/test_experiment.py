"""The plan of the experiment: who is kept out by lot, and whether it detects what it promises to detect."""

from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from insiders.programme import experiment
from insiders.programme.experiment import Metric
from insiders.tables import orders
from ledgers import cleaned, fetched, transaction

DESIGN = experiment.Design(control_share=0.2, power=0.8, alpha=0.05, minimum_uplift=0.1)
DAY = date(2011, 9, 1)


def panel(count: int, months: int, seed: int = 3) -> np.ndarray:
    """Monthly revenue with lasting differences between customers and noise from month to month, some months 0."""
    rng = np.random.default_rng(seed)
    own = rng.lognormal(0, 0.5, (count, 1)) * 100
    return own * rng.gamma(2, 0.5, (count, months)) * (rng.random((count, months)) < 0.8)


# --- what it could detect ---


def test_months_of_a_ledger() -> None:
    """Thirty days each from the day on; what is left over after whole months does not count."""
    rows = ["1 A 2 2011-09-01 5.00 ann", "2 A 1 2011-09-30T23:00 5.00 ann", "3 A 1 2011-10-01 7.00 ann"]
    more = ["C4 A -1 2011-10-02 5.00 bob", "5 A 1 2011-10-31 9.00 ann", "6 A 1 2011-08-31 9.00 ann"]
    made = orders.orders(cleaned(transaction(text) for text in [*rows, *more]))
    revenue = fetched(experiment.monthly_revenue(made, DAY, 75), "customer_id", "month")
    assert revenue.to_numpy().tolist() == [["ann", 0, 15.0], ["ann", 1, 7.0], ["bob", 1, -5.0]]
    matrix = experiment.as_matrix(revenue, pd.Series(["bob", "zoe", "ann"]), range(2))
    assert matrix.tolist() == [[0, -5], [0, 0], [15, 7]]


def test_variances_by_hand() -> None:
    """Means 2, 4, 6: variance 4; around them and the months' means nothing is left, but for 0.5 between the months."""
    metric = experiment.estimate(np.array([[1.0, 3.0], [3.0, 5.0], [5.0, 7.0]]))
    assert metric == Metric(mean=4.0, between=4.0, within=0.0)


def test_variances_are_recovered() -> None:
    rng = np.random.default_rng(1)
    lasting, noise = rng.normal(50, 3, (4000, 1)), rng.normal(0, 5, (4000, 4))
    metric = experiment.estimate(lasting + noise)
    assert (metric.between, metric.within) == pytest.approx((9, 25), rel=0.1)
    adjusted = experiment.estimate(lasting + noise, lasting[:, 0] + rng.normal(0, 3, 4000))
    assert adjusted.between == pytest.approx(4.5, rel=0.15)  # half of the lasting variance is predicted
    assert metric.variance(4) == pytest.approx((lasting + noise).mean(axis=1).var(ddof=1))


def result(after: np.ndarray, past: np.ndarray, control: np.ndarray) -> tuple[float, float]:
    """The experiment read as planned: difference of the adjusted means, and its standard error."""
    own = after.mean(axis=1)
    slope = np.cov(own, past)[0, 1] / past.var(ddof=1)
    rest = own - slope * (past - past.mean())
    sides = rest[~control], rest[control]
    return sides[0].mean() - sides[1].mean(), np.sqrt(sum(side.var(ddof=1) / len(side) for side in sides))


def test_the_stated_power_is_met() -> None:
    """Planned on one list, run on 400 others of the same shop: 80 % find the uplift, 5 % find one that is not there."""
    months, count = 3, 200
    history = panel(3000, 2 * months)
    plan = experiment.plan(history[:, :months], history[:, months:], experiment.split(count, 0.2), DESIGN)
    shop, rng, bound = panel(40_000, 2 * months, seed=9), np.random.default_rng(5), norm.ppf(0.975)
    detected = {0.0: 0, plan["uplift"]: 0}
    for _ in range(400):
        drawn = shop[rng.choice(len(shop), count, replace=False)]
        capped = np.clip(drawn, -plan["cap"], plan["cap"])
        control = rng.permutation(count) < plan["control"]
        for uplift in detected:
            lifted = capped[:, months:] * np.where(control, 1, 1 + uplift)[:, None]
            effect, error = result(lifted, capped[:, :months].mean(axis=1), control)
            detected[uplift] += abs(effect) > bound * error
    assert detected[plan["uplift"]] / 400 == pytest.approx(0.8, abs=0.06)
    assert detected[0.0] / 400 == pytest.approx(0.05, abs=0.03)


def test_as_many_as_are_needed_are_enough() -> None:
    history = panel(500, 6)
    plan = experiment.plan(history[:, :3], history[:, 3:], experiment.split(80, 0.2), DESIGN)
    assert not plan["enough"]
    enough = experiment.plan(history[:, :3], history[:, 3:], experiment.split(plan["needed_insiders"] + 5, 0.2), DESIGN)
    assert enough["enough"]
    assert enough["uplift"] == pytest.approx(0.1, rel=0.01)


def test_longer_helps_until_only_lasting_differences_are_left() -> None:
    sizes: experiment.ArmSizes = {"control": 40, "invited": 160}
    design = replace(DESIGN, minimum_uplift=0.2)
    fleeting, lasting = Metric(1.0, 0.01, 1.0), Metric(1.0, 1.0, 0.01)
    months = experiment.needed_months(fleeting, sizes, design)
    assert months is not None
    assert (
        experiment.detectable_uplift(fleeting, months, sizes, design)
        <= 0.2
        < experiment.detectable_uplift(fleeting, months - 1, sizes, design)
    )
    assert experiment.needed_months(lasting, sizes, design) is None


def test_the_cap_and_the_past_make_the_experiment_sharper() -> None:
    history = panel(300, 6)
    history[0, 5] = 90_000  # one customer's one month
    plan = experiment.plan(history[:, :3], history[:, 3:], experiment.split(100, 0.2), DESIGN)
    assert plan["uplift"] < plan["uplift_plain"] / 3
    assert plan["reduction_by_cap"] > 0.8
    assert 0 < plan["reduction_by_past"] < 1
    assert plan["uplift_halves"] < plan["uplift"]
    assert plan["uplift_year"] < plan["uplift"]
    assert plan["money"] == pytest.approx(plan["uplift"] * plan["mean"])


@pytest.mark.parametrize(
    ("before", "after"),
    [(np.zeros((0, 3)), np.zeros((0, 3))), (np.zeros((50, 3)), np.zeros((50, 3))), (panel(50, 3), -panel(50, 3))],
)
def test_without_a_list_or_revenue_nothing_is_promised(before: Any, after: Any) -> None:
    plan = experiment.plan(before, after, experiment.split(30, 0.2), DESIGN)
    assert {plan[name] for name in experiment.NOTHING_DETECTABLE} == {None}
    assert (plan["insiders"], plan["control"], plan["invited"]) == (30, 6, 24)


def test_one_month_is_taken_as_it_is() -> None:
    history = panel(200, 2)
    plan = experiment.plan(history[:, :1], history[:, 1:], experiment.split(50, 0.2), DESIGN)
    assert plan["uplift"] == pytest.approx(plan["uplift_year"])  # nothing tells that longer would help
    nobody = experiment.plan(history[:, :1], history[:, 1:], experiment.split(0, 0.2), DESIGN)
    assert (nobody["uplift"], nobody["enough"], nobody["needed_months"]) == (None, False, None)

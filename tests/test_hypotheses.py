"""The guarantee on small tables: what is counted, who is compared with whom, and how often chance is believed."""

from datetime import date
from itertools import combinations, product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from scipy.stats import bootstrap

from insiders.evidence import hypotheses as h
from insiders.evidence.hypotheses import claims, resampling
from insiders.evidence.hypotheses.outcomes import OUTCOMES
from insiders.tables import orders
from ledgers import cleaned, fetched, transaction

DAY = date(2011, 9, 1)
RESAMPLING = h.Resampling(level=0.95, resamples=399, seed=3)
REVENUE = h.Claim("revenue", "net_revenue", "customers", "above", "others")
SHARE = h.Claim("share", "net_revenue", "total", "above", 0.15)
MONTHS = h.Claim("months", "active_months", "months", "above", 0.5)
RETURNS = h.Claim("returns", "returned_revenue", "gross_revenue", "below", "others")
VALUE = h.Claim("value", "net_revenue", "orders", "above", "others")
ALIKE = h.Claim("alike", "net_revenue", "customers", "above", "look_alikes")
ALL = [REVENUE, SHARE, MONTHS, RETURNS, VALUE, ALIKE]


def outcomes(revenue: Any, ids: Any = None, **more: Any) -> pd.DataFrame:
    """One row per customer: one order each and nothing returned, unless `more` says otherwise."""
    amounts = np.asarray(revenue, float)
    names = [f"c{i}" for i in range(len(amounts))] if ids is None else ids
    plain = {"orders": 1.0, "items": amounts, "gross_revenue": amounts, "returned_revenue": 0.0}
    columns = {**plain, "net_revenue": amounts, "active_months": 1.0, **more}
    return pd.DataFrame({"customer_id": pd.array(names, dtype="str"), **columns})[["customer_id", *OUTCOMES]].astype(
        dict.fromkeys(OUTCOMES, float)
    )


def shop(count: int = 120, listed: int = 30, seed: int = 5) -> dict[str, Any]:
    """Customers with skewed revenue that goes on as it was; the first are listed. Nobody is like anybody."""
    rng = np.random.default_rng(seed)
    past = np.sort(rng.lognormal(5, 1, count))[::-1].round(2)
    ids = pd.array([f"c{i}" for i in range(count)], dtype="str")
    traits = {"net_revenue": past, "order_count": rng.integers(1, 9, count), "recency_days": rng.integers(1, 99, count)}
    orders_ = rng.integers(1, 4, count)
    later = past * rng.lognormal(0, 0.5, count)
    more = {"orders": orders_, "returned_revenue": later * rng.choice([0, 0.1], count), "active_months": orders_ % 4}
    return {
        "customers": pd.DataFrame({"customer_id": ids, **traits}),
        "judged": pd.DataFrame({"customer_id": ids, "is_insider": np.arange(count) < listed}),
        "before": h.Period(outcomes(past), 90),
        "after": h.Period(outcomes(later, **more), 90),
    }


def findings(parts: dict[str, Any], claims: list[h.Claim], resampling: h.Resampling = RESAMPLING) -> list[h.Finding]:
    aftermath = h.aftermath(**parts, seed=1)
    return h.findings(aftermath, h.match_pairs(aftermath, 0.25), claims, resampling)


# --- what is counted ---


def test_outcomes_of_a_ledger() -> None:
    """Days 0 to 89 count; a return is money and pieces back; who only returned has a row."""
    lines = cleaned(
        transaction(text)
        for text in (
            "1 A 10 2011-08-31T23:59 1.00 early",
            "2 A 10 2011-09-01T00:00 1.00 ann",
            "3 A 5 2011-09-30T12:00 2.00 ann",
            "4 B 4 2011-11-29T23:59 2.50 ann",
            "C5 A -3 2011-10-20 1.00 ann",
            "C6 A -2 2011-10-20 1.00 early",
            "7 A 1 2011-11-30T00:00 9.00 late",
        )
    )
    table = fetched(h.outcomes(orders.orders(lines), DAY, 90), "customer_id")
    expected = pd.DataFrame(
        [("ann", 3.0, 16.0, 30.0, 3.0, 27.0, 2.0), ("early", 0.0, -2.0, 0.0, 2.0, -2.0, 0.0)],
        columns=["customer_id", *OUTCOMES],
    )
    assert_frame_equal(table, expected, check_dtype=False)


def test_who_came_later_counts_in_the_total_only() -> None:
    parts = shop(40, 10)
    newcomer = outcomes([1000.0], ["new"])
    after = pd.concat([parts["after"].outcomes, newcomer], ignore_index=True)
    share, revenue = findings({**parts, "after": h.Period(after, 90)}, [SHARE, REVENUE])
    later = parts["after"].outcomes["net_revenue"]
    assert share["listed"] == pytest.approx(later[:10].sum() / (later.sum() + 1000))
    assert revenue["against"] == pytest.approx(later[10:].mean())


def test_what_was_before_is_told_and_decides_nothing() -> None:
    parts = shop()
    other = {**parts, "before": h.Period(outcomes(parts["before"].outcomes["net_revenue"] * 7 + 1), 90)}
    rows, again = findings(parts, ALL[:5]), findings(other, ALL[:5])
    assert rows[0]["before"]["listed"] == pytest.approx(parts["before"].outcomes["net_revenue"][:30].mean())
    for one, two in zip(rows, again, strict=True):
        assert (one["verdict"], one["listed"]) == (two["verdict"], pytest.approx(two["listed"]))


def test_neither_names_nor_the_order_of_rows_matter() -> None:
    parts = shop()
    numbers = np.random.default_rng(1).permutation(1000)[:120]
    rename = {f"c{i}": str(number) for i, number in enumerate(numbers)}

    def other(frame: pd.DataFrame) -> pd.DataFrame:
        renamed = frame.assign(customer_id=pd.array(frame["customer_id"].map(rename), dtype="str"))
        return renamed.sample(frac=1, random_state=2)

    again = {
        name: h.Period(other(each.outcomes), each.days) if isinstance(each, h.Period) else other(each)
        for name, each in parts.items()
    }
    assert findings(parts, ALL) == findings(again, ALL)


# --- intervals and p-values ---


def test_the_interval_is_the_accelerated_one_of_scipy() -> None:
    values = np.random.default_rng(2).lognormal(0, 1, 60)
    cells = np.column_stack([values, np.ones((60, 1)), np.zeros((60, 2))])
    estimate = resampling.estimate(resampling.Contrast(cells, (np.arange(60),), 0.0), h.Resampling(0.9, 4000, 1))
    expected = bootstrap((values,), np.mean, confidence_level=0.9, n_resamples=4000, method="BCa", rng=1)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(expected.confidence_interval), rel=0.02)


def test_the_p_value_inverts_the_interval() -> None:
    values = np.random.default_rng(2).lognormal(0, 1, 60)
    cells, rows = np.column_stack([values, np.ones((60, 1)), np.zeros((60, 2))]), (np.arange(60),)
    ends = resampling.estimate(resampling.Contrast(cells, rows, 0.0), h.Resampling(0.9, 4000, 1))
    at_low = resampling.estimate(resampling.Contrast(cells, rows, ends.low), h.Resampling(0.9, 4000, 1))
    assert at_low.above == pytest.approx(0.05, abs=0.002)
    assert at_low.below == pytest.approx(0.95, abs=0.002)


def test_blocks_keep_the_spread() -> None:
    values = np.random.default_rng(2).normal(10, 3, 5 * resampling.BLOCKS)
    cells = np.column_stack([values, np.ones((len(values), 1)), np.zeros((len(values), 2))])
    estimate = resampling.estimate(
        resampling.Contrast(cells, (np.arange(len(values)),), 0.0), h.Resampling(0.95, 2000, 1)
    )
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * 3 / np.sqrt(len(values)), rel=0.06)


def test_dealing_out_the_list_approaches_all_ways_to_deal() -> None:
    values = np.array([9.0, 7.0, 8.5, 3.0, 2.0, 8.0, 1.0])
    columns = np.column_stack([values, np.ones(7)])

    def statistic(rows: tuple[int, ...]) -> float:
        own, rest = values[list(rows)], np.delete(values, rows)
        return (own.mean() - rest.mean()) / np.sqrt(own.var(ddof=1) / 3 + rest.var(ddof=1) / 4)

    every = [statistic(rows) for rows in combinations(range(7), 3)]
    exact = np.mean(np.array(every) >= statistic((0, 1, 2)) - 1e-9)
    above, below = resampling.permutation_test(columns, np.arange(7) < 3, h.Resampling(0.95, 4000, 1))
    assert above == pytest.approx(exact, abs=0.02)
    assert above + below >= 1


def test_swapping_pairs_approaches_all_ways_to_swap() -> None:
    cells = np.array([[5.0, 1, 2, 1], [4, 1, 3.5, 1], [3, 1, 4, 1], [8, 1, 1, 1], [2, 1, 1.5, 1]])
    gaps = cells[:, 0] - cells[:, 2]
    every = [np.mean(gaps * signs) for signs in product((1, -1), repeat=5)]
    exact = np.mean(np.array(every) >= gaps.mean() - 1e-9)  # the studentised mean ranks the ways as the mean does
    assert resampling.paired_permutation_test(cells, h.Resampling(0.95, 4000, 1))[0] == pytest.approx(exact, abs=0.02)


def test_holm_by_hand() -> None:
    assert claims.holm([0.01, 0.04, 0.03, float("nan")])[:3] == pytest.approx([0.04, 0.09, 0.09])
    assert np.isnan(claims.holm([0.01, float("nan")])[1])
    assert claims.holm([0.6, 0.7]) == [1.0, 1.0]


# --- verdicts ---


def test_verdicts_of_a_shop_that_goes_on_as_it_was() -> None:
    rows = {row["name"]: row for row in findings(shop(), ALL)}
    verdicts = {name: row["verdict"] for name, row in rows.items()}
    assert verdicts["revenue"] == verdicts["share"] == verdicts["value"] == "true"
    assert verdicts["returns"] == "not_decidable"
    assert verdicts["alike"] == "not_decidable"
    assert rows["share"]["low"] < rows["share"]["effect"] < rows["share"]["high"]
    assert rows["share"]["effect"] == pytest.approx(rows["share"]["listed"] - 0.15)
    assert {row["unit"] for row in (rows["share"], rows["returns"], rows["months"])} == {"share"}
    assert {row["unit"] for row in (rows["revenue"], rows["value"])} == {"money"}


def test_the_contrary_is_false() -> None:
    contrary = [
        h.Claim("less", "net_revenue", "customers", "below", "others"),
        h.Claim("all", "items", "total", "above", 0.99),
    ]
    assert [row["verdict"] for row in findings(shop(), contrary)] == ["false", "false"]


@pytest.mark.parametrize("listed", [0, 1, 9, 120])
def test_too_few_on_either_side_decide_nothing(listed: int) -> None:
    for row in findings(shop(listed=listed), ALL):
        assert (row["verdict"], row["low"], row["p_value"]) == ("not_decidable", None, None)


def test_a_period_without_returns_or_orders_decides_nothing() -> None:
    parts = shop()
    nothing = h.Period(outcomes([], []), 90)
    rows = findings({**parts, "after": nothing}, ALL)
    assert {row["verdict"] for row in rows if row["name"] != "months"} == {"not_decidable"}
    assert rows[1]["listed"] is None


def test_chance_is_believed_at_no_more_than_the_nominal_rate() -> None:
    """The list dealt out by lot: 100 times, each of six claims; uncorrected, each comparison errs at its 5 %."""
    parts, believed, single = shop(150, 40), 0, {"revenue": 0, "returns": 0, "value": 0}
    rng = np.random.default_rng(8)
    for _ in range(100):
        dealt = parts["judged"].assign(is_insider=rng.permutation(parts["judged"]["is_insider"].to_numpy()))
        rows = findings({**parts, "judged": dealt}, ALL, h.Resampling(0.95, 199, 1))
        believed += any(row["verdict"] == "true" for row in rows if row["name"] not in ("share", "months"))
        for row in rows:
            if row["name"] in single:
                single[row["name"]] += row["p_value"] <= 0.05
    assert believed <= 9
    assert all(0 < count <= 12 for count in single.values())


# --- look-alikes ---


def alike(traits: list[tuple[float, float, float]], listed: int) -> h.Aftermath:
    frame = pd.DataFrame(traits, columns=["net_revenue", "order_count", "recency_days"])
    ids = pd.array([f"c{i}" for i in range(len(frame))], dtype="str")
    lists = pd.DataFrame({"customer_id": ids, "is_insider": np.arange(len(frame)) < listed})
    nothing = h.Period(outcomes([], []), 90)
    return h.aftermath(frame.assign(customer_id=ids), lists, nothing, nothing, 1)


def paired_revenue(aftermath: h.Aftermath, caliper: float) -> set[tuple[float, float]]:
    pairs = h.match_pairs(aftermath, caliper)
    revenue = aftermath.traits["net_revenue"].to_numpy()
    return set(zip(revenue[pairs.insiders].tolist(), revenue[pairs.lookalikes].tolist(), strict=True))


def test_pairs_are_the_closest_and_nobody_is_used_twice() -> None:
    """100 and 110 both want 105; 110 is nearer on the log scale, and 100 takes 90. Nobody is like 9,000."""
    aftermath = alike([(100, 3, 9), (110, 3, 9), (9000, 3, 9), (105, 3, 9), (90, 3, 9), (1, 3, 9), (104, 1, 300)], 3)
    assert paired_revenue(aftermath, 0.25) == {(110.0, 105.0), (100.0, 90.0)}
    assert paired_revenue(aftermath, 0.001) == set()


def test_balance_is_told_before_and_after() -> None:
    aftermath = alike([(100, 3, 9), (110, 3, 9), (9000, 3, 9), (105, 3, 9), (90, 3, 9), (1, 3, 9), (104, 1, 300)], 3)
    rows = {row["trait"]: row for row in h.balance(aftermath, h.match_pairs(aftermath, 0.25))}
    assert rows["net_revenue"]["before"] > 0.5 > abs(rows["net_revenue"]["after"])
    none = h.balance(aftermath, h.match_pairs(aftermath, 0.001))
    assert all(row["after"] is None for row in none)


def test_what_came_later_does_not_choose_a_look_alike() -> None:
    parts = shop()
    aftermath = h.aftermath(**parts, seed=1)
    other = h.aftermath(**{**parts, "after": h.Period(outcomes(np.arange(120)[::-1] + 1.0), 90)}, seed=1)
    assert len(h.match_pairs(aftermath, 0.5).insiders) == 5
    assert paired_revenue(aftermath, 0.5) == paired_revenue(other, 0.5)


def test_regression_to_the_mean_shows_in_the_list_and_in_its_look_alikes() -> None:
    """Everybody is worth the same; the past was luck. The list falls back, the others gain: nobody is better."""
    rng = np.random.default_rng(4)
    past, later = rng.lognormal(5, 0.5, (2, 400))
    listed = past > np.quantile(past, 0.8)
    ids = pd.array([f"c{i}" for i in range(400)], dtype="str")
    traits = pd.DataFrame({"customer_id": ids, "net_revenue": past, "order_count": 2.0, "recency_days": 9.0})
    lists = pd.DataFrame({"customer_id": ids, "is_insider": listed})
    aftermath = h.aftermath(traits, lists, h.Period(outcomes(past), 90), h.Period(outcomes(later), 90), 1)
    pairs = h.match_pairs(aftermath, 0.5)
    rows = h.groups(aftermath, pairs, RESAMPLING)
    assert rows["list"]["kept"]["high"] < 1 < rows["others"]["kept"]["low"]
    assert rows["list"]["before"]["value"] == pytest.approx(past[listed].mean() / 3)
    assert rows["sort"]["customers"] == rows["list"]["customers"] == 80
    assert rows["paired"]["customers"] == rows["look_alikes"]["customers"] == len(pairs.insiders) > 0
    assert {row["verdict"] for row in h.findings(aftermath, pairs, [REVENUE, ALIKE], RESAMPLING)} == {"not_decidable"}


def test_an_empty_list_has_groups_without_figures() -> None:
    aftermath = h.aftermath(**shop(listed=0), seed=1)
    rows = h.groups(aftermath, h.match_pairs(aftermath, 0.25), RESAMPLING)
    assert rows["list"] == {"customers": 0, **dict.fromkeys(("before", "after", "kept"), EMPTY)}
    assert rows["others"]["customers"] == 120


EMPTY = {"value": None, "low": None, "high": None}

"""The experiment read: who takes part, what is compared, and that chance alone is not taken for an effect."""

from dataclasses import replace
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest
import tea_tasting

from insiders.programme import readout
from insiders.programme.experiment import Design
from insiders.programme.readout import Reading
from insiders.tables import orders
from ledgers import cleaned, fetched, transaction

DESIGN = Design(control_share=0.2, power=0.8, alpha=0.05, minimum_uplift=0.1)
DAY = pd.Timestamp("2011-09-01")
READING = Reading(date(2010, 9, 1), date(2012, 3, 1))  # 12 months before, 6 after


# --- who takes part ---


def moved(text: str) -> pd.DataFrame:
    """Rows "customer day event decided"."""
    rows = [line.split() for line in text.strip().splitlines()]
    frame = pd.DataFrame(rows, columns=["customer_id", "as_of", "event", "decided"])
    return frame.assign(as_of=pd.to_datetime(frame["as_of"]), decided=frame["decided"].eq("yes"))


def test_who_takes_part_and_since_when() -> None:
    """From the first decision that had them in; what was only simulated, or left before it, does not count."""
    movement = moved(
        """
        ann 2011-08-01 joined no
        ann 2011-09-01 stayed yes
        ann 2011-10-01 left   yes
        bob 2011-09-01 left   yes
        bob 2011-10-01 returned yes
        cat 2011-10-01 joined yes
        dan 2011-08-01 joined no
        """
    )
    arms = {"ann": "held_out", "bob": "invited", "cat": "invited", "dan": "invited"}
    members = pd.DataFrame({"customer_id": list(arms), "arm": list(arms.values())})
    drawn = readout.participants(members, movement)
    assert drawn.astype("str").to_numpy().tolist() == [
        ["ann", "2011-09-01", "held_out"],
        ["bob", "2011-10-01", "invited"],
        ["cat", "2011-10-01", "invited"],
    ]


def test_months_count_from_the_own_day() -> None:
    rows = ["1 A 2 2011-08-31 5.00 ann", "2 A 1 2011-09-01 5.00 ann", "3 A 1 2011-10-01 7.00 ann"]
    more = ["4 A 1 2011-08-01 9.00 ann", "C5 A -1 2011-10-02 5.00 bob", "6 A 1 2011-10-30T23:00 9.00 bob"]
    made = orders.orders(cleaned(transaction(text) for text in [*rows, *more]))
    days = pd.DataFrame({"customer_id": ["ann", "bob"], "enrolled_on": [DAY, pd.Timestamp("2011-10-01")]})
    revenue = fetched(readout.monthly_revenue(made, ibis.memtable(days)), "customer_id", "month")
    assert revenue.to_numpy().tolist() == [
        ["ann", -2, 9.0],
        ["ann", -1, 10.0],
        ["ann", 0, 5.0],
        ["ann", 1, 7.0],
        ["bob", 0, 4.0],
    ]


# --- the reading ---


def panel(count: int, seed: int = 3) -> np.ndarray:
    """Monthly revenue of twelve months before and six after: lasting differences, noise, some months without."""
    rng = np.random.default_rng(seed)
    own = rng.lognormal(0, 0.8, (count, 1)) * 100
    return own * rng.gamma(2, 0.5, (count, 18)) * (rng.random((count, 18)) < 0.8)


def drawn(count: int, held_out: int, seed: int) -> pd.DataFrame:
    lot = np.random.default_rng(seed).permutation(count) < held_out
    ids = [f"c{number:04}" for number in range(count)]
    return pd.DataFrame({"customer_id": ids, "arm": np.where(lot, "held_out", "invited"), "enrolled_on": DAY})


def long(people: pd.DataFrame, amounts: np.ndarray) -> pd.DataFrame:
    wide = pd.DataFrame(amounts, index=people["customer_id"], columns=pd.RangeIndex(-12, 6, name="month"))
    return wide.reset_index().melt("customer_id", var_name="month", value_name="net_revenue")


def lifted(people: pd.DataFrame, amounts: np.ndarray, uplift: float) -> np.ndarray:
    """What the invited bring from the day on, times 1 + uplift."""
    factor = np.ones_like(amounts)
    factor[people["arm"].eq("invited").to_numpy(), 12:] += uplift
    return amounts * factor


def reading(people: pd.DataFrame, amounts: np.ndarray, design: Design = DESIGN) -> readout.ReadOut:
    made = readout.read(people, long(people, amounts), READING, design)
    assert made is not None
    return made


def test_the_figures_are_those_of_tea_tasting() -> None:
    people, amounts = drawn(200, 40, 1), panel(200)
    made, cap = reading(people, amounts), np.quantile(amounts[:, :12], 0.95)
    clipped = np.clip(amounts, -cap, cap)
    frame = pd.DataFrame(
        {
            "variant": people["arm"].eq("invited").astype("int64"),
            "after": clipped[:, 12:].mean(axis=1),
            "before": clipped[:, :12].mean(axis=1),
        }
    )
    own = tea_tasting.Experiment(
        metric=tea_tasting.Mean("after", "before", use_t=True, equal_var=False), ratio=tea_tasting.SampleRatio(4)
    )
    oracle, ratio = (own.analyze(frame)[name] for name in ("metric", "ratio"))
    effect = made["effect"]
    assert made["cap"] == pytest.approx(cap)
    assert [row["metric"] for row in made["arms"]] == pytest.approx([oracle.treatment, oracle.control])
    assert effect["money"] == pytest.approx(oracle.effect_size)
    assert effect["uplift"] == pytest.approx(oracle.rel_effect_size)
    assert effect["p"] == pytest.approx(oracle.pvalue, rel=0.02)  # theirs pays for the slope's degree of freedom
    bounds = [effect[name] for name in ("money_low", "money_high", "uplift_low", "uplift_high")]
    theirs = ("effect_size_ci_lower", "effect_size_ci_upper", "rel_effect_size_ci_lower", "rel_effect_size_ci_upper")
    assert bounds == pytest.approx([getattr(oracle, name) for name in theirs], rel=0.02)
    assert made["sample_ratio_p"] == pytest.approx(ratio.pvalue)


def test_chance_is_rarely_taken_for_an_effect_and_the_stated_power_holds() -> None:
    """Two hundred lots over the same members, without a programme and with one that adds a fifth."""
    amounts, lots = panel(300), 200
    cap = reading(drawn(300, 60, 0), amounts)["cap"]
    truth = (np.clip(1.2 * amounts[:, 12:], 0, cap) - np.clip(amounts[:, 12:], 0, cap)).mean()
    design = replace(DESIGN, minimum_uplift=truth / np.clip(amounts[:, 12:], 0, cap).mean())
    wrong, caught, held, power = 0, 0, 0, 0.0
    for seed in range(lots):
        people = drawn(300, 60, seed)
        nothing, something = (reading(people, lifted(people, amounts, uplift), design) for uplift in (0.0, 0.2))
        wrong += nothing["effect"]["p"] < design.alpha
        caught += something["effect"]["p"] < design.alpha
        held += something["effect"]["money_low"] <= truth <= something["effect"]["money_high"]
        power += something["power"]["power"] / lots
    assert wrong / lots == pytest.approx(0.05, abs=0.035)
    assert held / lots == pytest.approx(0.95, abs=0.035)
    assert caught / lots == pytest.approx(power, abs=0.08)


def test_the_verdict_waits_for_power() -> None:
    """Forty held-out members cannot show a tenth; a thousand can, whichever way it goes."""
    few, many = drawn(200, 40, 1), drawn(5000, 1000, 1)
    assert reading(few, lifted(few, panel(200), 0.5))["verdict"] == readout.TOO_EARLY
    some = panel(5000)
    verdicts = [reading(many, lifted(many, some, each))["verdict"] for each in (0.2, -0.2, 0.0)]
    assert verdicts == [readout.PAYS, readout.HARMS, readout.NOT_FOUND]


def test_what_comes_before_the_day_makes_no_effect() -> None:
    """An uplift of all the months before is subtracted, and moves the cap only."""
    people, amounts = drawn(200, 40, 1), panel(200)
    future = amounts.copy()
    future[:, 12:] *= 3
    assert reading(people, amounts)["cap"] == reading(people, future)["cap"]


def test_before_a_whole_month_nothing_is_compared() -> None:
    people = drawn(20, 4, 1)
    made = readout.read(people, long(people, panel(20)), Reading(date(2010, 9, 1), date(2011, 9, 29)), DESIGN)
    assert (made["verdict"], made["effect"], made["months"]) == (readout.TOO_EARLY, None, 0)
    assert [row["drawn"] for row in made["arms"]] == [16, 4]


def test_who_joined_later_counts_for_their_own_months() -> None:
    """Two months of the later ones, six of the others; the rest of the panel is not looked at."""
    people, amounts = drawn(200, 40, 1), panel(200)
    late = people.copy()
    late.loc[100:, "enrolled_on"] = DAY + pd.Timedelta(days=120)
    made = readout.read(late, long(late, amounts), READING, DESIGN)
    cut = amounts.copy()
    cut[100:, 14:] = 0
    means = np.where(np.arange(200) < 100, amounts[:, 12:].mean(axis=1), amounts[:, 12:14].mean(axis=1))
    invited = late["arm"].eq("invited").to_numpy()
    assert made["arms"][0]["net_revenue"] == pytest.approx(means[invited].mean())
    assert readout.read(late, long(late, cut), READING, DESIGN)["effect"] == made["effect"]


def test_arms_that_were_tampered_with_are_told() -> None:
    people = drawn(500, 100, 1)
    kept = people[people["arm"].eq("invited") | (people.index % 2 == 0)]
    made = readout.read(kept, long(people, panel(500)), READING, DESIGN)
    assert made["verdict"] == readout.BROKEN

import re
import time

import numpy as np
import pandas as pd
import pytest

import report_tables as shop
from insiders.figures import customers, forecast, guarantee, revenue, segments, style, traits, trials

TRIALS = shop.trials()
MEMBERS = shop.members(shop.customers())
ROWS = [{"label": "orders", "ratio": 5.5}, {"label": "days", "ratio": 0.2}, {"label": "returns", "ratio": None}]
PICTURES = {
    "rfm_map": lambda: customers.rfm_map(MEMBERS["recency_days"], MEMBERS["net_revenue"], MEMBERS["is_insider"]),
    "front": lambda: trials.front(TRIALS, chosen=17),
    "history": lambda: trials.history(TRIALS),
    "lift_by_period": lambda: trials.lift_by_period(TRIALS, 17, ["a", "b", "c"]),
    "lorenz": lambda: revenue.lorenz(MEMBERS["net_revenue"], MEMBERS["is_insider"]),
    "months": lambda: revenue.months(shop.months()),
    "traits": lambda: traits.traits(ROWS),
    "backtest": lambda: forecast.backtest(shop.BACKTEST),
    "captures": lambda: guarantee.captures([{"label": "this list", "capture": 0.5, "is_list": True}]),
    "segments": lambda: segments.segments([{"segment": "A", "customer_share": 0.1, "net_revenue_share": 0.6}]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_equal_data_gives_equal_bytes(name):
    drawings = [style.svg(PICTURES[name](), name, "what it shows") for _ in range(2)]

    assert drawings[0] == drawings[1]
    assert not re.search(r"<dc:date>|<metadata>|<script", drawings[0])


def test_svg_says_what_it_shows_and_scales():
    drawing = style.svg(trials.history(TRIALS), "Trials & lifts", "each <dot> a trial")

    assert drawing.startswith("<svg")
    assert 'role="img"><title>Trials &amp; lifts</title><desc>each &lt;dot&gt; a trial</desc>' in drawing
    opening = drawing[: drawing.index(">")]
    assert "viewBox" in opening
    assert not re.search(r" (width|height)=", opening)


def test_ids_of_two_pictures_do_not_clash():
    ids = [re.findall(r' id="([^"]+)"', style.svg(PICTURES[name](), name, "")) for name in ("front", "months")]

    assert not any(re.fullmatch(r"(figure|axes|patch|text)_\d+", each) for found in ids for each in found)


def test_crowds_are_pixels_so_that_a_picture_stays_small():
    crowd = shop.members(shop.customers(5000))
    figure = customers.rfm_map(crowd["recency_days"], crowd["net_revenue"], crowd["is_insider"])

    assert len(style.svg(figure, "", "")) < 300_000


def test_trials_that_were_given_up_are_shown_as_refused():
    given_up = TRIALS.assign(state=TRIALS["state"].replace("COMPLETE", "PRUNED"), stability=np.nan)

    dots = trials.history(given_up).axes[0].collections
    assert [len(each.get_offsets()) for each in dots] == [40, 0]
    ticks = [line for line in trials.front(given_up).axes[0].lines if line.get_marker() == "_"]
    assert sum(len(line.get_ydata()) for line in ticks) == 40


def test_no_global_state_is_touched():
    import matplotlib

    before = dict(matplotlib.rcParams)
    for draw in PICTURES.values():
        draw()

    assert dict(matplotlib.rcParams) == before


def test_front_marks_the_chosen_trial_only_when_it_is_there():
    legends = [trials.front(TRIALS, chosen).legends[0] for chosen in (17, 999)]

    texts = [[text.get_text() for text in legend.get_texts()] for legend in legends]
    assert ["chosen" in each for each in texts] == [True, False]
    assert {"scaled", "value plane"} <= set(texts[0])


def test_the_chosen_recipe_is_in_sight_in_every_period():
    best = TRIALS["number"] == 17
    higher = TRIALS.assign(value_lift_1=TRIALS["value_lift_1"].where(~best, 1.4))
    axes = trials.lift_by_period(higher, 17).axes[0]
    low, high = axes.get_ylim()

    assert low < higher.loc[best, ["value_lift_1", "value_lift_2", "value_lift_3"]].to_numpy().min()
    assert high > 1.4


def test_baselines_stand_at_their_own_lift():
    axes = trials.front(TRIALS, 17).axes[0]

    assert {text.get_text().replace("\u00a0", " ") for text in axes.texts} <= {
        "top by net revenue",
        "top by rfm quintiles",
    }
    assert 1.0 in {float(line.get_ydata()[0]) for line in axes.lines if len(line.get_ydata())}


def test_months_hatch_what_is_partial():
    bars = revenue.months(shop.months()).axes[0].patches

    assert [bool(bar.get_hatch()) for bar in bars] == ([False] * 12 + [True]) * 2


def test_a_search_without_feasible_trial_still_has_pictures():
    refused = TRIALS.assign(feasible=False, stability=np.nan)

    for figure in (trials.front(refused), trials.history(refused), trials.lift_by_period(refused, 17)):
        assert figure.axes


def test_trial_map_takes_one_dimension_and_noise():
    labels = np.array([-1, 0, 1, 9])

    figure = trials.trial_map(np.arange(4.0)[:, None], labels, labels == 0)

    assert len(figure.axes[0].collections) == 2


def test_a_map_per_trial_is_cheap():
    rng = np.random.default_rng(0)
    points, labels = rng.normal(size=(4000, 2)), rng.integers(-1, 8, 4000)
    started = time.process_time()

    trials.trial_map(points, labels, labels == 0).savefig(style.StringIO(), format="svg")

    assert time.process_time() - started < 2  # about 0.1 s; a bound that only a blunder breaks


def test_lorenz_without_insiders_has_no_point():
    figure = revenue.lorenz(pd.Series([5.0, 3.0, -1.0]), pd.Series([False] * 3))

    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "if all were equal",
        "customers, best first",
    ]

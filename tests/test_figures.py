import re
import time

import numpy as np
import pandas as pd
import pytest

import forecast_tables
import judged_tables
import report_tables as shop
from insiders.language import Language
from insiders.report.figures import expected_revenue, guarantee, how_many, revenue_share, style, traits, trials, who

TRIALS = shop.trials()
MEMBERS = shop.members(shop.customers())
ROWS = [{"label": "orders", "ratio": 5.5}, {"label": "days", "ratio": 0.2}, {"label": "returns", "ratio": None}]
LORENZ = {
    "lorenz": [{"customers": 0.0, "held": 0.0}, {"customers": 0.5, "held": 0.9}, {"customers": 1.0, "held": 1.0}],
    "count": 1,
    "customer_share": 0.5,
    "net_revenue_share": 0.9,
}
POINTS = [{"customer_share": 0.1, "net_revenue_share": 0.5, "expected_share": 0.4}]
SIZES = {"curve": POINTS, "steps": POINTS, "own": POINTS[0], "share_min": 0.02, "share_max": 0.15}
PLACES = [
    {"segment": "Insiders", "is_insider": True, "places": {"a": 0.9, "b": 0.1}},
    {"segment": "Others", "is_insider": False, "places": {"a": 0.4, "b": 0.5}},
]
OUTLOOK = forecast_tables.told(shop.insiders(MEMBERS), MEMBERS["segment"], shop.AS_OF)
PICTURES = {
    "rfm_map": lambda: who.rfm_map(MEMBERS["recency_days"], MEMBERS["net_revenue"], MEMBERS["is_insider"]),
    "front": lambda: trials.front(TRIALS, chosen=17),
    "history": lambda: trials.history(TRIALS),
    "foresight_by_period": lambda: trials.foresight_by_period(TRIALS, 17, ["a", "b", "c"]),
    "lorenz": lambda: revenue_share.lorenz(LORENZ),
    "sizes": lambda: how_many.sizes(SIZES),
    "places": lambda: traits.places(PLACES, {"a": "orders", "b": "days"}),
    "effects": lambda: traits.effects([{"label": "orders", "delta": 0.5, "low": 0.3, "high": 0.6}]),
    "columns": lambda: traits.columns([{"insiders": 0.4, "others": 0.6}], ["Mon"]),
    "months": lambda: revenue_share.months(shop.months()),
    "traits": lambda: traits.traits(ROWS),
    "backtest": lambda: expected_revenue.backtest(judged_tables.BACKTEST),
    "outlook": lambda: expected_revenue.outlook(OUTLOOK["past"], OUTLOOK["months"]),
    "captures": lambda: guarantee.captures([{"label": "this list", "capture": 0.5, "is_list": True}]),
    "segments": lambda: how_many.segments([{"segment": "A", "customer_share": 0.1, "net_revenue_share": 0.6}]),
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
    figure = who.rfm_map(crowd["recency_days"], crowd["net_revenue"], crowd["is_insider"])

    assert len(style.svg(figure, "", "")) < 300_000


def test_trials_that_were_given_up_are_shown_as_refused():
    given_up = TRIALS.assign(state=TRIALS["state"].replace("COMPLETE", "PRUNED"), stability_rand=np.nan)

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
    higher = TRIALS.assign(foresight_1=TRIALS["foresight_1"].where(~best, 0.4))
    axes = trials.foresight_by_period(higher, 17).axes[0]
    low, high = axes.get_ylim()

    assert low < higher.loc[best, ["foresight_1", "foresight_2", "foresight_3"]].to_numpy().min()
    assert high > 0.4


def test_the_cells_of_rfm_stand_at_their_own_foresight():
    axes = trials.front(TRIALS, 17).axes[0]

    assert 0.2 in {float(line.get_ydata()[0]) for line in axes.lines if len(line.get_ydata())}


def test_months_hatch_what_is_partial():
    bars = revenue_share.months(shop.months()).axes[0].patches

    assert [bool(bar.get_hatch()) for bar in bars] == ([False] * 12 + [True]) * 2


def test_a_search_without_feasible_trial_still_has_pictures():
    refused = TRIALS.assign(feasible=False, stability_rand=np.nan)

    for figure in (trials.front(refused), trials.history(refused), trials.foresight_by_period(refused, 17)):
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
    figure = revenue_share.lorenz({**LORENZ, "count": 0})

    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == [
        "if all were equal",
        "customers, best first",
    ]


def test_no_list_and_no_revenue_leave_the_other_sizes_readable():
    nothing = [{"customer_share": 0.1, "net_revenue_share": None, "expected_share": None}]
    figure = how_many.sizes({**SIZES, "curve": nothing, "steps": nothing, "own": None})

    assert "this list" not in [text.get_text() for text in figure.legends[0].get_texts()]
    assert np.isnan(figure.axes[0].lines[0].get_ydata()).all()


def test_an_effect_that_is_not_known_is_not_drawn():
    known = {"label": "orders", "delta": 0.5, "low": 0.3, "high": 0.6}
    axes = traits.effects([known, {"label": "days", "delta": None, "low": None, "high": None}]).axes[0]

    assert [label.get_text() for label in axes.get_yticklabels()] == ["orders"]


def test_pictures_speak_the_language():
    figure = how_many.sizes(SIZES, Language("pt-BR", "GBP"))

    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "esta lista"
    assert figure.axes[0].get_xlabel() == "parcela dos clientes na lista"


def test_a_long_label_has_room():
    short, long = (guarantee.captures([{"label": "x" * n, "capture": 0.5, "is_list": True}]) for n in (5, 30))

    assert short.subplotpars.left < long.subplotpars.left


@pytest.mark.parametrize(
    ("months", "names"),
    [(14, 14), (15, ["Jan\n2025", "Mar\n ", "May\n "]), (30, ["Jan\n2025", "Apr\n ", "Jul\n "])],
)
def test_of_many_months_januaries_are_named_with_their_year(months, names):
    days = pd.date_range("2024-12-01", periods=months, freq="MS")
    revenue = pd.DataFrame({"month": days, "insiders": 1.0, "others": 1.0, "is_partial": False})
    [axes] = revenue_share.months(revenue).axes

    found = [label.get_text() for label in axes.get_xticklabels()]
    assert found[:3] == names if isinstance(names, list) else len(found) == names

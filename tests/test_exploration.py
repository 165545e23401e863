"""What the exploration page says of small shops worked out by hand, and what no shop may change."""

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import report_tables as shop
from exploration_tables import look
from insiders.answers import exploration as exploration_page
from insiders.explore import exploration
from insiders.io import paths, tables
from insiders.language import Language
from insiders.report.figures import exploration as figures
from insiders.report.numbers import tidy

ENGLISH = Language("en", "GBP")


def blobs(each: int = 60) -> np.ndarray:
    """Three round groups, far apart, on a plane."""
    rng = np.random.default_rng(2)
    return np.concatenate([rng.normal(centre, 0.3, (each, 2)) for centre in ((0, 0), (8, 0), (4, 7))])


def feature(values: list[float]) -> dict[str, Any]:
    return exploration._feature("net_revenue", np.array(values, dtype=float))


# --- features ---


def test_a_feature_in_figures() -> None:
    found = feature([0.0, 0.0, 1.0, 2.0, 7.0, float("nan"), -1.0, 3.0])
    assert (found["known"], found["missing_share"]) == (7, 1 / 8)
    assert (found["least"], found["median"], found["most"]) == (-1.0, 1.0, 7.0)
    assert (found["zero_share"], found["negative_share"]) == (2 / 7, 1 / 7)
    assert sum(found["bins"]["counts"]) == 7


def test_skewness_is_that_of_the_definition() -> None:
    values = np.array([1.0, 2.0, 3.0, 10.0])
    assert exploration.skew(values) == pytest.approx(np.mean((values - 4) ** 3) / np.mean((values - 4) ** 2) ** 1.5)
    assert exploration.skew(np.array([-1.0, 0.0, 1.0])) == pytest.approx(0.0)
    assert exploration.skew(np.ones(3)) is None


def test_a_lognormal_feature_is_skewed_until_it_is_scaled() -> None:
    found = feature(list(np.random.default_rng(0).lognormal(3, 1.6, 4000)))
    assert found["is_log"]
    assert found["skewness"] > 3
    assert abs(found["skewness_scaled"]) < found["skewness"] / 3
    assert found["weight"] > 0.5 > found["weight_scaled"]
    edges = np.array(found["bins"]["edges"])
    back = np.sign(edges) * np.expm1(np.abs(edges)) * found["bins"]["unit"]
    assert back[0] == pytest.approx(found["least"])
    assert back[-1] == pytest.approx(found["most"])


def test_money_in_another_unit_has_the_same_shape() -> None:
    values = list(np.random.default_rng(1).lognormal(3, 1, 500))
    pounds, pence = feature(values), feature([100 * value for value in values])
    for name in ("skewness", "skewness_scaled", "weight", "weight_scaled"):
        assert pence[name] == pytest.approx(pounds[name])
    assert pence["bins"]["counts"] == pounds["bins"]["counts"]


@pytest.mark.parametrize("values", [[5.0], [0.0, 0.0], [float("nan")], []])
def test_a_feature_that_says_nothing_breaks_nothing(values: list[float]) -> None:
    found = feature(values)
    assert found.get("skewness") is None
    json.dumps(tidy(found), allow_nan=False)


# --- what features share ---


def test_two_features_that_rise_together_are_one_dimension() -> None:
    rng = np.random.default_rng(3)
    one = rng.lognormal(0, 1, 300)
    frame = pd.DataFrame({"a": one, "b": one**2, "c": rng.lognormal(0, 1, 300)})
    found = exploration.shared(frame, ["a", "b", "c"])
    assert [(pair["one"], pair["other"]) for pair in found["alike"]] == [("a", "b")]
    assert found["alike"][0]["correlation"] == pytest.approx(1.0)
    assert found["components"] == 2
    assert 0.6 < found["first_share"] < 0.75


def test_features_that_do_not_vary_fill_no_dimension() -> None:
    found = exploration.shared(pd.DataFrame({"a": [1.0, 1.0], "b": [2.0, 2.0]}), ["a", "b"])
    assert (found["components"], found["first_share"], found["alike"]) == (None, None, [])


# --- the embedding ---


def test_a_plane_is_drawn_as_it_is_and_more_dimensions_by_their_largest() -> None:
    points = blobs()
    drawn, share = exploration.flat(points)
    assert share is None
    assert np.array_equal(drawn, points)
    deep = np.column_stack([points[:, 0] * 0.01, points, points[:, 1] * 0.01])
    drawn, share = exploration.flat(deep)
    assert share == pytest.approx(1.0)
    spread = [np.linalg.norm(each - each.mean(axis=0)) for each in (drawn, deep)]
    assert spread[0] == pytest.approx(spread[1])
    line, _ = exploration.flat(points[:, :1])
    assert np.array_equal(line, np.column_stack([points[:, 0], np.zeros(len(points))]))


@pytest.mark.parametrize(
    ("clusterer", "params"),
    [
        ("kmeans", {"kmeans.clusters": 5}),
        ("ward", {"ward.clusters": 5}),
        ("mixture", {"mixture.components": 5, "mixture.covariance": "full"}),
    ],
)
def test_three_groups_are_found_as_three(clusterer: str, params: dict[str, Any]) -> None:
    found = exploration.clusterings(blobs(), clusterer, params, 1)
    assert found
    assert (found["chosen"], found["is_count"], found["best_silhouette"]) == (5, True, 3)
    assert found["tried"][0]["value"] == 3
    assert found["tried"][0]["unexplained"] < 0.02


def test_the_elbow_is_where_the_curve_bends() -> None:
    assert exploration._elbow([2, 3, 4, 5, 6], [1.0, 0.6, 0.2, 0.15, 0.1]) == 4
    assert exploration._elbow([2, 3], [1.0, 0.5]) is None
    assert exploration._elbow([2, 3, 4], [0.5, 0.5, 0.5]) is None


def test_a_density_is_tried_by_its_least_size_and_noise_counts_in_full() -> None:
    found = exploration.clusterings(blobs(), "hdbscan", {"hdbscan.smallest": 0.02, "hdbscan.samples": 5}, 1)
    assert found
    assert (found["is_count"], found["elbow"]) == (False, None)
    assert exploration._unexplained(np.array([[0.0], [2.0], [4.0]]), np.array([0, 0, -1])) == pytest.approx(6 / 8)


def test_too_few_or_equal_places_have_no_clusters() -> None:
    assert exploration.clusterings(blobs(3), "kmeans", {"kmeans.clusters": 5}, 1) is None
    assert exploration.clusterings(np.zeros((100, 2)), "kmeans", {"kmeans.clusters": 5}, 1) is None


def test_the_order_of_the_places_changes_nothing() -> None:
    points = np.column_stack([blobs(), blobs()[:, 0] ** 2])
    mixed = np.random.default_rng(0).permutation(len(points))
    params = {"kmeans.clusters": 4}
    assert exploration.clusterings(points[mixed], "kmeans", params, 1) == exploration.clusterings(
        points, "kmeans", params, 1
    )
    assert np.array_equal(exploration.flat(points[mixed])[0], exploration.flat(points)[0][mixed])


# --- the search, returns ---


def test_choices_stand_by_their_best_feasible_trial() -> None:
    trials = pd.DataFrame(
        {
            "number": [0, 1, 2, 3, 4],
            "state": ["COMPLETE", "COMPLETE", "COMPLETE", "PRUNED", "BASELINE"],
            "embedding": ["a", "a", "b", "c", "a"],
            "feasible": [True, False, True, False, True],
            "foresight_mean": [0.21, 0.3, 0.25, 0.4, 0.9],
            "foresight_min": [0.2, 0.25, 0.1, 0.3, 0.9],
            "foresight_1": [0.2, 0.3, 0.4, 0.4, 0.9],
            "foresight_2": [0.22, 0.3, 0.1, 0.4, 0.9],
            "stability_rand": [0.8, np.nan, np.nan, np.nan, np.nan],
        }
    )
    rows = exploration.by_choice(trials, "embedding")
    assert [(row["name"], row["trials"], row["feasible"], row["best"]) for row in rows] == [
        ("b", 1, 1, 0.25),
        ("a", 2, 1, 0.21),
        ("c", 1, 0, None),
    ]
    assert (rows[0]["low"], rows[0]["high"], rows[0]["worst_period"]) == (0.1, 0.4, 0.1)
    assert (rows[1]["stability"], rows[0]["stability"], rows[2]["high"]) == (0.8, None, None)


def test_a_search_without_a_single_result_has_no_choices() -> None:
    assert exploration.by_choice(pd.DataFrame({"state": ["FAIL"], "number": [0]}), "segments") == []


def test_who_bought_and_gave_back_is_displaced() -> None:
    frame = pd.DataFrame({"gross_revenue": [900.0, 500.0, 100.0, 50.0], "returned_revenue": [900.0, 0.0, 10.0, 0.0]})
    found = exploration.netting(frame.assign(net_revenue=frame["gross_revenue"] - frame["returned_revenue"]), 2)
    assert found == {
        "count": 2,
        "displaced": 1,
        "returned_share": 910 / 1550,
        "returning_customers_share": 0.5,
        "not_positive": 1,
        "largest_returned": 900.0,
    }


# --- the page ---


@pytest.fixture
def folder(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write(tmp_path)
    monkeypatch.chdir(tmp_path)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list) else [value]


@pytest.mark.usefixtures("folder")
def test_every_step_with_every_number_from_the_json() -> None:
    from insiders.report import text

    numbers, html = exploration_page.write(look(), shop.usual(), ENGLISH)
    assert list(numbers["steps"]) == [
        "delivery",
        "data",
        "cleaning",
        "returns",
        "distributions",
        "scaling",
        "redundancy",
        "embedding",
        "clusters",
        "tuning",
        "list",
        "value",
        "deployment",
        "conclusions",
        "lessons",
        "next_steps",
    ]
    json.dumps(numbers, allow_nan=False)
    visible = re.sub(r"<(svg|style|title)\b.*?</\1>", " ", html, flags=re.DOTALL)
    shown = re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", re.sub(r"<[^>]+>", " ", visible))
    filters = text.environment(ENGLISH).filters
    known = {str(place) for place in range(17)} | {"90", "180", "30"}  # steps, groups, and days that labels name
    for leaf in leaves(numbers):
        if isinstance(leaf, str):
            known |= set(re.findall(r"\d+", leaf))
        elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
            forms = [filters[name](leaf) for name in ("count", "money", "amount", "share", "ratio", "number")]
            forms += [filters["share"](leaf, 0), filters["ratio"](leaf, 2), filters["ratio"](leaf, 1)]
            known |= {token for form in forms for token in re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?", form)}
    assert len(shown) > 150
    assert [
        token for token in shown if token not in known | {shop.usual()["guarantee"]["provenance"]["model_version"]}
    ] == []


@pytest.mark.usefixtures("folder")
def test_the_page_is_offline_and_can_be_heard() -> None:
    _, html = exploration_page.write(look(), shop.usual(), ENGLISH)
    assert not re.search(r"<(script|link|iframe|img)\b", html)
    targets = set(re.findall(r'(?:href|src)="([^"#][^"]*)"', html))
    pages = {target for target in targets if not target.startswith("data:image/png;base64,")}
    assert {target.partition("#")[0] for target in pages} == {"index.html"}
    assert html.count("<svg") == html.count('role="img"><title>') == 7
    assert html.count("<table") == html.count("<caption>")


@pytest.mark.usefixtures("folder")
def test_the_map_marks_the_insiders_and_never_names_anybody() -> None:
    seen = look()
    assert seen.spots is not None
    assert list(seen.spots.columns) == ["is_insider", "x", "y"]
    axes = figures.places(seen.spots).axes[0]
    assert [len(dots.get_offsets()) for dots in axes.collections] == [360, 40]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("regime", ["none", "baseline"])
def test_without_a_model_there_is_no_map_and_no_elbow(regime: str) -> None:
    manifest = {
        **shop.regime(regime, champion_version=None),
        "serving": {"embedding": None, "clusterer": "net_revenue", "measures": {"sort_lift": 1.0}},
        "baseline": {"name": "net_revenue", "n": 40, "horizon_days": 90},
    }
    pd.DataFrame({"customer_id": pd.array([], dtype="str"), "place": []}).to_parquet(paths.PLACES, index=False)
    people = shop.nobody() if regime == "none" else None
    seen = look(manifest, people)
    answers = shop.nine(shop.Shop(manifest, people))
    numbers, html = exploration_page.write(seen, answers, ENGLISH)
    assert seen.spots is None
    assert (numbers["map"], numbers["groups"], numbers["clusterings"]) == (None, None, None)
    assert "There is no map: no model serves" in html
    assert "there are no clusters to show" in html


@pytest.mark.usefixtures("folder")
def test_too_few_customers_have_a_map_and_no_elbow() -> None:
    people = shop.members(shop.customers()).iloc[:20]
    numbers, html = exploration_page.write(look(people=people), shop.usual(), ENGLISH)
    assert numbers["map"]["customers"] == 20
    assert "too few customers" in html


@pytest.mark.usefixtures("folder")
def test_an_earlier_champion_has_a_map_and_no_elbow() -> None:
    manifest = {**shop.registered(), "version": "4"}
    numbers, html = exploration_page.write(look(manifest), shop.usual(), ENGLISH)
    assert numbers["map"]["customers"] == 400
    assert numbers["clusterings"] is None
    assert "An earlier model serves" in html


@pytest.mark.usefixtures("folder")
def test_the_order_of_the_rows_changes_no_number() -> None:
    people = shop.members(shop.customers())
    mixed = look(people=people.sample(frac=1, random_state=0))
    assert tidy(mixed.numbers) == tidy(look(people=people).numbers)


@pytest.mark.usefixtures("folder")
def test_what_comes_after_as_of_is_not_counted() -> None:
    before = look().numbers["contents"]
    for path in (paths.ORDERS, paths.LINES):
        known = tables.read(path)
        later = known.assign(ordered_at=pd.Timestamp("2012-01-05"), product_code="LATE", country="LATE")
        pd.concat([known, later[[*known.columns]]]).to_parquet(path, index=False)
    assert look().numbers["contents"] == before

import pytest

from insiders.evidence.gates import Gate, Thresholds, gates

THRESHOLDS = Thresholds(
    sort_lift_margin=0.03,
    value_over_random_min=1.0,
    list_stability_min=0.75,
    foresight_margin=0.01,
    stability_min=0.7,
    champion_margin=0.01,
    segment_share_min=0.005,
)
GOOD = {
    "sort_lift": 1.01,
    "sort_lift_low": 0.98,
    "value_over_random_low": 4.0,
    "list_stability": 0.9,
    "foresight": 0.2,
    "foresight_over_rfm": 0.02,
    "foresight_gap": 0.1,
    "stability_rand": 0.8,
    "segment_share": 0.02,
    "share_ratio": 1.0,
}


def failed(measured, champion=None):
    return {gate.name for gate in gates(measured, THRESHOLDS, champion) if not gate.passed}


def test_a_good_candidate_passes_every_gate():
    assert failed(GOOD) == set()
    assert failed(GOOD, {"sort_lift": 1.02, "foresight": 0.21}) == set()


@pytest.mark.parametrize(
    ("name", "value", "gate"),
    [
        ("sort_lift_low", 0.969, "sort_lift_low"),
        ("value_over_random_low", 1.0, "value_over_random_low"),
        ("list_stability", 0.74, "list_stability"),
        ("foresight_over_rfm", -0.011, "foresight_over_rfm"),
        ("foresight_gap", 0.0, "foresight_gap"),
        ("stability_rand", 0.69, "stability_rand"),
        ("segment_share", 0.004, "segment_share"),
        ("share_ratio", 0.89, "share_ratio_min"),
        ("share_ratio", 1.11, "share_ratio_max"),
    ],
)
def test_each_gate_refuses_alone(name, value, gate):
    assert failed(GOOD | {name: value}) == {gate}


def test_a_candidate_worse_than_the_champion_is_refused():
    assert failed(GOOD, {"sort_lift": 1.03, "foresight": 0.2}) == {"champion_list"}
    assert failed(GOOD, {"sort_lift": 1.01, "foresight": 0.22}) == {"champion_segments"}


def test_a_figure_that_is_missing_never_passes():
    assert failed({name: value for name, value in GOOD.items() if name != "stability_rand"}) == {"stability_rand"}
    assert failed(GOOD | {"sort_lift_low": float("nan")}) == {"sort_lift_low"}


def test_a_gate_says_all_of_itself():
    told = Gate("stability", "the list stays", ">=", 0.75, 0.8).as_record()
    assert told == {
        "name": "stability",
        "meaning": "the list stays",
        "comparison": ">=",
        "threshold": 0.75,
        "value": 0.8,
        "passed": True,
    }

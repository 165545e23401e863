import pytest

from insiders.evidence.gates import Gate, Thresholds, gates

THRESHOLDS = Thresholds(
    value_lift_margin=0.03,
    value_over_random_min=1.0,
    stability_min=0.75,
    control_gap_min=0.0,
    champion_margin=0.01,
    insider_share_min=0.02,
    insider_share_max=0.15,
    segment_share_min=0.005,
)
GOOD = {
    "value_lift": 1.01,
    "value_lift_low": 0.98,
    "value_over_random_low": 4.0,
    "stability": 0.9,
    "control_gap_low": 0.1,
    "insider_share_least": 0.05,
    "insider_share_most": 0.06,
    "segment_share": 0.02,
}


def failed(measured, champion_lift=None):
    return {gate.name for gate in gates(measured, THRESHOLDS, champion_lift) if not gate.passed}


def test_a_good_candidate_passes_every_gate():
    assert failed(GOOD) == set()
    assert failed(GOOD, champion_lift=1.02) == set()


@pytest.mark.parametrize(
    ("name", "value", "gate"),
    [
        ("value_lift_low", 0.969, "value_lift_low"),
        ("value_over_random_low", 1.0, "value_over_random_low"),
        ("stability", 0.74, "stability"),
        ("control_gap_low", 0.0, "control_gap_low"),
        ("insider_share_least", 0.019, "insider_share_min"),
        ("insider_share_most", 0.151, "insider_share_max"),
        ("segment_share", 0.004, "segment_share"),
    ],
)
def test_each_gate_refuses_alone(name, value, gate):
    assert failed(GOOD | {name: value}) == {gate}


def test_a_candidate_worse_than_the_champion_is_refused():
    assert failed(GOOD, champion_lift=1.03) == {"champion"}


def test_a_figure_that_is_missing_never_passes():
    assert failed({name: value for name, value in GOOD.items() if name != "stability"}) == {"stability"}
    assert failed(GOOD | {"value_lift_low": float("nan")}) == {"value_lift_low"}


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

"""Parameters of customers drawn by the model's own process lie in their intervals as often as these say."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "value_recovery.py"
spec = importlib.util.spec_from_file_location("value_recovery", SCRIPT)
assert spec
assert spec.loader
recovery = importlib.util.module_from_spec(spec)
spec.loader.exec_module(recovery)

SHOPS, CUSTOMERS = 12, 400


def test_intervals_hold_the_truth_in_nine_of_ten_cases():
    found = list(recovery.recovered(SHOPS, CUSTOMERS))

    assert [(name, parameter) for name, parameter, _ in found] == [
        (name, parameter) for name, truth in recovery.TRUTH.items() for parameter in truth
    ]
    shares = [share for _, _, share in found]
    assert min(shares) >= 0.6  # 12 shops: 7 or fewer in one of 230 cases
    assert 0.8 <= np.mean(shares) <= 0.98


def test_intervals_are_those_of_a_known_curvature():
    """A normal log-likelihood in the logarithms, whose information is written down."""
    information = np.array([[400.0, 100.0], [100.0, 50.0]])
    found = np.array([3.0, 70.0])

    low, high = recovery.intervals(lambda logs: -information @ (logs - np.log(found)), found)

    errors = np.sqrt([50 / 10_000, 400 / 10_000])
    assert np.log(high / found) == pytest.approx(recovery.WIDTH * errors)
    assert np.log(found / low) == pytest.approx(recovery.WIDTH * errors)

"""Cliff's delta against a count of all pairs, and its interval against repeated draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insiders.evidence import effects

VALUES = st.lists(st.integers(-5, 5), min_size=2, max_size=30).map(lambda found: np.array(found, float))


@settings(deadline=None)
@given(VALUES, VALUES)
def test_delta_is_the_count_over_all_pairs(one: np.ndarray, other: np.ndarray) -> None:
    found = effects.cliffs_delta(one, other)
    assert found
    assert found.delta == pytest.approx(np.sign(one[:, None] - other[None, :]).mean())
    assert -1 <= found.low <= found.delta + 1e-9
    assert found.delta - 1e-9 <= found.high <= 1


@settings(deadline=None)
@given(VALUES, VALUES)
def test_the_other_way_round_it_is_the_same_with_the_other_sign(one: np.ndarray, other: np.ndarray) -> None:
    there, back = effects.cliffs_delta(one, other), effects.cliffs_delta(other, one)
    assert there
    assert back
    assert (back.delta, back.low, back.high) == pytest.approx((-there.delta, -there.high, -there.low))


def test_no_unit_changes_it() -> None:
    one, other = np.array([1.0, 5, 7, 20]), np.array([2.0, 3, 6])
    assert effects.cliffs_delta(np.exp(one), np.exp(other)) == effects.cliffs_delta(one, other)


def test_by_hand() -> None:
    """Of six pairs four are won, one is lost and one is even."""
    found = effects.cliffs_delta(np.array([2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    assert found
    assert found.delta == pytest.approx((4 - 1) / 6)


def test_without_overlap_a_larger_group_is_surer() -> None:
    few, many = (effects.cliffs_delta(np.arange(n) + 100.0, np.arange(n) + 0.0) for n in (5, 50))
    assert few
    assert many
    assert (few.delta, few.high) == (many.delta, many.high) == (1, 1)
    assert few.low < many.low < 1


def test_one_member_tells_nothing() -> None:
    assert effects.cliffs_delta(np.array([1.0]), np.array([1.0, 2.0])) is None


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Normal groups whose means differ by half a deviation: delta = 2 Phi(0.5 / sqrt 2) - 1 = 0.2763."""
    rng = np.random.default_rng(4)
    found = [effects.cliffs_delta(rng.normal(0.5, 1, 40), rng.normal(0, 1, 60)) for _ in range(1000)]
    held = np.mean([each.low <= 0.2763 <= each.high for each in found if each])
    assert 0.93 < held < 0.97

import numpy as np

from insiders.value import lifetime, scores
from population import customers


def test_the_spreadsheet_sorts_by_net_revenue_and_everybody_is_equal_before_chance():
    frame = customers(200)
    found = scores.scorer(frame, 90)(frame)
    assert found[scores.SPREADSHEET].tolist() == frame["net_revenue"].tolist()
    assert set(found[scores.CHANCE]) == {0.0}
    expected = lifetime.predict(lifetime.fit(frame), frame, 90)["expected_revenue"]
    assert found[scores.LIFETIME].tolist() == expected.tolist()


def test_rfm_scores_by_the_quintiles_of_others():
    frame = customers(200)
    alone = scores.simple(frame.head(1), frame)["rfm_quintiles"]
    assert alone == scores.simple(frame, frame)["rfm_quintiles"][:1]
    assert scores.simple(frame, frame)["rfm_quintiles"].min() >= 3
    assert scores.simple(frame, frame)["rfm_quintiles"].max() == 15


def test_everyone_tied_at_the_boundary_is_on_the_list():
    assert scores.members(np.array([3.0, 2, 2, 1]), 0.5).tolist() == [True, True, True, False]
    assert scores.members(np.array([3.0, 2, 2, 1]), 0.01).tolist() == [True, False, False, False]

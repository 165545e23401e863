"""What trials are held against: other ways to foretell the same customers at the same origins."""

import numpy as np
import pytest

from insiders.evidence import foresight, scoring
from insiders.evidence.rivals import Rivals
from insiders.evidence.windows import windows
from population import FEATURES, snapshots
from test_search import SETTINGS


@pytest.fixture(scope="module")
def rivals():
    cut = windows(snapshots(300, folds=2), 90, FEATURES)
    origins = [cut["1"], cut["2"]]
    dates = scoring.dates_of(origins, SETTINGS.horizon)
    return Rivals(origins, [each.scores[SETTINGS.score] for each in dates], SETTINGS)


def test_a_lift_is_the_foresight_divided_by_the_rivals_own(rivals):
    lifts = rivals.lifts(0.2, 5)
    assert lifts["foresight_lift"] == pytest.approx(0.2 / lifts["foresight_rfm_mean"])
    assert lifts["foresight_over_boosting"] == pytest.approx(0.2 / foresight.mean(rivals.boosting))
    assert all(np.isfinite(list(lifts.values())))


def test_quantiles_are_as_many_as_the_segments(rivals):
    assert rivals.lifts(0.2, 2)["foresight_over_quantiles"] != rivals.lifts(0.2, 8)["foresight_over_quantiles"]
    assert np.isnan(rivals.lifts(0.2, 0)["foresight_over_quantiles"])  # one group of all tells nothing


def test_cells_and_boosting_foretell_something_of_customers_who_keep_their_ways(rivals):
    assert min(foresight.mean(rivals.rfm_cells), foresight.mean(rivals.boosting)) > 0.05

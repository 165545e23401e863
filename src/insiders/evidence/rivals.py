"""What other ways foretell of customers: RFM's cells, quantiles of the score, and gradient boosting on all features."""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from insiders.evidence import foresight
from insiders.evidence.foresight import RFM_CELLS, Foresight
from insiders.evidence.windows import Window
from insiders.value import score_model
from insiders.value.score_model import CANDIDATES, Horizon

Scored = tuple[NDArray[np.float64], NDArray[np.float64]]  # each customer's score, and the revenue that followed


class RivalSettings(Protocol):
    """What the rivals need of the search's settings."""

    @property
    def score(self) -> str: ...
    @property
    def features(self) -> tuple[str, ...]: ...
    @property
    def horizon(self) -> Horizon: ...
    @property
    def seed(self) -> int: ...


class Rivals:
    """What other ways foretell at the same origins: RFM's cells, quantiles of the score, gradient boosting."""

    def __init__(
        self, origins: Sequence[Window], scores: Sequence[NDArray[np.float64]], settings: RivalSettings
    ) -> None:
        """`scores`: of the customers of each origin, by the score of the settings, fitted on what was known there."""
        self.origins = origins
        self.scores = scores
        self.settings = settings
        self._quantiles = lru_cache(maxsize=None)(self._of_quantiles)

    def lifts(self, own: float, segments: int) -> dict[str, float]:
        """A segmentation's mean foresight, divided by that of each rival; NaN where the rival tells nothing."""
        cells = foresight.mean(self.rfm_cells)
        return {
            "foresight_rfm_mean": cells,
            "foresight_lift": foresight.lift(own, cells),
            "foresight_over_quantiles": foresight.lift(own, foresight.mean(self._quantiles(max(1, segments)))),
            "foresight_over_boosting": foresight.lift(own, foresight.mean(self.boosting)),
        }

    @cached_property
    def rfm_cells(self) -> list[Foresight]:
        return [foresight.of_plain_groups(each.past, each.customers)[RFM_CELLS] for each in self.origins]

    @cached_property
    def boosting(self) -> list[Foresight]:
        settings = self.settings
        return [
            foresight.of_boosting(each.past, each.customers, settings.features, settings.seed) for each in self.origins
        ]

    def _of_quantiles(self, segments: int) -> list[Foresight]:
        return [foresight.of_quantiles(before, now, segments) for before, now in self._scored]

    @cached_property
    def _scored(self) -> list[tuple[Scored, Scored]]:
        return [
            (self._before(each), (score, each.customers["next_revenue"].to_numpy()))
            for each, score in zip(self.origins, self.scores, strict=True)
        ]

    def _before(self, window: Window) -> Scored:
        """The score that customers would have had at the date before, where nothing earlier is known."""
        own = score_model.log_at_past(CANDIDATES[self.settings.score], window.past, self.settings.horizon)
        return own, window.past["next_revenue"].to_numpy()

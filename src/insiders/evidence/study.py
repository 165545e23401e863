"""What an Optuna study keeps of a scored trial, and whether that still is what was kept.

A trial carries a digest of its recipe and its answer: one whose bits have flipped on the disk is not believed, and its
recipe is scored anew.
"""

import json
import math
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypedDict

from insiders.evidence.judge import Answer, Recipe
from insiders.units import without_nan

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import BaseTrial

OBJECTIVES = ("foresight_mean", "stability_rand")  # both maximised
SIZE = "size"  # the constraint: as many segments as are asked for
RECIPE, SCORED, DIGEST = "recipe", "scored", "sha256"  # attributes of a trial


class _Scored(TypedDict):
    measures: dict[str, float | None]
    violation: float
    reason: str
    seconds: float


def keep(study: "Study", trial: "BaseTrial", recipe: Recipe, answer: Answer) -> None:
    """Add a scored trial to the study, whole or not at all, as Optuna's own pages show it."""
    from optuna.trial import TrialState, create_trial

    scored: _Scored = {
        "measures": without_nan(answer.measures),
        "violation": answer.violation,
        "reason": answer.reason,
        "seconds": answer.seconds,
    }
    kept = {RECIPE: recipe.as_record(), SCORED: scored}
    study.add_trial(
        create_trial(
            state=TrialState.COMPLETE,
            values=objectives(answer),
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={**kept, DIGEST: _digest(kept)},
            constraints={SIZE: answer.violation},
        )
    )


def answers(study: "Study") -> dict[str, Answer]:
    """Key of a recipe -> the answer that some process got."""
    known = [trial.user_attrs for trial in study.get_trials(deepcopy=False)]
    whole = [attrs for attrs in known if attrs.get(DIGEST) == _digest(attrs)]
    return {Recipe.from_record(attrs[RECIPE]).key: _answer(attrs[SCORED]) for attrs in whole}


def objectives(answer: Answer) -> list[float]:
    """What the sampler maximises, 0 where it is not known."""
    known = without_nan(answer.measures)
    return [known.get(name) or 0.0 for name in OBJECTIVES]


def _answer(scored: _Scored) -> Answer:
    measures = {name: (math.nan if value is None else value) for name, value in scored["measures"].items()}
    return Answer(measures, scored["violation"], scored["reason"], scored["seconds"])


def _digest(attributes: Mapping[str, Any]) -> str:
    kept = [attributes.get(name) for name in (RECIPE, SCORED)]
    return sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()

"""The Optuna study: propose recipes, have them scored, pick one point of the front.

Trials are proposed in batches whose size does not depend on the number of workers, each with a seed of its own, so that
the study is the same whatever works on it, and the same again when it is killed and resumed.
"""

import json
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from insiders.clusterers import CLUSTERERS
from insiders.embeddings import EMBEDDINGS
from insiders.judge import LATE, Recipe, Settings, least_share

FIRST: list[dict[str, Any]] = [  # one sensible point of each promising combination; what they leave open is drawn
    {
        "embedding": "value_plane",
        "clusterer": "kmeans",
        "value_plane.weight": 0.5,
        "kmeans.clusters": 5,
        "list.place": 0.25,
    },
    {"embedding": "value_plane", "clusterer": "mixture", "value_plane.weight": 0.5, "mixture.components": 5},
    {"embedding": "value_plane", "clusterer": "ward", "value_plane.weight": 0.5, "ward.clusters": 5},
    {"embedding": "leaves", "clusterer": "kmeans", "kmeans.clusters": 6},
    {"embedding": "scaled", "clusterer": "kmeans", "kmeans.clusters": 8},
    {"embedding": "quantile", "clusterer": "mixture", "mixture.components": 8},
    {"embedding": "pca", "clusterer": "ward", "ward.clusters": 8},
    {"embedding": "scaled", "clusterer": "hdbscan", "hdbscan.smallest": 0.02},
]
OBJECTIVES = ("value_lift_min", "stability")  # both maximised; the worst rolling origin, so that no list lives on one
SCORED = "scored"  # a trial's attribute: what was measured
PROPOSALS = "proposals"  # what only one process does at a time
DRAWS = 8  # for one trial, where the sampler repeats itself


@dataclass(frozen=True)
class Trial:
    """A scored recipe; `violation` > 0: the list or a segment is out of the stated sizes, by this share.

    `reason` says why it was given up before its stability was measured, if it was.
    """

    number: int
    recipe: Recipe
    measures: Mapping[str, float]
    violation: float
    reason: str

    @property
    def feasible(self) -> bool:
        return bool(self.violation <= 0)

    @property
    def lift(self) -> float:
        return self.measures["value_lift_min"]

    @property
    def stability(self) -> float:
        return self.measures.get("stability", math.nan)

    @property
    def state(self) -> str:
        return "PRUNED" if self.reason else "COMPLETE"


def propose(trial: Any, settings: Settings) -> Recipe:
    """Draw an embedding, a clusterer and their params."""
    embedding = trial.suggest_categorical("embedding", list(settings.embeddings))
    clusterer = trial.suggest_categorical("clusterer", list(settings.clusterers))
    EMBEDDINGS[embedding](trial, settings.seed)
    CLUSTERERS[clusterer](trial, settings.seed)
    least_share(trial, settings)
    params = {name: value for name, value in trial.params.items() if "." in name}
    return Recipe(embedding, clusterer, params, settings.seed)


class Claims(Protocol):
    """Who does what, where several processes work on one study; a `part` is a trial's number or PROPOSALS."""

    limit: int

    def take(self, part: str) -> bool: ...

    def release(self, part: str) -> None: ...

    def wait(self) -> None: ...


class Alone:
    """No other process: everything is ours."""

    def __init__(self, settings: Settings) -> None:
        self.limit = settings.batch

    def take(self, part: str) -> bool:  # noqa: ARG002 (the protocol's signature)
        return True

    def release(self, part: str) -> None:
        pass

    def wait(self) -> None:
        raise AssertionError("nobody else is there to wait for")


def run(
    study: Any, settings: Settings, score: Callable[[list[Recipe]], Iterable[Any]], claims: Claims | None = None
) -> Iterator[Trial]:
    """Bring the study to `settings.trials` trials and yield every one of them, also those that others scored.

    `score` maps recipes to `Judge.score`'s answers, in order; it may do so in several processes.
    """
    claims = claims or Alone(settings)
    seen: set[int] = set()
    going = True
    while going:
        for trial in _scored(study):
            if trial.number not in seen:
                seen.add(trial.number)
                yield trial
        if mine := _claimed(study, claims):
            recipes = [Recipe(**trial.user_attrs["recipe"]) for trial in mine]
            for trial, recipe, answer in zip(mine, recipes, score(recipes), strict=True):
                result = Trial(trial.number, recipe, *answer)
                _keep(study, trial, result)
                seen.add(trial.number)
                yield result
        elif not _unscored(study) and claims.take(PROPOSALS):
            going = _advance(study, settings)
            claims.release(PROPOSALS)
        else:
            claims.wait()


def _claimed(study: Any, claims: Claims) -> list[Any]:
    """Trials that wait to be scored and are ours to score; who had them before may have scored them meanwhile."""
    taken: list[int] = []
    for trial in _unscored(study):
        if len(taken) < claims.limit and claims.take(str(trial.number)):
            taken.append(trial.number)
    return [trial for trial in _unscored(study) if trial.number in taken] if taken else []


def _unscored(study: Any) -> list[Any]:
    return [trial for trial in _running(study) if "recipe" in trial.user_attrs and SCORED not in trial.user_attrs]


def _running(study: Any) -> list[Any]:
    from optuna.trial import TrialState

    return list(study.get_trials(deepcopy=False, states=[TrialState.RUNNING]))


def _scored(study: Any) -> list[Trial]:
    """The trials that were scored, by whichever process, in order."""
    known = [trial for trial in study.get_trials(deepcopy=False) if SCORED in trial.user_attrs]
    return [_from_attrs(trial.number, trial.user_attrs) for trial in known]


def pick(trials: list[Trial], stability_floor: float, lift_tolerance: float) -> Trial:
    """Choose one point of the front by a rule whose two numbers stand in params.yaml.

    Among feasible trials at least as stable as the floor: those within the tolerance of the best value lift at its
    worst rolling origin, and of these the most stable. Where none reaches the floor, the most stable feasible one;
    where none is feasible, the least violating one, so that there is a candidate for the gates to refuse.
    """
    feasible = [trial for trial in trials if trial.feasible and not (math.isnan(trial.lift) or trial.reason)]
    if not feasible:
        return min(trials, key=lambda trial: (trial.violation, trial.number))
    firm = [trial for trial in feasible if trial.stability >= stability_floor]
    if not firm:
        return max(feasible, key=lambda trial: (trial.stability, -trial.number))
    best = max(trial.lift for trial in firm)
    near = [trial for trial in firm if trial.lift >= best - lift_tolerance]
    return max(near, key=lambda trial: (trial.stability, trial.lift, -trial.number))


def front(trials: list[Trial]) -> list[Trial]:
    """Feasible trials that no other beats in both value lift and stability."""
    points = [trial for trial in trials if trial.feasible and not trial.reason]
    return [one for one in points if not any(_dominates(other, one) for other in points)]


def rows(trials: list[Trial], baselines: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """One row per trial, in order, then one per baseline; params as JSON."""
    first = trials[-1].number + 1
    compared = [
        {
            "number": first + place,
            "state": "BASELINE",
            "embedding": "none",
            "clusterer": name,
            "params": "{}",
            **measures,
        }
        for place, (name, measures) in enumerate(baselines.items())
    ]
    return pd.DataFrame([_row(trial) for trial in trials] + compared)


def candidate(chosen: Trial, settings: Settings, folds: int) -> dict[str, Any]:
    """The recipe and what speaks for it, for JSON; a missing measure is null."""
    return {
        **asdict(chosen.recipe),
        "features": list(settings.features),
        "trial": chosen.number,
        "feasible": chosen.feasible,
        "reason": chosen.reason,
        "folds": folds,
        "measures": without_nan(chosen.measures),
    }


def without_nan(measures: Mapping[str, float]) -> dict[str, float | None]:
    """JSON knows no NaN."""
    return {name: None if math.isnan(value) else value for name, value in measures.items()}


def _row(trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "state": trial.state,
        "embedding": trial.recipe.embedding,
        "clusterer": trial.recipe.clusterer,
        "params": json.dumps(trial.recipe.params, sort_keys=True),
        "feasible": trial.feasible,
        "reason": trial.reason,
        **trial.measures,
        **{name: trial.measures.get(name, math.nan) for name in LATE},
    }


def _dominates(one: Trial, other: Trial) -> bool:
    ours, theirs = (one.lift, one.stability), (other.lift, other.stability)
    return all(a >= b for a, b in zip(ours, theirs, strict=True)) and ours != theirs


def _enqueue(study: Any, settings: Settings) -> None:
    if not study.trials:
        for point in FIRST[: settings.trials]:
            if point["embedding"] in settings.embeddings and point["clusterer"] in settings.clusterers:
                study.enqueue_trial(point)


def _advance(study: Any, settings: Settings) -> bool:
    """Propose what is missing of the batch, or end a batch that is scored; False where the search is complete.

    A batch is told together, so that no proposal can depend on which of its trials was ready first.
    """
    from optuna.trial import TrialState

    _enqueue(study, settings)
    for trial in _running(study):
        if "recipe" not in trial.user_attrs:  # killed while it was being proposed
            study.tell(trial.number, state=TrialState.FAIL)
    left = _running(study)
    finished = len(study.get_trials(deepcopy=False, states=[TrialState.COMPLETE]))
    end = min(settings.trials, (finished // settings.batch + 1) * settings.batch)
    missing = end - finished - len(left)
    for _ in range(missing):
        _ask(study, settings)
    if missing <= 0 and all(SCORED in trial.user_attrs for trial in left):
        for trial in left:
            _tell(study, trial.number)
    return finished < settings.trials


def _ask(study: Any, settings: Settings) -> Any:
    """Propose a recipe that was not tried yet; a repeated one fails at once, unless many draws find no other."""
    from optuna.trial import TrialState

    proposed = [
        trial.user_attrs["recipe"] for trial in study.get_trials(deepcopy=False) if "recipe" in trial.user_attrs
    ]
    for draw in range(DRAWS):
        trial = _drawn(study, settings, len(proposed) + draw)
        recipe = asdict(propose(trial, settings))
        trial.set_user_attr("recipe", recipe)
        if recipe not in proposed or draw == DRAWS - 1:
            return trial
        study.tell(trial, state=TrialState.FAIL)
    raise AssertionError("the last draw is taken as it is")


def _drawn(study: Any, settings: Settings, place: int) -> Any:
    """Open a trial with a sampler of its own seed: what it draws depends on the history, not on who asks."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import TPESampler

    seed = int(np.random.SeedSequence([settings.seed, place]).generate_state(1)[0])
    with warnings.catch_warnings():
        # What a trial draws depends on its embedding and clusterer, and only `group` models such spaces jointly.
        warnings.simplefilter("ignore", ExperimentalWarning)
        study.sampler = TPESampler(seed=seed, multivariate=True, group=True, n_startup_trials=2 * settings.batch)
    return study.ask()


def _keep(study: Any, trial: Any, result: Trial) -> None:
    """Store what was measured with the trial; JSON knows no NaN."""
    found = {"measures": without_nan(result.measures), "violation": result.violation, "reason": result.reason}
    _handle(study, trial.number).set_user_attr(SCORED, found)


def _tell(study: Any, number: int) -> None:
    found = study.trials[number].user_attrs[SCORED]
    _handle(study, number).set_constraint("size", found["violation"])
    study.tell(number, [found["measures"].get(name) or 0.0 for name in OBJECTIVES])


def _handle(study: Any, number: int) -> Any:
    """The trial as Optuna lets it be written to, also one that an earlier process opened."""
    from optuna.trial import Trial as Handle

    return Handle(study, study.trials[number]._trial_id)


def _from_attrs(number: int, attrs: Mapping[str, Any]) -> Trial:
    kept = attrs[SCORED]
    measures = {name: (float("nan") if value is None else value) for name, value in kept["measures"].items()}
    return Trial(number, Recipe(**attrs["recipe"]), measures, kept["violation"], kept["reason"])

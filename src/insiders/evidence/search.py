"""The Optuna study: propose recipes, have them scored, pick one point of the front.

Trials are proposed in batches whose size does not depend on the number of workers, each with a seed of its own, so that
the study is the same whatever works on it, and the same again when it is killed and resumed.
"""

import json
import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from insiders.evidence.judge import LATE, Answer, Param, Question, Recipe, RecipeRecord, Settings
from insiders.evidence.study import OBJECTIVES, SIZE, keep, objectives
from insiders.evidence.study import answers as kept_answers
from insiders.model.clusterers import CLUSTERERS
from insiders.model.embeddings import EMBEDDINGS, columns
from insiders.units import without_nan

if TYPE_CHECKING:
    from optuna import Study
    from optuna.samplers import BaseSampler
    from optuna.trial import BaseTrial
    from optuna.trial import Trial as OpenTrial


def _point(embedding: str, placed: Mapping[str, Param], clusterer: str, cut: Mapping[str, Param]) -> dict[str, Param]:
    """What Optuna draws of an embedding, a clusterer, and the params of both."""
    names = {f"{embedding}.{name}": value for name, value in placed.items()}
    names |= {f"{clusterer}.{name}": value for name, value in cut.items()}
    return {"embedding": embedding, "clusterer": clusterer, **names}


_BOTH: dict[str, Param] = {"axes": "log_revenue past"}
_ONE: dict[str, Param] = {"axes": "log_revenue"}
# Every way to cut what is expected of customers, few and many times, and a point of each other embedding but umap and
# affinity; what they leave open is drawn.
FIRST: list[dict[str, Param]] = [
    *(_point("lifetime_axes", _BOTH, "kmeans", {"clusters": clusters}) for clusters in (5, 6, 8)),
    *(_point("lifetime_axes", _ONE, "kmeans", {"clusters": clusters}) for clusters in (6, 8)),
    *(_point("lifetime_axes", _BOTH, "cells", {"grid": grid}) for grid in ("4x2", "7x2")),
    *(_point("lifetime_axes", _ONE, "cells", {"grid": grid}) for grid in ("8x1", "12x1")),
    _point("lifetime_axes", _ONE, "tiers", {"clusters": 12}),
    _point("lifetime_axes", {"axes": "past orders"}, "cells", {"grid": "5x3"}),
    _point("lifetime_plane", {"future": 0.5, "parts": True}, "kmeans", {"clusters": 8}),
    _point("lifetime_plane", {"future": 0.5, "parts": False}, "tiers", {"clusters": 8}),
    _point("value_plane", {"weight": 0.5}, "kmeans", {"clusters": 8}),
    _point("value_plane", {"weight": 0.5}, "mixture", {"components": 8}),
    _point("leaves", {}, "kmeans", {"clusters": 8}),
    _point("affinity_scaled", {"weight": 0.35}, "kmeans", {"clusters": 8}),
    _point("scaled", {}, "kmeans", {"clusters": 8}),
    _point("quantile", {}, "mixture", {"components": 8}),
    _point("pca", {}, "ward", {"clusters": 8}),
    _point("scaled", {}, "hdbscan", {"smallest": 0.02}),
]
# Settings that the pick follows.
RULE = ("stability_floor", "seeds_floor", "foresight_errors", "foresight_lift_min")
COLUMNS = ("number", "state", "embedding", "clusterer", "params", "feasible", "reason")  # of a trial's row, first
DRAWS = 2  # for one trial, where the sampler repeats itself; then the recipes that are left are gone through

Score = Callable[[list[Question]], Iterable[Answer]]  # answers in order; it may work in several processes
Pairs = Sequence[tuple[Recipe, Recipe]]  # of a recipe and its rival
Behind = Callable[[Pairs], Iterable[float]]  # Judge.behind of each
Proposal = tuple["OpenTrial", Question]  # an open trial of the history, and what is asked of what it draws


class Candidate(RecipeRecord):
    """models/candidate.json: score, programme's share and chosen recipe, and what speaks for them.

    A missing measure is null. Where there was nothing to judge a search by, there is no trial (unsearched.candidate),
    and `judged_from` is the day from which there will be.
    """

    score: str
    share: float
    features: list[str]
    trial: int | None
    feasible: bool
    reason: str
    folds: int
    rule: dict[str, float]
    measures: dict[str, float | None]
    judged_from: str | None


@dataclass(frozen=True)
class Trial:
    """A scored recipe, with the fields of its `Answer`."""

    number: int
    recipe: Recipe
    measures: Mapping[str, float]
    violation: float
    reason: str
    seconds: float = field(default=0.0, compare=False)

    @property
    def feasible(self) -> bool:
        return bool(self.violation <= 0)

    @property
    def foresight(self) -> float:
        return self.measures["foresight_mean"]

    @property
    def lift(self) -> float:
        """Foresight, divided by that of RFM's cells."""
        return self.measures.get("foresight_lift", math.nan)

    @property
    def stability(self) -> float:
        return self.measures.get("stability_rand", math.nan)

    @property
    def state(self) -> str:
        return "PRUNED" if self.reason else "COMPLETE"


def propose(trial: "BaseTrial", settings: Settings) -> Recipe:
    """Draw an embedding, a clusterer and their params."""
    embedding = trial.suggest_categorical("embedding", list(settings.embeddings))
    clusterer = trial.suggest_categorical("clusterer", list(settings.clusterers))
    EMBEDDINGS[embedding](trial, settings.seed)
    CLUSTERERS[clusterer](trial, settings.seed)
    params = {name: value for name, value in trial.params.items() if "." in name}
    return Recipe(embedding, clusterer, params, settings.seed)


class Leases(Protocol):
    """Who scores what, where several processes work on one study; a `task` is a trial's number."""

    limit: int

    def acquire(self, task: str) -> bool: ...

    def wait(self) -> None: ...


class NoOtherProcess:
    """Every trial is ours to score."""

    def __init__(self, settings: Settings) -> None:
        self.limit = settings.batch

    def acquire(self, task: str) -> bool:  # noqa: ARG002 (the protocol's signature)
        return True

    def wait(self) -> None:
        raise AssertionError("nobody else is there to wait for")


def run(study: "Study", settings: Settings, score: Score, leases: Leases | None = None) -> Iterator[Trial]:
    """Yield `settings.trials` trials; `study` keeps each, so that none is scored twice, here or by another process.

    There are fewer where there is no further recipe to try.

    What is proposed follows from the settings and the answers alone. So the history that the sampler looks at lives in
    memory, where a proposal costs a fraction of what it does in a database: a search that goes on after a kill takes
    the same way again, and of several processes on one study each proposes for itself.
    """
    history, done = _history(settings), list[Trial]()
    for first in range(0, settings.trials, settings.batch):
        numbers = range(first, min(first + settings.batch, settings.trials))
        batch = _batch(history, settings, numbers, best(done, settings))
        answers = {}
        for number, answer in _answered(study, batch, score, leases or NoOtherProcess(settings)):
            answers[number] = answer
            yield Trial(number, batch[number][1].recipe, *answer)
        for number, (trial, question) in batch.items():  # together: no proposal depends on which was ready first
            trial.set_constraint(SIZE, answers[number].violation)
            history.tell(trial, objectives(answers[number]))
            done.append(Trial(number, question.recipe, *answers[number]))


def best(done: Sequence[Trial], settings: Settings) -> Trial | None:
    """Of the trials that are steady enough to be picked the one that foretells most; None where there is none."""
    firm = [trial for trial in done if _is_firm(trial, settings)]
    return max(firm, key=lambda trial: (trial.foresight, -trial.number), default=None)


def _answered(
    study: "Study", batch: Mapping[int, Proposal], score: Score, leases: Leases
) -> Iterator[tuple[int, Answer]]:
    """The answer to each trial of a batch, by number: what some process kept, or a fresh one, kept at once."""
    left = dict(batch)
    while left:
        yield from _from_study(study, left)
        mine = _leased(left, leases)
        yield from _from_study(study, left)  # who had them before may have scored them meanwhile
        fresh = {number: left[number] for number in mine if number in left}
        for number, answer in zip(fresh, score([question for _, question in fresh.values()]), strict=True):
            trial, question = left.pop(number)
            keep(study, trial, question.recipe, answer)
            yield number, answer
        if left and not mine:
            leases.wait()


def _from_study(study: "Study", left: dict[int, Proposal]) -> Iterator[tuple[int, Answer]]:
    """Take the trials out of `left` whose answer the study knows."""
    known = kept_answers(study)
    for number, (_, question) in list(left.items()):
        if (name := question.recipe.key) in known:
            del left[number]
            yield number, known[name]


def _leased(left: Mapping[int, Proposal], leases: Leases) -> list[int]:
    taken: list[int] = []
    for number in left:
        if len(taken) < leases.limit and leases.acquire(str(number)):
            taken.append(number)
    return taken


def pick(trials: list[Trial], settings: Settings, behind: Behind) -> Trial:
    """Choose one point of the front by a rule whose numbers stand in params.yaml.

    Among feasible trials at least as stable as both floors, and that surpass RFM's cells: those that foretell no less
    than the best one, as far as the customers can tell. Of these one that every search tries before one that this one
    has found, by its seed, which thus has to be clearly better: so segments stay the same from month to month and from
    seed to seed. Of several the one with fewest segments, then the first. Where none surpasses RFM's cells, the best
    one; where none reaches the floors, the most stable feasible one; where none is feasible, the least violating one,
    so that there is a candidate for the gates to refuse.
    """
    feasible = [trial for trial in trials if _is_whole(trial)]
    if not feasible:
        return min(trials, key=lambda trial: (trial.violation, trial.number))
    if not (rival := best(trials, settings)):
        return max(feasible, key=lambda trial: (trial.stability, -trial.number))
    telling = [trial for trial in feasible if _is_firm(trial, settings) and trial.lift >= settings.foresight_lift_min]
    errors = behind([(trial.recipe, rival.recipe) for trial in telling])
    near = [trial for trial, far in zip(telling, errors, strict=True) if far <= settings.foresight_errors]
    starts = len(_starts(settings))
    return min(near or [rival], key=lambda trial: (trial.number >= starts, trial.measures["segments"], trial.number))


def _is_whole(trial: Trial) -> bool:
    return trial.feasible and not (math.isnan(trial.foresight) or trial.reason)


def _is_firm(trial: Trial, settings: Settings) -> bool:
    """Whether it may be picked for its stability; not where this was not measured to the end."""
    across_seeds = trial.measures.get("stability_seeds_rand", math.nan)
    return _is_whole(trial) and trial.stability >= settings.stability_floor and across_seeds >= settings.seeds_floor


def front(trials: list[Trial]) -> list[Trial]:
    """The feasible trials that no other beats in both objectives, the most foresight first."""
    finished = [trial for trial in trials if trial.feasible and trial.state == "COMPLETE"]
    ordered = sorted(finished, key=lambda trial: (-trial.foresight, -trial.stability, trial.number))
    best, steadiest = list[Trial](), -math.inf
    for trial in ordered:
        if trial.stability > steadiest:
            best.append(trial)
            steadiest = trial.stability
    return best


def rows(trials: list[Trial], baselines: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """One row per trial, in order, then one per baseline; params as JSON. Without any there are still the columns."""
    if not trials:
        return pd.DataFrame(columns=[*COLUMNS, "foresight_mean", "segments", *LATE])
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


def candidate(chosen: Trial, settings: Settings, folds: int, list_measures: Mapping[str, float]) -> Candidate:
    """`list_measures` are those of the list that the score makes (baselines.measured)."""
    return {
        **chosen.recipe.as_record(),
        "features": list(columns(chosen.recipe.embedding, settings.features)),
        "trial": chosen.number,
        "feasible": chosen.feasible,
        "reason": chosen.reason,
        "folds": folds,
        "rule": {name: getattr(settings, name) for name in RULE},
        "score": settings.score,
        "share": settings.share,
        "measures": without_nan({**dict.fromkeys(LATE, math.nan), **chosen.measures, **list_measures}),
        "judged_from": None,
    }


def _row(trial: Trial) -> dict[str, str | float]:
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


def _history(settings: Settings) -> "Study":
    """A study in memory, which begins with the promising points."""
    import optuna

    history = optuna.create_study(directions=["maximize"] * len(OBJECTIVES))
    for point in _starts(settings):
        history.enqueue_trial(point)
    return history


def _starts(settings: Settings) -> list[dict[str, Param]]:
    """What every search with these settings tries first, whatever its seed."""
    allowed = [p for p in FIRST if p["embedding"] in settings.embeddings and p["clusterer"] in settings.clusterers]
    return allowed[: settings.trials]


def _batch(history: "Study", settings: Settings, numbers: Iterable[int], rival: Trial | None) -> dict[int, Proposal]:
    """A proposal for each number, as long as there are recipes that were not tried yet."""
    batch = {}
    for number in numbers:
        if not (proposal := _ask(history, settings)):
            break
        trial, recipe = proposal
        batch[number] = trial, Question(recipe, rival.recipe if rival else None)
    return batch


def _ask(history: "Study", settings: Settings) -> tuple["OpenTrial", Recipe] | None:
    """Propose a recipe that was not tried yet, None where there is no other.

    Where the sampler repeats itself, another one that goes through the whole space takes its place.
    """
    from optuna.trial import TrialState

    known = history.get_trials(deepcopy=False)
    tried = [trial.params for trial in known if trial.state in (TrialState.COMPLETE, TrialState.RUNNING)]
    for place, sampler in enumerate((*[_sampler] * DRAWS, _enumerator), start=len(known)):
        history.sampler = sampler(settings, place)
        trial = history.ask()
        recipe = propose(trial, settings)
        if trial.params not in tried:
            return trial, recipe
        history.tell(trial, state=TrialState.FAIL)
    return None


def _sampler(settings: Settings, place: int) -> "BaseSampler":
    """One with a seed of its own for each draw: what it draws depends on the history, not on who asks."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import TPESampler

    with warnings.catch_warnings():
        # What a trial draws depends on its embedding and clusterer, and only `group` models such spaces jointly.
        warnings.simplefilter("ignore", ExperimentalWarning)
        return TPESampler(
            seed=_seed(settings, place), multivariate=True, group=True, n_startup_trials=2 * settings.batch
        )


def _enumerator(settings: Settings, place: int) -> "BaseSampler":
    """One that goes through the space by lot and repeats itself only where all was tried."""
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import BruteForceSampler

    class Enumerator(BruteForceSampler):
        def after_trial(self, *_: object) -> None:
            """Leave the end to `run`: Optuna would stop a study that it is not running."""

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        return Enumerator(seed=_seed(settings, place))


def _seed(settings: Settings, place: int) -> int:
    return int(np.random.SeedSequence([settings.seed, place]).generate_state(1)[0])

"""What a recipe is, and how it is scored: by what happened after each rolling origin, and by whether it stays.

Everything here looks at cut-offs up to the start of the untouched last period; that period itself is not in its input.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple, Self, TypedDict

import numpy as np
from cachetools import LRUCache, cached
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from insiders.evidence import foresight, quality
from insiders.evidence.foresight import Group, Parts
from insiders.evidence.quality import Space
from insiders.evidence.windows import VALIDATION, Window
from insiders.model.clusterers import CLUSTERERS
from insiders.model.embeddings import EMBEDDINGS, LogScaler, Matrix, columns, grown
from insiders.model.segment_model import SegmentModel
from insiders.units import NO_CLUSTER, round_each
from insiders.value.score_model import Horizon, Scorer
from insiders.value.scores import SPREADSHEET

RESAMPLE, PERMUTED = "resample", "permuted"  # windows, beside the rolling origins and the validation date
# What a trial lacks that was given up.
LATE = (
    *("stability", "stability_rand", "stability_refits", "stability_seeds", "stability_seeds_rand"),
    *("control_silhouette", "control_gap", "control_gap_low", "control_gap_high", "control_foresight", "foresight_gap"),
)
Points = NDArray[np.float64]
Values = NDArray[np.float64]
Labels = NDArray[np.int64]
Param = str | int | float | bool  # what Optuna draws
FIRST_RESAMPLES = 3  # refits that every trial gets; who cannot be picked gets no more
LEAST_SEGMENTS = 2
EMBEDDED = 256 << 20  # bytes of embeddings that a process keeps for later trials
ERRORS_DIGITS = 6  # of a count of standard errors: the order of a sum must decide nothing


@dataclass(frozen=True)
class Settings:
    """What the search needs of params.yaml; the units stand there."""

    seed: int
    trials: int
    batch: int
    embeddings: tuple[str, ...]
    clusterers: tuple[str, ...]
    features: tuple[str, ...]
    share: float  # of the customers, in the programme
    horizon_days: int
    segments_max: int
    segment_share_min: float
    resamples: int
    refit_rows: int
    seeds: int
    silhouette_rows: int
    bootstrap: int
    hopeless_foresight: float
    hopeless_stability: float
    stability_floor: float
    seeds_floor: float
    foresight_errors: float
    foresight_lift_min: float
    score: str = SPREADSHEET  # one of score_model.CANDIDATES, once it is chosen

    @property
    def horizon(self) -> Horizon:
        return Horizon(self.horizon_days, self.seed)


class RecipeRecord(TypedDict):
    """A recipe as JSON holds it."""

    embedding: str
    clusterer: str
    params: Mapping[str, Param]
    seed: int


@dataclass(frozen=True)
class Recipe:
    """All that decides a model besides its data: the very same code rebuilds the winner from it."""

    embedding: str
    clusterer: str
    params: Mapping[str, Param]
    seed: int

    @classmethod
    def from_record(cls, record: RecipeRecord) -> Self:
        return cls(record["embedding"], record["clusterer"], record["params"], record["seed"])

    def as_record(self) -> RecipeRecord:
        return {"embedding": self.embedding, "clusterer": self.clusterer, "params": self.params, "seed": self.seed}

    @property
    def key(self) -> str:
        """What tells recipes apart."""
        return json.dumps(self.as_record(), sort_keys=True)

    def model(self, settings: Settings, seed_offset: int = 0) -> SegmentModel:
        from optuna.trial import FixedTrial

        trial, seed = FixedTrial(dict(self.params)), self.seed + seed_offset
        return SegmentModel(
            EMBEDDINGS[self.embedding](trial, seed),
            CLUSTERERS[self.clusterer](trial, seed),
            columns(self.embedding, settings.features),
            Scorer(settings.score, settings.horizon_days, settings.seed),
            settings.share,
            settings.segment_share_min,
        )


class Question(NamedTuple):
    """A recipe to score, and the best one so far: where that clearly foretells more, the dear measures are spared."""

    recipe: Recipe
    rival: Recipe | None = None


class Answer(NamedTuple):
    """What is known of a recipe once it is scored.

    `violation` > 0: there are too few or too many segments, by this share of the most; `reason`: why it was given up,
    if it was; `seconds`: how long that took, by whoever holds a clock.
    """

    measures: Mapping[str, float]
    violation: float
    reason: str
    seconds: float = 0.0


def looked_at(settings: Settings) -> tuple[str, ...]:
    """The features, and what else an embedding of the search looks at."""
    wanted = [*settings.features, *(each for name in settings.embeddings for each in columns(name, settings.features))]
    return tuple(dict.fromkeys(wanted))


class Judge:
    """Scores recipes on the same windows, resamples and permutations; shares embeddings between trials."""

    def __init__(self, cut: Mapping[str, Window], settings: Settings) -> None:
        self.settings = settings
        self.folds = [name for name in cut if name != VALIDATION]
        self.latest = self.folds[0]
        self.windows = dict(cut) | self._resamples(cut[VALIDATION]) | {PERMUTED: self._permuted(cut[self.latest])}
        self.resamples = [name for name in self.windows if name.startswith(RESAMPLE)]
        self._embedded = cached(LRUCache(EMBEDDED, getsizeof=_bytes))(self._embed)
        self._refitted = lru_cache(maxsize=2)(self._refit_and_told)
        self._forests: dict[tuple[str, int, int], Any] = {}

    def score(self, recipe: Recipe, rival: Recipe | None = None) -> Answer:
        """Measure a recipe.

        Where there are too few or too many segments, or they foretell next to nothing, the trial is hopeless: its
        stability is not measured and is missing. One that cannot be picked, as it clearly foretells less than the rival
        or comes out unstable, has both objectives, by the first refits; what only the pick asks for is missing.
        """
        with self._threads.limit(limits=1):  # workers x threads = cores, and the same last bits whatever their number
            models = {name: self._fit(recipe, name) for name in [VALIDATION, *self.folds]}
            violation, reason = self._violation(models)
            parts = self._parts(recipe, models)
            measures = round_each(_foresight(parts) | self._shape(models))
            if violation <= 0 and measures["foresight_min"] < self.settings.hopeless_foresight:
                reason = f"foresight is {measures['foresight_min']:.3f} at its worst origin"
            if not reason:
                behind = self._behind(_joined(parts), rival) if rival else 0.0
                measures |= self._late(recipe, models[VALIDATION], measures, behind)
            return Answer(round_each(measures), violation, reason)

    @cached_property
    def _threads(self) -> ThreadpoolController:
        """Found once: to look for the libraries that have threads takes longer than to tell them how many."""
        return ThreadpoolController()

    def behind(self, recipe: Recipe, rival: Recipe) -> float:
        """By how many standard errors a recipe foretells less than another; below 0 where it foretells more.

        Both are asked about the same customers, so what is hard to foretell of them is no part of the error; whoever is
        there at several origins counts as one.
        """
        with self._threads.limit(limits=1):  # as they were scored
            return self._behind(self._told(recipe), rival)

    def _behind(self, told: Values, rival: Recipe) -> float:
        lost = np.bincount(self._places, self._told(rival) - told)
        error = math.sqrt(len(lost)) * float(lost.std())
        return round(float(lost.sum()) / error, ERRORS_DIGITS) if error > 0 else 0.0

    def _told(self, recipe: Recipe) -> Values:
        return self._refitted(recipe.key)

    def _refit_and_told(self, key: str) -> Values:
        recipe = Recipe.from_record(json.loads(key))
        return _joined(self._parts(recipe, {fold: self._fit(recipe, fold) for fold in self.folds}))

    def _parts(self, recipe: Recipe, models: Mapping[str, SegmentModel]) -> dict[str, Parts]:
        """What each customer of each rolling origin adds to what the segments foretold there."""
        return {fold: foresight.parts(*self._groups(recipe, fold, models[fold])) for fold in self.folds}

    @cached_property
    def _places(self) -> Labels:
        """The number of the customer at each place of what `_told` gives."""
        customers = [self.windows[fold].customers["customer_id"].to_numpy(dtype=str) for fold in self.folds]
        return np.unique(np.concatenate(customers), return_inverse=True)[1]

    def _late(
        self, recipe: Recipe, model: SegmentModel, measures: Mapping[str, float], behind: float
    ) -> dict[str, float]:
        """What costs most of the time; all of it for those alone that can be picked.

        `model` is that of the validation date; `behind`: by how many standard errors a rival foretells more.
        """
        samples = [self._refit(recipe, name) for name in self.resamples[:FIRST_RESAMPLES]]
        roughly = _stability(model.labels_, samples)
        if behind > self.settings.foresight_errors or roughly["stability_rand"] < self.settings.hopeless_stability:
            return roughly
        samples += [self._refit(recipe, name) for name in self.resamples[FIRST_RESAMPLES:]]
        return _stability(model.labels_, samples) | self._seeds(recipe, model) | self._control(recipe, measures)

    def _fit(self, recipe: Recipe, window: str, seed_offset: int = 0) -> SegmentModel:
        embedded, _ = self._share(recipe, window, seed_offset)
        return recipe.model(self.settings, seed_offset).fit_clusters(embedded, self.windows[window].customers)

    def _share(self, recipe: Recipe, window: str, seed_offset: int = 0) -> tuple[Points, Points]:
        own = {name: value for name, value in recipe.params.items() if name.startswith(f"{recipe.embedding}.")}
        return self._embedded(recipe.embedding, json.dumps(own, sort_keys=True), recipe.seed + seed_offset, window)

    def _embed(self, name: str, params: str, seed: int, window: str) -> tuple[Points, Points]:
        """The window's customers in an embedding fitted on it, and in the same those whom the fit is asked about.

        These are everyone of the validation window for a resample, and the customers of the window before for another.
        """
        from optuna.trial import FixedTrial

        data = self.windows[window]
        embedding = EMBEDDINGS[name](FixedTrial(json.loads(params)), seed)
        model = SegmentModel(embedding, None, columns(name, self.settings.features))
        model.fit_embedding(data.customers, data.past, grow=partial(self._grow, window))
        asked = self.windows[VALIDATION].customers if window.startswith(RESAMPLE) else data.past
        return model.embed(data.customers), model.embed(asked)

    def _grow(self, window: str, scaled: Matrix, target: Matrix, leaf: int, seed: int, signs: list[int]) -> Any:
        """A window's forest, grown once: it is most of an embedding's time, and most params do not touch it."""
        key = window, leaf, seed
        if key not in self._forests:
            self._forests[key] = grown(scaled, target, leaf, seed, signs)
        return self._forests[key]

    def _groups(self, recipe: Recipe, window: str, model: SegmentModel) -> tuple[Group, Group]:
        """The customers of the window before, and of the window itself, in the segments of its model."""
        data, before = self.windows[window], model.label(self._share(recipe, window)[1])
        return (
            Group(before, data.past["next_revenue"].to_numpy()),
            Group(model.labels_, data.customers["next_revenue"].to_numpy()),
        )

    def _shape(self, models: Mapping[str, SegmentModel]) -> dict[str, float]:
        labels = models[VALIDATION].labels_
        return {
            "segments": float(len(np.unique(labels[labels != NO_CLUSTER]))),
            "noise_share": float(np.mean(labels == NO_CLUSTER)),
            **self._separation(self.latest, models[self.latest].labels_),
        }

    def _separation(self, window: str, labels: Labels) -> dict[str, float]:
        """Of labels of the latest origin's or the permuted customers, in the space that all trials share."""
        return quality.separation(self._spaces[window], labels)

    @cached_property
    def _spaces(self) -> dict[str, Space]:
        return {name: self._space(self.windows[name]) for name in (self.latest, PERMUTED)}

    def _space(self, window: Window) -> Space:
        points = LogScaler().fit_transform(window.customers[list(self.settings.features)])
        return Space.of(points, self.settings.silhouette_rows, self.settings.seed)

    def _seeds(self, recipe: Recipe, model: SegmentModel) -> dict[str, float]:
        """Agreement with refits under other seeds; 1 where nothing is drawn."""
        offsets = range(1, self.settings.seeds + 1) if _draws(recipe.model(self.settings)) else []
        refits = [self._fit(recipe, VALIDATION, offset).labels_ for offset in offsets]
        by_seed = quality.segment_agreement(model.labels_, refits or [model.labels_])
        return {"stability_seeds": by_seed["jaccard"], "stability_seeds_rand": by_seed["rand"]}

    def _refit(self, recipe: Recipe, window: str) -> Labels:
        """Labels that a refit gives to everyone of the validation window."""
        return self._fit(recipe, window).label(self._share(recipe, window)[1])

    def _control(self, recipe: Recipe, measures: Mapping[str, float]) -> dict[str, float]:
        """How separation and foresight compare with those of the same recipe among permuted customers."""
        model = self._fit(recipe, PERMUTED)
        permuted = foresight.of_segments(*self._groups(recipe, PERMUTED, model)).both
        return {
            **quality.control(measures, self._separation(PERMUTED, model.labels_)),
            "control_foresight": permuted,
            "foresight_gap": measures[f"foresight_{self.latest}"] - permuted,
        }

    def _violation(self, models: Mapping[str, SegmentModel]) -> tuple[float, str]:
        """The worst departure from the stated number of segments over all windows, as a share of that number."""
        worst = (0.0, "")
        for name, model in models.items():
            count = len(set(model.ranks_.values()))
            most = self.settings.segments_max
            departure = 1.0 if count < LEAST_SEGMENTS else max(count - most, 0) / most
            worst = max(worst, (departure, f"{count} segments at {name}" if departure else ""))
        return worst

    def _resamples(self, window: Window) -> dict[str, Window]:
        rng = np.random.default_rng(self.settings.seed)
        return {
            f"{RESAMPLE} {i}": _resampled(window, rng, self.settings.refit_rows) for i in range(self.settings.resamples)
        }

    def _permuted(self, window: Window) -> Window:
        features, seed = looked_at(self.settings), self.settings.seed
        return Window(
            quality.permuted(window.customers, features, seed), quality.permuted(window.past, features, seed + 1)
        )


def _foresight(parts: Mapping[str, Parts]) -> dict[str, float]:
    """What the segments foretold after every rolling origin."""
    return foresight.measures({fold: foresight.of_parts(each) for fold, each in parts.items()})


def _joined(parts: Mapping[str, Parts]) -> Values:
    """What adds up to a recipe's mean foresight: one part for each customer at each origin."""
    by_origin = [foresight.by_customer(each) for each in parts.values()]
    return np.concatenate([each / len(each) / len(by_origin) for each in by_origin])


def _bytes(embedded: tuple[Points, Points]) -> int:
    return sum(points.nbytes for points in embedded)


def _draws(model: SegmentModel) -> bool:
    """Whether a seed can change the segments at all."""
    parts = {**model.embedding.get_params(), **model.clusterer.get_params()}
    return any(name.endswith(("seed", "random_state")) for name in parts)


def _stability(labels: Labels, refits: list[Labels]) -> dict[str, float]:
    """Agreement with refits on bootstrap samples, and how many these were."""
    across = quality.segment_agreement(labels, refits)
    return {"stability": across["jaccard"], "stability_rand": across["rand"], "stability_refits": float(len(refits))}


def _resampled(window: Window, rng: np.random.Generator, most: int) -> Window:
    """A bootstrap sample; of more than `most` customers only so many are drawn."""
    customers, past = (
        frame.iloc[rng.integers(len(frame), size=min(len(frame), most))].reset_index(drop=True)
        for frame in (window.customers, window.past)
    )
    return Window(customers, past)

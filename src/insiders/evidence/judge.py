"""What a recipe is, and how it is scored: by what happened after each rolling origin, and by whether it stays.

Everything here looks at cut-offs up to the start of the untouched last period; that period itself is not in its input.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from typing import Any, Self, TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from insiders.evidence import holdout, quality
from insiders.model.clusterers import CLUSTERERS
from insiders.model.embeddings import EMBEDDINGS, LogScaler, Matrix, columns, grown
from insiders.model.segment_model import SegmentModel, in_order
from insiders.units import NO_CLUSTER, round_each

VALIDATION, RESAMPLE, PERMUTED = "validation", "resample", "permuted"  # windows, beside the rolling origins
# What a trial lacks that was given up.
LATE = (
    *("stability", "stability_rand", "stability_seeds", "stability_seeds_rand"),
    *("control_silhouette", "control_gap", "control_gap_low", "control_gap_high"),
)
Param = str | int | float | bool  # what Optuna draws
FIRST_RESAMPLES = 3  # after which an unstable trial is given up


@dataclass(frozen=True)
class Settings:
    """What the search needs of params.yaml; the units stand there."""

    seed: int
    trials: int
    batch: int
    embeddings: tuple[str, ...]
    clusterers: tuple[str, ...]
    features: tuple[str, ...]
    insider_share_min: float
    insider_share_max: float
    segment_share_min: float
    resamples: int
    seeds: int
    silhouette_rows: int
    bootstrap: int
    hopeless_lift: float
    hopeless_stability: float
    stability_floor: float
    seeds_floor: float
    lift_tolerance: float


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

    def model(self, settings: Settings, seed_offset: int = 0) -> SegmentModel:
        from optuna.trial import FixedTrial

        trial, seed = FixedTrial(dict(self.params)), self.seed + seed_offset
        return SegmentModel(
            EMBEDDINGS[self.embedding](trial, seed),
            CLUSTERERS[self.clusterer](trial, seed),
            columns(self.embedding, settings.features),
            least_share(trial, settings),
        )


def least_share(trial: Any, settings: Settings) -> float:
    """Share of the customers that a list must at least hold: one of three places in the lower half of the range.

    With the lowest, a first cluster of nearly that size is enough in one sample and not in the next.
    """
    place = trial.suggest_categorical("list.place", [0.0, 0.25, 0.5])
    return float(settings.insider_share_min * (settings.insider_share_max / settings.insider_share_min) ** place)


@dataclass(frozen=True)
class Window:
    """Customers as of a cut-off, and the earlier snapshot from which a supervised embedding may learn."""

    customers: pd.DataFrame
    past: pd.DataFrame


def looked_at(settings: Settings) -> tuple[str, ...]:
    """The features, and what else an embedding of the search looks at."""
    wanted = [*settings.features, *(each for name in settings.embeddings for each in columns(name, settings.features))]
    return tuple(dict.fromkeys(wanted))


def windows(snapshots: pd.DataFrame, horizon_days: int, features: tuple[str, ...]) -> dict[str, Window]:
    """Cut `snapshots` into the validation window and the rolling origins, latest first: `validation`, `1`, `2`, ...

    An origin is a cut-off whose next period ended by the validation cut-off; it needs the snapshot one period earlier
    to learn from, and where that is missing it is left out.
    """
    horizon = pd.Timedelta(days=horizon_days)
    by_day = {day: in_order(rows, [*features, "next_revenue"]) for day, rows in snapshots.groupby("as_of")}
    last = max(by_day)
    days = [day for day in sorted(by_day, reverse=True) if day - horizon in by_day and day <= last - horizon]
    named = {VALIDATION: last, **{str(place): day for place, day in enumerate(days, start=1)}}
    return {
        name: Window(by_day[day].reset_index(drop=True), by_day[day - horizon].reset_index(drop=True))
        for name, day in named.items()
    }


class Judge:
    """Scores recipes on the same windows, resamples and permutations; shares embeddings between trials."""

    def __init__(self, cut: Mapping[str, Window], settings: Settings) -> None:
        self.settings = settings
        self.windows = dict(cut) | self._resamples(cut[VALIDATION]) | {PERMUTED: self._permuted(cut[VALIDATION])}
        self.folds = [name for name in cut if name != VALIDATION]
        self.resamples = [name for name in self.windows if name.startswith(RESAMPLE)]
        self._embedded = lru_cache(maxsize=256)(self._embed)
        self._forests: dict[tuple[str, int, int], Any] = {}

    def score(self, recipe: Recipe) -> tuple[dict[str, float], float, str]:
        """Measures, size violation, and why the trial was given up, if it was.

        A list out of size, or far below the sort at some origin, is hopeless: its stability, which costs most of the
        time, is not measured and is missing.
        """
        with threadpool_limits(1):  # workers x threads = cores, and the same last bits whatever their number
            models = {name: self._fit(recipe, name) for name in [VALIDATION, *self.folds]}
            violation, reason = self._violation(models)
            measures = self._value(models) | self._shape(models[VALIDATION])
            if violation <= 0 and measures["value_lift_min"] < self.settings.hopeless_lift:
                reason = f"value lift is {measures['value_lift_min']:.3f} at its worst origin"
            if not reason:
                stability = self._stability(recipe, models[VALIDATION])
                labels = self._fit(recipe, PERMUTED).labels_
                measures |= stability | self.control(labels, measures)
            return measures, violation, reason

    def _fit(self, recipe: Recipe, window: str, seed_offset: int = 0) -> SegmentModel:
        embedded, _ = self._share(recipe, window, seed_offset)
        return recipe.model(self.settings, seed_offset).fit_clusters(embedded, self.windows[window].customers)

    def _share(self, recipe: Recipe, window: str, seed_offset: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        own = {name: value for name, value in recipe.params.items() if name.startswith(f"{recipe.embedding}.")}
        return self._embedded(recipe.embedding, json.dumps(own, sort_keys=True), recipe.seed + seed_offset, window)

    def _embed(self, name: str, params: str, seed: int, window: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The window's customers in an embedding fitted on it, and everyone of the validation window in the same.

        The second is asked for in resamples only; elsewhere it is the first again.
        """
        from optuna.trial import FixedTrial

        data = self.windows[window]
        embedding = EMBEDDINGS[name](FixedTrial(json.loads(params)), seed)
        model = SegmentModel(embedding, None, columns(name, self.settings.features), 0)
        model.fit_embedding(data.customers, data.past, grow=partial(self._grow, window))
        own = model.embed(data.customers)
        return own, model.embed(self.windows[VALIDATION].customers) if window.startswith(RESAMPLE) else own

    def _grow(self, window: str, scaled: Matrix, target: Matrix, leaf: int, seed: int, signs: list[int]) -> Any:
        """A window's forest, grown once: it is most of an embedding's time, and most params do not touch it."""
        key = window, leaf, seed
        if key not in self._forests:
            self._forests[key] = grown(scaled, target, leaf, seed, signs)
        return self._forests[key]

    def _value(self, models: Mapping[str, SegmentModel]) -> dict[str, float]:
        """Value capture on every rolling origin, and its mean and worst over them."""
        found: dict[str, float] = {}
        for fold in self.folds:
            found |= {f"{name}_{fold}": value for name, value in self._fold_value(fold, models[fold]).items()}
        return found | over_folds(found, self.folds)

    def _fold_value(self, fold: str, model: SegmentModel) -> dict[str, float]:
        customers = self.windows[fold].customers
        chosen = model.listed(model.labels_)
        past, later = customers["net_revenue"].to_numpy(), customers["next_revenue"].to_numpy()
        drawn = self.drawn[fold].intervals(chosen.astype(float))
        return holdout.capture(chosen, past, later).as_dict() | drawn

    @cached_property
    def drawn(self) -> dict[str, holdout.Resamples]:
        """Bootstrap resamples of each rolling origin's customers."""
        return {fold: self._drawn(self.windows[fold].customers) for fold in self.folds}

    def _drawn(self, customers: pd.DataFrame) -> holdout.Resamples:
        past, later = customers["net_revenue"].to_numpy(), customers["next_revenue"].to_numpy()
        weights = holdout.draws(len(customers), self.settings.bootstrap, self.settings.seed)
        return holdout.Resamples(past, later, weights)

    def _shape(self, model: SegmentModel) -> dict[str, float]:
        labels = model.labels_
        return {
            "segments": float(len(np.unique(labels[labels != NO_CLUSTER]))),
            "insider_share": model.insider_share_,
            "noise_share": float(np.mean(labels == NO_CLUSTER)),
            **self.separation(VALIDATION, labels),
        }

    def separation(self, window: str, labels: NDArray[np.int64]) -> dict[str, float]:
        """Of labels of the validation window's or the permuted customers, in the space that all trials share."""
        return quality.separation(self._spaces[window], labels, self.settings.silhouette_rows, self.settings.seed)

    @cached_property
    def _spaces(self) -> dict[str, NDArray[np.float64]]:
        features = list(self.settings.features)
        return {
            name: LogScaler().fit_transform(self.windows[name].customers[features]) for name in (VALIDATION, PERMUTED)
        }

    def _stability(self, recipe: Recipe, model: SegmentModel) -> dict[str, float]:
        """Agreement with refits on bootstrap samples of the customers, and with refits under other seeds.

        Where the first few samples show that there is no cluster, the others are spared.
        """
        base = (model.labels_, model.listed(model.labels_))
        samples = [self._refit(recipe, name, 0) for name in self.resamples[:FIRST_RESAMPLES]]
        if quality.agreement(base, samples)["jaccard"] >= self.settings.hopeless_stability:
            samples += [self._refit(recipe, name, 0) for name in self.resamples[FIRST_RESAMPLES:]]
        seeds = [self._refit(recipe, VALIDATION, i + 1) for i in range(self.settings.seeds)]
        across, by_seed = quality.agreement(base, samples), quality.agreement(base, seeds)
        return {
            "stability": across["jaccard"],
            "stability_rand": across["rand"],
            "stability_seeds": by_seed["jaccard"],
            "stability_seeds_rand": by_seed["rand"],
        }

    def _refit(self, recipe: Recipe, window: str, seed_offset: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Labels and list that a refit gives to everyone of the validation window."""
        model = self._fit(recipe, window, seed_offset)
        labels = model.label(self._share(recipe, window, seed_offset)[1])
        return labels, model.listed(labels)

    def control(self, labels: NDArray[np.int64], separation: Mapping[str, float]) -> dict[str, float]:
        """How a separation compares with that of these labels of the permuted customers."""
        return quality.control(separation, self.separation(PERMUTED, labels))

    def _violation(self, models: Mapping[str, SegmentModel]) -> tuple[float, str]:
        """The worst departure from the stated sizes over all windows, in shares of the customers."""
        found = [(0.0, "")]
        for name, model in models.items():
            found += [(size, f"{what} at {name}") for size, what in self._departures(model)]
        return max(found)

    def _departures(self, model: SegmentModel) -> Iterator[tuple[float, str]]:
        settings, labels = self.settings, model.labels_
        sizes = np.bincount(labels[labels != NO_CLUSTER]) / len(labels)
        if len(sizes) < 2:  # noqa: PLR2004 (two segments)
            yield 1.0, f"{len(sizes)} segment"
        share = model.insider_share_
        if share > settings.insider_share_max:
            yield share - settings.insider_share_max, f"Insiders are {share:.1%} of the customers"
        if share < settings.insider_share_min:
            yield settings.insider_share_min - share, f"Insiders are {share:.1%} of the customers"
        if len(sizes) and sizes.min() < settings.segment_share_min:
            yield settings.segment_share_min - sizes.min(), f"a segment is {sizes.min():.2%} of the customers"

    def _resamples(self, window: Window) -> dict[str, Window]:
        rng = np.random.default_rng(self.settings.seed)
        return {f"{RESAMPLE} {i}": _resampled(window, rng) for i in range(self.settings.resamples)}

    def _permuted(self, window: Window) -> Window:
        features, seed = looked_at(self.settings), self.settings.seed
        return Window(
            quality.permuted(window.customers, features, seed), quality.permuted(window.past, features, seed + 1)
        )


def _resampled(window: Window, rng: np.random.Generator) -> Window:
    customers, past = (
        frame.iloc[rng.integers(len(frame), size=len(frame))].reset_index(drop=True)
        for frame in (window.customers, window.past)
    )
    return Window(customers, past)


def over_folds(measures: Mapping[str, float], folds: list[str]) -> dict[str, float]:
    """Mean of each value measure over the rolling origins, and the worst value lift."""
    means = {
        f"{name}_mean": float(np.mean([measures[f"{name}_{fold}"] for fold in folds])) for name in holdout.MEASURES
    }
    return round_each(means) | {"value_lift_min": min(measures[f"value_lift_{fold}"] for fold in folds)}

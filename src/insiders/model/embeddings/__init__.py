"""EMBEDDINGS: name -> function(trial, seed) -> transformer, an embedding's constructor and search space in one place.

Each is a plain scikit-learn transformer. The supervised ones say so by their tag `target_tags.required`: they are
fitted on an earlier snapshot with the revenue that followed it, never on the customers that they are then applied to.

Every embedding looks at proportions, not at units: money in pence or times 1,000 gives the same coordinates. What it
looks at is the behaviour features, unless `columns` says otherwise.
"""

from collections.abc import Callable
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline

from insiders.model.embeddings import lifetime
from insiders.model.embeddings.affinity import ProductAffinity as ProductAffinity
from insiders.model.embeddings.affinity import ProductCounts as ProductCounts
from insiders.model.embeddings.affinity import UnitSpread as UnitSpread
from insiders.model.embeddings.lifetime import LifetimeAxes as LifetimeAxes
from insiders.model.embeddings.lifetime import LifetimePlane as LifetimePlane
from insiders.model.embeddings.neighbours import NeighbourMap as NeighbourMap
from insiders.model.embeddings.scaling import LogScaler as LogScaler
from insiders.model.embeddings.scaling import Matrix as Matrix
from insiders.model.embeddings.scaling import Principal as Principal
from insiders.model.embeddings.scaling import Quantiles as Quantiles
from insiders.model.embeddings.supervised import ForestLeaves as ForestLeaves
from insiders.model.embeddings.supervised import ValuePlane as ValuePlane
from insiders.model.embeddings.supervised import grown as grown

PRODUCTS = "products"


def _scaled(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    return LogScaler()


def _quantile(trial: Any, seed: int) -> BaseEstimator:
    shape = trial.suggest_categorical("quantile.shape", ["uniform", "normal"])
    return Quantiles(shape, seed)


def _pca(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    return Principal(trial.suggest_int("pca.components", 2, 6))


def _leaves(trial: Any, seed: int) -> BaseEstimator:
    leaf = trial.suggest_categorical("leaves.leaf", [20, 40])
    return ForestLeaves(leaf, trial.suggest_categorical("leaves.components", [2, 4]), seed)


def _umap(trial: Any, seed: int) -> BaseEstimator:
    return NeighbourMap(trial.suggest_categorical("umap.neighbours", [10, 15, 30, 60]), seed=seed)


def _value_plane(trial: Any, seed: int) -> BaseEstimator:
    # Few distinct values: a search that shares fitted embeddings between trials fits each forest once.
    leaf = trial.suggest_categorical("value_plane.leaf", [20, 40])
    weight = trial.suggest_categorical("value_plane.weight", [0.2, 0.5, 0.8])
    return ValuePlane(leaf, weight, "faded_revenue", seed)


def _affinity(trial: Any, seed: int) -> BaseEstimator:
    components = trial.suggest_categorical("affinity.components", [4, 8, 12])
    return ColumnTransformer([(PRODUCTS, _by_products(components, seed), PRODUCTS)])


def _affinity_scaled(trial: Any, seed: int) -> BaseEstimator:
    """Products and behaviour, each of a variance of 1 in all; `weight` is the products' share in the distance."""
    components = trial.suggest_categorical("affinity_scaled.components", [4, 8, 12])
    weight = trial.suggest_categorical("affinity_scaled.weight", [0.2, 0.35, 0.5])
    return ColumnTransformer(
        [(PRODUCTS, _by_products(components, seed), PRODUCTS)],
        remainder=make_pipeline(LogScaler(), UnitSpread()),
        transformer_weights={PRODUCTS: weight, "remainder": 1 - weight},
    )


def _by_products(components: int, seed: int) -> Pipeline:
    return make_pipeline(ProductCounts(), ProductAffinity(components, seed), UnitSpread())


def _lifetime_plane(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    future = trial.suggest_categorical("lifetime_plane.future", [0.2, 0.5, 0.8])
    return LifetimePlane(future, trial.suggest_categorical("lifetime_plane.parts", [False, True]))


def _lifetime_axes(trial: Any, seed: int) -> BaseEstimator:  # noqa: ARG001 (the registry's signature)
    choices = ["log_revenue", "log_revenue past", "past orders"]
    return LifetimeAxes(tuple(trial.suggest_categorical("lifetime_axes.axes", choices).split()))


def columns(name: str, features: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of the customers' table at which an embedding looks, `features` being those of their behaviour."""
    own = {
        "affinity": (PRODUCTS,),
        "affinity_scaled": (*features, PRODUCTS),
        "lifetime_plane": lifetime.COLUMNS,
        "lifetime_axes": lifetime.COLUMNS,
    }
    return own.get(name, features)


EMBEDDINGS: dict[str, Callable[[Any, int], BaseEstimator]] = {
    "scaled": _scaled,
    "quantile": _quantile,
    "pca": _pca,
    "leaves": _leaves,
    "umap": _umap,
    "value_plane": _value_plane,
    "affinity": _affinity,
    "affinity_scaled": _affinity_scaled,
    "lifetime_plane": _lifetime_plane,
    "lifetime_axes": _lifetime_axes,
}

"""EMBEDDINGS: name -> function(trial, seed) -> transformer; its module holds its search space and its constructor.

Each is a plain scikit-learn transformer. The supervised ones say so by their tag `target_tags.required`: they are
fitted on an earlier snapshot with the revenue that followed it, never on the customers that they are then applied to.

Every embedding looks at proportions, not at units: money in pence or times 1,000 gives the same coordinates. What it
looks at is the behaviour features, unless `columns` says otherwise.
"""

from collections.abc import Callable
from typing import Any

from sklearn.base import BaseEstimator

from insiders.model.embeddings import affinity, lifetime, neighbours, scaling, supervised
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


def columns(name: str, features: tuple[str, ...]) -> tuple[str, ...]:
    """Columns of the customers' table at which an embedding looks, `features` being those of their behaviour."""
    own = {
        "affinity": (affinity.PRODUCTS,),
        "affinity_scaled": (*features, affinity.PRODUCTS),
        "lifetime_plane": lifetime.COLUMNS,
        "lifetime_axes": lifetime.COLUMNS,
    }
    return own.get(name, features)


def own_types() -> list[type[BaseEstimator]]:
    """The transformers of this package, by which a model's file may be recognised."""
    modules = (affinity, lifetime, neighbours, scaling, supervised)
    return [each for module in modules for each in vars(module).values() if _is_of(each, module.__name__)]


def _is_of(value: Any, module: str) -> bool:
    return isinstance(value, type) and issubclass(value, BaseEstimator) and value.__module__ == module


EMBEDDINGS: dict[str, Callable[[Any, int], BaseEstimator]] = {
    "scaled": scaling.build_scaled,
    "quantile": scaling.build_quantile,
    "pca": scaling.build_pca,
    "leaves": supervised.build_leaves,
    "umap": neighbours.build_umap,
    "value_plane": supervised.build_value_plane,
    "affinity": affinity.build_affinity,
    "affinity_scaled": affinity.build_affinity_scaled,
    "lifetime_plane": lifetime.build_lifetime_plane,
    "lifetime_axes": lifetime.build_lifetime_axes,
}

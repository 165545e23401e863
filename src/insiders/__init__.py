"""Customer segmentation for a loyalty programme: what a data scientist imports.

=====================  ================================================================================================
SegmentModel           features → embedding → cluster → segment, and score → Insider: a scikit-learn estimator
Segmenter              figures → cluster: the segments alone as scikit-learn takes a clusterer, for a Pipeline
Scorer                 features → score: who comes first
EMBEDDINGS             name → function(trial, seed) → embedding; likewise CLUSTERERS
FEATURES               name of a feature → its column: type, unit, definition, limits
orders                 clean lines → orders, an Ibis expression
customers              orders and lines → one row per customer and day, with Windows: an Ibis expression
with_next_revenue      the same with the revenue that followed
=====================  ================================================================================================

A name is imported when it is first asked for, so that a stage, or a served model, loads only what it needs.
"""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insiders.model.clusterers import CLUSTERERS
    from insiders.model.embeddings import EMBEDDINGS
    from insiders.model.segment_model import SegmentModel
    from insiders.model.segmenter import Segmenter
    from insiders.schemas import FEATURES
    from insiders.tables.features import Windows, customers, with_next_revenue
    from insiders.tables.orders import orders
    from insiders.value.score_model import Scorer

    __version__: str

__all__ = [
    "CLUSTERERS",
    "EMBEDDINGS",
    "FEATURES",
    "Scorer",
    "SegmentModel",
    "Segmenter",
    "Windows",
    "__version__",
    "customers",
    "orders",
    "with_next_revenue",
]

_HOMES = {
    "CLUSTERERS": "insiders.model.clusterers",
    "EMBEDDINGS": "insiders.model.embeddings",
    "FEATURES": "insiders.schemas",
    "Scorer": "insiders.value.score_model",
    "SegmentModel": "insiders.model.segment_model",
    "Segmenter": "insiders.model.segmenter",
    "Windows": "insiders.tables.features",
    "customers": "insiders.tables.features",
    "orders": "insiders.tables.orders",
    "with_next_revenue": "insiders.tables.features",
}

# Pandera imports pyspark where it is installed, which then warns of pandas 3: nothing here gives it a frame of pandas.
# Set for all, against the rule: each contract, the tables and `pipeline` may be the first to import Pandera.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)


def __getattr__(name: str) -> object:
    """Import a name of __all__ (PEP 562); __version__ is that of the installed distribution."""
    if name == "__version__":
        from importlib.metadata import version

        return version("insiders")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""A SegmentModel as files without pickle, behind a contract of its input; needs little else of the project.

The served model consists of this module, the estimators and three files: `model.skops` holds arrays, numbers and
the names of types, `contract.json` the features with their limits, `sha256.txt` the digest of both, which is compared
before either is read.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insiders.errors import InputError
from insiders.model import embeddings
from insiders.model.segment_model import SegmentModel
from insiders.value import lifetime

MODEL = "model.skops"
CONTRACT = "contract.json"
DIGEST = "sha256.txt"
DIGEST_TAG, FILES_TAG = "insiders.model", "insiders.files"  # of a version: `digest`, and `files_digest`
GENERATED = ("registered_model_meta", "__pycache__")  # what MLflow and Python leave in a folder that they load
CHUNK = 100_000  # rows labelled at once: few enough for the memory, enough to spread the cost of a call


def type_name(each: type) -> str:
    return f"{each.__module__}.{each.__qualname__}"


# A model file names the types that loading it makes. skops adds scikit-learn's, numpy's and Python's own data types to
# these and refuses everything else; the list of trusted types that a file may bring along is never read.
TRUSTED = (
    "insiders.model.segment_model.SegmentModel",
    "insiders.model.clusterers.Cells",
    "insiders.model.clusterers.Density",
    "insiders.model.clusterers.Mixture",
    "insiders.model.clusterers.NeighbourLabels",
    "insiders.model.clusterers.Parts",
    "insiders.model.clusterers.Tiers",
    "insiders.model.clusterers.Ward",
    *map(type_name, (*embeddings.own_types(), lifetime.Calibration, lifetime.Spend, lifetime.ValueModel)),
    *(f"insiders.value.score_model.{name}" for name in ("Lifetime", "Plain", "Score", "ScoreModel", "Scorer")),
    "insiders.value.money.Money",
    "insiders.value.rankers.Ranker",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.tree._tree.Tree",
)


@dataclass(frozen=True)
class Limits:
    """Range of a feature, both ends included; None: no limit. A text has no limits and is never missing."""

    low: float | None
    high: float | None
    nullable: bool
    is_text: bool = False  # older contracts lack it


@dataclass(frozen=True)
class Package:
    """A fitted model behind its contract."""

    model: SegmentModel
    contract: Mapping[str, Limits]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the customers' table that the model looks at, in its order."""
        return tuple(self.contract)

    def predict(self, customers: pd.DataFrame) -> pd.DataFrame:
        """`cluster`, `segment`, `is_insider` and `score` of each row; other columns than the features are ignored.

        Raises InputError where a feature is missing, no number (or no text), or out of its limits.
        """
        features = self.validate(customers)
        chunks = [self.model.predict(chunk) for chunk in _chunks(features)]
        return pd.concat(chunks) if chunks else _empty_prediction(features.index)

    def score_then(self, customers: pd.DataFrame) -> NDArray[np.float64]:
        """What ranks customers as of any day, by what was known on it; raises as `predict` does."""
        if self.model.scorer_ is None:
            raise InputError("the model has no score: register it anew with `dvc repro`")
        self.validate(customers)
        return self.model.scorer_.score_then(customers)  # whose fit on that day looks at more columns

    def embed(self, customers: pd.DataFrame) -> NDArray[np.float64]:
        """Coordinates in which customers are compared, shape (customers, dimensions); raises as `predict` does."""
        return self.model.embed(self.validate(customers))

    def validate(self, customers: pd.DataFrame) -> pd.DataFrame:
        """The features alone, as float64 or text, in the model's order; raises as `predict` does."""
        missing = [name for name in self.contract if name not in customers.columns]
        if missing:
            raise InputError(
                f"customers lack the features {', '.join(missing)}; the model expects {', '.join(self.contract)}: "
                "use a table that `dvc repro` made (data/customers.parquet) or compute them the same way"
            )
        return pd.DataFrame(
            {
                name: _as_texts(customers[name], name) if limits.is_text else _as_numbers(customers[name], name, limits)
                for name, limits in self.contract.items()
            },
            index=customers.index,
        )


def save(package: Package, folder: Path) -> None:
    """Write the files, and read them again: a type that is not trusted is refused now, not when the model serves."""
    import skops.io

    folder.mkdir(parents=True, exist_ok=True)
    skops.io.dump(package.model, folder / MODEL)
    contract = {name: asdict(limits) for name, limits in package.contract.items()}
    (folder / CONTRACT).write_text(json.dumps(contract, indent=2) + "\n", encoding="utf-8")
    (folder / DIGEST).write_text(digest(folder) + "\n", encoding="ascii")
    load(folder)


def digest(folder: Path) -> str:
    """One sha256 over the model's files: what a version in the registry is bound to."""
    content = hashlib.sha256()
    for name in (MODEL, CONTRACT):
        content.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return content.hexdigest()


def files_digest(folder: Path) -> str:
    """One sha256 over the names and the content of all files of MLflow's folder, the code that it runs among them."""
    content = hashlib.sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        name = path.relative_to(folder)
        if not set(name.parts) & set(GENERATED):
            content.update(f"{name.as_posix()}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return content.hexdigest()


def refuse_changed(folder: Path, tags: Mapping[str, str]) -> None:
    """InputError where MLflow's folder is not the one with which the version with these tags was registered."""
    stated = tags.get(FILES_TAG)
    if stated is not None and files_digest(folder) != stated:  # earlier versions state none
        raise _another(folder)


def _another(folder: Path) -> InputError:
    return InputError(
        f"the model in {folder} is not the one that was registered: its files have another digest, and it was not "
        "loaded. Put the files back, or promote another version (`insiders promote NUMBER`)"
    )


def load(folder: Path, bound_to: str | None = None) -> Package:
    """Read what `save` wrote; a file that is damaged, or asks for a type outside TRUSTED, is refused unread.

    `bound_to` is the digest that its version was registered with; without one, that beside the files counts.
    """
    stated = bound_to or (folder / DIGEST).read_text(encoding="ascii").strip()
    if digest(folder) != stated:
        raise _another(folder)
    return Package(_load_model(folder / MODEL), _load_contract(folder / CONTRACT))


def _load_contract(path: Path) -> dict[str, Limits]:
    try:
        contract = json.loads(path.read_text(encoding="utf-8"))
        return {name: Limits(**limits) for name, limits in contract.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not a contract that this version can read: {error}") from error


def _load_model(path: Path) -> SegmentModel:
    import skops.io
    from skops.io.exceptions import UntrustedTypesFoundException

    try:
        model = skops.io.load(path, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise InputError(
            f"{path} asks for types that this project does not trust: {error}; it was not loaded: register the model "
            "again with `dvc repro`, or find out who changed the file"
        ) from error
    except Exception as error:  # a damaged archive fails in any of a dozen ways
        raise InputError(f"{path} is not a model that this version can read: {error}") from error
    if not isinstance(model, SegmentModel):
        raise InputError(f"{path} holds a {type(model).__name__}, expected a SegmentModel")
    return model


def _chunks(features: pd.DataFrame) -> Iterator[pd.DataFrame]:
    for start in range(0, len(features), CHUNK):
        yield features.iloc[start : start + CHUNK]


def _empty_prediction(index: pd.Index) -> pd.DataFrame:
    columns = {"cluster": "int64", "segment": "str", "is_insider": "bool", "score": "float64"}
    return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in columns.items()}).set_index(index)


def _as_texts(column: pd.Series, name: str) -> pd.Series:
    _refuse(column, np.array([not isinstance(each, str) for each in column], dtype=bool), name, "a text in every row")
    return column.astype("str")


def _as_numbers(column: pd.Series, name: str, limits: Limits) -> NDArray[np.float64]:
    try:
        values = np.array(column, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"feature {name}: {error}; expected numbers") from error
    if not limits.nullable:
        _refuse(column, np.isnan(values), name, "a value in every row")
    _refuse(column, np.isinf(values), name, "finite numbers")
    if limits.low is not None:
        _refuse(column, values < limits.low, name, f"at least {limits.low:g}")
    if limits.high is not None:
        _refuse(column, values > limits.high, name, f"at most {limits.high:g}")
    return values


def _refuse(column: pd.Series, is_wrong: NDArray[np.bool_], name: str, expected: str) -> None:
    """Raise InputError with the first wrong row, if there is one."""
    if is_wrong.any():
        row = int(np.argmax(is_wrong))
        raise InputError(
            f"feature {name} is {column.iloc[row]} in row {row + 1} (and {int(is_wrong.sum()) - 1} others); "
            f"expected {expected}: correct the table, or leave these customers out"
        )

"""MLflow's model folder of a fitted model: code, data without pickle, signature, example and requirements."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import insiders
from insiders.io import package, tables
from insiders.model.segment_model import SegmentModel

if TYPE_CHECKING:
    from mlflow.models import Model, ModelSignature
    from pandera.pandas import Column

# The part of the project that a prediction needs, by file and by wing; a test predicts where no other part is.
CODE = ("__init__.py", "errors.py", "units.py", "io/__init__.py", "io/package.py", "model", "value")
# Given by hand, since MLflow would load the model in a process of its own to find them, for ten seconds.
REQUIREMENTS = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops", "threadpoolctl", "cachetools", "joblib")
DATA = "artifacts/segments"  # place of the files of `package.save` inside the model's folder
SERVED = Path(__file__).with_name("served.py")


def feature_limits(features: tuple[str, ...]) -> dict[str, package.Limits]:
    """The contract's limits of these features, in the form that travels with the model."""
    from insiders.schemas import CUSTOMERS

    return {name: _limits(CUSTOMERS.columns[name]) for name in features}


def _limits(column: "Column") -> package.Limits:
    statistics = [check.statistics for check in column.checks]
    low = [each["min_value"] for each in statistics if "min_value" in each]
    high = [each["max_value"] for each in statistics if "max_value" in each]
    is_text = str(column.dtype).startswith("str")
    return package.Limits(max(low, default=None), min(high, default=None), column.nullable, is_text)


@contextmanager
def model_folder(model: SegmentModel, example: pd.DataFrame, mlflow_model: "Model") -> Iterator[Path]:
    """Yield the folder of the model, which lasts as long as the block.

    `example` holds a few rows with the model's features; `mlflow_model` brings the ids under which MLflow knows it.
    """
    from mlflow import pyfunc

    contract = feature_limits(model.columns)
    with tables.temporary_folder() as folder:
        top = Path(folder)
        package.save(package.Package(model, contract), top / "segments")
        pyfunc.save_model(
            top / "model",
            mlflow_model=mlflow_model,
            python_model=str(SERVED),
            artifacts={"segments": str(top / "segments")},
            code_paths=[str(_copy_code(top))],
            signature=signature(contract),
            input_example=package.load(top / "segments").validate(example),
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
        )
        yield top / "model"


def signature(contract: Mapping[str, package.Limits]) -> "ModelSignature":
    """MLflow's signature: the features in, the columns of a prediction out."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = Schema([ColSpec("string" if limits.is_text else "double", name) for name, limits in contract.items()])
    types = {"cluster": "long", "segment": "string", "is_insider": "boolean", "score": "double"}
    outputs = Schema([ColSpec(dtype, name) for name, dtype in types.items()])
    return ModelSignature(inputs=inputs, outputs=outputs)


def _copy_code(top: Path) -> Path:
    """Copy the part of the project that a prediction needs to top/insiders."""
    source, target = Path(insiders.__file__).parent, top / "insiders"
    for name in CODE:
        place = source / name
        for file in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    return target

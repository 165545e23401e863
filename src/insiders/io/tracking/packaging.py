"""A fitted model -> MLflow's model folder: code, data without pickle, signature, example, requirements."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

import insiders
from insiders.io import package
from insiders.model.segment_model import SegmentModel

# All of the project that a prediction needs; a test runs one where nothing else can be imported.
MODULES = (
    *("__init__", "errors", "units", "io/__init__", "io/package", "value/__init__", "value/lifetime"),
    *("model/__init__", "model/segment_model", "model/clusterers", "model/embeddings"),
)
# Given by hand: MLflow would find them by loading the model in a process of its own, for ten seconds.
REQUIREMENTS = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops", "threadpoolctl")
DATA = "artifacts/segments"  # where MLflow puts what `package.save` wrote, inside the model's folder
SERVED = Path(__file__).with_name("served.py")


def feature_limits(features: tuple[str, ...]) -> dict[str, package.Limits]:
    """Give the schema's limits of these features in the form that travels with the model."""
    from insiders.schemas import CUSTOMERS

    return {name: _limits(CUSTOMERS.columns[name]) for name in features}


def _limits(column: Any) -> package.Limits:
    statistics = [check.statistics for check in column.checks]
    low = [each["min_value"] for each in statistics if "min_value" in each]
    high = [each["max_value"] for each in statistics if "max_value" in each]
    is_text = str(column.dtype).startswith("str")
    return package.Limits(max(low, default=None), min(high, default=None), column.nullable, is_text)


@contextmanager
def model_folder(model: SegmentModel, example: pd.DataFrame, described: Any) -> Iterator[Path]:
    """Write the model's folder for the length of the block; `described` is MLflow's Model, which knows its ids."""
    from mlflow import pyfunc

    with tempfile.TemporaryDirectory() as place:
        top = Path(place)
        package.save(package.Package(model, feature_limits(model.features)), top / "segments")
        features = package.load(top / "segments").checked(example)
        pyfunc.save_model(
            top / "model",
            mlflow_model=described,
            python_model=str(SERVED),
            artifacts={"segments": str(top / "segments")},
            code_paths=[str(_code(top))],
            signature=signature(feature_limits(model.features)),
            input_example=features,
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
        )
        yield top / "model"


def signature(contract: Mapping[str, package.Limits]) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    known = Schema([ColSpec("string" if limits.is_text else "double", name) for name, limits in contract.items()])
    answer = Schema([ColSpec("long", "cluster"), ColSpec("string", "segment"), ColSpec("boolean", "is_insider")])
    return ModelSignature(inputs=known, outputs=answer)


def _code(top: Path) -> Path:
    """Copy the modules that a prediction needs to top/insiders."""
    source, target = Path(insiders.__file__).parent, top / "insiders"
    for module in MODULES:
        for file in sorted((source / module).glob("*.py")) or [source / f"{module}.py"]:  # a package, or a module
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    return target

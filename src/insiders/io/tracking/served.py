"""The model as MLflow serves it: run from a copy inside the model's folder, with `code/` beside it.

MLflow loads a model from such a file by the object that it gives to set_model; nothing in the project imports it.
"""

from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.utils.yaml_utils import read_yaml

from insiders.errors import InputError
from insiders.io import package

META = "registered_model_meta"  # in which MLflow writes down which version it was asked for


class ServedSegments(PythonModel):
    """Features of customers in; cluster, segment, is_insider and score out."""

    def load_context(self, context: PythonModelContext) -> None:
        segments = Path(context.artifacts["segments"])
        tags = _registered_tags(segments.parents[1])
        package.refuse_changed(segments.parents[1], tags)
        self.package = package.load(segments, tags.get(package.DIGEST_TAG))

    def predict(
        self,
        context: PythonModelContext,  # noqa: ARG002 (MLflow's signature)
        model_input: pd.DataFrame,
        params: dict[str, object] | None = None,  # noqa: ARG002 (MLflow's signature)
    ) -> pd.DataFrame:
        """Label one row per customer; the server answers 400 with the message where a feature is at fault."""
        try:
            return self.package.predict(model_input)
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error


def _registered_tags(folder: Path) -> dict[str, str]:
    """Those of the version that MLflow was asked for; none where the folder was named, and no version."""
    if not (folder / META).exists():
        return {}
    asked = read_yaml(str(folder), META)
    return dict(MlflowClient().get_model_version(asked["model_name"], str(asked["model_version"])).tags)


set_model(ServedSegments())

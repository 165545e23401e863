"""The model as MLflow serves it: run from a copy inside the model's folder, with `code/` beside it.

MLflow loads a model from such a file by the object that it gives to set_model; nothing in the project imports it.
"""

from pathlib import Path

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from insiders.errors import InputError
from insiders.io import package


class ServedSegments(PythonModel):
    """Features of customers in; cluster, segment and is_insider out."""

    def load_context(self, context: PythonModelContext) -> None:
        self.package = package.load(Path(context.artifacts["segments"]))

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


set_model(ServedSegments())

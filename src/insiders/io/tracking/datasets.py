"""Tables as MLflow's datasets: which bytes a run has worked on, and where they came from."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from insiders.io import tables

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput

DIGEST_LENGTH = 36  # characters, the most that MLflow keeps
CONTEXT_TAG = "mlflow.data.context"


class Used(NamedTuple):
    """A dataset of a run: its name, the digest of its bytes, where it lies, and what it was used for."""

    name: str
    digest: str
    source: str
    context: str


def of_tables(*files: Path, context: str = "input") -> list[Used]:
    """Tables of the project."""
    return [Used(each.stem, tables.digest(each), each.as_posix(), context) for each in files]


def delivery(record: Mapping[str, object], transactions: Path) -> Used:
    """What the shop delivered (data/source.json); what has no digest of its own has that of the table made of it."""
    return Used("delivery", str(record.get("sha256") or tables.digest(transactions)), str(record["source"]), "delivery")


def as_inputs(used: Iterable[Used]) -> "list[DatasetInput]":
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return [
        DatasetInput(
            Dataset(each.name, each.digest[:DIGEST_LENGTH], "local", json.dumps({"uri": each.source})),
            [InputTag(CONTEXT_TAG, each.context)],
        )
        for each in used
    ]

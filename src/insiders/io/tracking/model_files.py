"""The files of a version in the store: its model, and the profile of what it was trained on, each bound by a digest."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from insiders.errors import InputError
from insiders.io import tables
from insiders.io.tracking.connection import Connection

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities import LoggedModel

    from insiders.io.package import Package
    from insiders.model.segment_model import SegmentModel

NAME = "insiders"  # of the registered model
PROFILE_TAG = "insiders.profile"  # the digest of PROFILE
PROFILE = "profile.json"  # beside the model


def upload(
    connection: Connection, logged: "LoggedModel", model: "SegmentModel", example: "pd.DataFrame", profile: str | None
) -> dict[str, str]:
    """Send the files of a model that was logged, and its profile, to the store; returns the tags with their digests."""
    from mlflow.models.model import Model

    from insiders.io import package
    from insiders.io.tracking import packaging

    ids = Model(logged.artifact_location, logged.source_run_id, model_uuid=logged.model_id, model_id=logged.model_id)
    with packaging.model_folder(model, example, ids) as folder:
        if profile is not None:
            (folder / PROFILE).write_text(profile, encoding="utf-8", newline="\n")
        connection.client.log_model_artifacts(logged.model_id, str(folder))
        tags = {
            package.DIGEST_TAG: package.digest(folder / packaging.DATA),
            package.FILES_TAG: package.files_digest(folder),
        }
    connection.client.finalize_logged_model(logged.model_id, "READY")
    return tags if profile is None else tags | {PROFILE_TAG: hashlib.sha256(profile.encode()).hexdigest()}


def load(connection: Connection, number: str, tags: Mapping[str, str]) -> "Package":
    """Read a version's model, if it is the one that was registered."""
    from insiders.io import package
    from insiders.io.tracking import packaging

    with _downloaded(connection, number) as folder:
        package.refuse_changed(folder, tags)
        return package.load(folder / packaging.DATA, tags.get(package.DIGEST_TAG))


def read_profile(connection: Connection, number: str, tags: Mapping[str, str]) -> str:
    """Read a version's profile, if it is the one that was registered."""
    with _downloaded(connection, number, PROFILE) as file:
        content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != tags[PROFILE_TAG]:
        raise InputError(
            f"the profile of version {number} is not the one that was registered: put {PROFILE} back, or promote "
            "another version (`insiders promote NUMBER`)"
        )
    return content.decode("utf-8")


@contextmanager
def _downloaded(connection: Connection, number: str, name: str = "") -> Iterator[Path]:
    """The folder that was registered with a version, or a file of it, as long as the block lasts."""
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    place = f"{connection.client.get_model_version_download_uri(NAME, number)}/{name}".rstrip("/")
    with tables.temporary_folder() as folder:
        try:
            yield Path(download_artifacts(place, dst_path=folder, tracking_uri=connection.uri))
        except (MlflowException, OSError) as error:
            raise InputError(
                f"version {number} of {NAME} has no model of this project at {place}: promote another version, or put "
                "its files back"
            ) from error

"""The registry of models: versions with what is known of them, and who serves. It holds what people decided.

The alias `challenger` names the newest candidate, `champion` the version that serves. Each may also be moved by hand in
MLflow's UI; the history of champions takes notice of that when it is next looked at.
"""

import json
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from insiders.errors import InputError
from insiders.io.tracking.connection import Connection, connect, explain_failures
from insiders.io.tracking.runs import STAGE_TAG, RunRecord, Values, create_run, finish_run, flatten, now_ms, numeric

if TYPE_CHECKING:
    import pandas as pd

    from insiders.io.package import Package
    from insiders.model.segment_model import SegmentModel

NAME = "insiders"
CHAMPION = "champion"
CHALLENGER = "challenger"

KEY_TAG = "insiders.key"
COMMIT_TAG = "insiders.git_commit"
HISTORY_TAG = "insiders.champions"  # of the registered model: the numbers that served, in order
PROMOTED_BY_TAG = "promoted_by"
PROMOTED_AT_TAG = "promoted_at"
SET_ASIDE_TAG = "set_aside_at"
GATE_PREFIX = "gate."
HISTORY_LENGTH = 200  # champions remembered; a tag holds 5,000 characters

Who = Literal["person", "gate"]


@dataclass(frozen=True)
class Facts:
    """What is written with a version.

    `key` is the digest of recipe and data, which makes the version one and the same; `tags` hold the gates
    (`cards.gate_tags`) and the data digest; `card` is Markdown (`cards.model_card`).
    """

    key: str
    params: Values
    metrics: Values
    tags: Mapping[str, str]
    card: str


@dataclass(frozen=True)
class Version:
    """One version as it stands in the registry."""

    number: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    card: str

    @property
    def key(self) -> str | None:
        return self.tags.get(KEY_TAG)

    @property
    def passed(self) -> bool:
        """Whether it was judged and passed every gate."""
        verdicts = [value for key, value in self.tags.items() if key.startswith(GATE_PREFIX)]
        return bool(verdicts) and all(verdict.startswith("passed") for verdict in verdicts)

    @property
    def set_aside(self) -> bool:
        """Whether a person put another version in its place; only a person promotes it again."""
        return SET_ASIDE_TAG in self.tags


def register(model: "SegmentModel", example: "pd.DataFrame", facts: Facts) -> Version:
    """Make the fitted model a version and the challenger; a key that is known already names the version it has.

    `example` is a few rows with the model's features. The verdicts of a known version are brought up to date.
    """
    with _registry() as registry:
        registry.sync_history()
        known = registry.by_key(facts.key)
        number = known.number if known else registry.add(model, example, facts)
        if known:
            registry.update(known, facts)
        registry.set_alias(CHALLENGER, number)
        return registry.version(number)


def find(key: str) -> Version | None:
    """Find the version with this key: whoever asks first need not fit the model again."""
    with _registry() as registry:
        return registry.by_key(key)


def versions() -> list[Version]:
    """All versions, oldest first."""
    with _registry() as registry:
        return registry.versions()


def champion() -> Version | None:
    with _registry() as registry:
        return registry.by_alias(CHAMPION)


def sync_champion() -> Version | None:
    """Find the champion; a change that was made by hand goes into the history, so that a rollback knows of it."""
    with _registry() as registry:
        registry.sync_history()
        return registry.by_alias(CHAMPION)


def promote(number: str | None = None, by: Who = "person") -> Version | None:
    """Let a version serve, the challenger when none is named; returns the version that serves then.

    A gate does not overrule a person: a version that was set aside stays so, and whoever serves, if anybody, goes on.
    """
    with _registry() as registry:
        registry.sync_history()
        chosen = registry.version(number) if number else registry.by_alias(CHALLENGER)
        if chosen is None:
            raise InputError(
                "there is no challenger to promote: run `dvc repro`, which registers one, or name a version"
            )
        serves = registry.by_alias(CHAMPION)
        if (serves and serves.number == chosen.number) or (by == "gate" and chosen.set_aside):
            return serves
        registry.set_champion(chosen, by)
        registry.write_history([*registry.history(), chosen.number])
        return registry.version(chosen.number)


def rollback() -> Version:
    """Let the champion before the present one serve again; repeated, it goes back step by step."""
    with _registry() as registry:
        registry.sync_history()
        past = registry.history()
        serves = registry.by_alias(CHAMPION)
        if serves is not None and past and past[-1] == serves.number:
            past = past[:-1]
        if not past:
            raise InputError(
                f"there is no champion before {'version ' + serves.number if serves else 'this'}: "
                "promote a version by its number with `insiders promote NUMBER`"
            )
        registry.set_champion(registry.version(past[-1]), "person")
        registry.write_history(past)
        return registry.version(past[-1])


def load(version: Version) -> "Package":
    """Read a version's model with this project's own code: nothing that is stored in the registry is executed."""
    with _registry() as registry:
        return registry.load(version.number)


@contextmanager
def _registry() -> Iterator["_Registry"]:
    connection = connect()
    with explain_failures(connection.uri):
        yield _Registry(connection)


class _Registry:
    """The few questions and changes that the functions above consist of."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.client = connection.client

    def versions(self) -> list[Version]:
        found = self.client.search_model_versions(f"name = '{NAME}'")
        aliases = self._aliases()
        return sorted((_version(each, aliases) for each in found), key=lambda version: int(version.number))

    def version(self, number: str) -> Version:
        known = self.versions()
        for version in known:
            if version.number == str(number):
                return version
        numbers = ", ".join(version.number for version in known) or "none"
        raise InputError(f"model {NAME} has no version {number}; there is {numbers}: see them with `insiders ui`")

    def by_key(self, key: str) -> Version | None:
        return next((version for version in self.versions() if version.key == key), None)

    def by_alias(self, alias: str) -> Version | None:
        return next((version for version in self.versions() if alias in version.aliases), None)

    def set_alias(self, alias: str, number: str) -> None:
        if self._aliases().get(alias) != number:
            self.client.set_registered_model_alias(NAME, alias, number)

    def add(self, model: "SegmentModel", example: "pd.DataFrame", facts: Facts) -> str:
        """Log the model below a run of its own and make it a version; the version appears whole or not at all."""
        from mlflow.entities import LoggedModelOutput

        connection, client = self.connection, self.client
        tags = {KEY_TAG: facts.key, COMMIT_TAG: git_commit() or "null", **facts.tags}
        entry = RunRecord(
            "register", flatten(facts.params), numeric(facts.metrics), {STAGE_TAG: "register", **tags}, now_ms()
        )
        run = create_run(connection, entry)
        logged = client.create_logged_model(connection.experiment, NAME, run, tags, entry.params, "segments")
        self._upload(model, example, run, logged)
        client.log_outputs(run, [LoggedModelOutput(logged.model_id, 0)])
        finish_run(connection, run, entry, logged.model_id)
        self._ensure_model()
        source = f"models:/{logged.model_id}"
        made = client.create_model_version(
            NAME, source, run, tags=tags, description=facts.card, model_id=logged.model_id
        )
        return str(made.version)

    def _upload(self, model: "SegmentModel", example: "pd.DataFrame", run: str, logged: Any) -> None:
        from mlflow.models.model import Model

        from insiders.io.tracking import packaging

        ids = Model(logged.artifact_location, run, model_uuid=logged.model_id, model_id=logged.model_id)
        with packaging.model_folder(model, example, ids) as folder:
            self.client.log_model_artifacts(logged.model_id, str(folder))
        self.client.finalize_logged_model(logged.model_id, "READY")

    def update(self, version: Version, facts: Facts) -> None:
        """Bring tags and card of a known version up to date; writes only what differs."""
        for key in version.tags:
            if key.startswith(GATE_PREFIX) and key not in facts.tags:
                self.client.delete_model_version_tag(NAME, version.number, key)
        for key, value in facts.tags.items():
            if version.tags.get(key) != value:
                self.client.set_model_version_tag(NAME, version.number, key, value)
        if version.card != facts.card:
            self.client.update_model_version(NAME, version.number, facts.card)

    def set_champion(self, chosen: Version, by: Who) -> None:
        """Move the alias; a person's choice sets the version aside that served."""
        before = self.by_alias(CHAMPION)
        self.client.set_model_version_tag(NAME, chosen.number, PROMOTED_BY_TAG, by)
        self.client.set_model_version_tag(NAME, chosen.number, PROMOTED_AT_TAG, _moment())
        if chosen.set_aside:
            self.client.delete_model_version_tag(NAME, chosen.number, SET_ASIDE_TAG)
        self.client.set_registered_model_alias(NAME, CHAMPION, chosen.number)
        if by == "person" and before is not None and before.number != chosen.number:
            self.set_aside(before)

    def set_aside(self, version: Version) -> None:
        if not version.set_aside:
            self.client.set_model_version_tag(NAME, version.number, SET_ASIDE_TAG, _moment())

    def history(self) -> list[str]:
        """Numbers of the champions in order, without versions that were deleted since."""
        model = self._model()
        known = {version.number for version in self.versions()}
        past = json.loads(model.tags.get(HISTORY_TAG, "[]")) if model else []
        return [number for number in past if number in known]

    def write_history(self, past: list[str]) -> None:
        self.client.set_registered_model_tag(NAME, HISTORY_TAG, json.dumps(past[-HISTORY_LENGTH:]))

    def sync_history(self) -> None:
        """Enter what somebody did in MLflow's UI: named another champion (one step back is a rollback), or none."""
        serves, past = self.by_alias(CHAMPION), self.history()
        if past and (serves is None or past[-1] != serves.number):
            self.set_aside(self.version(past[-1]))
        if serves is None or past[-1:] == [serves.number]:
            return
        self.client.set_model_version_tag(NAME, serves.number, PROMOTED_BY_TAG, "person")
        if serves.set_aside:
            self.client.delete_model_version_tag(NAME, serves.number, SET_ASIDE_TAG)
        self.write_history(past[:-1] if past[-2:-1] == [serves.number] else [*past, serves.number])

    def load(self, number: str) -> "Package":
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        from insiders.io import package
        from insiders.io.tracking import packaging

        place = f"{self.client.get_model_version_download_uri(NAME, number)}/{packaging.DATA}"
        with tempfile.TemporaryDirectory() as folder:
            try:
                return package.load(Path(download_artifacts(place, dst_path=folder, tracking_uri=self.connection.uri)))
            except (MlflowException, OSError) as error:
                raise InputError(
                    f"version {number} of {NAME} has no model of this project at {place}: promote another version, or "
                    "put its files back"
                ) from error

    def _ensure_model(self) -> None:
        if self._model() is None:
            self.client.create_registered_model(NAME, description="Customer segments, and who is an Insider.")

    def _model(self) -> Any:
        found = self.client.search_registered_models(f"name = '{NAME}'")
        return found[0] if found else None

    def _aliases(self) -> dict[str, str]:
        model = self._model()
        return {alias: str(number) for alias, number in model.aliases.items()} if model else {}


def _version(found: Any, aliases: Mapping[str, str]) -> Version:
    number = str(found.version)
    own = tuple(sorted(alias for alias, named in aliases.items() if named == number))
    return Version(number, own, dict(found.tags), found.description or "")


def _moment() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def git_commit() -> str | None:
    """Ask for the project's commit; None outside a repository of its own, or without git."""
    command = ["git", "rev-parse", "--show-toplevel", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer[1] if Path(answer[0]).resolve() == Path.cwd().resolve() else None

"""The registry of models: versions with the evidence for each, and which one serves. It keeps what people decided.

The alias `challenger` names the newest candidate, `champion` the version that serves. People may also move them in
MLflow's UI; the history of champions is brought up to date when it is read next.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from insiders.errors import InputError
from insiders.io.tracking import address, model_files
from insiders.io.tracking.cards import GATE_PREFIX
from insiders.io.tracking.connection import Connection, connect, explain_failures
from insiders.io.tracking.model_files import NAME, PROFILE_TAG
from insiders.io.tracking.runs import STAGE_TAG, RunRecord, Values, create_run, finish_run, flatten, now_ms, numeric

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.entities.model_registry import ModelVersion, RegisteredModel

    from insiders.io.package import Package
    from insiders.model.segment_model import SegmentModel

CHAMPION = "champion"
CHALLENGER = "challenger"

KEY_TAG = "insiders.key"
COMMIT_TAG = "insiders.git_commit"
HISTORY_TAG = "insiders.champions"  # of the registered model: the numbers of its champions, oldest first
PENDING_TAG = "insiders.promotion"  # of the registered model: a promotion that has begun; "": none
PROMOTED_BY_TAG = "promoted_by"
PROMOTED_AT_TAG = "promoted_at"
SET_ASIDE_TAG = "set_aside_at"
STRAYS = 1000  # logged models that are looked at
HISTORY_LENGTH = 200  # champions; a tag holds 5,000 characters

Promoter = Literal["person", "gate"]


class Promotion(TypedDict):
    """What is recorded of a promotion: the version, by whom, when, which version a person set aside, all champions."""

    number: str
    by: Promoter
    at: str
    aside: str | None
    history: list[str]


@dataclass(frozen=True)
class Facts:
    """What is written with a version.

    `key` is the digest of recipe and data, by which a version is recognised; `tags` hold the gates (`cards.gate_tags`)
    and the data's digest; `card` is Markdown (`cards.model_card`); `profile` says in JSON what it was trained on.
    """

    key: str
    params: Values
    metrics: Values
    tags: Mapping[str, str]
    card: str
    profile: str | None = None


@dataclass(frozen=True)
class Version:
    """A version as it stands in the registry; `number` counts from 1."""

    number: str
    aliases: tuple[str, ...]
    tags: Mapping[str, str]
    card: str

    @property
    def key(self) -> str | None:
        return self.tags.get(KEY_TAG)

    @property
    def passed(self) -> bool:
        """Whether it was judged, and passed every gate."""
        verdicts = [value for key, value in self.tags.items() if key.startswith(GATE_PREFIX)]
        return bool(verdicts) and all(verdict.startswith("passed") for verdict in verdicts)

    @property
    def is_set_aside(self) -> bool:
        """Whether a person replaced it as champion; then only a person promotes it again."""
        return SET_ASIDE_TAG in self.tags


def register(model: "SegmentModel", example: "pd.DataFrame", facts: Facts) -> Version:
    """Make the fitted model a version, unless one has its key already, and make that version the challenger.

    `example` is a few rows with the model's features. Tags and card of a version that exists are brought up to date.
    """
    with _registry() as registry:
        registry.sync_history()
        existing = registry.by_key(facts.key)
        number = existing.number if existing else registry.add(model, example, facts)
        if existing:
            registry.update(existing, facts)
        registry.set_alias(CHALLENGER, number)
        return registry.version(number)


def find(key: str) -> Version | None:
    """The version with this key, if there is one: then no other is made."""
    with _registry() as registry:
        return registry.by_key(key)


def versions() -> list[Version]:
    """All versions, oldest first."""
    with _registry() as registry:
        return registry.versions()


def champion() -> Version | None:
    """The version that serves, if there is one."""
    with _registry() as registry:
        return registry.by_alias(CHAMPION)


def sync_champion() -> Version | None:
    """The champion; a change that was made in MLflow's UI enters the history, so that a rollback finds it."""
    with _registry() as registry:
        registry.sync_history()
        return registry.by_alias(CHAMPION)


def promote(number: str | None = None, by: Promoter = "person") -> Version | None:
    """Make a version the champion, without a number the challenger; returns the champion afterwards.

    A gate does not overrule a person: it changes nothing where a person set the version aside.
    """
    _require_store()
    with _registry() as registry:
        registry.sync_history()
        chosen = registry.version(number) if number else registry.by_alias(CHALLENGER)
        if chosen is None:
            raise InputError(
                "there is no challenger to promote: run `dvc repro`, which registers one, or name a version"
            )
        current = registry.by_alias(CHAMPION)
        if (current and current.number == chosen.number) or (by == "gate" and chosen.is_set_aside):
            return current
        registry.set_champion(chosen, by, [*registry.history(), chosen.number])
        return registry.version(chosen.number)


def rollback() -> Version:
    """Make the previous champion the champion again; repeated, it goes back step by step."""
    _require_store()
    with _registry() as registry:
        registry.sync_history()
        previous = registry.history()
        current = registry.by_alias(CHAMPION)
        if current is not None and previous[-1:] == [current.number]:
            previous = previous[:-1]
        if not previous:
            raise InputError(
                f"there is no champion before {f'version {current.number}' if current else 'this'}: "
                "promote a version by its number with `insiders promote NUMBER`"
            )
        registry.set_champion(registry.version(previous[-1]), "person", previous)
        return registry.version(previous[-1])


def load(version: Version) -> "Package":
    """Read a version's model with this project's own code: nothing that is stored in the registry is executed."""
    with _registry() as registry:
        return model_files.load(registry.connection, version.number, version.tags)


def read_profile(version: Version) -> Any:
    """What a version was trained on, as it was registered with; None where it was registered without."""
    if PROFILE_TAG not in version.tags:
        return None
    with _registry() as registry:
        return json.loads(model_files.read_profile(registry.connection, version.number, version.tags))


def mend() -> list[str]:
    """End a promotion that was cut off, and delete models that were logged and never became a version."""
    with _registry() as registry:
        ended = ["a promotion that was cut off is recorded"] if registry.end_promotion() else []
        return [*ended, *(f"logged model {name} without a version is deleted" for name in registry.delete_strays())]


def _require_store() -> None:
    """Do not make an empty store for a question that it could not answer."""
    uri = address.tracking_uri()
    if address.is_missing(uri):
        raise InputError(f"there is no registry at {uri} yet: run `dvc repro` in the project's top folder")


@contextmanager
def _registry() -> Iterator["_Registry"]:
    connection = connect()
    with explain_failures(connection.uri):
        yield _Registry(connection)


class _Registry:
    """The single reads and writes of which the functions above are made."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.client = connection.client

    def versions(self) -> list[Version]:
        entities = self.client.search_model_versions(f"name = '{NAME}'")
        aliases = self._aliases()
        return sorted((_version(each, aliases) for each in entities), key=lambda version: int(version.number))

    def version(self, number: str) -> Version:
        """The version with this number; InputError where there is none."""
        versions = self.versions()
        for version in versions:
            if version.number == str(number):
                return version
        numbers = ", ".join(version.number for version in versions) or "none"
        raise InputError(f"model {NAME} has no version {number}; there is {numbers}: see them with `insiders ui`")

    def by_key(self, key: str) -> Version | None:
        return next((version for version in self.versions() if version.key == key), None)

    def by_alias(self, alias: str) -> Version | None:
        return next((version for version in self.versions() if alias in version.aliases), None)

    def set_alias(self, alias: str, number: str) -> None:
        if self._aliases().get(alias) != number:
            self.client.set_registered_model_alias(NAME, alias, number)

    def add(self, model: "SegmentModel", example: "pd.DataFrame", facts: Facts) -> str:
        """Log the model below a run of its own and make it a version, the last step of all; returns its number."""
        from mlflow.entities import LoggedModelOutput

        connection, client = self.connection, self.client
        tags = {KEY_TAG: facts.key, COMMIT_TAG: git_commit() or "null", **facts.tags}
        params, metrics = flatten(facts.params), numeric(facts.metrics)
        record = RunRecord("register", params, metrics, {STAGE_TAG: "register", **tags}, now_ms())
        run_id = create_run(connection, record)
        logged = client.create_logged_model(connection.experiment, NAME, run_id, tags, params, "segments")
        tags |= model_files.upload(connection, logged, model, example, facts.profile)
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, 0)])
        finish_run(connection, run_id, record, logged.model_id)
        if self._model() is None:
            client.create_registered_model(NAME, description="Customer segments, and who is an Insider.")
        source = f"models:/{logged.model_id}"
        version = client.create_model_version(
            NAME, source, run_id, tags=tags, description=facts.card, model_id=logged.model_id
        )
        return str(version.version)

    def delete_strays(self) -> list[str]:
        """Delete the models that were logged and never became a version, with their runs; returns the models' ids."""
        entities = self.client.search_model_versions(f"name = '{NAME}'")
        used = {text for each in entities for text in (each.model_id, each.source) if text}
        logged = self.client.search_logged_models([self.connection.experiment], max_results=STRAYS)
        own = [each for each in logged if each.name == NAME]
        strays = [each for each in own if not used & {each.model_id, f"models:/{each.model_id}"}]
        for stray in strays:
            if stray.source_run_id:
                self.client.delete_run(stray.source_run_id)
            self.client.delete_logged_model(stray.model_id)
        return [stray.model_id for stray in strays]

    def update(self, version: Version, facts: Facts) -> None:
        """Bring tags and card of a version up to date; writes only what differs."""
        for key in version.tags:
            if key.startswith(GATE_PREFIX) and key not in facts.tags:
                self.client.delete_model_version_tag(NAME, version.number, key)
        for key, value in facts.tags.items():
            if version.tags.get(key) != value:
                self.client.set_model_version_tag(NAME, version.number, key, value)
        if version.card != facts.card:
            self.client.update_model_version(NAME, version.number, facts.card)

    def set_champion(self, chosen: Version, by: Promoter, history: list[str]) -> None:
        """Move the alias and record it as `history` says; where a person does so, the former champion is set aside.

        What is to be recorded is written before the alias moves, so that a promotion that was cut off can be ended.
        """
        former = self.by_alias(CHAMPION)
        aside = former.number if by == "person" and former and former.number != chosen.number else None
        pending = Promotion(number=chosen.number, by=by, at=_utc_now(), aside=aside, history=history)
        self._tag_model(PENDING_TAG, json.dumps(pending))
        self.client.set_registered_model_alias(NAME, CHAMPION, chosen.number)
        self.end_promotion()

    def end_promotion(self) -> bool:
        """Record the promotion that has begun, where its alias has moved; whether there was one."""
        model = self._model()
        written = model.tags.get(PENDING_TAG, "") if model else ""
        if not written:
            return False
        pending: Promotion = json.loads(written)
        current = self.by_alias(CHAMPION)
        if current is not None and current.number == pending["number"]:
            self._record(current, pending)
        self._tag_model(PENDING_TAG, "")
        return True

    def _record(self, chosen: Version, pending: Promotion) -> None:
        self._tag(chosen, PROMOTED_BY_TAG, pending["by"])
        self._tag(chosen, PROMOTED_AT_TAG, pending["at"])
        if chosen.is_set_aside:
            self.client.delete_model_version_tag(NAME, chosen.number, SET_ASIDE_TAG)
        for version in self.versions():
            if version.number == pending["aside"]:
                self.set_aside(version)
        self.write_history(pending["history"])

    def set_aside(self, version: Version) -> None:
        """Record that a person replaced this version."""
        if not version.is_set_aside:
            self._tag(version, SET_ASIDE_TAG, _utc_now())

    def _tag(self, version: Version, key: str, value: str) -> None:
        self.client.set_model_version_tag(NAME, version.number, key, value)

    def history(self) -> list[str]:
        """Numbers of the champions, oldest first, without versions that were deleted since."""
        model = self._model()
        existing = {version.number for version in self.versions()}
        numbers = json.loads(model.tags.get(HISTORY_TAG, "[]")) if model else []
        return [number for number in numbers if number in existing]

    def write_history(self, numbers: list[str]) -> None:
        """Record the numbers of the champions, oldest first."""
        self._tag_model(HISTORY_TAG, json.dumps(numbers[-HISTORY_LENGTH:]))

    def _tag_model(self, key: str, value: str) -> None:
        self.client.set_registered_model_tag(NAME, key, value)

    def sync_history(self) -> None:
        """Enter a change of the champion that was made in MLflow's UI: another one, the previous one, or none."""
        self.end_promotion()
        current, history = self.by_alias(CHAMPION), self.history()
        if history and (current is None or history[-1] != current.number):
            self.set_aside(self.version(history[-1]))
        if current is None or history[-1:] == [current.number]:
            return
        self._tag(current, PROMOTED_BY_TAG, "person")
        if current.is_set_aside:
            self.client.delete_model_version_tag(NAME, current.number, SET_ASIDE_TAG)
        is_rollback = history[-2:-1] == [current.number]
        self.write_history(history[:-1] if is_rollback else [*history, current.number])

    def _model(self) -> "RegisteredModel | None":
        models = self.client.search_registered_models(f"name = '{NAME}'")
        return models[0] if models else None

    def _aliases(self) -> dict[str, str]:
        """Alias -> number of the version that it names."""
        model = self._model()
        return {alias: str(number) for alias, number in model.aliases.items()} if model else {}


def _version(entity: "ModelVersion", aliases: Mapping[str, str]) -> Version:
    number = str(entity.version)
    own = tuple(sorted(alias for alias, target in aliases.items() if target == number))
    return Version(number, own, dict(entity.tags), entity.description or "")


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def git_commit() -> str | None:
    """The project's commit; None without git, or where the working folder is not the top of a repository."""
    command = ["git", "rev-parse", "--show-toplevel", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer[1] if Path(answer[0]).resolve() == Path.cwd().resolve() else None

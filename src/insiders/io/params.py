"""params.yaml as typed, frozen settings: the one place where a value is written."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from insiders.errors import InputError

PATH = Path("params.yaml")

Share = Annotated[float, Field(ge=0, le=1)]
NonNegativeInt = Annotated[int, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Simulate(_Section):
    customers: PositiveInt
    start: date
    days: Annotated[int, Field(ge=30)]
    products: Annotated[int, Field(ge=20)]
    anonymous_share: Annotated[float, Field(ge=0, lt=1)]


class Ingest(_Section):
    source: str
    table: str | None
    query: str | None
    sha256: str | None
    columns: dict[str, str] | None
    date_format: str | None
    decimal: Literal[".", ","] | None
    encoding: str | None
    quarantine_share_max: Share


class Preprocess(_Section):
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    cancellation_prefix: str
    service_codes: tuple[str, ...]
    credit_codes: tuple[str, ...]


class Featurize(_Section):
    as_of: date | None
    horizon_days: PositiveInt
    history_days_min: PositiveInt
    folds: PositiveInt
    fold_step_days: PositiveInt
    fade_days: PositiveInt
    history_months: NonNegativeInt


class Tune(_Section):
    trials: PositiveInt
    workers: PositiveInt
    storage: str | None
    batch: PositiveInt
    embeddings: tuple[str, ...]
    clusterers: tuple[str, ...]
    features: tuple[str, ...]
    insider_share_min: Share
    insider_share_max: Share
    segment_share_min: Share
    resamples: PositiveInt
    seeds: PositiveInt
    silhouette_rows: PositiveInt
    bootstrap: PositiveInt
    hopeless_lift: Annotated[float, Field(ge=0)]
    hopeless_stability: Share
    stability_floor: Share
    lift_tolerance: Share


class Register(_Section):
    auto_promote: bool
    value_lift_margin: Share
    value_over_random_min: float
    stability_min: Share
    control_gap_min: float
    champion_margin: Share


class Report(_Section):
    language: Literal["en", "pt-BR"]
    leave_slack: Annotated[float, Field(ge=0, lt=1)]


class Params(_Section):
    seed: NonNegativeInt
    simulate: Simulate
    ingest: Ingest
    preprocess: Preprocess
    featurize: Featurize
    tune: Tune
    register_: Annotated[Register, Field(alias="register")]
    report: Report


def read(path: Path = PATH) -> Params:
    """Read and check the settings; every key must be there and none may be unknown."""
    try:
        raw: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"{path} is missing: run the command in the project's top folder") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from error
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise InputError(f"{path}: {_explain(error)}") from error


def _explain(error: ValidationError) -> str:
    """One line a setting: where it stands, what came, what was expected."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'the file'} is {each['input']!r}: {each['msg']}"
        for each in error.errors()
    )

"""params.yaml as typed, frozen settings: the one place where a value is written."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from insiders.errors import InputError

PATH = Path("params.yaml")

Share = Annotated[float, Field(ge=0, le=1)]
NonNegativeInt = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    """A value that has values of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Section(_Part):
    """One of the file's top sections."""


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError(f"expected the lower end first, as in [{ends[1]}, {ends[0]}]")
    return ends


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
    seeds_floor: Share
    lift_tolerance: Share


class Register(_Section):
    auto_promote: bool
    value_lift_margin: Share
    value_over_random_min: float
    stability_min: Share
    control_gap_min: float
    champion_margin: Share


class Hypothesis(_Part):
    """`measure` and `per` are those that hypotheses.MEASURES counts, or the total."""

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    measure: Literal["net_revenue", "gross_revenue", "returned_revenue", "items", "orders", "active_months"]
    per: Literal["total", "customers", "months", "orders", "items", "gross_revenue"]
    side: Literal["above", "below"]
    than: float | Literal["others", "look_alikes"]


class Experiment(_Part):
    control_share: Annotated[float, Field(gt=0, lt=1)]
    power: Annotated[float, Field(gt=0, lt=1)]
    alpha: Annotated[float, Field(gt=0, lt=1)]
    minimum_uplift: Annotated[float, Field(gt=0)]


class ActionCondition(_Part):
    """Of a segment's median: at least, or at most, `times` that of all customers, and at least `floor`."""

    column: str
    bound: Literal["at_least", "at_most"]
    times: Annotated[float, Field(ge=0)]
    floor: float


class ActionCost(_Part):
    per_customer: Annotated[float, Field(ge=0)]
    per_order: Annotated[float, Field(ge=0)]
    share_of_revenue: Share


class Action(_Part):
    kind: Literal["perks", "company_visit", "free_shipping", "cross_sell", "discount", "win_back"]
    segments: Literal["insiders", "others", "any"]
    conditions: tuple[ActionCondition, ...]
    cost: ActionCost
    uplift: Annotated[tuple[float, float], AfterValidator(_ascending)]


class Report(_Section):
    quiet_months: PositiveInt
    language: Literal["en", "pt-BR"]
    flip_share_max: Share
    flip_months: PositiveInt
    leave_slacks: Annotated[tuple[Annotated[float, Field(ge=0, lt=1)], ...], Field(min_length=1)]
    grace_months: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    level: Annotated[float, Field(gt=0.5, lt=1)]
    resamples: Annotated[int, Field(ge=100)]
    caliper: Annotated[float, Field(gt=0)]
    hypotheses: tuple[Hypothesis, ...]
    experiment: Experiment
    margin_share: Annotated[float, Field(gt=0, le=1)]
    late_probability_max: Annotated[float, Field(gt=0, lt=1)]
    shortfall_max: Annotated[float, Field(gt=0)]
    on_sale_days: PositiveInt
    recommendation_ratio_min: Annotated[float, Field(gt=0)]
    actions: tuple[Action, ...]


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

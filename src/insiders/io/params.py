"""params.yaml as typed, frozen settings. The file says what each means, its unit and its range."""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, ValidationError, ValidationInfo

from insiders.errors import InputError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

PATH = Path("params.yaml")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, ten times as fast, where PyYAML has it
SAMPLE = "sample"  # as ingest.source: the embedded shop

Share = Annotated[float, Field(ge=0, le=1)]
NonNegativeInt = Annotated[int, Field(ge=0)]
NonNegativeFloat = Annotated[float, Field(ge=0)]


class _Group(BaseModel):
    """Settings that belong together; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Section(_Group):
    """What a stage reads: a section at the top of the file, or the whole of it."""


def _ascending(ends: tuple[float, float]) -> tuple[float, float]:
    if ends[0] > ends[1]:
        raise ValueError(f"expected the lower end first, as in [{ends[1]}, {ends[0]}]")
    return ends


def _not_below(least: str) -> Callable[[float, ValidationInfo], float]:
    def checked(most: float, others: ValidationInfo) -> float:
        if most < others.data.get(least, most):
            raise ValueError(f"expected at least {least}, {others.data[least]}")
        return most

    return checked


class Engine(_Section):
    kind: Literal["duckdb", "spark"]
    memory_limit: Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?\s*[KMGT]i?B$")]
    spill_folder: str
    spark: dict[Annotated[str, Field(pattern=r"^spark\.")], str]


class Simulate(_Section):
    customers: PositiveInt
    start: date
    days: Annotated[int, Field(ge=30)]
    products: Annotated[int, Field(ge=20)]
    anonymous_share: Annotated[float, Field(ge=0, lt=1)]
    programme_uplift: Annotated[float, Field(ge=0)]


class Ingest(_Section):
    source: str
    table: str | None
    query: str | None
    sample: Annotated[float, Field(gt=0, lt=1)] | None
    reread: Literal["all", "changed"]
    sha256: str | None
    columns: dict[str, str] | None
    date_format: str | None
    decimal: Literal[".", ","] | None
    encoding: str | None
    header_row: NonNegativeInt | None
    price_is: Literal["unit", "line"] | None
    discount_is: Literal["money", "piece", "order", "share", "percent"] | None
    rates: dict[str, Annotated[float, Field(gt=0)]]
    ignore: tuple[str, ...]
    identities: str | None
    gap_days_max: PositiveInt | None
    last_day: date | None
    quarantine_share_max: Share


class Preprocess(_Section):
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    cancellation_prefix: str | None
    positive_credit_notes: Literal["remove", "money_back"] | None
    service_codes: tuple[str, ...]
    credit_codes: tuple[str, ...]
    rule_share_max: Share
    duplicates: Literal["remove", "keep"] | None
    duplicate_share_max: Share
    ids: dict[str, Literal["missing", "customer"]]
    customer_share_max: Share
    words: dict[str, Literal["sale", "void", "refund", "service"]]


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
    insider_share_max: Annotated[Share, AfterValidator(_not_below("insider_share_min"))]
    score_tolerance: Share
    segments_max: Annotated[int, Field(ge=2)]
    segment_share_min: Share
    resamples: PositiveInt
    refit_rows: PositiveInt
    seeds: PositiveInt
    silhouette_rows: PositiveInt
    bootstrap: PositiveInt
    hopeless_foresight: float
    hopeless_stability: Share
    stability_floor: Share
    seeds_floor: Share
    foresight_errors: NonNegativeFloat
    foresight_lift_min: NonNegativeFloat


class Register(_Section):
    auto_promote: bool
    sort_lift_margin: Share
    value_over_random_min: float
    list_stability_min: Share
    foresight_margin: Share
    stability_min: Share
    champion_margin: Share
    champion_days_max: PositiveInt


class Forecast(_Section):
    ways: Annotated[tuple[Literal["recent", "smoothing", "arima", "arma", "prophet"], ...], Field(min_length=1)]
    unseen_season: Annotated[float, Field(ge=1)]


class Drift(_Section):
    history_change_max: Share
    customers_changed_max: Share
    volume_factor: Annotated[float, Field(gt=1)]
    gap_days_max: PositiveInt
    price_change_max: Annotated[float, Field(gt=0)]
    share_change_max: Share
    rare_share_max: Share
    hours_change_max: Share
    returns_factor: Share
    loyalty_factor: Share
    far_share_max: Share
    segments_change_max: Share
    members_leave_max: Share


class Hypothesis(_Group):
    """`measure` / `per` of the list is on that `side` of `than`; both are hypotheses.MEASURES, or the total."""

    name: Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$")]
    measure: Literal["net_revenue", "gross_revenue", "returned_revenue", "items", "orders", "active_months"]
    per: Literal["total", "customers", "months", "orders", "items", "gross_revenue"]
    side: Literal["above", "below"]
    than: float | Literal["others", "look_alikes"]


class Experiment(_Group):
    power: Annotated[float, Field(gt=0, lt=1)]
    alpha: Annotated[float, Field(gt=0, lt=1)]
    minimum_uplift: Annotated[float, Field(gt=0)]


class ActionCondition(_Group):
    """A segment's median is at least, or at most, `times` the median of all customers, or `floor` if that is more."""

    column: str
    bound: Literal["at_least", "at_most"]
    times: Annotated[float, Field(ge=0)]
    floor: float


class ActionCost(_Group):
    per_customer: Annotated[float, Field(ge=0)]
    per_order: Annotated[float, Field(ge=0)]
    share_of_revenue: Share


class Action(_Group):
    kind: Literal["perks", "company_visit", "free_shipping", "cross_sell", "discount", "win_back"]
    segments: Literal["insiders", "others", "any"]
    conditions: tuple[ActionCondition, ...]
    cost: ActionCost
    uplift: Annotated[tuple[float, float], AfterValidator(_ascending)]


class Programme(_Section):
    size: Annotated[float, Field(gt=0)] | Literal["auto"]
    by: Literal["score", "rule"]
    place_cost: Annotated[float, Field(ge=0)] | None
    place_uplift: Annotated[float, Field(ge=0)]
    bands: Annotated[tuple[Annotated[float, Field(ge=1)], ...], Field(min_length=1)]
    grace_months: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1)]
    flip_share_max: Share
    flip_months: PositiveInt
    leave_share_max: Share
    held_out_share: Annotated[float, Field(ge=0, lt=1)]


class Report(_Section):
    quiet_months: PositiveInt
    language: Literal["en", "pt-BR"]
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
    audience_min: PositiveInt
    spreadsheet: Literal["csv", "xlsx", "both"]
    actions: tuple[Action, ...]


class Publish(_Section):
    schema_: Annotated[str, Field(alias="schema", pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
    columns: dict[str, tuple[str, ...]]
    pseudonymise: bool
    contacts: str | None


class Params(_Section):
    """The whole file."""

    seed: NonNegativeInt
    engine: Engine
    simulate: Simulate
    ingest: Ingest
    preprocess: Preprocess
    featurize: Featurize
    tune: Tune
    register_: Annotated[Register, Field(alias="register")]
    forecast: Forecast
    drift: Drift
    programme: Programme
    report: Report
    publish: Publish


def read(path: Path = PATH) -> Params:
    """Read and check the settings; every key must be there and none may be unknown."""
    try:
        return Params.model_validate(_load(path))
    except ValidationError as error:
        raise InputError(f"{path}: {'; '.join(map(_problem, error.errors()))}") from error


def is_mapping(path: Path) -> bool:
    """Whether a file is YAML (or JSON) that holds names and values, and so was written to its end."""
    try:
        return isinstance(_load(path), dict)
    except InputError:
        return False


def write_value(section: str, name: str, value: str, path: Path = PATH) -> None:
    """Write another value of a setting into the file, whose other lines and comments stay.

    Raises InputError where the setting does not stand in a line of its own.
    """
    from insiders.io import tables

    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    heads = [number for number, line in enumerate(lines) if re.match(r"\w", line)]
    start = next((number for number in heads if lines[number].startswith(f"{section}:")), len(lines))
    end = next((number for number in heads if number > start), len(lines))
    place = next((number for number in range(start, end) if re.match(rf"  {name}:", lines[number])), None)
    if place is None:
        raise InputError(f"{path} has no line for {section}.{name}: write it there, with the value {value!r}")
    comment = re.search(r"\s+#.*$", lines[place].rstrip("\n"))
    lines[place] = f"  {name}: {json.dumps(value, ensure_ascii=False)}{comment[0] if comment else ''}\n"
    tables.write_text("".join(lines), path)


def _load(path: Path) -> object:
    try:
        return _parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(
            f"{path} is missing: run the command in the project's top folder, or make one with `insiders init FOLDER`"
        ) from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; expected a text file") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error}): save it in that encoding") from error
    except yaml.MarkedYAMLError as error:
        place = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise InputError(f"{path} is not valid YAML: {place}{error.problem}; correct that line") from error
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {error}") from error


def _parse(text: str) -> object:
    try:
        return yaml.load(text, LOADER)  # noqa: S506 (a safe one)
    except yaml.YAMLError:
        return yaml.safe_load(text)  # whose error names the place more exactly


def _problem(error: "ErrorDetails") -> str:
    """Which setting is wrong, what it is and what was expected."""
    name = ".".join(map(str, error["loc"]))
    if not name:
        return f"the file holds {error['input']!r}, expected the settings by section"
    if error["type"] == "missing":
        return f"{name} is missing: every setting is written in the file"
    if error["type"] == "extra_forbidden":
        return f"{name} is not a setting: correct its name, or delete it"
    return f"{name} is {error['input']!r}: {error['msg']}"

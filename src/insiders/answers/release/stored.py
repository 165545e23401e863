"""The release that a store holds as its current one, whole, also while the next one is being published."""

import json
from collections.abc import Hashable
from datetime import date, timedelta
from functools import cache, partial
from typing import Any

import pandas as pd

from insiders.answers.customer import Background
from insiders.answers.release import Opened, Release
from insiders.errors import InputError
from insiders.io import addresses, params, stores
from insiders.io.stores import reading
from insiders.io.stores.reading import Reading
from insiders.language import TEXTS_ARE_IN, Language
from insiders.programme import decisions, rules, stretches
from insiders.programme.criteria import Criteria
from insiders.programme.learning import Fit
from insiders.programme.size import Place
from insiders.report import text
from insiders.schemas.features import FEATURES
from insiders.schemas.results import INSIDERS

COLUMNS = {
    "customers": (
        *("customer_id", "country", *FEATURES, "segment", "is_insider", "place", "expected_revenue"),
        *("map_x", "map_y"),
    ),
    "assignments": ("customer_id", "valid_from", "valid_to", "segment", "confidence"),
    "members": ("customer_id", "since", "until", "status", "arm", "rank"),
    "membership_events": ("customer_id", "on_date", "event", "reason", "decided"),
    "insiders": tuple(name for name in INSIDERS.columns if name != "release"),
    "ledger": ("position", "rule", "rows", "customers", "quantity", "amount", "action"),
    "documents": ("name", "part", "content"),
}


class Stored:
    """A store by its address."""

    has_models = False

    def __init__(self, address: str) -> None:
        self.address = address
        self.store = stores.open_store(address, _schema())

    def state(self) -> Hashable:
        """The current publication; None where there is none, or it cannot be asked for."""
        try:
            row = self.store.current()
        except InputError:
            return None
        return (row["release"], row["digest"], row["publication"]) if row else None

    def opened(self) -> Opened:
        try:
            found = reading.read(self.store, COLUMNS)
            if found is None:
                return Opened(None, f"{addresses.shown(self.address)} holds no release: `insiders publish` adds one")
            return Opened(_release(found), "")
        except InputError as error:
            return Opened(None, str(error))


def _schema() -> str:
    """Where a database keeps the tables: a reader has no need of a project."""
    return params.read().publish.schema_ if params.PATH.exists() else stores.SCHEMA


def _release(found: Reading) -> Release:
    texts = _documents(found.tables["documents"])
    answers, own = json.loads(texts["answers"]), json.loads(texts["settings"])
    customers, as_of = found.tables["customers"], found.row["as_of"]
    day = pd.Timestamp(as_of).date()
    before_on = _month_start_before(day)
    plane = customers[customers["map_x"].notna()]
    return Release(
        name=found.row["release"],
        as_of=day,
        language=own["language"],
        currency=found.row["currency"],
        place=Place(**own["place"]),
        answers=answers,
        customers=customers,
        insiders=found.tables["insiders"].assign(release=found.row["release"]),
        coordinates=plane[["customer_id", "map_x", "map_y"]].rename(columns={"map_x": "x", "map_y": "y"}),
        before=_at(found.tables["assignments"], before_on),
        before_on=before_on,
        ledger=found.tables["ledger"].sort_values("position").drop(columns="position"),
        intake=texts.get("intake"),
        background=cache(partial(_background, found, answers, own)),
    )


def _documents(parts: pd.DataFrame) -> dict[str, str]:
    """Each document by its name, of its parts in their order. Raises InputError where they were kept back."""
    ordered = parts.sort_values(["name", "part"])
    found = {str(name): "".join(rows["content"]) for name, rows in ordered.groupby("name")}
    if not found:
        raise InputError(
            "the release was published without its documents: leave them in publish.columns, publish again"
        )
    return found


def _month_start_before(day: date) -> date:
    """The last check of the segments before a day."""
    return (day - timedelta(days=1)).replace(day=1)


def _at(assignments: pd.DataFrame, day: date) -> pd.DataFrame:
    """Who was in which segment on a day."""
    when = pd.Timestamp(day)
    lasted = (assignments["valid_from"] <= when) & ~(assignments["valid_to"] <= when)
    return assignments.loc[lasted, ["customer_id", "segment"]]


def _background(found: Reading, answers: Any, own: Any) -> Background:
    return Background(
        present=_present(found),
        criteria=Criteria(_fit(answers["enter"]), _fit(answers["leave"])),
        terms=decisions.terms(own["terms"]),
        members=found.tables["members"].sort_values("since").drop_duplicates("customer_id", keep="last"),
        movement=stretches.checks(found.tables["membership_events"]),
        words=text.words(Language(TEXTS_ARE_IN, found.row["currency"])),
    )


def _present(found: Reading) -> pd.DataFrame:
    """The customers as customer.present has them; of the reasons those of the members alone are published."""
    now = found.tables["assignments"]
    sure = now.loc[now["valid_to"].isna(), ["customer_id", "confidence"]]
    reasons = found.tables["insiders"][["customer_id", "reason"]]
    joined = found.tables["customers"].merge(sure, on="customer_id", how="left").merge(reasons, "left", "customer_id")
    when = pd.Timestamp(found.row["as_of"])
    return joined.fillna({"reason": ""}).assign(as_of=when, model_version=found.row["model_version"])


def _fit(numbers: Any) -> Fit | None:
    """The conditions as the answers tell them."""
    if not numbers["ways"]:
        return None
    return Fit(rules.from_plain(numbers["ways"]), numbers["precision"], numbers["recall"])

"""One release as a whole, for who shows it while the next one may be written: every table of it, read once."""

from collections.abc import Callable, Hashable, Mapping
from datetime import date
from typing import Any, NamedTuple, Protocol

import pandas as pd

from insiders.answers import customer
from insiders.answers.customer import Background
from insiders.errors import InputError
from insiders.io import streamlit_server, tables
from insiders.language import LOCALES, Language
from insiders.programme.size import Place
from insiders.report import text
from insiders.report.numbers import Answers

__all__ = ["LANGUAGES", "Language", "Opened", "Release", "Source", "as_csv", "labels", "shown"]

LANGUAGES = tuple(LOCALES)


class Release(NamedTuple):
    """The tables of one release, and the settings they were made by."""

    name: str
    as_of: date
    language: str  # of the shop's own page, one of LANGUAGES
    currency: str
    place: Place  # what the shop's settings say of one
    answers: Mapping[str, Any]  # reports/answers.json
    customers: pd.DataFrame  # schemas.CUSTOMERS with segment, is_insider, place and expected_revenue
    insiders: pd.DataFrame  # schemas.INSIDERS
    coordinates: pd.DataFrame  # customer_id, x, y: on the model's map; empty where there is none
    before: pd.DataFrame  # customer_id, segment: at the last month start; empty where none is known
    before_on: date
    ledger: pd.DataFrame
    intake: str | None  # Markdown; None where it was kept back
    background: Callable[[], Background]  # of one customer's story; takes a while the first time

    def speak(self, language: str) -> Language:
        """One of LANGUAGES, with the shop's currency."""
        return Language(language, self.currency)

    def wordings(self, language: Language) -> dict[str, text.Wording]:
        """Question and answer of each of the nine in the page's order, in a language."""
        environment = text.environment(language)
        return {key: text.wording(environment, key, self.answers[key]) for key in Answers.__annotations__}

    def story(self, customer_id: str) -> str:
        """What is told of one customer, or why it cannot be."""
        try:
            return "\n".join(customer.tell(customer_id, self.background()))
        except InputError as error:
            return str(error)


class Opened(NamedTuple):
    """A release, or why there is none to show."""

    release: Release | None
    problem: str


class Source(Protocol):
    """Where a release is read from."""

    has_models: bool  # the registry and the project are here too

    def state(self) -> Hashable:
        """What tells one release from the next one, and costs little to ask for."""
        ...

    def opened(self) -> Opened:
        """The release that is there now."""
        ...


def shown() -> Source:
    """The store that `insiders dashboard --from` named, else the files of the working folder."""
    from insiders.answers.release.files import Files
    from insiders.answers.release.stored import Stored

    address = streamlit_server.store()
    return Stored(address) if address else Files()


def labels(language: Language) -> Mapping[str, str]:
    """Readable names of columns."""
    return text.labels(language)


def as_csv(rows: pd.DataFrame) -> str:
    """Rows as a file that is safe to open in a spreadsheet."""
    return tables.spreadsheet_safe(rows).to_csv(index=False)

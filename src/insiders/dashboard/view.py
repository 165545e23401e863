"""What every page gets: the release, and the words and numbers of the reader's language."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import pandas as pd

from insiders.answers.release import Language, Release, labels

NONE = "-"  # where there is no number
MONEY = ("net_revenue", "expected_revenue", "expected_low", "expected_high", "average_order_value")


class View(NamedTuple):
    """One release as one reader sees it."""

    release: Release
    language: Language
    has_models: bool  # the project and its MLflow are here

    def say(self, text: str) -> str:
        return self.language.say(text)

    @property
    def day(self) -> str:
        return self.language.day(self.release.as_of)

    @property
    def labels(self) -> Mapping[str, str]:
        """Readable names of columns."""
        return labels(self.language)

    def table(self, rows: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
        """These columns under readable names, segments in the reader's language, money to the cent."""
        told = rows[list(columns)].copy()
        if "segment" in told:
            told["segment"] = told["segment"].map(self.language.segment)
        for name in set(MONEY) & set(told):
            told[name] = told[name].round(2)
        return told.rename(columns=lambda name: self.labels.get(name, name.replace("_", " ")))

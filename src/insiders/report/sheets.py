"""Lists as a person reads them in a spreadsheet: heads and cells in words, days as days."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from insiders.language import Language
from insiders.report import text

DAYS = ("since", "as_of")


def worded(frame: pd.DataFrame, language: Language) -> pd.DataFrame:
    """A list of customers in the language: its columns, codes, segments, countries and days."""
    words = text.words(language)
    write: Mapping[str, Callable[[Any], str | None]] = {
        "segment": language.segment,
        "country": language.country,
        "action": words.actions.get,
        **dict.fromkeys(("status", "arm", "is_wholesaler"), words.codes.get),
    }
    told = frame.copy(deep=False)  # the other columns stay themselves
    for name in frame.columns:
        if name in write:
            told[name] = frame[name].map(write[name], na_action="ignore")
        elif name in DAYS:
            told[name] = pd.to_datetime(frame[name])
    return told.rename(columns={**words.labels, **words.heads})

"""The exploration page of the small shop of report_tables, whose files lie in the working folder."""

from typing import Any

import pandas as pd

import report_tables as shop
from insiders.answers import exploration


def look(registered: dict[str, Any] | None = None, people: pd.DataFrame | None = None) -> exploration.Look:
    return exploration.look(shop.Shop(registered, people))

"""What marketing can do in the shop of report_tables, whose customers buy from one of two catalogues."""

from functools import cache

import numpy as np
import pandas as pd

from insiders import affinity

HORIZON_DAYS = 90


@cache
def recommended() -> affinity.Recommendations:
    import report_tables

    at = report_tables.AS_OF
    periods = affinity.Periods.before(at.date(), HORIZON_DAYS)
    return affinity.recommend(purchases(report_tables.customers()["customer_id"], at), periods, 90, 7)


def purchases(customers: "pd.Series[str]", as_of: pd.Timestamp) -> pd.DataFrame:
    """Eight purchases of each in a year, of 20 products for every other customer, of 20 others for the rest."""
    rng, number = np.random.default_rng(11), np.repeat(np.arange(len(customers)), 8)
    what = rng.integers(20, size=len(number)) + 20 * (number % 2)
    day = as_of - pd.to_timedelta(rng.integers(1, 365, size=len(number)), unit="D")
    codes = pd.array([f"P{each:02d}" for each in what], dtype="str")
    return pd.DataFrame({"customer_id": customers.to_numpy()[number], "product_code": codes, "bought_on": day})

"""Products for each customer, with the purchase that speaks for them, and whether such products were bought later."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from insiders.affinity.evidence import Choice, choose, evaluate, wanted
from insiders.affinity.scores import NOTHING, Model, Popularity, fit, ranked, reasons
from insiders.affinity.space import Integers, Space, space
from insiders.units import CONFIDENCE


class Periods(NamedTuple):
    """Choose from `choice` to `test`, judge from `test` to `as_of`, serve from `as_of` on."""

    choice: date
    test: date
    as_of: date

    @classmethod
    def before(cls, as_of: date, horizon_days: int) -> "Periods":
        horizon = timedelta(days=horizon_days)
        return cls(as_of - 2 * horizon, as_of - horizon, as_of)


class Recommendations(NamedTuple):
    shown: pd.DataFrame  # customer_id, rank, product_code, because: the bought product that speaks most for it, or null
    evidence: Mapping[str, Any]


def recommend(bought: pd.DataFrame, periods: Periods, on_sale_days: int, seed: int) -> Recommendations:
    """At most SHOWN products for each customer of `purchases`, new to them and on sale; and how good such ones were.

    Neighbours are served where they were surely better, on a period that their choice had not seen, than the strongest
    popularity there; else popularity is served.
    """
    choice = choose(bought, periods.choice, periods.test, on_sale_days)
    evidence = _judged(bought, periods, on_sale_days, choice, seed)
    better = evidence["verdict"] == "better"
    strongest = evidence["popularity"] or choice.filler._asdict()
    known = space(bought, periods.as_of, on_sale_days)
    model = fit(known, choice.recipe if better else None, Popularity(strongest["days"]))
    shown = _told(known, model, ranked(model, known, np.arange(len(known.customers))))
    details = {
        "served": "neighbours" if better else "popularity",
        "tested_from": f"{periods.test}",
        "tested_days": (periods.as_of - periods.test).days,
        "confidence": CONFIDENCE,
        "recipe": choice.recipe._asdict(),
        "tried": list(choice.tried),
        "customers": len(known.customers),
    }
    return Recommendations(shown, {**evidence, **details})


def _judged(bought: pd.DataFrame, periods: Periods, on_sale_days: int, choice: Choice, seed: int) -> Mapping[str, Any]:
    """What the choice reached from `test` to `as_of`; the products as of then are not kept."""
    then = space(bought, periods.test, on_sale_days)
    return evaluate(then, wanted(bought, then, periods.test, periods.as_of), choice, seed)


def _told(known: Space, model: Model, shown: Integers) -> pd.DataFrame:
    row, rank = np.nonzero(shown != NOTHING)
    columns = shown[row, rank]
    because, names = reasons(model, row, columns), np.append(known.products, [None])  # the last where nothing speaks
    told = {
        "customer_id": known.customers[row],
        "rank": rank + 1,
        "product_code": known.products[columns],
        "because": names[because],
    }
    return pd.DataFrame(told).astype({"customer_id": "str", "product_code": "str", "because": "str"})

"""What share of the revenue comes from them: gross and net, of what is known and of all, by customer and by month."""

from collections.abc import Callable
from math import fsum

import pandas as pd

from insiders.answers.inputs import Inputs
from insiders.explore import concentration
from insiders.explore.profiles import insider_share
from insiders.report.numbers import MonthShare, OfAll, RevenueShareNumbers

LARGEST = 10  # customers left out to see whether a share rests on them
TOP_SHARES = (0.01, 0.05, 0.1, 0.2)


def numbers(inputs: Inputs) -> RevenueShareNumbers:
    members, ledger = inputs.members, inputs.ledger
    inside, net = members["is_insider"], members["net_revenue"]
    months = by_month(inputs.months)
    return {
        "count": int(inside.sum()),
        "customer_share": float(inside.mean()),
        "gross_revenue": fsum(members["gross_revenue"]),
        "net_revenue": fsum(net),
        "insiders_gross_revenue": fsum(members.loc[inside, "gross_revenue"]),
        "insiders_net_revenue": fsum(members.loc[inside, "net_revenue"]),
        "gross_revenue_share": insider_share(members, "gross_revenue"),
        "net_revenue_share": insider_share(members, "net_revenue"),
        "largest_left_out": min(LARGEST, len(members)),
        "net_revenue_share_without_largest": insider_share(_without_largest(members), "net_revenue"),
        "anonymous_share": anonymous_share(ledger),
        **of_all(members, ledger),
        "gini_gross": concentration.gini(members["gross_revenue"]),
        "gini_net": concentration.gini(net),
        "top": [{"customers": share, "held": held(net, share)} for share in TOP_SHARES],
        "lorenz": concentration.lorenz(net),
        "months": months,
        "month_low": _extreme(months, min),
        "month_high": _extreme(months, max),
    }


def _without_largest(members: pd.DataFrame) -> pd.DataFrame:
    ranked = members["net_revenue"].sort_values(ascending=False, kind="stable")
    return members.drop(ranked.index[:LARGEST])


def held(revenue: "pd.Series[float]", share: float) -> float | None:
    """Part of the revenue that comes from this share of the customers, those with the most; null without revenue."""
    total, first = fsum(revenue), revenue.sort_values(ascending=False).head(round(share * len(revenue)))
    return fsum(first) / total if total > 0 else None


def of_all(members: pd.DataFrame, ledger: pd.DataFrame) -> OfAll:
    """The Insiders' shares when what was sold without a customer id counts too.

    Lines without an id are not cleaned further: postage and fees are still in them, so the shares are a little low.
    """
    amounts = _amounts(ledger)
    gross, net = amounts.get("positive_without_customer_id", 0.0), amounts.get("no_customer_id", 0.0)
    return {
        "anonymous_gross_revenue": gross,
        "anonymous_net_revenue": net,
        "gross_revenue_share_of_all": _share_with(gross, members, "gross_revenue"),
        "net_revenue_share_of_all": _share_with(net, members, "net_revenue"),
    }


def _share_with(anonymous: float, members: pd.DataFrame, column: str) -> float | None:
    total = fsum([*members[column], anonymous])
    return fsum(members.loc[members["is_insider"], column]) / total if total > 0 else None


def anonymous_share(ledger: pd.DataFrame) -> float | None:
    """Share of the positive lines' amount that was sold without a customer id."""
    amounts = _amounts(ledger)
    total = amounts.get("positive", 0.0)
    return amounts.get("positive_without_customer_id", 0.0) / total if total else None


def _amounts(ledger: pd.DataFrame) -> "pd.Series[float]":
    """By rule of cleaning."""
    return ledger.set_index("rule")["amount"].astype(float)


def by_month(months: pd.DataFrame) -> list[MonthShare]:
    """Each month (2011-12) with both sides and the Insiders' share; null where the month brought nothing."""
    total = months["insiders"] + months["others"]
    share = (months["insiders"] / total.where(total > 0)).astype(object)
    told = months.assign(month=[f"{at:%Y-%m}" for at in months["month"]], share=share.where(total > 0, None))
    return list(told.to_dict("records"))


def _extreme(months: list[MonthShare], choose: Callable[..., MonthShare]) -> MonthShare | None:
    """The whole month with the lowest or highest share of the Insiders, the earliest of several."""
    whole = [row for row in months if not row["is_partial"] and row["share"] is not None]
    return choose(whole, key=lambda row: row["share"]) if whole else None

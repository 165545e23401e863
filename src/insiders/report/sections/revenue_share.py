"""What share of the revenue comes from them."""

from math import fsum

import pandas as pd

from insiders.report.inputs import Inputs, Numbers
from insiders.report.profiles import part

LARGEST = 10  # customers left out to see whether a share rests on them
TOP_SHARES = (0.01, 0.05, 0.1, 0.2)


def numbers(inputs: Inputs) -> Numbers:
    members, months = inputs.tables.members, inputs.tables.months
    inside = members["is_insider"]
    ranked = members["net_revenue"].sort_values(ascending=False, kind="stable")
    total = fsum(ranked)
    rest = members.drop(ranked.index[:LARGEST])
    return {
        "count": int(inside.sum()),
        "customer_share": float(inside.mean()),
        "gross_revenue": fsum(members["gross_revenue"]),
        "net_revenue": total,
        "insiders_gross_revenue": fsum(members.loc[inside, "gross_revenue"]),
        "insiders_net_revenue": fsum(members.loc[inside, "net_revenue"]),
        "gross_revenue_share": part(members, "gross_revenue"),
        "net_revenue_share": part(members, "net_revenue"),
        "largest_left_out": min(LARGEST, len(members)),
        "net_revenue_share_without_largest": part(rest, "net_revenue"),
        "anonymous_share": anonymous_share(inputs.tables.ledger),
        "top": [
            {"customers": share, "held": fsum(ranked.iloc[: round(share * len(ranked))]) / total}
            for share in TOP_SHARES
        ],
        "months": months.assign(month=[f"{at:%Y-%m}" for at in months["month"]]).to_dict("records"),
    }


def anonymous_share(ledger: pd.DataFrame) -> float | None:
    """Share of the positive lines' amount that was sold without a customer id."""
    amounts = ledger.set_index("rule")["amount"].astype(float)
    total = amounts.get("positive", 0.0)
    return amounts.get("positive_without_customer_id", 0.0) / total if total else None

"""The nine answers: every number computed from the tables at hand, and one sentence built from the numbers."""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any, NamedTuple

import pandas as pd

from insiders.report import portraits, text

TRAITS = (
    "net_revenue",
    "order_count",
    "orders_per_month",
    "recency_days",
    "tenure_days",
    "average_order_value",
    "items_per_order",
    "distinct_product_count",
    "returned_revenue_share",
)
APART = tuple(trait for trait in TRAITS if trait != "orders_per_month")  # which says what order_count says
LISTED = 10  # people named on the page; insiders.csv names all
LARGEST = 10  # wholesalers left out to see whether a share rests on them
SORTS = ("faded_revenue", "rfm_quintiles")  # further baselines that the page shows
TOP_SHARES = (0.01, 0.05, 0.1, 0.2)
Numbers = dict[str, Any]

NEW: Numbers = {"matched_from": None, "changed": {}}  # a segment that continues no other


class Tables(NamedTuple):
    members: pd.DataFrame  # customers.parquet with segment, is_insider, model_version, and confidence where known
    insiders: pd.DataFrame
    months: pd.DataFrame
    products: pd.DataFrame  # typical of each segment, as products.named tells them
    ledger: pd.DataFrame
    trials: pd.DataFrame
    registered: Mapping[str, Any]
    source: Mapping[str, Any]


class Findings(NamedTuple):
    """What other parts worked out from the same tables."""

    enter: Numbers
    leave: Numbers
    forecast: Numbers
    actions: list[Numbers]


class Terms(NamedTuple):
    """What the list was asked to be."""

    currency: str
    language: str
    seed: int
    horizon_days: int
    share_min: float
    share_max: float
    lift_margin: float


def build(tables: Tables, findings: Findings, terms: Terms) -> dict[str, Numbers]:
    """The nine answers in their order, each with its question, one sentence and the numbers behind it."""
    numbers: dict[str, Numbers] = {
        "who": who(tables),
        "how_many": how_many(tables, terms),
        "traits": traits(tables),
        "revenue_share": revenue_share(tables),
        "expected_revenue": {**findings.forecast, **group_size(tables), "history_days": _history_days(tables)},
        "enter": findings.enter,
        "leave": findings.leave,
        "guarantee": guarantee(tables, terms),
        "actions": {"segments": findings.actions},
    }
    plain = {key: tidy(each) for key, each in numbers.items()}
    words = text.sentences(text.environment(terms.currency), terms.language)
    for row in plain["traits"]["segments"]:
        row["in_words"] = [words.portrait(each).strip() for each in row["apart"]]
    return {key: {**_worded(words, key, each), **each} for key, each in plain.items()}


def _worded(words: Any, key: str, numbers: Numbers) -> Numbers:
    sentence: str = getattr(words, key)(numbers)
    return {"question": words.questions[key], "answer": " ".join(sentence.split(" ")).strip()}


def tidy(value: Any) -> Any:
    """Plain JSON values: numpy's become Python's, floats keep six decimals, what is not a number becomes null."""
    if isinstance(value, Mapping):
        return {str(key): tidy(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(each) for each in value]
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return round(value, 6) if value == value and abs(value) != float("inf") else None  # noqa: PLR0124 - NaN
    return value


def who(tables: Tables) -> Numbers:
    chosen = tables.members[tables.members["is_insider"]]
    countries = chosen["country"].value_counts().sort_index().sort_values(ascending=False, kind="stable")
    return {
        **group_size(tables),
        "as_of": f"{tables.members['as_of'].iloc[0]:%Y-%m-%d}",
        "segments": sorted(chosen["segment"].unique()),
        "country": None if countries.empty else countries.index[0],
        "country_share": None if countries.empty else countries.iloc[0] / len(chosen),
        "first": tables.insiders.head(LISTED).to_dict("records"),
    }


def group_size(tables: Tables) -> Numbers:
    return {"count": int(tables.members["is_insider"].sum()), "customers": len(tables.members)}


def _history_days(tables: Tables) -> int:
    """Days from the first order of anybody to as_of."""
    return int(tables.members["tenure_days"].max())


def how_many(tables: Tables, terms: Terms) -> Numbers:
    size = group_size(tables)
    columns = ("segment", "is_insider", "customers", "customer_share", "net_revenue_share")
    return {
        **size,
        "customer_share": size["count"] / size["customers"],
        "share_min": terms.share_min,
        "share_max": terms.share_max,
        "segments": [{column: row[column] for column in columns} for row in segments(tables.members)],
    }


def segments(members: pd.DataFrame) -> list[Numbers]:
    """One row per segment, the highest net revenue per customer first: size, shares of revenue, medians of traits."""
    total = {column: fsum(members[column]) for column in ("gross_revenue", "net_revenue")}
    rows = [
        {
            "segment": name,
            "is_insider": bool(group["is_insider"].all()),
            "customers": len(group),
            "customer_share": len(group) / len(members),
            **{f"{column}_share": fsum(group[column]) / total[column] for column in total},
            "revenue_per_customer": fsum(group["net_revenue"]) / len(group),
            **group[list(TRAITS)].median().to_dict(),
        }
        for name, group in members.groupby("segment")
    ]
    return sorted(rows, key=lambda row: -row["revenue_per_customer"])


def traits(tables: Tables) -> Numbers:
    """Medians of the Insiders and of the others; the ratio is null where the others' median is not positive."""
    inside = tables.members["is_insider"]
    medians = {side: tables.members.loc[chosen, list(TRAITS)].median() for side, chosen in _sides(inside)}
    rows = [
        {"trait": trait, "insiders": medians["insiders"][trait], "others": medians["others"][trait]} for trait in TRAITS
    ]
    compared = [{**row, "ratio": row["insiders"] / row["others"] if row["others"] > 0 else None} for row in rows]
    known, origins = portraits.portraits(tables.members, tables.products, APART), _origins(tables.registered)
    return {
        "count": int(inside.sum()),
        "medians": compared,
        "unsure_below": portraits.UNSURE,
        "segments": [
            row | known[row["segment"]] | origins.get(row["segment"], NEW) for row in segments(tables.members)
        ],
    }


def _origins(registered: Mapping[str, Any]) -> dict[str, Numbers]:
    """By segment: the earlier champion's segment that it continues, and the medians that moved; of what serves only."""
    if registered["version"] != registered["champion_version"]:
        return {}
    return {each["name"]: {key: each[key] for key in NEW} for each in registered["segments"]}


def _sides(inside: pd.Series) -> tuple[tuple[str, pd.Series], ...]:
    return ("insiders", inside), ("others", ~inside)


def revenue_share(tables: Tables) -> Numbers:
    members = tables.members
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
        "gross_revenue_share": _part(members, "gross_revenue"),
        "net_revenue_share": _part(members, "net_revenue"),
        "largest_left_out": min(LARGEST, len(members)),
        "net_revenue_share_without_largest": _part(rest, "net_revenue"),
        "anonymous_share": anonymous_share(tables.ledger),
        "top": [
            {"customers": share, "held": fsum(ranked.iloc[: round(share * len(ranked))]) / total}
            for share in TOP_SHARES
        ],
        "months": tables.months.assign(month=[f"{at:%Y-%m}" for at in tables.months["month"]]).to_dict("records"),
    }


def _part(members: pd.DataFrame, column: str) -> float | None:
    total = fsum(members[column])
    return fsum(members.loc[members["is_insider"], column]) / total if total else None


def anonymous_share(ledger: pd.DataFrame) -> float | None:
    """Share of the positive lines' amount that was sold without a customer id."""
    amounts = ledger.set_index("rule")["amount"].astype(float)
    total = amounts.get("positive", 0.0)
    return amounts.get("positive_without_customer_id", 0.0) / total if total else None


def guarantee(tables: Tables, terms: Terms) -> Numbers:
    """The figures of the untouched last period, the gates, the search, and what the tables were made from."""
    registered = tables.registered
    validation = registered["validation"]
    return {
        "regime": registered["regime"],
        "verdict": verdict(validation, terms.lift_margin),
        "margin": terms.lift_margin,
        **validation,
        "baseline": registered["baseline"],
        "gates": registered["gates"],
        "passed": registered["passed"],
        "captures": captures(validation),
        "agreement": registered["agreement"],
        "serving": registered["serving"],
        "search": search(tables.trials, registered["candidate"], registered["backtest"]),
        "without_order": _without_order(tables),
        "ledger": [{**row, "amount": float(row["amount"])} for row in tables.ledger.to_dict("records")],
        "provenance": provenance(tables, terms),
    }


def _without_order(tables: Tables) -> int:
    """Customers in the kept rows who have returns or later orders only, and so are in no table of customers."""
    kept = tables.ledger.loc[tables.ledger["rule"] == "kept", "customers"]
    return int(kept.sum()) - len(tables.members)


def verdict(validation: Mapping[str, Any], lift_margin: float) -> str:
    """`better`, `as_good` (within the stated margin), `worse` than the sort, or `unproven`: too little to tell."""
    low, high = validation["value_lift_low"], validation["value_lift_high"]
    if low is None or high is None:  # the period brought nothing
        return "unproven"
    if low > 1:
        return "better"
    if low >= 1 - lift_margin:
        return "as_good"
    return "worse" if high < 1 else "unproven"


def captures(validation: Mapping[str, Any]) -> list[Numbers]:
    """What each way to choose n customers captured of the next period's revenue, the best possible first."""
    ours = validation["value_capture"]
    known = {
        "oracle": _ratio(ours, validation["value_oracle"]),
        "list": ours,
        "sort": validation["top_n_capture"],
        "clv": validation["clv_capture"],
        **{f"by_{name}": validation["baselines"][name] for name in SORTS},
        "lot": _ratio(ours, validation["value_over_random"]),
    }
    return [{"name": name, "capture": value} for name, value in known.items() if value is not None and value == value]  # noqa: PLR0124 - NaN


def _ratio(value: float | None, by: float | None) -> float | None:
    return value / by if value is not None and by else None


def search(trials: pd.DataFrame, candidate: Mapping[str, Any], backtest: Sequence[Mapping[str, Any]]) -> Numbers:
    """How the candidate was found; `starts` are the first days of the periods that the search looked at."""
    tried = trials[trials["state"] != "BASELINE"]
    finished = tried[tried["state"] == "COMPLETE"]
    return {
        "trials": len(tried),
        "feasible": int(finished["feasible"].astype(bool).sum()),
        "folds": candidate["folds"],
        "starts": sorted(row["as_of"] for row in backtest)[: candidate["folds"]],
        "best_sort": _best_sort(trials),
        "trial": candidate["trial"],
        "embedding": candidate["embedding"],
        "clusterer": candidate["clusterer"],
        **candidate["measures"],
    }


def _best_sort(trials: pd.DataFrame) -> Numbers | None:
    """The baseline with the highest mean value lift over the same periods."""
    sorts = trials[trials["state"] == "BASELINE"].dropna(subset=["value_lift_mean"])
    if sorts.empty:
        return None
    best = sorts.sort_values("value_lift_mean", kind="stable").iloc[-1]
    return {"name": best["clusterer"], "value_lift_mean": best["value_lift_mean"]}


def provenance(tables: Tables, terms: Terms) -> Numbers:
    return {
        "source": tables.source["source"],
        "sha256": tables.source.get("sha256"),
        "as_of": f"{tables.members['as_of'].iloc[0]:%Y-%m-%d}",
        "model_version": tables.members["model_version"].iloc[0],
        "judged_version": tables.registered["version"],
        "champion_version": tables.registered["champion_version"],
        "seed": terms.seed,
        "currency": terms.currency,
    }


def overall(members: pd.DataFrame) -> dict[str, float]:
    """The medians of all customers, to compare segments with."""
    return {"customers": len(members), **members[list(TRAITS)].median().to_dict()}

"""The main numbers of the page, computed again from the tables by plain pandas that shares no code with the report."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest


class Project(NamedTuple):
    folder: Path
    told: dict[str, Any]
    people: pd.DataFrame  # customers with what was assigned and what is expected
    orders: pd.DataFrame  # of known customers, before as_of

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "data" / f"{name}.parquet")


@pytest.fixture(scope="module")
def project(easy_shop: Path) -> Project:
    return opened(easy_shop)


def opened(folder: Path) -> Project:
    customers, assigned, expected, orders = (
        pd.read_parquet(folder / f"data/{name}.parquet")
        for name in ("customers", "assignments", "expectations", "orders")
    )
    people = customers.merge(assigned.drop(columns="as_of"), on="customer_id")
    people = people.merge(expected[["customer_id", "expected_revenue"]], on="customer_id")
    known = orders[(orders["ordered_at"] < people["as_of"].iloc[0]) & orders["customer_id"].isin(people["customer_id"])]
    amounts = {name: known[name].astype(float) for name in ("gross_revenue", "returned_revenue", "net_revenue")}
    told = json.loads((folder / "reports/answers.json").read_text(encoding="utf-8"))
    return Project(folder, told, people, known.assign(**amounts))


def near(value: float) -> Any:
    """Floats of answers.json keep six decimals."""
    return pytest.approx(value, abs=2e-6, rel=1e-9)


def test_the_list_is_that_of_the_assignments(project: Project) -> None:
    inside = project.people["is_insider"]
    assert project.told["who"]["count"] == project.told["how_many"]["count"] == inside.sum() > 0
    assert project.told["how_many"]["customer_share"] == near(inside.mean())
    members = pd.read_parquet(project.folder / "data/members.parquet")
    best = members.nsmallest(3, "rank")["customer_id"].tolist()
    assert [row["customer_id"] for row in project.told["who"]["first"][:3]] == best


def test_revenue_is_that_of_the_orders(project: Project) -> None:
    told, ours = project.told["revenue_share"], project.orders["customer_id"].isin(insiders(project))
    for column in ("gross_revenue", "net_revenue"):
        total, own = project.orders[column].sum(), project.orders.loc[ours, column].sum()
        assert told[column] == near(total)
        assert told[f"insiders_{column}"] == near(own)
        assert told[f"{column}_share"] == near(own / total)


def insiders(project: Project) -> set[str]:
    return set(project.people.loc[project.people["is_insider"], "customer_id"])


def test_months_are_those_of_the_orders(project: Project) -> None:
    ours = project.orders["customer_id"].isin(insiders(project))
    month = project.orders["ordered_at"].dt.strftime("%Y-%m")
    for side, chosen in (("insiders", ours), ("others", ~ours)):
        sums = project.orders[chosen].groupby(month)["net_revenue"].sum()
        told = {row["month"]: row[side] for row in project.told["revenue_share"]["months"] if row[side]}
        assert told == {name: near(value) for name, value in sums.items() if abs(value) > 1e-9}


def test_the_anonymous_part_is_that_of_the_transactions(project: Project) -> None:
    lines = project.table("transactions")
    amount = lines["quantity"] * lines["unit_price"].astype(float)
    positive = amount[(lines["quantity"] > 0) & (lines["unit_price"].astype(float) > 0)]
    anonymous = positive[lines["customer_id"].isna()].sum()
    told = project.told["revenue_share"]
    assert told["anonymous_share"] == near(anonymous / positive.sum())
    assert told["gross_revenue_share_of_all"] == near(
        told["insiders_gross_revenue"] / (told["gross_revenue"] + anonymous)
    )


def test_concentration_is_that_of_the_customers(project: Project) -> None:
    net = np.sort(project.people["net_revenue"].to_numpy())[::-1]
    for row in project.told["revenue_share"]["top"]:
        assert row["held"] == near(net[: round(row["customers"] * len(net))].sum() / net.sum())
    gross = project.people["gross_revenue"].to_numpy()
    pairs = np.abs(gross[:, None] - gross[None, :]).mean() / (2 * gross.mean())
    assert project.told["revenue_share"]["gini_gross"] == near(pairs)


def test_other_sizes_hold_the_customers_with_the_highest_expectations(project: Project) -> None:
    ranked = project.people.sort_values("expected_revenue", ascending=False)
    for row in project.told["how_many"]["sizes"]:
        chosen = ranked.head(row["count"])
        assert row["count"] == int(row["limit"] * len(ranked) + 1e-9)
        assert row["expected_revenue"] == near(chosen["expected_revenue"].sum())
        assert row["expected_share"] == near(chosen["expected_revenue"].sum() / ranked["expected_revenue"].sum())


def test_segments_are_those_of_the_assignments(project: Project) -> None:
    groups = project.people.groupby("segment")
    rows = project.told["traits"]["segments"]
    assert {row["segment"] for row in rows} == set(groups.groups)
    for row in rows:
        own = groups.get_group(row["segment"])
        assert row["customers"] == len(own)
        assert row["revenue_per_customer"] == near(own["net_revenue"].mean())
        for trait in ("net_revenue", "order_count", "recency_days", "returned_revenue_share"):
            assert row[trait] == near(own[trait].median())


def test_effects_are_counts_over_all_pairs(project: Project) -> None:
    inside = project.people["is_insider"]
    for row in project.told["traits"]["medians"]:
        ours, theirs = (project.people.loc[side, row["trait"]].to_numpy() for side in (inside, ~inside))
        assert row["insiders"] == near(float(np.median(ours)))
        assert row["delta"] == near(np.sign(ours[:, None] - theirs[None, :]).mean())
        assert row["low"] <= row["delta"] <= row["high"]


def test_days_and_hours_are_those_of_the_orders(project: Project) -> None:
    sold = project.orders[project.orders["is_sale"] & project.orders["customer_id"].isin(insiders(project))]
    for key, column, at in (
        ("weekdays", "weekday", sold["ordered_at"].dt.day_of_week),
        ("hours", "hour", sold["ordered_at"].dt.hour),
    ):
        parts = at.value_counts(normalize=True)
        told = {row[column]: row["insiders"] for row in project.told["traits"][key] if row["insiders"]}
        assert told == {place: near(value) for place, value in parts.items()}


def test_returns_and_countries_are_those_of_the_customers(project: Project) -> None:
    told, ours = project.told["traits"], project.people[project.people["is_insider"]]
    assert told["returns"]["insiders"] == {
        "customers": near((ours["returned_revenue"] > 0).mean()),
        "revenue": near(ours["returned_revenue"].sum() / ours["gross_revenue"].sum()),
    }
    parts = ours["country"].value_counts(normalize=True)
    assert {row["country"]: row["insiders"] for row in told["countries"] if row["insiders"]} == {
        country: near(parts[country]) for country in parts.index if country in {r["country"] for r in told["countries"]}
    }


def test_wholesalers_are_those_far_out(project: Project) -> None:
    pieces = project.people["items_per_order"]
    low, high = np.quantile(pieces, [0.25, 0.75])
    told = project.told["traits"]["wholesalers"]
    assert told["pieces_above"] == near(high + 3 * (high - low))
    assert told["count"] == (pieces > high + 3 * (high - low)).sum()


def test_metrics_say_what_the_answers_say(project: Project) -> None:
    found = json.loads((project.folder / "reports/metrics.json").read_text(encoding="utf-8"))
    assert found["insiders"]["net_revenue_share"] == project.told["revenue_share"]["net_revenue_share"]
    assert found["data"]["customers"] == len(project.people)
    ledger = pd.read_csv(project.folder / "data/ledger.csv").set_index("rule")["rows"]
    assert (found["data"]["rows"], found["data"]["rows_kept"]) == (ledger["delivered"], ledger["kept"])

"""One figure for what the members will bring: the page's, the list's and the expectations'."""

import json
from pathlib import Path

import pandas as pd
import pytest

from customer_tables import write_project
from insiders.answers import assignments, list_forecast
from insiders.io import params, paths, tables
from insiders.stages import assign


@pytest.fixture(autouse=True)
def project(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tables as featurize leaves them, and an empty registry: the six best by a sort are members."""
    monkeypatch.chdir(tmp_path)
    write_project()
    manifest = {"regime": "baseline", "baseline": {"name": "faded_revenue", "n": 6, "horizon_days": 90}}
    tables.write_json(manifest, paths.REGISTERED)
    return store


def served() -> assignments.Served:
    """Before the forecast."""
    customers = assignments.read_customers(paths.CUSTOMERS)
    settings = params.read()
    server = assignments.named(None, settings, customers["as_of"].iloc[0])
    past, months = assignments.read_history(), assignments.read_months(server)
    return assignments.serve(server, customers, past, months, settings)


def test_what_members_are_expected_to_bring_adds_up_to_the_forecast() -> None:
    assign.main()

    expected = json.loads(paths.OUTLOOK.read_text(encoding="utf-8"))["expected"]

    listed, everybody = pd.read_csv(paths.INSIDERS), pd.read_parquet(paths.EXPECTATIONS)
    assert listed["expected_revenue"].sum() == pytest.approx(expected, abs=0.01 * len(listed))
    inside = everybody["customer_id"].isin(listed["customer_id"])
    assert everybody.loc[inside, "expected_revenue"].sum() == pytest.approx(expected, rel=1e-6)


def test_everybody_is_moved_by_the_same_factor_and_a_year_by_none() -> None:
    before = served()

    after = list_forecast.on_level(before, 1234.5)

    for name in ("expected_orders", "expected_revenue", "expected_low", "expected_high"):
        ratios = (after.expectations[name] / before.expectations[name]).dropna()
        assert ratios.to_numpy() == pytest.approx(ratios.iloc[0])
        assert ratios.iloc[0] != 1
    same = after.expectations["expected_revenue_year"] == before.expectations["expected_revenue_year"]
    assert same.all()
    assert after.insiders["expected_revenue"].sum() == pytest.approx(1234.5, abs=0.05)
    assert list(after.insiders["customer_id"]) == list(before.insiders["customer_id"])


def test_where_nothing_is_expected_nothing_is_moved() -> None:
    before = served()

    assert list_forecast.on_level(before, 0.0) is before

"""The generated shop: its facts beside the real file's, its form, and its truth against what it delivers."""

from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from insiders.io import params
from insiders.simulate import Settings, Shop, expected_revenue, process, shop, trade
from insiders.simulate.catalogue import catalogue, names
from insiders.simulate.customers import KEPT, TAKEN_BACK

SMALL = Settings(customers=300, start=date(2024, 12, 1), days=374, products=200, anonymous_share=0.25)
NO_GOODS = ["POST", "C2", "CRUK"]


def delivered(settings: Settings, seed: int) -> pd.DataFrame:
    frame = pa.concat_tables(Shop(settings, seed).blocks()).to_pandas()
    price = frame["UnitPrice"].astype(float)
    return frame.assign(UnitPrice=price, amount=frame["Quantity"] * price)


def net_lines(lines: pd.DataFrame) -> pd.DataFrame:
    """What counts as a known customer's net revenue: goods sold and taken back, and credits."""
    known = lines[lines["CustomerID"].notna() & ~lines["StockCode"].isin(NO_GOODS)].drop_duplicates()
    return known[~known["StockCode"].isin(["M", "D"]) | (known["Quantity"] < 0)]


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(**params.read().simulate.model_dump())


@pytest.fixture(scope="module")
def sample(settings: Settings) -> pd.DataFrame:
    return delivered(settings, params.read().seed)


@pytest.fixture(scope="module")
def facts(sample: pd.DataFrame) -> dict[str, float]:
    positive = sample[(sample["Quantity"] > 0) & (sample["UnitPrice"] > 0)]
    known = positive[positive["CustomerID"].notna()]
    gross = known.groupby("CustomerID")["amount"].sum().sort_values(ascending=False)
    month = known["InvoiceDate"].dt.month
    credit = sample["InvoiceNo"].str.startswith("C")
    return {
        "rows": len(sample),
        "invoices": sample["InvoiceNo"].nunique(),
        "codes": sample["StockCode"].nunique(),
        "anonymous rows": sample["CustomerID"].isna().mean(),
        "anonymous revenue": 1 - known["amount"].sum() / positive["amount"].sum(),
        "duplicates": sample.duplicated().sum(),
        "no description": sample["Description"].isna().sum(),
        "cancellation rows": credit.sum(),
        "cancellations": sample.loc[credit, "InvoiceNo"].nunique(),
        "negative, no cancellation": ((sample["Quantity"] < 0) & ~credit).sum(),
        "zero prices": (sample["UnitPrice"] == 0).sum(),
        "negative prices": (sample["UnitPrice"] < 0).sum(),
        "customers": sample["CustomerID"].nunique(),
        "known rows": len(known),
        "known invoices": known["InvoiceNo"].nunique(),
        "gross": known["amount"].sum(),
        "one order": known.groupby("CustomerID")["InvoiceNo"].nunique().eq(1).mean(),
        **{f"top {share}": gross.iloc[: round(share * len(gross))].sum() / gross.sum() for share in (0.01, 0.05, 0.2)},
        "lines in an order": (known.groupby("InvoiceNo").size()).median(),
        "pieces": known["Quantity"].median(),
        "November to February": known["amount"][month == 11].sum() / known["amount"][month == 2].sum(),
        "autumn": known["amount"][month.isin([9, 10, 11])].sum() / known["amount"].sum(),
    }


@pytest.mark.parametrize(
    ("fact", "real", "tolerance"),
    [
        ("rows", 541_909, 0.08),
        ("invoices", 25_900, 0.08),
        ("codes", 4_070, 0.12),
        ("anonymous rows", 0.2493, 0.02),
        ("anonymous revenue", 0.1646, 0.15),
        ("duplicates", 5_268, 0.15),
        ("no description", 1_454, 0.15),
        ("cancellation rows", 9_288, 0.15),
        ("cancellations", 3_836, 0.15),
        ("negative, no cancellation", 1_336, 0.15),
        ("zero prices", 2_515, 0.15),
        ("negative prices", 2, 0.6),
        ("customers", 4_372, 0.02),
        ("known rows", 397_884, 0.08),
        ("known invoices", 18_532, 0.05),
        ("gross", 8_911_408, 0.12),
        ("one order", 0.344, 0.05),
        ("top 0.01", 0.318, 0.12),
        ("top 0.05", 0.504, 0.06),
        ("top 0.2", 0.746, 0.04),
        ("lines in an order", 15, 0.15),
        ("pieces", 6, 0.35),
        ("November to February", 2.6, 0.3),
        ("autumn", 0.354, 0.12),
    ],
)
def test_facts_of_the_real_file(facts: dict[str, float], fact: str, real: float, tolerance: float) -> None:
    assert facts[fact] == pytest.approx(real, rel=tolerance)


def test_trade_keeps_the_shop_s_hours(sample: pd.DataFrame) -> None:
    stamps = sample["InvoiceDate"]
    assert not (stamps.dt.day_name() == "Saturday").any()
    assert stamps.dt.hour.between(process.FIRST_HOUR, 21).all()
    assert stamps.is_monotonic_increasing
    assert stamps.min().date() == date(2024, 12, 1)
    assert stamps.max().date() <= date(2025, 12, 9)


def test_an_invoice_belongs_to_one_customer_and_minute(sample: pd.DataFrame) -> None:
    each = sample.groupby("InvoiceNo")[["InvoiceDate", "CustomerID", "Country"]].nunique(dropna=False)
    assert (each == 1).all(axis=None)


def test_dirt_of_a_real_file(sample: pd.DataFrame) -> None:
    known = sample[sample["CustomerID"].notna()]
    assert set(process.SERVICES) <= set(sample["StockCode"])
    assert (known.groupby("CustomerID")["Country"].nunique() == 2).any()
    assert sample.groupby("StockCode")["Description"].nunique().gt(1).sum() > 300
    assert (known["UnitPrice"] == 0).any()
    assert sample["Description"].str.encode("latin-1").str.len().max() > 10
    adjusted = sample[(sample["Quantity"] < 0) & ~sample["InvoiceNo"].str.startswith("C")]
    assert adjusted["CustomerID"].isna().all()
    assert (adjusted["UnitPrice"] == 0).all()


def test_a_mistyped_order_is_undone_within_minutes(sample: pd.DataFrame) -> None:
    sold, back = sample.loc[sample["Quantity"].idxmax()], sample.loc[sample["Quantity"].idxmin()]
    assert sold["amount"] == pytest.approx(process.SLIP_AMOUNT, rel=0.01)
    assert back["amount"] == -sold["amount"]
    assert (back["CustomerID"], back["StockCode"]) == (sold["CustomerID"], sold["StockCode"])
    assert back["InvoiceDate"] - sold["InvoiceDate"] == pd.Timedelta(minutes=process.SLIP_MINUTES)


def test_some_returns_match_a_purchase_and_some_do_not(sample: pd.DataFrame) -> None:
    known = sample[sample["CustomerID"].notna()]
    pair = ["CustomerID", "StockCode"]
    back, sold = (known.loc[sign, pair].drop_duplicates() for sign in (known["Quantity"] < 0, known["Quantity"] > 0))
    matched = len(back.merge(sold, on=pair)) / len(back)
    assert 0.75 < matched < 0.95


def test_equal_lines_are_duplicates_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "DUPLICATE_SHARE", 0.0)
    assert not delivered(SMALL, 1).duplicated().any()


def test_truth_agrees_with_what_is_delivered(sample: pd.DataFrame, settings: Settings) -> None:
    truth = Shop(settings, params.read().seed).truth().set_index("customer_id")
    sales = sample[(sample["Quantity"] > 0) & (sample["UnitPrice"] > 0) & sample["CustomerID"].notna()]
    day = sales["InvoiceDate"].dt.normalize().groupby(sales["CustomerID"])
    assert set(sample["CustomerID"].dropna()) <= set(truth.index)
    assert (day.min() >= truth["arrived_on"].reindex(day.min().index)).all()
    assert (day.min() == truth["arrived_on"].reindex(day.min().index)).mean() > 0.99  # few baskets round to nothing
    assert (day.max() < truth["dropped_on"].reindex(day.max().index)).all()
    assert truth.filter(like="taste_").sum(axis=1).to_numpy() == pytest.approx(1)
    assert truth["class"].value_counts(normalize=True)["wholesale"] == pytest.approx(0.035, rel=0.25)


def test_customers_buy_what_they_like(sample: pd.DataFrame, settings: Settings) -> None:
    favourite = Shop(settings, params.read().seed).truth().set_index("customer_id")["main_category"]
    texts = {thing: name for name, each in process.CATEGORIES.items() for thing in each.things}
    lines = sample[sample["CustomerID"].notna() & (sample["Quantity"] > 0)]
    category = lines["Description"].str.extract(f"({'|'.join(texts)})$")[0].map(texts)
    assert (category == lines["CustomerID"].map(favourite)).mean() > 0.3  # at random: about 0.1


def test_same_seed_same_lines() -> None:
    once, again, other = (pa.concat_tables(Shop(SMALL, seed).blocks()) for seed in (1, 1, 2))
    assert once.equals(again)
    assert not once.equals(other)


def test_blocks_continue_one_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop, "BLOCK", 70)
    blocks = list(Shop(SMALL, 1).blocks())
    numbers = [block["InvoiceNo"].to_pandas().str.removeprefix("C").astype(int) for block in blocks]
    assert len(blocks) == 5
    assert all(before.max() + 1 == after.min() for before, after in pairwise(numbers))
    assert pa.concat_tables(blocks)["CustomerID"].to_pandas().nunique() == SMALL.customers
    assert Shop(SMALL, 1).truth()["customer_id"].is_unique


@pytest.mark.parametrize("anonymous_share", [0.0, 0.5])
def test_the_smallest_shop(anonymous_share: float) -> None:
    tiny = Settings(customers=10, start=date(2024, 2, 28), days=30, products=20, anonymous_share=anonymous_share)
    lines = delivered(tiny, 3)
    assert lines["CustomerID"].nunique() == 10
    assert lines["CustomerID"].isna().any() == (anonymous_share > 0)


def test_product_names_and_codes_are_distinct() -> None:
    assert len(set(names("toys", 5_000))) == 5_000
    goods = catalogue(3_000, np.random.default_rng(0))
    assert len(set(goods.codes)) == len(goods.codes)
    assert len(set(goods.texts[: len(goods.codes)])) == len(goods.codes)
    assert goods.products == 3_000


def test_merging_keeps_the_worth_of_each_product() -> None:
    order, product, worth = trade._merged(
        np.array([1, 0, 1, 1]), np.array([3, 3, 2, 3]), np.array([5.0, 1.0, 2.0, 4.0]), 10
    )
    assert (order.tolist(), product.tolist(), worth.tolist()) == ([0, 1, 1], [3, 2, 3], [1.0, 2.0, 9.0])


def one_customer(**truth: object) -> pd.DataFrame:
    each = {
        "arrived_on": pd.Timestamp("2025-01-06"),
        "dropped_on": pd.Timestamp("2030-01-01"),
        "orders_per_day": 0.5,
        "dropout_per_day": 0.1,
        "order_value": 200.0,
    }
    return pd.DataFrame({name: [value] for name, value in (each | truth).items()})


def expected(truth: pd.DataFrame, start: date, end: date) -> float:
    return expected_revenue(truth, start, end).item()


def test_expectation_of_two_days_worked_out_by_hand() -> None:
    monday, tuesday, next_day, in_two = 1.11 * 1.08, 1.11 * 1.20, process.NOTE_DELAYS[1], process.NOTE_DELAYS[2]
    kept = 0.5 * (monday + np.exp(-0.1) * tuesday) * KEPT
    monday_s_note, sunday_s_note = 0.5 * monday * next_day, next_day + in_two  # Sunday's order is sure: the first
    arrived = one_customer(arrived_on=pd.Timestamp("2025-05-11"))
    got = expected(arrived, date(2025, 5, 12), date(2025, 5, 14))
    assert got == pytest.approx(200 * (kept - TAKEN_BACK * (monday_s_note + sunday_s_note)))


def test_nobody_knows_the_customers_to_come() -> None:
    assert np.isnan(expected(one_customer(), date(2025, 1, 6), date(2025, 2, 1)))


def test_who_has_left_only_brings_things_back() -> None:
    left = one_customer(dropped_on=pd.Timestamp("2025-05-01"))
    assert expected(left, date(2025, 5, 2), date(2025, 6, 1)) < 0
    assert expected(left, date(2025, 10, 1), date(2025, 12, 1)) == 0


def test_a_closed_shop_brings_nothing() -> None:
    assert expected(one_customer(), date(2025, 12, 24), date(2026, 1, 2)) == 0


WINDOWS = [
    (date(2025, 3, 3), date(2025, 4, 2)),
    (date(2025, 6, 15), date(2025, 9, 13)),
    (date(2025, 9, 10), date(2025, 12, 9)),
    (date(2025, 12, 1), date(2025, 12, 10)),
]


@pytest.fixture(scope="module")
def large() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The truth and the net revenue by customer and day of a shop large enough to meet its expectations."""
    settings = Settings(customers=15_000, start=date(2024, 12, 1), days=374, products=300, anonymous_share=0.0)
    found = []
    for block in Shop(settings, 5).blocks():
        lines = net_lines(block.drop_columns(["Description", "Country"]).to_pandas())
        amount = lines["Quantity"] * lines["UnitPrice"].astype(float)
        found.append(amount.groupby([lines["CustomerID"], lines["InvoiceDate"].dt.normalize()]).sum())
    return Shop(settings, 5).truth(), pd.concat(found).rename("net").reset_index()


@pytest.mark.parametrize(("start", "end"), WINDOWS)
def test_customers_bring_what_the_truth_expects(
    large: tuple[pd.DataFrame, pd.DataFrame], start: date, end: date
) -> None:
    truth, net = large
    inside = net[(net["InvoiceDate"] >= pd.Timestamp(start)) & (net["InvoiceDate"] < pd.Timestamp(end))]
    brought = truth["customer_id"].map(inside.groupby("CustomerID")["net"].sum()).fillna(0)
    surplus = (brought - expected_revenue(truth, start, end)) / truth["order_value"]
    left = truth["dropped_on"] <= pd.Timestamp(start)
    new = truth["arrived_on"] > pd.Timestamp(start) - pd.Timedelta(days=20)
    for group in (left, ~left, ~left & new, truth["class"] == "wholesale", truth["class"] == "retail"):
        each = surplus[group].dropna()
        assert abs(each.mean()) < 3.5 * each.std() / np.sqrt(len(each))


# --- a programme that brings something ---


def test_the_uplift_adds_orders_of_the_invited_alone_and_changes_nothing_else() -> None:
    """Whoever is invited from August on orders three times as often, on invoices that stand after all others."""
    since, settings = date(2025, 8, 1), replace(SMALL, customers=2000, programme_uplift=2.0)
    ids = [f"{number}" for number in range(10_001, 12_001, 2)]
    plain = delivered(replace(settings, programme_uplift=0.0), 5)
    more = pa.concat_tables(Shop(settings, 5, dict.fromkeys(ids, since)).blocks()).to_pandas()
    further = more.iloc[len(plain) :].assign(amount=lambda rows: rows["Quantity"] * rows["UnitPrice"].astype(float))
    assert more.iloc[: len(plain)]["InvoiceNo"].tolist() == plain["InvoiceNo"].tolist()
    assert set(further["CustomerID"]) <= set(ids)
    assert further["InvoiceDate"].min() >= pd.Timestamp(since)
    assert not set(further["InvoiceNo"]) & set(plain["InvoiceNo"])
    first = plain.groupby("CustomerID")["InvoiceDate"].min()
    present = first.index[first < pd.Timestamp(since)].intersection(ids)
    after = plain[plain["InvoiceDate"] >= pd.Timestamp(since)]
    brought, own = (net_lines(rows[rows["CustomerID"].isin(present)])["amount"].sum() for rows in (further, after))
    assert brought / own == pytest.approx(2.0, rel=0.1)


def test_without_decisions_the_uplift_changes_nothing() -> None:
    assert delivered(replace(SMALL, programme_uplift=0.5), 5).equals(delivered(SMALL, 5))

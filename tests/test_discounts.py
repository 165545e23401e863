"""What a column of discounts holds: told where the file can tell, else asked with the setting."""

from pathlib import Path

import pandas as pd
import pytest

from deliveries import taken
from insiders.errors import InputError
from insiders.io import paths


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def amounts(prices, offs, name="discount", besides=None, **ingest) -> list[str]:
    """What lines of two pieces at these prices are worth, in the order of the prices."""
    lines = {
        "order": range(1, len(prices) + 1),
        "date": "2024-01-31",
        "customer": "ann",
        "sku": [f"P{place:03}" for place in range(len(prices))],
        "qty": 2,
        "unit_price": [f"{price:.2f}" for price in prices],
        name: offs,
    }
    pd.DataFrame(lines | (besides or {})).to_csv("shop.csv", index=False)
    taken("shop.csv", **ingest)
    return pd.read_parquet(paths.TRANSACTIONS).sort_values("invoice", key=pd.to_numeric)["amount"].astype(str).tolist()


TOLD = {  # prices, discounts, name, other columns -> amounts of two pieces
    "a rate by its name": ([1.5, 2.0], ["0.5", "0.25"], "Discount rate", {}, ["1.5000", "3.0000"]),
    "money by its name": ([1.5, 2.0], ["0.5", "0.25"], "Line discount amount", {}, ["2.5000", "3.7500"]),
    "a percent sign": ([1.5, 2.0], ["50%", "0%"], "discount", {}, ["1.5000", "4.0000"]),
    "a sign of a currency": ([1.5, 2.0], ["€0.50", "€0.25"], "Total discount", {}, ["2.5000", "3.7500"]),
    "more off than the line costs": ([0.2, 2.0], ["0.5", "0.5"], "discount", {}, ["0.2000", "2.0000"]),
    "more decimals than money has": ([1.5, 2.0], ["0.125", "0.375"], "discount", {}, ["2.6250", "2.5000"]),
    "money that nobody would notice": ([150, 200], ["0.15", "0.2"], "discount", {}, ["255.0000", "320.0000"]),
    "percent that are too little money": ([9000, 8000], ["10", "15"], "discount", {}, ["16200.0000", "13600.0000"]),
    "no rate is so crooked": ([9.5, 8.0], ["2.35", "1.15"], "Line discount", {}, ["16.6500", "14.8500"]),
    "money by the totals": ([1.5, 2.0], ["0.5", "0.25"], "discount", {"Total": ["2.50", "3.75"]}, ["2.5000", "3.7500"]),
    "shares by the totals": ([1.5, 2.0], ["0.5", "0.25"], "discount", {"Total": ["1.5", "3"]}, ["1.5000", "3.0000"]),
    "money off each piece by its name": ([9.5, 8.0], ["2.35", "1.15"], "Unit discount", {}, ["14.3000", "13.7000"]),
    "money off each piece by the totals": (
        *([1.5, 2.0], ["0.5", "0.25"], "discount"),
        {"Total": ["2.00", "3.50"]},
        ["2.0000", "3.5000"],
    ),
    "more off than a piece costs": ([1.5, 2.0], ["1.55", "2.15"], "discount", {}, ["1.4500", "1.8500"]),
    "totals with postage": (
        *([1.5, 2.0], ["0.5", "0.25"], "discount"),
        {"Total": ["5.50", "6.75"], "Shipping": ["3.00", "3.00"]},
        ["2.5000", "3.7500"],
    ),
}


@pytest.mark.parametrize("case", TOLD)
def test_a_discount_is_told(case):
    prices, offs, name, besides, expected = TOLD[case]
    assert amounts(prices, offs, name, besides) == expected


def test_a_discount_that_follows_the_price_is_money():
    prices = [2.51 + 0.07 * place for place in range(30)]
    offs = [f"{2 * price * (0.1 if place % 3 else 0.05):.2f}" for place, price in enumerate(prices)]
    found = amounts(prices, offs)
    assert found == [f"{2 * round(price, 2) - float(off):.4f}" for price, off in zip(prices, offs, strict=True)]


@pytest.mark.parametrize("pieces", [1, 2])
def test_money_off_is_of_a_piece_or_of_the_line_by_what_it_is_a_percent_of(pieces):
    prices = [6.51 + 0.07 * place for place in range(30)]
    offs = [f"{pieces * price * (0.15 if place % 3 else 0.05):.2f}" for place, price in enumerate(prices)]
    found = amounts(prices, offs)
    times = 1 if pieces == 2 else 2  # a percent of what two pieces cost is taken off once
    assert found == [f"{2 * round(price, 2) - times * float(off):.4f}" for price, off in zip(prices, offs, strict=True)]


def test_money_off_lines_of_several_pieces_is_asked_about():
    with pytest.raises(
        InputError, match=r"off the whole line, off each piece or off the whole order\?.*piece or order"
    ):
        amounts([9.5, 8.0], ["2.35", "1.15"])
    assert amounts([9.5, 8.0], ["2.35", "1.15"], discount_is="piece") == ["14.3000", "13.7000"]
    assert amounts([9.5, 8.0], ["2.35", "1.15"], besides={"qty": 1}) == ["7.1500", "6.8500"]


@pytest.mark.parametrize(("offs", "name"), [([1 + n % 9 for n in range(30)], "discount"), ([1] * 30, "Order discount")])
def test_money_off_the_order_is_spread_over_its_lines(offs, name):
    orders = [number for number in range(30) for _ in range(2)]
    found = amounts([10.0, 40.0] * 30, [f"{offs[number]}.37" for number in orders], name, {"order": orders, "qty": 1})
    assert found[:2] == ["9.7260", "38.9040"]
    assert sum(map(float, found)) == pytest.approx(30 * 50 - sum(offs) - 30 * 0.37)


def test_the_same_money_off_all_lines_of_all_orders_is_asked_about():
    with pytest.raises(InputError, match=r"the same on all lines of an order.*ingest\.discount_is"):
        amounts([10.0, 40.0] * 4, ["1.37"] * 8, besides={"order": [1, 1, 2, 2, 3, 3, 4, 4], "qty": 1})


@pytest.mark.parametrize(("offs", "rate"), [(["0.5", "0.25"], "share"), (["10", "5"], "percent")])
def test_an_open_discount_is_asked_about(offs, rate):
    prices = [1.5, 2.0] if rate == "share" else [40, 60]
    with pytest.raises(InputError, match=rf"'discount' holds.*ingest\.discount_is: money or {rate}"):
        amounts(prices, offs)
    assert amounts(prices, offs, discount_is="money") != amounts(prices, offs, discount_is=rate)


def test_a_total_tells_what_few_discounts_are():
    prices, offs = [5.0] * 40, ["0.5", *["0"] * 39]
    for first in ("9.50", "5.00"):
        assert amounts(prices, offs, besides={"line total": [first, *["10.00"] * 39]})[0] == f"{float(first):.4f}"


def test_a_share_is_the_same_in_every_currency():
    besides = {"currency": ["EUR", "GBP"]}
    assert amounts([200, 200], ["0.5", "0.5"], besides=besides, rates={"EUR": 0.5, "GBP": 1.0}) == [
        "100.0000",
        "200.0000",
    ]


TOTALS = "order,date,customer,sku,qty,line_total,discount{}\n"


@pytest.mark.parametrize(
    ("settings", "amount"),
    [({"discount_is": "money"}, "3.0000"), ({"ignore": ("discount",)}, "4.0000"), ({"discount_is": "share"}, "0.0000")],
)
def test_a_discount_beside_totals_alone_is_asked_about(settings, amount):
    Path("shop.csv").write_text(TOTALS.format("") + "1,2024-01-31,ann,A,2,4.00,1.00\n2,2024-01-31,ann,A,2,4.00,1.00\n")
    with pytest.raises(
        InputError, match=r"'line_total' may be.*before or after 'discount'.*ingest\.ignore: \[\"discount"
    ):
        taken("shop.csv")
    taken("shop.csv", **settings)
    assert set(pd.read_parquet(paths.TRANSACTIONS)["amount"].astype(str)) == {amount}


@pytest.mark.parametrize(("total", "amount"), [("3.00", "3.0000"), ("4.00", "4.0000")])
def test_what_orders_cost_tells_whether_a_discount_is_taken_off_totals(total, amount):
    line = f"1,2024-01-31,ann,A,2,4.00,1.00,{total}\n"
    Path("shop.csv").write_text(TOTALS.format(",order_total") + line + line.replace("1", "2", 1))
    taken("shop.csv")
    assert set(pd.read_parquet(paths.TRANSACTIONS)["amount"].astype(str)) == {amount}

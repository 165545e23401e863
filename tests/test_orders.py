"""Lines to orders."""

from decimal import Decimal

import pandas as pd

from insiders.tables import orders
from ledgers import cleaned, fetched, transaction

ROWS = [
    transaction("1 APPLE 3 2024-01-01T09:00 2.00 ann"),
    transaction("1 APPLE 1 2024-01-01T09:00 1.50 ann"),
    transaction("1 PEAR 2 2024-01-01T09:01 5 ann"),
    transaction("C2 APPLE -5 2024-01-05T12:00 2.00 ann"),
    transaction("C2 M -1 2024-01-05T12:00 4.25 ann"),
    transaction("3 PEAR 1 2024-01-06T12:00 5 ann"),
    transaction("3 PEAR 1 2024-01-06T12:00 5 bob", country="France"),
    transaction("3 PEAR 4 2024-01-07T00:00 5 bob"),
]


def test_one_row_per_invoice_customer_and_day():
    found = fetched(orders.orders(cleaned(ROWS)), "customer_id", "ordered_at").set_index(["invoice", "customer_id"])
    money = ["gross_revenue", "returned_revenue", "unmatched_revenue", "net_revenue"]
    counts = ["line_count", "product_count", "item_count", "returned_item_count", "matched_item_count"]
    expected = pd.DataFrame(
        [
            ("1", "ann", True, 3, 2, 6, 0, 0, "17.5", "0", "0", "17.5"),
            ("C2", "ann", False, 2, 0, 0, 5, 4, "0", "14.25", "6.25", "-14.25"),
            ("3", "ann", True, 1, 1, 1, 0, 0, "5", "0", "0", "5"),
            ("3", "bob", True, 1, 1, 1, 0, 0, "5", "0", "0", "5"),
            ("3", "bob", True, 1, 1, 4, 0, 0, "20", "0", "0", "20"),
        ],
        columns=["invoice", "customer_id", "is_sale", *counts, *money],
    ).set_index(["invoice", "customer_id"])
    expected[money] = expected[money].map(Decimal)
    pd.testing.assert_frame_equal(found[expected.columns], expected)
    assert found["ordered_at"].iloc[0] == pd.Timestamp("2024-01-01T09:00")
    assert found["country"].tolist() == ["United Kingdom"] * 3 + ["France", "United Kingdom"]


def test_the_orders_of_the_ledger_hold_all_of_its_money():
    lines, found = fetched(cleaned(ROWS)), fetched(orders.orders(cleaned(ROWS)))
    assert found["net_revenue"].sum() == lines["amount"].sum()
    assert found["line_count"].sum() == len(lines)

"""Recognising columns by their names."""

import pytest

from insiders.errors import InputError
from insiders.io.delivery.columns import SYNONYMS, recognise

FIRST = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
SECOND = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
OTHERS = ["order_number", "SKU", "Product Name", "QTY", "Order Date", "unit-price", "customer no", "Billing Country"]
OURS = ["invoice", "product_code", "description", "quantity", "invoiced_at", "unit_price", "customer_id", "country"]


@pytest.mark.parametrize("found", [FIRST, SECOND, OTHERS, OURS])
def test_known_names_are_recognised_in_any_order(found):
    assert recognise([*found[::-1], "index"]) == dict(zip(SYNONYMS, found, strict=True))


def test_no_name_stands_for_two_of_ours():
    names = [name for synonyms in SYNONYMS.values() for name in synonyms]
    assert len(names) == len(set(names))


def test_description_and_country_may_be_missing():
    found = recognise([name for name in FIRST if name not in ("Description", "Country")])
    assert (found["description"], found["country"]) == (None, None)


def test_what_is_declared_goes_first():
    mapping = recognise([*FIRST, "Net", "Rechnung"], {"unit_price": "Net", "invoice": "Rechnung"})
    assert (mapping["unit_price"], mapping["invoice"]) == ("Net", "Rechnung")


@pytest.mark.parametrize(
    ("found", "declared", "expected"),
    [
        (["a", "b"], None, r"for invoice, product_code, .*the columns are 'a', 'b'.*ingest\.columns: \{invoice:"),
        ([*FIRST, "Price"], None, "'UnitPrice', 'Price' could each be unit_price"),
        ([*FIRST, "country"], None, "names 'Country', 'country' more than once"),
        (FIRST, {"price": "UnitPrice"}, "names 'price'; our names are invoice"),
        (FIRST, {"unit_price": "Cost"}, "points to 'Cost'"),
        (FIRST, {"unit_price": "Quantity", "quantity": "Quantity"}, "twice to one column"),
        (FIRST, {"unit_price": "Quantity"}, "for quantity"),
    ],
)
def test_what_is_wrong_is_said(found, declared, expected):
    with pytest.raises(InputError, match=expected):
        recognise(found, declared)

"""Cleaning rules, their ledger, and returns against the purchases that they undo."""

from collections import deque
from datetime import datetime, timedelta
from decimal import Decimal

import ibis
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insiders.errors import InputError
from insiders.tables import lines, profile
from insiders.tables.rules import Policy
from ledgers import cleaned, fetched, judged, real_data, real_transactions, transaction

NOBODY_REFUSED = pd.DataFrame({"reason": [], "rows": []})

EACH_RULE = [
    (transaction("1 APPLE 2 2024-01-01T09:00 1.50 ann"), "kept"),
    (transaction("1 APPLE 2 2024-01-01T09:00 1.50 ann"), "exact_duplicates"),
    (transaction("1 APPLE 2 2024-01-01T09:00 1.50 ann"), "exact_duplicates"),
    (transaction("1 APPLE 2 2024-01-01T09:00 1.50 ann", country="France"), "kept"),
    (transaction("2 POST 1 2024-01-01T10:00 9.00 -"), "no_customer_id"),
    (transaction("3 POST 1 2024-01-01T10:00 9.00 bob"), "service_codes"),
    (transaction("3 TESTER 0 2024-01-01T10:00 0 bob"), "service_codes"),
    (transaction("3 PEAR 1 2024-01-01T10:00 0 bob", description=None), "zero_price"),
    (transaction("3 PEAR 1 2024-01-01T10:00 -5 bob"), "kept"),
    (transaction("3 COUPON -1 2024-01-01T10:00 -4 bob"), "negative_price"),
    (transaction("3 M 1 2024-01-01T10:00 7 bob"), "manual_charges"),
    (transaction("C4 PEAR 3 2024-01-01T11:00 2 bob"), "positive_on_credit_note"),
    (transaction("3 PEAR 0 2024-01-01T10:00 2 bob"), "zero_quantity"),
    (transaction("C5 APPLE -1 2024-01-02T10:00 1.50 ann"), "kept"),
    (transaction("C5 M -1 2024-01-02T10:00 38.97 ann"), "kept"),
]


def test_every_row_falls_to_the_first_rule_that_removes_it():
    found = fetched(judged([row for row, _rule in EACH_RULE]))
    expected = pd.Series([rule for _row, rule in EACH_RULE]).value_counts()
    pd.testing.assert_series_equal(found["rule"].value_counts().sort_index(), expected.sort_index(), check_names=False)
    by_price = found.set_index("unit_price")["rule"]
    assert by_price[Decimal("-4")] == "negative_price"
    assert by_price[Decimal("38.97")] == "kept"


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("POST", "service_codes"),
        ("POSTER", "kept"),
        ("TEST", "service_codes"),
        ("TEST01", "service_codes"),
        ("ATEST", "kept"),
        ("post", "kept"),
        ("M", "manual_charges"),
        ("MX", "kept"),
    ],
)
def test_a_star_stands_for_any_ending_and_nothing_else_does(code, rule):
    assert fetched(judged([transaction(f"1 {code} 1 2024-01-01 1 ann")]))["rule"].item() == rule


def ledger_of(rows, refused=NOBODY_REFUSED):
    return lines.ledger(fetched(lines.tally(lines.groups(judged(rows)))), refused).set_index("rule")


def test_the_ledger_names_every_rule_and_adds_up():
    refused = pd.DataFrame({"reason": ["quantity is not a number", "date is missing"], "rows": [2, 1]})
    found = ledger_of([row for row, _rule in EACH_RULE], refused)
    assert found.loc["delivered", ["rows", "customers", "quantity", "amount"]].tolist() == [
        18,
        2,
        13,
        Decimal("-6.47"),
    ]
    assert found.loc["quarantined: date is missing", "rows"] == 1
    assert found.loc["exact_duplicates"].tolist() == [2, 1, 4, Decimal(6), "removed"]
    assert found.loc["kept"].tolist() == [5, 2, 3, Decimal("-39.47"), "kept"]
    assert found.loc["kept_credits"].tolist() == [1, 1, -1, Decimal("-38.97"), "counted"]
    assert found.loc["empty_descriptions"].tolist() == [1, 1, 1, Decimal(0), "counted"]
    parts = found[found["action"].isin(["quarantined", "removed", "kept"])]
    for measure in ("rows", "quantity", "amount"):
        assert parts[measure].sum() == found.loc["delivered", measure]


def test_where_no_sale_is_left_the_message_says_what_took_the_rows():
    with pytest.raises(InputError, match=r"of 2 rows delivered, 0 are kept.*no_customer_id 2"):
        ledger_of([transaction("1 APPLE 2 2024-01-01 1 -"), transaction("2 PEAR 2 2024-01-01 1 -")])
    with pytest.raises(InputError, match="of 1 rows delivered, 1 are kept"):
        ledger_of([transaction("C1 APPLE -2 2024-01-01 1 ann")])


MATCHING = {
    "cancelled at once": (["1 A 5 2024-01-01T10:00 1 ann", "C2 A -5 2024-01-01T10:00 1 ann"], [5]),
    "in part": (["1 A 5 2024-01-01 1 ann", "C2 A -2 2024-01-03 1 ann"], [2]),
    "more than was bought": (["1 A 5 2024-01-01 1 ann", "C2 A -7 2024-01-03 1 ann"], [5]),
    "at another price": (["1 A 5 2024-01-01 1 ann", "C2 A -5 2024-01-03 0.8 ann"], [5]),
    "before it was bought": (["C1 A -5 2024-01-01 1 ann", "2 A 5 2024-01-03 1 ann"], [0]),
    "another product": (["1 A 5 2024-01-01 1 ann", "C2 B -5 2024-01-03 1 ann"], [0]),
    "another customer": (["1 A 5 2024-01-01 1 ann", "C2 A -5 2024-01-03 1 bob"], [0]),
    "two purchases, one return": (
        ["1 A 2 2024-01-01 1 ann", "2 A 2 2024-01-02 1 ann", "C3 A -3 2024-01-03 1 ann"],
        [3],
    ),
    "two returns, one purchase": (
        ["1 A 3 2024-01-01 1 ann", "C2 A -2 2024-01-02 1 ann", "C3 A -2 2024-01-03 1 ann"],
        [2, 1],
    ),
    "nothing is saved up": (["C1 A -4 2024-01-01 1 ann", "2 A 1 2024-01-02 1 ann", "C3 A -1 2024-01-03 1 ann"], [0, 1]),
    "a credit is no return": (["1 M 1 2024-01-01 1 ann", "C2 M -1 2024-01-02 1 ann"], []),
}


@pytest.mark.parametrize("case", MATCHING)
def test_returns_use_up_earlier_purchases(case):
    rows, matched = MATCHING[case]
    found = fetched(cleaned(map(transaction, rows)), "ordered_at")
    assert found[found["kind"] == "return"]["matched_quantity"].tolist() == matched


def queue(moves):
    """Match one customer's moves of one product, (quantity) in order, piece by piece, oldest first."""
    stock, matched = deque(), []
    for number, quantity in enumerate(moves):
        if quantity > 0:
            stock.extend([number] * quantity)
        else:
            matched.append(sum(1 for _piece in range(-quantity) if stock and stock.popleft() is not None))
    return matched


MOVES = st.lists(st.integers(-6, 6).filter(bool), max_size=12)


def as_rows(customer, moves, minutes=1):
    start = datetime(2024, 1, 1)
    return [
        transaction(f"{number} A {quantity} {(start + timedelta(minutes=number * minutes)).isoformat()} 1 {customer}")
        for number, quantity in enumerate(moves)
    ]


@settings(max_examples=15, deadline=None)
@given(st.lists(MOVES, min_size=1, max_size=12))
def test_the_closed_form_is_the_queue(people):
    rows = [row for customer, moves in enumerate(people) for row in as_rows(f"c{customer}", moves)]
    found = fetched(cleaned(rows), "customer_id", "ordered_at")
    returns = found[found["kind"] == "return"].groupby("customer_id")["matched_quantity"].agg(list)
    assert returns.to_dict() == {f"c{n}": queue(moves) for n, moves in enumerate(people) if min(moves, default=1) < 0}


@settings(max_examples=10, deadline=None)
@given(MOVES, st.randoms(use_true_random=False))
def test_within_a_minute_no_total_depends_on_order_or_names(moves, random):
    rows = as_rows("ann", moves, minutes=0)
    prices = [Decimal(1 + number % 3) for number in range(len(rows))]
    rows = [{**row, "unit_price": price} for row, price in zip(rows, prices, strict=True)]
    invoices = [row["invoice"] for row in rows]
    random.shuffle(invoices)
    renamed = [{**row, "invoice": name} for row, name in zip(rows, invoices, strict=True)]
    random.shuffle(renamed)
    compared = ["quantity", "unit_price", "matched_quantity"]
    pd.testing.assert_frame_equal(fetched(cleaned(rows)[compared]), fetched(cleaned(renamed)[compared]))


def test_later_lines_change_no_earlier_match():
    rows = [*as_rows("ann", [3, -1, -4, 2, -2]), *as_rows("bob", [-1, 5, -3])]
    moment = datetime(2024, 1, 1, 0, 3)
    whole = fetched(cleaned(rows).filter(ibis._.ordered_at < moment))
    pd.testing.assert_frame_equal(whole, fetched(cleaned(row for row in rows if row["invoiced_at"] < moment)))


REAL_FACTS = [  # rule, rows, customers, amount: computed from the file, independently; -1: not stated
    ("delivered", 541_909, 4_372, "9747747.934"),
    ("without_customer_id", 135_080, 0, "1447682.12"),
    ("exact_duplicates", 5_268, -1, None),
    ("empty_descriptions", 1_454, -1, "0"),
    ("cancellations", 9_288, -1, None),
    ("negative_quantities", 10_624, -1, None),
    ("negative_quantities_without_cancellation", 1_336, 0, "0"),
    ("zero_prices", 2_515, -1, "0"),
    ("negative_prices", 2, 0, None),
    ("positive", 530_104, 4_338, "10666684.54"),
    ("known_customers", 406_829, 4_372, "8300065.81"),
    ("known_positive", 397_884, 4_338, "8911407.90"),
    ("known_positive_distinct", 392_692, 4_338, "8887208.89"),
]


@pytest.fixture(scope="module")
def real_ledger():
    policy = Policy(
        cancellation_prefix="C",
        service_codes=[
            "POST",
            "DOT",
            "C2",
            "S",
            "BANK CHARGES",
            "AMAZONFEE",
            "CRUK",
            "B",
            "ADJUST*",
            "TEST*",
            "gift_0001_*",
        ],
        credit_codes=["M", "m", "D"],
    )
    delivered = profile.distinct(ibis.memtable(real_transactions()))
    return lines.ledger(fetched(lines.tally(lines.groups(lines.judge(delivered, policy)))), NOBODY_REFUSED).set_index(
        "rule"
    )


@pytest.mark.real
@real_data
class TestTheRealFile:
    @pytest.mark.parametrize(("rule", "rows", "customers", "amount"), REAL_FACTS)
    def test_facts(self, real_ledger, rule, rows, customers, amount):
        found = real_ledger.loc[rule]
        assert found["rows"] == rows
        assert customers in (-1, found["customers"])
        assert amount is None or round(found["amount"], 2) == round(Decimal(amount), 2)

    def test_adds_up(self, real_ledger):
        parts = real_ledger[real_ledger["action"].isin(["removed", "kept"])]
        assert parts["rows"].sum() == 541_909
        assert parts["amount"].sum() == real_ledger.loc["delivered", "amount"] == Decimal("9747747.934")

    def test_distinct_counts(self):
        found = fetched(lines.counts(ibis.memtable(real_transactions()))).iloc[0].to_dict()
        assert found == {
            "invoices": 25_900,
            "products": 4_070,
            "countries": 38,
            "customers": 4_372,
            "known_invoices": 22_190,
            "known_positive_invoices": 18_532,
        }

"""Exports of other shops: each form is read right, or refused with what to set."""

import importlib.util
import sys
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from deliveries import REPOSITORY, taken, write_workbook
from insiders.errors import InputError
from insiders.io import paths
from insiders.io.delivery import columns, files

CASES = REPOSITORY.parent / "shared" / "cases"
HEAD = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,CustomerID,Country"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str, **ingest) -> pd.DataFrame:
    """Take a small file; its rows in the order of the file's prices."""
    Path("shop.csv").write_text(text, encoding="utf-8")
    taken("shop.csv", **{"quarantine_share_max": 0.5, **ingest})
    return pd.read_parquet(paths.TRANSACTIONS)


def lines(*rows: str, head: str = HEAD) -> str:
    return "\n".join([head, *rows]) + "\n"


def line(quantity="2", price="1.50", customer="ann", at="2024-01-31", code="A", invoice="1") -> str:
    return f'{invoice},{code},Thing,"{quantity}",{at},"{price}",{customer},France'


NUMBERS = {
    "a currency sign": ("2", "$1,250.50", 2, "2501.0000"),
    "Indian groups of digits": ("1", "₹1,07,100.00", 1, "107100.0000"),
    "a code of a currency": ("2", "EUR 12.50", 2, "25.0000"),
    "a unit": ("4 un", "2.5", 4, "10.0000"),
    "a unit of what came back": ("-4 pcs", "2.5", -4, "-10.0000"),
    "a currency of two letters": ("2", "12,50 zł", 2, "25.0000"),
    "money back in brackets": ("1", "(3.20)", 1, "-3.2000"),
    "a sign behind": ("1", "3.25-", 1, "-3.2500"),
    "a weight is one piece": ("0.7", "10.50", 1, "7.3500"),
    "a weight given back": ("-0.7", "10.50", -1, "-7.3500"),
    "six decimals round to cents": ("3", "44.344538", 3, "133.0300"),
}


@pytest.mark.parametrize("case", NUMBERS)
def test_numbers_are_read_as_people_write_them(case):
    quantity, price, pieces, amount = NUMBERS[case]
    found = read(lines(*(line(quantity, price, invoice=str(n)) for n in range(3))))
    assert set(found["quantity"]) == {pieces}
    assert set(found["amount"].astype(str)) == {amount}


def test_signs_of_two_currencies_are_refused():
    with pytest.raises(InputError, match=r"'Price' holds amounts in several currencies \(\$, €\)"):
        read(lines(line(price="$1"), line(price="€1")))


def test_a_column_of_currencies_is_refused_or_converted():
    rows = [f"{line(price=price)},{code}" for price, code in (("10", "EUR"), ("2000", "JPY"))]
    text = lines(*rows, head=f"{HEAD},Currency")
    with pytest.raises(InputError, match=r"several currencies \(EUR, JPY\).*ingest\.rates: \{EUR: \.\.\., JPY"):
        read(text)
    found = read(text, rates={"EUR": 1.0, "JPY": 0.006})
    assert sorted(found["amount"].astype(str)) == ["20.0000", "24.0000"]


IDS = [" Ann@X.org", "ann@x.org\u200b", "ANN@X.ORG", "'ann@x.org"]


def test_an_email_is_one_person_in_any_letters():
    assert set(read(lines(*(line(customer=name) for name in IDS)))["customer_id"]) == {"ann@x.org"}
    curly, straight = line(customer="O\N{RIGHT SINGLE QUOTATION MARK}Neil@x.org"), line(customer="o'neil@x.org")
    assert set(read(lines(curly, straight))["customer_id"]) == {"o'neil@x.org"}


def test_several_ids_can_be_one_person():
    Path("people.csv").write_text("id,person\nANN@old.org,ann\nann,ann\n", encoding="utf-8")
    delivered = lines(line(customer="ann@old.org"), line(customer="ann"), line(customer="bob"), line(customer=""))
    found = read(delivered, identities="people.csv")
    assert sorted(found["customer_id"].fillna("")) == ["", "ann", "ann", "bob"]
    record = taken("shop.csv", identities="people.csv", quarantine_share_max=0.5)
    files.refuse_changed(record)
    Path("people.csv").write_text("id,person\nbob,ann\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"people\.csv has changed since"):
        files.refuse_changed(record)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "there is no file people.csv"),
        ("id\nann\n", "has one column"),
        ("id,person\nann,bob\nANN,x\nann,cid\n", "gives more than one person to 'ann'"),
    ],
)
def test_a_table_of_people_that_says_nothing_clear_is_refused(table, message):
    if table is not None:
        Path("people.csv").write_text(table, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read(lines(line()), identities="people.csv")


def test_a_blank_code_gives_way_to_the_description():
    assert set(read(lines(line(code=""), line(code="B")))["product_code"]) == {"Thing", "B"}


def test_a_date_far_from_all_others_is_quarantined():
    days = [line(at=f"2024-{month:02}-01", invoice=str(month)) for month in range(1, 13)] * 3
    found = read(lines(*days, line(at="2150-01-01", invoice="x")))
    assert "x" not in set(found["invoice"])
    reason = pd.read_parquet(paths.QUARANTINE)["reason"].item()
    assert reason == "InvoiceDate lies over 365 days from all other dates"


def test_few_lines_half_a_year_from_all_others_are_asked_about():
    days = [
        line(at=f"2024-{month:02}-{day:02}", invoice=f"{month}-{day}") for month in (1, 2, 3) for day in range(1, 29)
    ]
    text = lines(*days * 3, line(at="2024-10-19", invoice="x"))
    with pytest.raises(
        InputError, match=r"205 days part 1 of the rows \(2024-10-19\) from.*gap_days_max: 204 sets.*205 keeps"
    ):
        read(text)
    assert "x" in set(read(text, gap_days_max=205)["invoice"])
    assert "x" not in set(read(text, gap_days_max=204)["invoice"])
    closed = [each.replace("2024-03", "2024-09") for each in days]  # half a year of nothing, and then a month of sales
    assert len(read(lines(*closed, line(at="2024-05-31")))) == len(days) + 1


def test_the_clock_of_a_stamp_is_the_shops_own():
    stamps = ["2024-01-31 23:30:00 -0300", "2024-07-31T23:30:00+02:00", "2024-01-31 23:30:00 UTC"]
    found = read(lines(*(line(at=stamp) for stamp in stamps)))
    assert set(found["invoiced_at"].dt.hour) == {23}


def test_numbers_of_days_are_counted_from_the_date_that_is_declared():
    text = lines(line(at="1"), line(at="31"), line(at="1000"))
    found = read(text, date_format="days since 2023-12-31", gap_days_max=9999)
    assert found["invoiced_at"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-01", "2024-01-31", "2026-09-26"]
    with pytest.raises(InputError, match=r"ingest\.date_format 'days since never': expected the moment that has"):
        read(text, date_format="days since never")


@pytest.mark.parametrize("unit", ["seconds", "milliseconds"])
def test_stamps_of_a_computer_are_read_by_the_clock_that_is_declared(unit):
    text = lines(line(at="1736035500" + ("123" if unit == "milliseconds" else "")))
    with pytest.raises(InputError, match=rf'date_format: "{unit} since 1970-01-01"'):
        read(text)
    for zero, clock in (("1970-01-01", "2025-01-05 00:05"), ("1969-12-31 21:00", "2025-01-04 21:05")):
        found = read(text, date_format=f"{unit} since {zero}")
        assert found["invoiced_at"].dt.strftime("%Y-%m-%d %H:%M").tolist() == [clock]


def test_an_export_with_numbered_days_is_known():
    head = "household_key,BASKET_ID,DAY,PRODUCT_ID,QUANTITY,SALES_VALUE,STORE_ID,RETAIL_DISC"
    found = read(lines("2375,26984851472,31,1004906,2,3.00,364,-0.60", head=head), date_format="days since 2023-12-31")
    assert columns.recognise(head.split(",")).preset == "dunnhumby transactions"
    assert found[["customer_id", "quantity"]].to_numpy().tolist() == [["2375", 2]]
    assert found["amount"].astype(str).tolist() == ["3.0000"]
    assert found["invoiced_at"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-31"]


def test_months_are_words_in_any_form():
    for written in (
        "31/jan/2024",
        "31-JAN-2024",
        "31 de enero de 2024",
        "jan 31, 2024",
        "31. Januar 2024",
        "31 janv. 2024",
        "31st January 2024",
        "January 31st, 2024",
        "45322,0",
    ):
        assert read(lines(line(at=f'"{written}"')))["invoiced_at"].astype(str).tolist() == ["2024-01-31"]


ALIGNED = " 00001 19970101  1  11.77\n 00002 19970112 12  77.00\n\n 00003 19980101  5  89.00\n"


def test_fields_may_be_parted_by_blanks():
    names = {"customer_id": "column_1", "invoiced_at": "column_2", "quantity": "column_3", "amount": "column_4"}
    with pytest.raises(InputError, match="the file has no header"):
        read(ALIGNED)
    found = read(ALIGNED, header_row=0, columns=names)
    assert found[["customer_id", "quantity"]].to_numpy().tolist() == [["00001", 1], ["00002", 12], ["00003", 5]]
    assert found["amount"].astype(str).tolist() == ["11.7700", "77.0000", "89.0000"]
    assert (
        len(read("customer_id date dollar_value\n" + "00001 19970101  11.77\n" * 3, columns={"amount": "dollar_value"}))
        == 3
    )


@pytest.mark.parametrize("above", ["Sales report,,\nGenerated 2024-02-01,,\n\n", "sep=,\n", "\n"])
def test_the_header_is_found_below_a_title(above):
    assert len(read(above + lines(line(), line(quantity="3")))) == 2


def test_a_file_without_a_header_says_so_and_can_be_declared():
    text = "ann,2024-01-31,5.00\nbob,2024-02-01,7.50\n"
    with pytest.raises(InputError, match=r"no header.*ingest\.header_row: 0"):
        read(text)
    names = {"customer_id": "column_1", "invoiced_at": "column_2", "amount": "column_3"}
    found = read(text, header_row=0, columns=names)
    assert found[["invoice", "product_code", "quantity"]].to_numpy().tolist() == [
        ["ann 2024-01-31", "order", 1],
        ["bob 2024-02-01", "order", 1],
    ]


def test_a_header_can_be_declared():
    assert len(read("Customer,Price,Date\n" + lines(line()), header_row=2)) == 1


def test_orders_without_lines_are_one_product_each():
    found = read("order_id,order_date,customer_id,order_total\n7,2024-01-31,ann,12.50\n8,2024-01-31,bob,3\n")
    assert found["amount"].astype(str).tolist() == ["12.5000", "3.0000"]
    assert set(found["product_code"]) == {"order"}


def test_an_orders_total_on_each_of_its_lines_is_asked_about():
    rows = [f"{n},2024-01-{1 + n:02},ann,{code},1,{10 + n}.50\n" for n in range(25) for code in "AB"]
    text = "order,date,customer,sku,qty,Total\n" + "".join(rows)
    with pytest.raises(
        InputError, match=r"'Total' holds the same amount on all lines.*25 of 25.*ingest\.price_is: line"
    ):
        read(text)
    assert len(read(text, price_is="line")) == 50
    assert len(read(text.replace("A,1,10.50", "A,1,4.20").replace("A,1,11.50", "A,1,4.30"))) == 50


def test_lines_without_a_quantity_are_one_piece():
    assert set(read("order,date,customer,sku,unit_price\n7,2024-01-31,ann,A,12.50\n")["quantity"]) == {1}


TOTALS = "order,date,customer,sku,qty,{}\n"


def grown(price: str = "{total}") -> str:
    """Products that are sold by one, two and three pieces, at 2.50 each and more."""
    rows = [(code, pieces, 2.5 + code) for code in range(8) for pieces in (1, 2, 3)]
    return "".join(
        f"{code}{pieces},2024-01-31,ann,P{code},{pieces},{price.format(total=pieces * each, unit=each)}\n"
        for code, pieces, each in rows
    )


@pytest.mark.parametrize("name", ["item-price", "price", "line_total"])
def test_a_total_of_the_line_is_told_from_a_unit_price(name):
    found = read(TOTALS.format(name) + grown())
    assert sum(found["amount"]) == sum(Decimal(6) * (Decimal("2.5") + code) for code in range(8))
    assert set(read(TOTALS.format("price") + grown("{unit}"))["amount"]) == set(found["amount"])


def test_what_a_price_is_can_be_declared():
    found = read(TOTALS.format("price") + grown("{unit}"), price_is="line")
    assert sum(found["amount"]) == sum(Decimal(3) * (Decimal("2.5") + code) for code in range(8))


def test_a_total_beside_a_price_is_checked():
    text = TOTALS.format("unit_price,line_total")
    assert len(read(text + grown("{unit},{total}"))) == 24
    with pytest.raises(InputError, match=r"'line_total' is not 'qty' x 'unit_price'.*ingest\.price_is"):
        read(text + grown("{unit},99"))


@pytest.mark.parametrize(("off", "amount"), [("-1.00", "2.0000"), ("1.00", "2.0000"), ("1.25", "1.7500")])
def test_a_discount_lowers_the_amount(off, amount):
    found = read(TOTALS.format("unit_price,line_discount") + f"1,2024-01-31,ann,A,2,1.50,{off}\n")
    assert found["amount"].astype(str).item() == amount


SHOPIFY = "Name,Email,Subtotal,Refunded Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku"


@pytest.mark.parametrize(
    ("subtotal", "back", "amounts"),
    [
        ("40.00", "0.00", ["10.0000", "30.0000"]),
        ("30.00", "0.00", ["7.5000", "22.5000"]),  # a code took off a quarter
        ("30.00", "10.00", ["5.0000", "15.0000"]),
        ("", "", ["10.0000", "30.0000"]),
    ],
)
def test_what_an_order_says_of_itself_is_spread_over_its_lines(subtotal, back, amounts):
    first, second = "#1,a@x.org,{},{},2024-01-31,1,Thing,10.00,A", "#1,a@x.org,,,2024-01-31,1,Thing,30.00,B"
    found = read(lines(first.format(subtotal, back), second, head=SHOPIFY))
    assert sorted(found["amount"].astype(str)) == sorted(amounts)


@pytest.mark.parametrize(("off", "amount"), [("25%", "15.0000"), ("2.50", "17.5000")])
def test_a_percent_sign_says_more_than_the_form_of_a_known_export(off, amount):
    text = lines(f"#1,a@x.org,,,2024-01-31,2,Thing,10.00,A,{off}", head=f"{SHOPIFY},Lineitem discount")
    assert read(text)["amount"].astype(str).item() == amount


@pytest.mark.parametrize("word", ["Refund", "Cancelled"])
def test_a_column_that_says_what_is_no_sale_is_read_or_asked_about(word):
    text = lines(f"{line()},Sale", f"{line(quantity='3')},{word}", head=f"{HEAD},Kind of row")
    with pytest.raises(InputError, match=rf"'Kind of row' is not read and holds '{word}'.*ingest\.ignore"):
        read(text)
    assert len(read(text, ignore=("Kind of row",))) == 2
    assert set(read(text, columns={"line_type": "Kind of row"})["line_type"]) == {"Sale", word}


QUESTIONS = {
    "a state in more words": ("Stage", "Payment failed", "status"),
    "a German credit note": ("Art", "Gutschrift", "line_type"),
    "pieces that came back": ("Refunded quantity", "2", "order_refund"),
    "pieces that came back, in other words": ("Qty returned", "1", "order_refund"),
    "an order that came back": ("Returned", "Yes", "cancelled"),
    "an order that is not paid": ("Paid?", "no", "status"),
    "a flag by its name": ("Chargeback?", "yes", "cancelled"),
    "something taken off": ("Summer rebate", "0.50", "discount"),
}


@pytest.mark.parametrize("case", QUESTIONS)
def test_an_unread_column_that_speaks_of_no_sale_is_asked_about(case):
    column, word, ours = QUESTIONS[case]
    text = lines(f"{line()},", f"{line(quantity='3')},{word}", head=f"{HEAD},{column}")
    with pytest.raises(InputError, match=rf"holds '{word}'.*ingest\.columns: {{{ours}: "):
        read(text)
    assert len(read(text, ignore=(column,))) == 2


def test_a_yes_or_no_is_read_in_every_language_in_which_it_is_asked_about():
    text = lines(f"{line()},ja", f"{line(quantity='3')},nein", head=f"{HEAD},Returned")
    with pytest.raises(InputError, match=r'{cancelled: "Returned"}'):
        read(text)
    found = read(text, columns={"cancelled": "Returned"}).set_index("quantity")["status"]
    assert found[2] == "cancelled"
    assert pd.isna(found[3])


def test_a_column_that_parts_the_lines_as_orders_do_is_asked_about():
    order = [f"{line(quantity=str(piece))},x{piece // 2}" for piece in range(1, 9)]  # two lines each, all at one time
    text = lines(*(each.partition(",")[2] for each in order), head=f"{HEAD},Bong".partition(",")[2])
    with pytest.raises(InputError, match=r"'Bong' parts the lines as orders do.*invoice: \"Bong\".*ingest\.ignore"):
        read(text)
    assert len(set(read(text, ignore=("Bong",))["invoice"])) == 1
    assert len(set(read(text, columns={"invoice": "Bong"})["invoice"])) == 5


def counted(named: str, *pieces: float) -> str:
    """Three lines to an order, two orders to a customer, and a column that counts something."""
    made = (
        f"{place // 3},{'ABCDE'[place % 5]},2024-02-{place // 3 + 1:02d},c{place // 6},1.50,{count}"
        for place, count in enumerate(pieces)
    )
    return lines(*made, head=f"Order,SKU,Date,Customer,Price,{named}")


def test_whole_numbers_that_nothing_else_decides_may_be_the_quantity():
    text = counted("Antal", *[1, 1, 2, 1, 3, 1, 1, 2, 2, 6, 1, 1] * 2)
    with pytest.raises(
        InputError, match=r"'Antal' holds whole numbers such as 1, 2, .*quantity: \"Antal\".*ingest\.ignore"
    ):
        read(text)
    assert read(text, columns={"quantity": "Antal"})["quantity"].sum() == 44
    assert read(text, ignore=("Antal",))["quantity"].sum() == 24
    with pytest.raises(InputError, match=r"'Antal' holds whole numbers such as 1\.0, 2\.0"):
        read(counted("Antal", *[float(each) for each in [1, 1, 2, 1, 3, 1, 1, 2, 2, 6, 1, 1] * 2]))


def test_a_column_may_be_named_as_what_is_counted_of_it():
    text = counted("Antal", *[1, 1, 2, 1, 3, 1, 1, 2, 2, 6, 1, 1] * 2).replace("SKU", "lines", 1)
    with pytest.raises(InputError, match="'Antal' holds whole numbers"):
        read(text, columns={"product_code": "lines"})


@pytest.mark.parametrize(
    "pieces",
    [
        [1, 2, 3] * 8,  # the number of the line
        [each for order in range(8) for each in [1 + order % 3] * 3],  # instalments of the order
        [1 + place % 5 for place in range(24)],  # what the product says, as its weight
        [1] * 24,
    ],
)
def test_whole_numbers_that_something_else_decides_are_no_quantity(pieces):
    assert read(counted("N", *pieces))["quantity"].sum() == 24


@pytest.mark.parametrize(
    ("name", "words", "ours"),
    [
        ("DC", ("D", "C"), "line_type"),
        ("S/H", ("S", "H"), "line_type"),
        ("Orderläge", ("Levererad", "Makulerad"), "status"),
        ("状态", ("已完成", "已取消"), "status"),
    ],
)
def test_sides_of_an_account_and_states_of_other_languages_are_asked_about(name, words, ours):
    text = lines(
        *(f"{line(quantity=str(place + 2))},{word}" for place, word in enumerate(words)), head=f"{HEAD},{name}"
    )
    with pytest.raises(InputError, match=rf"{name}' is not read and holds '({'|'.join(words)})'.*{{{ours}:"):
        read(text)


def test_a_database_writes_that_it_holds_no_customer():
    assert read(lines(line(customer="\\N"), line(quantity="3")))["customer_id"].isna().tolist() == [True, False]


def test_a_column_of_several_currencies_is_asked_about_whatever_its_name():
    text = lines(f"{line()},EUR", f"{line(quantity='3')},USD", head=f"{HEAD},Cur.")
    with pytest.raises(InputError, match=r"'Cur\.' is not read and holds 'EUR'.*several currencies"):
        read(text)
    assert len(read(text.replace("USD", "EUR"))) == 2


def test_a_discount_in_percent_is_told_by_its_name():
    found = read(
        TOTALS.format("unit_price,Discount %") + "1,2024-01-31,ann,A,2,10.00,15\n2,2024-01-31,ann,A,2,10.00,0\n"
    )
    assert sorted(found["amount"].astype(str)) == ["17.0000", "20.0000"]


def test_tax_and_shipping_are_known_and_no_part_of_a_line():
    text = TOTALS.format("unit_price,Tax,Frete,Line total")
    rows = [f"{n},2024-01-31,ann,A{n},2,10.00,4.00,3.00,24.00\n" for n in range(4)]
    found = read(text + "".join(rows))
    assert set(found["amount"].astype(str)) == {"20.0000"}
    record = taken("shop.csv")
    assert (record["columns"]["tax"], record["columns"]["shipping"], record["not_read"]) == ("Tax", "Frete", [])


def test_rows_that_differ_in_tax_only_are_told_apart():
    text = TOTALS.format("unit_price,Tax")
    assert read(text + "1,2024-01-31,ann,A,2,10,1\n1,2024-01-31,ann,A,2,10,2\n")["rest"].nunique() == 2


def test_dates_after_today_are_asked_about_until_a_last_day_is_said():
    text = lines(*(line(at=f"2024-01-{day:02}", invoice=str(day)) for day in (10, 11, 15)))
    Path("shop.csv").write_text(text, encoding="utf-8")
    assert taken("shop.csv", today=date(2024, 1, 14))["rows"] == 3  # somewhere it is the 15th
    with pytest.raises(
        InputError, match=r'1 rows after today.*ingest\.last_day: "2024-01-14" leaves.*"2024-01-15" keeps'
    ):
        taken("shop.csv", today=date(2024, 1, 11))
    left = taken("shop.csv", today=date(2024, 1, 11), last_day=date(2024, 1, 14), quarantine_share_max=0.5)
    assert left["reasons"] == {"InvoiceDate lies after ingest.last_day (2024-01-14)": 1}
    assert taken("shop.csv", today=date(2024, 1, 11), last_day=date(2024, 1, 15))["rows"] == 3


def test_a_field_of_any_length_is_no_header():
    assert len(read(lines(line(code="x" * 200_000), line()))) == 2


def test_rows_that_differ_in_what_is_not_read_are_told_apart():
    found = read(lines(f"{line()},1", f"{line()},2", head=f"{HEAD},piece"))
    assert found["rest"].nunique() == 2
    assert read(lines(line()))["rest"].isna().all()


def test_rows_of_separators_are_no_rows():
    assert len(read(lines(line(), line(), ",,,,,,,", ",,,,,,,"), quarantine_share_max=0.0)) == 2


def test_the_date_of_an_orders_first_row_is_that_of_all():
    found = read(lines(line(), line(at=""), line(at="soon"), line(at="", invoice="2")))
    assert found["invoiced_at"].astype(str).tolist() == ["2024-01-31", "2024-01-31"]
    assert len(pd.read_parquet(paths.QUARANTINE)) == 2


def test_columns_of_no_interest_may_share_a_name():
    assert len(read(lines(f"{line()},a,b", head=f"{HEAD},Note,note"))) == 1


def test_folders_and_archives_of_csv_and_xlsx(tmp_path):
    (tmp_path / "months").mkdir()
    head = [HEAD.split(",")]
    for month in (1, 2):
        text = lines(line(at=f"2024-0{month}-01", invoice=str(month)))
        (tmp_path / "months" / f"{month}.csv").write_text(text)
    assert taken(tmp_path / "months")["rows"] == 2
    with zipfile.ZipFile("months.zip", "w") as archive:
        for month in (1, 2):
            archive.write(tmp_path / "months" / f"{month}.csv", f"{month}.csv")
    assert taken("months.zip")["rows"] == 2
    (tmp_path / "books").mkdir()
    for month in (1, 2):
        row = [str(month), "A", "Thing", 2, 45_292.5 + month, 1.5, "ann", "France"]
        write_workbook(tmp_path / "books" / f"{month}.xlsx", {"Sales": [["Report"], *head, row]})
    assert taken(tmp_path / "books")["rows"] == 2
    assert pd.read_parquet(paths.TRANSACTIONS)["invoiced_at"].astype(str).tolist() == [
        "2024-01-02 12:00:00",
        "2024-01-03 12:00:00",
    ]
    (tmp_path / "months" / "3.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"3\.csv: no column found|3\.csv has the columns"):
        taken(tmp_path / "months")


EXPORTS = {
    "Shopify orders": (
        "Name,Email,Financial Status,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku",
        "#1,a@x.org,paid,EUR,2024-01-31 10:00:00 +0100,2,Thing,1.50,",
    ),
    "WooCommerce orders by line": (
        "Order ID,Order Date,Order Status,Item Name,Quantity,Item Cost,Customer User ID",
        "1,2024-01-31,completed,Thing,2,1.50,7",
    ),
    "WooCommerce orders": (
        "Order ID,Order Date,Order Status,Order Total,Billing Email",
        "1,2024-01-31,completed,3.00,a@x.org",
    ),
    "WooCommerce order export": (
        "Order Number,Order Status,Order Date,Email (Billing),Order Subtotal Amount,Order Total Amount",
        "1,completed,2024-01-31,a@x.org,3.00,3.00",
    ),
    "CLVTools transactions": ("Id,Date,Price", "7,2024-01-31,3.00"),
    "Magento order items": (
        "increment_id,created_at,sku,qty_ordered,price,customer_email",
        "1,2024-01-31,A,2,1.50,a@x.org",
    ),
    "Magento orders": (
        "ID,Purchase Date,Grand Total (Purchased),Status,Customer Email",
        "1,2024-01-31,3.00,complete,a@x.org",
    ),
    "Amazon orders": (
        "amazon-order-id,purchase-date,sku,quantity,item-price,buyer-email,currency",
        "1,2024-01-31T10:00:00+00:00,A,2,3.00,a@x.org,EUR",
    ),
    "Amazon orders by order-id": (
        "order-id,purchase-date,sku,quantity-purchased,item-price,buyer-email",
        "1,2024-01-31T10:00:00+00:00,A,2,3.00,a@x.org",
    ),
    "Amazon orders with promotions": (
        "amazon-order-id,purchase-date,sku,quantity,item-price,item-promotion-discount,buyer-email,currency",
        "1,2024-01-31T10:00:00+00:00,A,2,5.00,-2.00,a@x.org,EUR",
    ),
    "Mercado Livre sales": (
        "N.º de venda,Data da venda,Estado,Unidades,SKU,Preço unitário de venda do anúncio (BRL),Comprador",
        "1,31 de janeiro de 2024 10:00 hs.,Entregue,2,A,1.50,Ana",
    ),
    "Nuvemshop orders": (
        "Número do Pedido,E-mail,Data,Nome do Produto,Valor do Produto,Quantidade Comprada",
        "1,a@x.org,31/01/2024,Thing,1.50,2",
    ),
    "Olist items and orders": (
        "order_id,customer_id,customer_unique_id,order_purchase_timestamp,product_id,price",
        "1,x,y,2024-01-31 10:00:00,A,3.00",
    ),
    "Square items": (
        "Date,Item,Qty,Gross Sales,Net Sales,Transaction ID,Customer ID",
        "2024-01-31,Thing,2,4.00,3.00,1,c",
    ),
    "Stripe payments": ("id,Created (UTC),Amount,Currency,Customer ID,Status", "1,2024-01-31 10:00,3.00,eur,c,Paid"),
    "Stripe payments by created date": (
        "id,Created date (UTC),Amount,Amount Refunded,Currency,Customer ID,Status",
        "1,2024-01-31 10:00,5.00,2.00,eur,c,Paid",
    ),
    "Superstore": ("Order ID,Order Date,Customer ID,Product ID,Sales,Quantity,Discount", "1,2024-01-31,c,A,3.00,2,0.2"),
    "Online Retail": ("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country", line()),
    "Online Retail II": ("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country", line()),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_known_exports_are_read_as_they_come(name):
    head, row = EXPORTS[name]
    found = read(lines(row, head=head))
    assert columns.recognise(head.split(",")).preset == name.partition(" with")[0]
    assert found["amount"].astype(str).tolist() == ["3.0000"]
    assert found["invoiced_at"].dt.strftime("%Y-%m-%d").tolist() == ["2024-01-31"]


def bench():
    spec = importlib.util.spec_from_file_location("cases", REPOSITORY / "benchmarks" / "cases.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["cases"] = module
    spec.loader.exec_module(module)
    return module


BENCH = bench()


@pytest.mark.skipif(not CASES.exists(), reason=f"the cases are not at {CASES}")
@pytest.mark.parametrize("expected", BENCH.expectations(BENCH.EXPECTATIONS), ids=lambda each: each.case)
@pytest.mark.usefixtures("store")
def test_the_cases(expected):
    found = BENCH.judge(CASES, expected)
    assert found.verdict in ("read", "refused"), found.detail

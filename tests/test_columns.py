"""Recognising columns by their names."""

import pytest

from insiders.errors import InputError
from insiders.io.delivery.columns import COLUMNS_MAX, SHOP, recognise
from insiders.io.delivery.names import SYNONYMS

FIRST = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
SECOND = ["Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
OTHERS = ["order_number", "SKU", "Product Name", "QTY", "Order Date", "unit-price", "customer no", "Billing Country"]
OURS = ["invoice", "product_code", "description", "quantity", "invoiced_at", "unit_price", "customer_id", "country"]


@pytest.mark.parametrize("found", [FIRST, SECOND, OTHERS, OURS])
def test_known_names_are_recognised_in_any_order(found):
    columns = recognise([*found[::-1], "index"]).columns
    assert {ours: columns[ours] for ours in SHOP} == dict(zip(SHOP, found, strict=True))
    assert not any(theirs for ours, theirs in columns.items() if ours not in SHOP)


def test_no_name_stands_for_two_of_ours():
    names = [name for synonyms in SYNONYMS.values() for name in synonyms]
    assert len(names) == len(set(names))


def test_a_unit_in_brackets_is_no_part_of_a_name():
    named = ["Order ID", "SKU", "Title", "Quantity (pcs)", "Data (dd/mm/aaaa)", "Price [EUR]", "Customer ID", "Country"]
    columns = recognise(named).columns
    assert [columns[ours] for ours in SHOP] == named
    assert recognise([*named, "Price"]).columns["unit_price"] == "Price"
    with pytest.raises(InputError, match=r"'Price \(net\)', 'Price \(gross\)' could each be unit_price"):
        recognise([*named[:5], "Price (net)", "Price (gross)", *named[6:]])


def test_a_product_is_the_text_where_another_column_is_the_code():
    named = ["Pedido", "Data", "Cliente", "SKU", "Produto", "Qtde", "Preço"]
    columns = recognise(named).columns
    assert (columns["product_code"], columns["description"]) == ("SKU", "Produto")
    assert recognise([name for name in named if name != "SKU"]).columns["product_code"] == "Produto"


@pytest.mark.parametrize(
    "header",
    [
        "N° commande;Référence;Désignation;Qté;Date de commande;Prix unitaire TTC;E-mail client;Pays;Statut",
        "Bestell-Nr.;Artikel-Nr.;Bezeichnung;Menge;Bestelldatum;Einzelpreis (EUR);Kunden-Nr.;Land;Bestellstatus",
        "Numero d'ordine;Codice articolo;Descrizione;Quantità;Data ordine;Prezzo unitario;Codice cliente;Paese;Stato",
        "Ordernummer;Artikelnummer;Omschrijving;Aantal;Orderdatum;Stukprijs;Klantnummer;Land;Orderstatus",
        "Nr zamówienia;Kod produktu;Nazwa;Ilość;Data zamówienia;Cena brutto;Klient;Kraj;Status zamówienia",
        "Número do pedido;Código do produto;Descrição;Quantidade;Data;Preço unitário;Cliente;País;Situação",
        "Número de pedido;Código;Descripción;Cantidad;Fecha;Precio unitario;Cliente;País;Estado",
    ],
)
def test_names_of_eight_languages_are_known(header):
    named = header.split(";")
    columns = recognise(named).columns
    assert [columns[ours] for ours in (*SHOP, "status")] == named


def test_description_and_country_may_be_missing():
    found = recognise([name for name in FIRST if name not in ("Description", "Country")]).columns
    assert (found["description"], found["country"]) == (None, None)


def test_what_is_declared_goes_first():
    mapping = recognise([*FIRST, "Net", "Rechnung"], {"unit_price": "Net", "invoice": "Rechnung"}).columns
    assert (mapping["unit_price"], mapping["invoice"]) == ("Net", "Rechnung")


def test_what_a_missing_column_could_be_is_proposed():
    names = ["Order", "SKU", "Qty", "Date", "Price incl. VAT", "customer_name"]
    with pytest.raises(InputError, match=r'{unit_price: "Price incl. VAT", customer_id: "customer_name"}'):
        recognise(names)


@pytest.mark.parametrize("number", ["Nº Pedido", "Número de la factura", "Order No.", "N. do pedido", "Pedido nº"])
def test_the_words_of_a_name_are_known_without_those_that_say_nothing(number):
    others = ["Código do produto", "Quantidade", "Data", "Preço", "N.º do cliente"]
    found = recognise([number, *others]).columns
    assert [found[ours] for ours in ("invoice", "customer_id")] == [number, "N.º do cliente"]


@pytest.mark.parametrize(
    ("found", "declared", "expected"),
    [
        (["a", "b"], None, r"for invoice, product_code, .*the columns are 'a', 'b'.*ingest\.columns: \{invoice:"),
        ([*FIRST, "Price"], None, "'UnitPrice', 'Price' could each be unit_price"),
        ([*FIRST, "country (2)"], None, "names 'Country' more than once"),
        (FIRST, {"price": "UnitPrice"}, "names 'price'; our names are invoice"),
        (FIRST, {"unit_price": "Cost"}, "points to 'Cost'"),
        (FIRST, {"unit_price": "Quantity", "quantity": "Quantity"}, "twice to one column"),
        (["order_id", "customer_id", "sku", "price"], None, "for invoiced_at"),
        (["order_id", "date", "customer_id"], None, "for product_code, quantity, unit_price"),
    ],
)
def test_what_is_wrong_is_said(found, declared, expected):
    with pytest.raises(InputError, match=expected):
        recognise(found, declared)


def test_an_optional_column_open_between_two_is_the_first_and_said():
    found = recognise([*FIRST[:-1], "Billing Country", "Shipping Country"])
    assert found.columns["country"] == "Billing Country"
    assert found.open == {"country": ("Billing Country", "Shipping Country")}


def test_an_optional_name_that_stands_twice_is_not_read():
    assert recognise([*FIRST, "Status", "Status (2)"]).columns["status"] is None


def test_orders_without_lines_need_their_amount():
    found = recognise(["order_id", "order_date", "customer_id", "order_total"]).columns
    assert (found["amount"], found["product_code"]) == ("order_total", None)
    assert recognise([*FIRST, "order_total"]).columns["amount"] is None


def test_what_a_line_costs_is_not_what_an_order_costs():
    assert recognise([*FIRST[:5], *FIRST[6:], "LineTotal"]).columns["line_total"] == "LineTotal"


@pytest.mark.parametrize(
    "names",
    [
        "Número do pedido;Data;SKU;Descrição;Quantidade;Preço unitário;Código do cliente;País",
        "Número de pedido;Fecha;Código;Descripción;Cantidad;Precio unitario;Código de cliente;País",
    ],
)
def test_names_in_portuguese_and_spanish(names):
    columns = recognise(names.split(";")).columns
    ours = ("invoice", "invoiced_at", "product_code", "description", "quantity", "unit_price", "customer_id", "country")
    assert [columns[name] for name in ours] == names.split(";")


def test_a_file_with_a_column_for_each_day_is_refused():
    names = [*FIRST, *(f"day {number}" for number in range(COLUMNS_MAX))]
    with pytest.raises(InputError, match=r"the file has 508 columns.*a row for each sale"):
        recognise(names)

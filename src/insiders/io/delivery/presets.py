"""Exports that are known by their header: which of their columns is which of ours, beyond what the names alone tell."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from insiders.schemas.vocabulary import reduced


class Preset(NamedTuple):
    """An export of a shop system; names are reduced to letters and digits without accents."""

    name: str
    marks: frozenset[str]  # columns that are all there
    theirs: Mapping[str, tuple[str, ...]]  # our name -> their columns, of which the first that is there counts
    prices_are_totals: bool = False  # what it calls a price is that of the whole line
    is_all: bool = False  # it has no column besides the marks

    def columns(self, found: Sequence[str]) -> dict[str, str]:
        """Give for our names the file's columns, as far as it has them."""
        names = {reduced(name): name for name in reversed(found)}
        hits = {
            ours: next((names[each] for each in theirs if each in names), None) for ours, theirs in self.theirs.items()
        }
        return {ours: name for ours, name in hits.items() if name}


def _preset(name: str, marks: str, *, prices_are_totals: bool = False, is_all: bool = False, **theirs: str) -> Preset:
    columns = {ours: tuple(names.split()) for ours, names in theirs.items()}
    return Preset(name, frozenset(marks.split()), columns, prices_are_totals, is_all)


PRESETS = (
    _preset(
        "Shopify orders",
        "name createdat lineitemquantity lineitemprice",
        invoice="name",
        product_code="lineitemsku lineitemname",
        description="lineitemname",
        quantity="lineitemquantity",
        invoiced_at="createdat",
        unit_price="lineitemprice",
        customer_id="email customerid",
        country="billingcountry shippingcountry",
        status="financialstatus",
        cancelled="cancelledat",
        order_subtotal="subtotal",
        order_refund="refundedamount",
        discount="lineitemdiscount",
        currency="currency",
    ),
    _preset(
        "WooCommerce orders by line",
        "orderid orderdate orderstatus itemname",
        invoice="orderid ordernumber",
        product_code="sku productid itemname",
        description="itemname",
        quantity="quantity itemquantity qty",
        invoiced_at="orderdate",
        unit_price="itemcost itemprice",
        line_total="orderlinetotal linetotal itemtotal",
        customer_id="customeruserid emailbilling billingemail customerid customeruser",
        country="countrycodebilling billingcountry countryname",
        status="orderstatus",
    ),
    _preset(
        "WooCommerce orders",
        "orderid orderdate orderstatus ordertotal",
        invoice="orderid ordernumber",
        invoiced_at="orderdate",
        amount="ordertotal",
        customer_id="customerid customeruser billingemail",
        status="orderstatus",
    ),
    _preset(
        "WooCommerce order export",
        "ordernumber orderdate orderstatus ordertotalamount",
        invoice="ordernumber",
        invoiced_at="orderdate",
        amount="ordertotalamount",
        customer_id="customeruserid emailbilling",
        status="orderstatus",
    ),
    _preset(
        "CLVTools transactions",
        "id date price",
        is_all=True,
        customer_id="id",
        invoiced_at="date",
        amount="price",
    ),
    _preset(
        "Magento order items",
        "incrementid createdat qtyordered",
        invoice="incrementid",
        product_code="sku",
        description="name productname",
        quantity="qtyordered",
        invoiced_at="createdat",
        unit_price="price",
        customer_id="customerid customeremail",
        status="status",
        discount="discountamount",
    ),
    _preset(
        "Magento orders",
        "id purchasedate grandtotalpurchased status",
        invoice="id",
        invoiced_at="purchasedate",
        amount="grandtotalpurchased",
        customer_id="customeremail customername billtoname",
        status="status",
    ),
    _preset(
        "Amazon orders",
        "amazonorderid purchasedate itemprice",
        prices_are_totals=True,
        invoice="amazonorderid",
        product_code="sku asin",
        description="productname",
        quantity="quantity quantitypurchased",
        invoiced_at="purchasedate",
        line_total="itemprice",
        customer_id="buyeremail buyername",
        country="shipcountry",
        status="orderstatus",
        discount="itempromotiondiscount",
        currency="currency",
    ),
    _preset(
        "Amazon orders by order-id",
        "orderid purchasedate itemprice quantitypurchased",
        prices_are_totals=True,
        invoice="orderid",
        product_code="sku asin",
        description="productname",
        quantity="quantitypurchased",
        invoiced_at="purchasedate",
        line_total="itemprice",
        customer_id="buyeremail buyername",
        country="shipcountry",
        discount="itempromotiondiscount",
        currency="currency",
    ),
    _preset(
        "Mercado Livre sales",
        "datadavenda unidades",
        invoice="nodevenda ndevenda",
        product_code="sku nodeanuncio ndeanuncio titulodoanuncio",
        description="titulodoanuncio",
        quantity="unidades",
        invoiced_at="datadavenda",
        unit_price="precounitariodevendadoanunciobrl precounitariodevendadoanuncio",
        customer_id="cpf tipoenumerododocumento comprador",
        country="pais",
        status="estado",
    ),
    _preset(
        "Nuvemshop orders",
        "numerodopedido data nomedoproduto quantidadecomprada",
        invoice="numerodopedido",
        product_code="sku nomedoproduto",
        description="nomedoproduto",
        quantity="quantidadecomprada",
        invoiced_at="data",
        unit_price="valordoproduto",
        customer_id="email cpfcnpj",
        country="pais",
        status="statusdopagamento statusdopedido",
        currency="moeda",
    ),
    _preset(
        "Olist items and orders",
        "orderid orderpurchasetimestamp price",
        invoice="orderid",
        product_code="productid",
        description="productcategoryname",
        quantity="quantity",
        invoiced_at="orderpurchasetimestamp",
        unit_price="price",
        customer_id="customeruniqueid customerid",
        status="orderstatus",
    ),
    _preset(
        "Square items",
        "date item qty grosssales netsales transactionid",
        invoice="transactionid",
        product_code="sku item",
        description="item",
        quantity="qty",
        invoiced_at="date",
        line_total="netsales",
        customer_id="customerid customerreferenceid",
        line_type="eventtype",
    ),
    _preset(
        "Stripe payments",
        "id createdutc amount",
        invoice="id",
        invoiced_at="createdutc",
        amount="amount",
        customer_id="customerid customeremail",
        status="status",
        currency="currency",
    ),
    _preset(
        "Stripe payments by created date",
        "id createddateutc amount",
        invoice="id",
        invoiced_at="createddateutc",
        amount="amount",
        customer_id="customerid customeremail",
        status="status",
        currency="currency",
    ),
    _preset(
        "dunnhumby transactions",
        "householdkey basketid day productid quantity salesvalue",
        invoice="basketid",
        product_code="productid",
        quantity="quantity",
        invoiced_at="day",
        line_total="salesvalue",
        customer_id="householdkey",
    ),
    _preset(
        "Superstore",
        "orderid orderdate customerid productid sales",
        invoice="orderid",
        product_code="productid",
        description="productname",
        quantity="quantity",
        invoiced_at="orderdate",
        line_total="sales",
        customer_id="customerid",
        country="country countryregion",
    ),
    _preset("Online Retail", "invoiceno stockcode description quantity invoicedate unitprice customerid country"),
    _preset("Online Retail II", "invoice stockcode description quantity invoicedate price customerid country"),
)


def match(found: Sequence[str]) -> Preset | None:
    """Find the export that a header belongs to."""
    names = {reduced(name) for name in found}
    return next(
        (preset for preset in PRESETS if preset.marks == names or (preset.marks <= names and not preset.is_all)), None
    )

"""Which column of a file is which of ours."""

from collections.abc import Mapping, Sequence

from insiders.errors import InputError

# Our name -> what files call it, reduced to letters and digits. The three known distributions of the public data set
# come first; the others are what shop systems and their exports say.
SYNONYMS = {
    "invoice": ("invoiceno", "invoice", "invoicenumber", "invoiceid", "orderid", "orderno", "ordernumber", "order"),
    "product_code": ("stockcode", "productcode", "productid", "sku", "itemcode", "itemid", "articlenumber", "product"),
    "description": ("description", "productdescription", "productname", "itemname", "itemdescription", "title"),
    "quantity": ("quantity", "qty", "units", "pieces", "quantityordered", "lineitemquantity"),
    "invoiced_at": ("invoicedate", "invoicedat", "invoicetime", "invoicedatetime", "orderdate", "orderedat", "date"),
    "unit_price": ("unitprice", "price", "priceeach", "itemprice", "lineitemprice", "pricepaid"),
    "customer_id": ("customerid", "customer", "customerno", "customernumber", "customercode", "clientid", "userid"),
    "country": ("country", "customercountry", "countryname", "billingcountry", "shippingcountry"),
}
OPTIONAL = frozenset({"description", "country"})


def recognise(found: Sequence[str], declared: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """Give for each of our names the file's column; None for an optional one that the file does not have.

    What is declared goes before what is recognised. Raises InputError where one is unknown, missing or named twice.
    """
    declared = dict(declared or {})
    _check(found, declared)
    free = [name for name in found if name not in declared.values()]
    mapping = {ours: declared.get(ours) or _match(ours, free) for ours in SYNONYMS}
    missing = [ours for ours, theirs in mapping.items() if theirs is None and ours not in OPTIONAL]
    if missing:
        example = ", ".join(f'{ours}: "..."' for ours in missing)
        raise InputError(
            f"no column found for {', '.join(missing)}; the columns are {_listed(found)}: "
            f"say in params.yaml which is which, ingest.columns: {{{example}}}"
        )
    return mapping


def _check(found: Sequence[str], declared: Mapping[str, str]) -> None:
    if twice := sorted({name for name in found if [n.casefold() for n in found].count(name.casefold()) > 1}):
        raise InputError(f"the header names {_listed(twice)} more than once: give every column a name of its own")
    if unknown := sorted(set(declared) - set(SYNONYMS)):
        raise InputError(f"ingest.columns names {_listed(unknown)}; our names are {', '.join(SYNONYMS)}")
    if absent := sorted(set(declared.values()) - set(found)):
        raise InputError(f"ingest.columns points to {_listed(absent)}; the columns are {_listed(found)}")
    if len(set(declared.values())) < len(declared):
        raise InputError(f"ingest.columns points twice to one column: {dict(declared)}")


def _match(ours: str, free: Sequence[str]) -> str | None:
    """Find the one column whose name is known for ours."""
    hits = [name for name in free if _reduced(name) in (ours.replace("_", ""), *SYNONYMS[ours])]
    if len(hits) > 1:
        raise InputError(
            f'{_listed(hits)} could each be {ours}: say which in params.yaml, ingest.columns: {{{ours}: "{hits[0]}"}}'
        )
    return hits[0] if hits else None


def _reduced(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)

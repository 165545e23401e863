"""Which column of a file is which of ours."""

import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Literal, NamedTuple

from insiders.errors import InputError
from insiders.io.delivery import presets
from insiders.io.delivery.names import SYNONYMS
from insiders.schemas.vocabulary import plain, reduced

BRACKETS = re.compile(r"\((?!\d+\)).*?\)|\[.*?\]")  # but not the number of a name that stands twice
# Words of a name that say nothing; the last ones do where ours is a number anyway.
ARTICLES = frozenset(
    [
        "de",
        "del",
        "do",
        "da",
        "dos",
        "das",
        "la",
        "el",
        "los",
        "las",
        "of",
        "the",
        "du",
        "des",
        "le",
        "les",
        "di",
        "van",
        "het",
        "der",
        "die",
    ]
)
NUMBER_WORDS = frozenset(["n", "o", "no", "nr", "nro", "num", "numero", "number", "nummer", "numer"])
NUMBERED = ("invoice", "customer_id")
CODE_OR_TEXT = (
    *("product", "produto", "producto", "produit", "produkt", "prodotto", "article", "artikel", "articolo", "towar"),
)
NEEDED = ("invoiced_at", "customer_id")
LINE = ("product_code", "quantity", "unit_price")  # of an order that is given line by line
SHOP = ("invoice", "product_code", "description", "quantity", "invoiced_at", "unit_price", "customer_id", "country")
COLUMNS_MAX = 500  # of a file: each is looked at, and no known export of lines has a fifth of it


class Recognised(NamedTuple):
    """For each of our names the file's column (None: it has none), the known export, and what was chosen of several."""

    columns: dict[str, str | None]
    preset: str | None = None
    discount_is: Literal["money"] | None = None  # what the known export takes off: of the line
    open: dict[str, tuple[str, ...]] = {}  # noqa: RUF012 - of an immutable tuple


def recognise(
    found: Sequence[str], declared: Mapping[str, str] | None = None, ignored: Collection[str] = ()
) -> Recognised:
    """Tell for each of our names the file's column, none of which is one of those that are `ignored`.

    What is declared goes before what is recognised, and a known export before single names. Raises InputError where a
    needed column is unknown, missing or could be one of several.
    """
    declared = dict(declared or {})
    _check(found, declared)
    _refuse_wide(found)
    preset = presets.match(found)
    read = [name for name in found if name not in ignored]
    theirs = preset.columns(read) if preset else {}
    chosen = {**theirs, **declared}
    free = [name for name in read if name not in chosen.values()]
    hits = _parted({ours: [] if ours in chosen else _hits(ours, free) for ours in SYNONYMS})
    mapping = {ours: chosen.get(ours) or next(iter(hits[ours]), None) for ours in SYNONYMS}
    mapping = _without_totals(_without_repeated(mapping, found, declared), declared)
    _require(found, mapping)
    needed = {ours for ours in (*NEEDED, *LINE, "invoice") if mapping[ours]}
    for ours in needed:
        _require_single(ours, hits[ours])
    _require_unique(found, mapping)
    several = {ours: tuple(names) for ours, names in hits.items() if len(names) > 1 and mapping[ours]}
    is_known = mapping["discount"] and mapping["discount"] == theirs.get("discount")
    return Recognised(mapping, preset.name if preset else None, "money" if is_known else None, several)


def _refuse_wide(found: Sequence[str]) -> None:
    if len(found) > COLUMNS_MAX:
        raise InputError(
            f"the file has {len(found):,} columns, and one with a row for each line of an invoice has fewer than "
            f"{COLUMNS_MAX:,}: is it a table with a column for each day or product? Write a row for each sale"
        )


def _without_repeated(
    mapping: dict[str, str | None], found: Sequence[str], declared: Mapping[str, str]
) -> dict[str, str | None]:
    """Leave out a column that nobody must have where its name stands twice in the header."""
    twice = [ours for ours, name in mapping.items() if name and ours not in (*SHOP, *declared) and _again(name, found)]
    return mapping | dict.fromkeys(twice)


def _again(name: str, found: Sequence[str]) -> list[str]:
    """List the columns of the same name, which blocks.named has numbered."""
    return [other for other in found if other.casefold() == f"{name} (2)".casefold()]


def _without_totals(mapping: dict[str, str | None], declared: Mapping[str, str]) -> dict[str, str | None]:
    """Where the lines have prices of their own, an amount is the order's total, till the data say that it is theirs."""
    if "amount" in declared or not (mapping["unit_price"] or mapping["line_total"]):
        return mapping
    return mapping | {"amount": None, "order_total": mapping["amount"]}


def _require(found: Sequence[str], mapping: Mapping[str, str | None]) -> None:
    """By the line: product or text, and a price; by the order: its amount. Quantity and invoice can be missing."""
    missing = [ours for ours in NEEDED if not mapping[ours]]
    if not (mapping["amount"] or mapping["line_total"]):
        if not (mapping["product_code"] or mapping["description"]):
            missing += ["product_code"]
        if not mapping["unit_price"]:
            missing += ["quantity"] * (not mapping["quantity"]) + ["unit_price"]
    if not missing:
        return
    missing = [ours for ours in (*SHOP, "invoice") if ours in missing or (ours == "invoice" and not mapping[ours])]
    missing = list(dict.fromkeys(missing))
    free = [name for name in found if name not in mapping.values()]
    example = ", ".join(f'{ours}: "{_likely(ours, free)}"' for ours in missing)
    raise InputError(
        f"no column found for {', '.join(missing)}; the columns are {_listed(found)}: "
        f"say in params.yaml which is which, ingest.columns: {{{example}}}; orders without lines need invoiced_at, "
        "customer_id and amount"
    )


def _likely(ours: str, free: Sequence[str]) -> str:
    """The first column one of whose words is known for ours, for an example that can be pasted."""
    return next((name for name in free if {*re.findall(r"[^\W_]+", plain(name))} & SYNONYMS[ours]), "...")


def _check(found: Sequence[str], declared: Mapping[str, str]) -> None:
    if unknown := sorted(set(declared) - set(SYNONYMS)):
        raise InputError(f"ingest.columns names {_listed(unknown)}; our names are {', '.join(SYNONYMS)}")
    if absent := sorted(set(declared.values()) - set(found)):
        raise InputError(f"ingest.columns points to {_listed(absent)}; the columns are {_listed(found)}")
    if len(set(declared.values())) < len(declared):
        raise InputError(f"ingest.columns points twice to one column: {dict(declared)}")


def _hits(ours: str, free: Sequence[str]) -> list[str]:
    """List the columns whose name is known for ours: as it is, else without what stands in brackets, else its words."""
    names = (ours.replace("_", ""), *SYNONYMS[ours])
    ways = (reduced, _bare, partial(_words, idle=ARTICLES | (NUMBER_WORDS if ours in NUMBERED else frozenset())))
    return next((hits for way in ways if (hits := [name for name in free if way(name) in names])), [])


def _parted(hits: dict[str, list[str]]) -> dict[str, list[str]]:
    """Let a column such as "Product" be the text where another one is the code."""
    codes = [name for name in hits["product_code"] if reduced(name) not in CODE_OR_TEXT]
    texts = [name for name in hits["product_code"] if name not in codes]
    return hits | {"product_code": codes, "description": hits["description"] or texts} if codes else hits


def _bare(name: str) -> str:
    """Reduce a name without its unit, as in "Price (EUR)"."""
    return reduced(BRACKETS.sub("", name))


def _words(name: str, idle: frozenset[str]) -> str:
    """Reduce a name to its words without the idle ones, as "Nº de pedido" to "pedido"."""
    return "".join(word for word in re.findall(r"[^\W_]+", plain(name)) if word not in idle)


def _require_single(ours: str, hits: Sequence[str]) -> None:
    if len(hits) > 1:
        raise InputError(
            f'{_listed(hits)} could each be {ours}: say which in params.yaml, ingest.columns: {{{ours}: "{hits[0]}"}}'
        )


def _require_unique(found: Sequence[str], mapping: Mapping[str, str | None]) -> None:
    """Refuse a name that stands twice in the header and is one of ours."""
    for name in filter(None, mapping.values()):
        if again := _again(name, found):
            raise InputError(
                f"the header names {name!r} more than once ({again[0]!r} is the second): give every column that is "
                "read a name of its own, or say in params.yaml which is meant, ingest.columns"
            )


def recognised_names(names: Sequence[str]) -> int:
    """Count the names that are known for one of ours: what tells a header from a title above it."""
    known = {ours.replace("_", "") for ours in SYNONYMS} | {name for names in SYNONYMS.values() for name in names}
    return sum(reduced(name) in known or _bare(name) in known for name in names)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names)

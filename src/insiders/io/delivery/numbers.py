"""How a file writes numbers: which mark stands before the decimals, told from all its numbers together."""

from typing import Any

from insiders.errors import InputError
from insiders.io import engine

Values = Any  # an Ibis table `value, rows`: each distinct text, and how often it stands there
Text = Any  # an Ibis expression

POINT, COMMA = ".", ","
# Groups of three digits may be set off by the other mark, a space or an apostrophe; Indian ones are 12,34,567.
PATTERNS = {
    POINT: r"[+-]?((\d+|[1-9]\d{0,2}([,' \x{a0}\x{202f}]\d{3})+|[1-9]\d?(,\d\d)+,\d{3})(\.\d*)?|\.\d+)([eE][+-]?\d+)?",
    COMMA: r"[+-]?((\d+|[1-9]\d{0,2}([.' \x{a0}\x{202f}]\d{3})+)(,\d*)?|,\d+)",
}
SEPARATORS = "[,.' \\x{a0}\\x{202f}]"


# A sign or code of a currency, as in R$ 5, US$5, 5 € or EUR 5; a discount may be so many percent.
PERCENT = "%"
SIGN = rf"(?:[A-Z]{{1,2}})?\p{{Sc}}|\b[A-Z]{{3}}\b|\b(?:kr|TL|Ft|lei)\b\.?|zł|Kč|руб\.?|лв\.?|{PERCENT}"  # noqa: RUF001
UNITS = r"(?i)^([+-]?[\d.,]+) ?(un|und|unid|unidades?|pcs?|pieces?|pz|pza|x|st|stk|ea|each|units?|kg|g|lb|l|ml)\.?$"
SIGN_SHARE_MIN = 0.99  # of the numbers: with a sign in fewer, those that have one cannot be read


def sign(values: Values, column: str) -> str | None:
    """Tell the sign, of a currency or %, that stands in all numbers of a column. InputError where there are several."""
    has_digit = values.filter(values.value.re_search(r"\d"))
    signs = has_digit.group_by(sign=has_digit.value.re_extract(SIGN, 0)).aggregate(rows=has_digit.rows.sum())
    counted = {each["sign"]: each["rows"] for each in engine.fetch_records(signs)}
    whole = sum(counted.values())
    frequent = sorted(sign for sign, rows in counted.items() if sign and rows > (1 - SIGN_SHARE_MIN) * whole)
    if len(frequent) > 1:
        raise InputError(
            f"column {column!r} holds amounts in several currencies ({', '.join(frequent)}): a file has one; "
            "deliver a file for each, or convert them"
        )
    return frequent[0] if frequent and counted[frequent[0]] >= SIGN_SHARE_MIN * whole else None


def bare(text: Text, sign: str | None = None) -> Text:
    """Write a number without currency sign and unit, and a negative one with its sign in front: "(3)", "3-" as -3."""
    if sign:
        text = text.replace(sign, "").strip()
    text = text.re_replace(r"[\x{2212}\x{2013}]", "-")  # the signs of typographers
    text = text.re_replace(r"^\(\s*(.*?)\s*\)$", r"-\1").re_replace(r"^(.*\d) ?-$", r"-\1")
    return (
        text.re_replace(r"^([+-])[\s\x{a0}]+", r"\1")
        .re_replace(UNITS, r"\1")
        .re_replace(r"^[\s\x{a0}]+|[\s\x{a0}]+$", "")
    )


def decimal_mark(values: Values, columns: str) -> str:
    """Tell the mark from the numbers that can be read in one way only.

    Raises InputError where some can be read in two ways ("1,234") and the others don't settle how. Where most are
    written with one mark, the others are not numbers.
    """
    fits = {mark: values.value.re_search(f"^{pattern}$") for mark, pattern in PATTERNS.items()}
    point, comma = fits[POINT] & ~fits[COMMA], fits[COMMA] & ~fits[POINT]
    either = fits[POINT] & fits[COMMA] & values.value.re_search("[.,]")
    found = values.aggregate(
        points=values.rows.sum(where=point).fill_null(0),
        commas=values.rows.sum(where=comma).fill_null(0),
        point=values.value.min(where=point),
        comma=values.value.min(where=comma),
        either=values.value.min(where=either),
    )
    (seen,) = engine.fetch_records(found)
    disputed = bool(seen["points"]) == bool(seen["commas"])
    if (disputed and seen["either"]) or (seen["points"] == seen["commas"] != 0):
        examples = [seen[name] for name in ("point", "comma", "either") if seen[name]]
        raise InputError(
            f"{columns}: numbers such as {', '.join(map(repr, examples))} do not tell whether the decimals follow a "
            'point or a comma: declare it in params.yaml, ingest.decimal: "." or ","'
        )
    return COMMA if seen["commas"] > seen["points"] else POINT


def plain(text: Text, mark: str) -> Text:
    """Write numbers as the engine reads them: a decimal point, no groups; null where one is not a number."""
    groups = SEPARATORS.replace(mark, "")
    return text.re_search(f"^{PATTERNS[mark]}$").ifelse(text.re_replace(groups, "").replace(mark, POINT), None)

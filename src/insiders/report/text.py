"""How the page and the answers are worded: the sentences of a language, and how numbers are written in them."""

from collections.abc import Callable
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

SMALL = 100  # amounts below this are written with cents
NONE = "\N{EN DASH}"


def environment(currency: str) -> Environment:
    """Templates of this package; what ends with .html.j2 is escaped, a missing number is an error."""
    made = Environment(
        loader=PackageLoader("insiders.report"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html.j2"], default=False),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    written: dict[str, Callable[..., str]] = {
        "count": _count,
        "amount": _amount,
        "money": lambda value: f"{currency}\u00a0{_amount(value)}",
        "share": _share,
        "ratio": _ratio,
        "number": _number,
    }
    made.filters.update({name: _or_dash(write) for name, write in written.items()})
    return made


def sentences(environment: Environment, language: str) -> Any:
    """The language's macros (one per question, and the page's first lines) and dictionaries of labels."""
    return environment.get_template(f"answers.{language}.j2").module


def _or_dash(write: Callable[..., str]) -> Callable[..., str]:
    return lambda value, *rest: NONE if value is None else write(value, *rest)


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _amount(value: float) -> str:
    return f"{value:,.{2 if abs(value) < SMALL and value % 1 else 0}f}"


def _share(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}%}"


def _ratio(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}"


def _number(value: float, digits: int = 1) -> str:
    """Up to so many decimals, without trailing zeros."""
    return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"

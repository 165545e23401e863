"""Why a customer is in the programme or out of it, in the words of a language."""

import numpy as np
import pandas as pd

from insiders.language import Language
from insiders.programme import members
from insiders.programme.decisions import DecisionTerms
from insiders.programme.yardsticks import YARDSTICKS, leading

OUTSIDE = "outside"  # of whoever was never a member
MONEY = ("net_revenue", "average_order_value")  # yardsticks


def texts(customers: pd.DataFrame, table: pd.DataFrame, terms: DecisionTerms, language: Language) -> "pd.Series[str]":
    """Why each customer is in or out, in their order, in at most twelve words; `table` is schemas.MEMBERS."""
    columns = ["customer_id", "reason", "place", "until"]
    rows = customers[["customer_id"]].merge(table[columns], on="customer_id", how="left")
    why, places, days = wording(terms, language), _places(rows["place"], language), _days(rows["until"], language)
    told = [
        why[reason].format(place=place, until=until)
        for reason, place, until in zip(rows["reason"].fillna(OUTSIDE), places, days, strict=True)
    ]
    return pd.Series(told, index=customers.index, dtype="str")


def special(customers: pd.DataFrame, typical: "pd.Series[float]", language: Language) -> list[str]:
    """What each customer stands out by beside the typical member, in at most twelve words."""
    place, told = leading(customers, typical), np.empty(len(customers), object)
    for number, trait in enumerate(YARDSTICKS):
        told[place == number] = _told(trait, customers.loc[place == number, trait], typical[trait], language)
    return list(told)


def _told(trait: str, values: "pd.Series[float]", typical: float, language: Language) -> list[str]:
    """Each figure is written once: of 100,000 members many have as many orders."""
    words = language.say("{trait}: {value} (typical Insider: {typical})")
    fixed = (
        {"trait": _yardsticks(language)[trait], "typical": _written(trait, typical, language)} if len(values) else {}
    )
    written = {each: words.format(value=_written(trait, each, language), **fixed) for each in values.unique()}
    return [written[each] for each in values]


def _yardsticks(language: Language) -> dict[str, str]:
    say = language.say
    return {
        "net_revenue": say("net revenue"),
        "order_count": say("orders"),
        "recency_days": say("days since the last order"),
        "average_order_value": say("net revenue per order"),
        "distinct_product_count": say("different products"),
    }


def _written(trait: str, value: float, language: Language) -> str:
    return language.money(value) if trait in MONEY else language.number(value)


def wording(terms: DecisionTerms, language: Language) -> dict[str, str]:
    """Reason (members.REASONS, OUTSIDE) -> its text, in which `place` and `until` are to be filled in."""
    say, size = language.say, language.plain(terms["size"])
    border = language.plain(terms["border"])
    words = {
        members.BY_HAND: say("put in by hand"),
        members.KEPT_OUT_BY_HAND: say("left on {until}: taken out by hand"),
        members.OBJECTED: say("left on {until}: objected to the programme"),
        members.UNKNOWN: say("left on {until}: no longer a customer"),
        **(_by_rule(language) if terms["rule"] else _by_score(language)),
    }
    if not terms["size"]:
        words[OUTSIDE] = say("no list of Insiders can be defended at present")
    return {key: text.replace("{size}", size).replace("{border}", border) for key, text in words.items()}


def _by_score(language: Language) -> dict[str, str]:
    say = language.say
    return {
        members.BY_RANK: say("place {place} by score; the programme has {size} places"),
        members.BY_BAND: say("place {place} by score; a member keeps their place up to {border}"),
        members.BY_ORDER: say("place {place} by score, but ordered since the last check"),
        members.BY_GRACE: say("leaves on {until} unless they come back to place {border}"),
        members.FELL: say("left on {until}: place {place}, beyond {border}"),
        members.NO_PLACE: say("left on {until}: place {place} of {size} places"),
        OUTSIDE: say("not among the {size} customers with the highest score"),
    }


def _by_rule(language: Language) -> dict[str, str]:
    say = language.say
    stays, out = (
        say("a member, and meets the conditions to stay"),
        say("left on {until}: missed the conditions to stay"),
    )
    return {
        members.BY_RANK: say("meets the conditions to enter"),
        members.BY_GRACE: say("leaves on {until} unless they meet the conditions again"),
        **dict.fromkeys((members.BY_BAND, members.BY_ORDER), stays),
        **dict.fromkeys((members.FELL, members.NO_PLACE), out),
        OUTSIDE: say("does not meet the conditions to enter"),
    }


def _places(places: "pd.Series[float]", language: Language) -> list[str]:
    return ["" if pd.isna(place) else language.plain(place) for place in places]


def _days(days: "pd.Series[pd.Timestamp]", language: Language) -> list[str]:
    written = {day: "" if pd.isna(day) else language.day(day.date()) for day in days.unique()}
    return [written[day] for day in days]

"""What the tables tell of one customer: where they are and why, their figures, the conditions, past checks."""

from typing import NamedTuple

import pandas as pd

from insiders import schemas
from insiders.errors import InputError
from insiders.io import params, paths, tables, written
from insiders.language import TEXTS_ARE_IN, Language
from insiders.programme import criteria, decisions, rules, story
from insiders.programme.actions import leaving
from insiders.programme.criteria import Criteria, Timeline
from insiders.programme.decisions import DecisionTerms
from insiders.programme.membership import Event
from insiders.programme.story import Subject
from insiders.report import text


class Background(NamedTuple):
    """What is the same for every customer: the tables, each read once, and the conditions, learned once."""

    present: pd.DataFrame
    criteria: Criteria
    terms: DecisionTerms
    members: pd.DataFrame  # schemas.MEMBERS
    movement: pd.DataFrame  # schemas.MOVEMENT
    words: text.Words


def explain(customer_id: str) -> list[str]:
    """Lines for a person; the conditions are learned again from the tables, as the report does, so both agree."""
    return tell(customer_id, background())


def background() -> Background:
    settings = params.read()  # before any table: what is wrong in them may be why a table is missing
    timeline, chosen, members, movement = written.together(
        lambda: (read(), terms(), tables.read(paths.MEMBERS), tables.read(paths.MOVEMENT))
    )
    return Background(
        timeline.present,
        criteria.learn(timeline, chosen),
        chosen,
        members,
        movement,
        text.words(Language(TEXTS_ARE_IN, settings.preprocess.currency)),
    )


def tell(customer_id: str, known: Background) -> list[str]:
    """Lines about one customer."""
    customer = _rows(known.present, customer_id)
    own = known.members[known.members["customer_id"] == customer_id]
    subject = Subject(customer, None if own.empty else own.iloc[0], _events(customer.iloc[0], known.movement))
    return [*_place(customer.iloc[0]), "", *story.tell(subject, known.criteria, known.terms, known.words)]


def terms() -> DecisionTerms:
    """How the membership was decided, or is proposed."""
    (record,) = tables.read(paths.TERMS, schemas.TERMS).to_dict("records")
    return decisions.terms(record)


def read() -> Timeline:
    """Customers with their segment and how sure it is, now and at the past month starts."""
    return Timeline(present(), past())


def present() -> pd.DataFrame:
    assigned = tables.read(paths.ASSIGNMENTS).drop(columns="as_of")
    placed = assigned.merge(tables.read(paths.CONFIDENCE), on="customer_id", how="left")
    return tables.read(paths.CUSTOMERS).merge(placed, on="customer_id", validate="one_to_one")


def past() -> pd.DataFrame:
    """Customers at the past month starts: the figures of rules and rhythms of schemas.HISTORY, with MEMBERSHIPS."""
    keys = ["customer_id", "as_of"]
    known = tables.read_vouched(paths.HISTORY, [*keys, *dict.fromkeys([*rules.AT_LEAST, *leaving.FIGURES])])
    return known.merge(tables.read(paths.MEMBERSHIPS), on=keys, validate="one_to_one")


def _events(customer: "pd.Series", movement: pd.DataFrame) -> pd.DataFrame:
    """What happened to the customer at each check since their first order.

    Where nothing is kept they stayed what they were: since they joined a member (a store keeps the changes alone), else
    Event.OUTSIDE.
    """
    checks = movement.groupby("as_of", as_index=False)["decided"].all()
    own = movement.loc[movement["customer_id"] == customer["customer_id"], ["as_of", "event", "reason"]]
    told = checks.merge(own, on="as_of", how="left")
    before = told["event"].ffill()
    inside = before.notna() & (before != Event.LEFT.name.lower())
    kept = inside.map({True: Event.STAYED.name.lower(), False: Event.OUTSIDE.name.lower()})
    told["event"] = told["event"].fillna(kept)
    return told[told["as_of"] > customer["as_of"] - pd.Timedelta(days=customer["tenure_days"])]


def _rows(present: pd.DataFrame, customer_id: str) -> pd.DataFrame:
    """The customer's row, as a table of one. Raises InputError where there is none."""
    found = present[present["customer_id"] == customer_id]
    if found.empty:
        example = present["customer_id"].iloc[0] if len(present) else "none"
        raise InputError(
            f"customer {customer_id!r} is not among the {len(present)} of {paths.ASSIGNMENTS}: "
            f"an id there looks like {example!r}"
        )
    return found


def _place(row: "pd.Series") -> list[str]:
    sure = row["confidence"]
    return [
        f"customer {row['customer_id']}",
        f"{row['segment']}: {'an Insider' if row['is_insider'] else 'not an Insider'}",
        *([row["reason"]] if row["reason"] else []),
        f"as of {row['as_of']:%Y-%m-%d}, by model version {row['model_version']}",
        *([] if pd.isna(sure) else [f"confidence {sure:.2f}: the share of the most similar customers in this segment"]),
        "",
        *(_feature(name, row[name]) for name in schemas.FEATURES),
    ]


def _feature(name: str, found: float) -> str:
    column = schemas.FEATURES[name]
    figure = "-" if pd.isna(found) else f"{found:,.2f}"
    return f"{name:<24}{figure:>14} {column.metadata['unit']:<20} {column.description}"

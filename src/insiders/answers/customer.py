"""What the tables tell of one customer: where they are and why, their figures, the rules, and their past months."""

import pandas as pd

from insiders import schemas
from insiders.errors import InputError
from insiders.io import params, paths, tables
from insiders.language import TEXTS_ARE_IN, Language
from insiders.programme import criteria, rules, story
from insiders.programme.criteria import Timeline
from insiders.programme.simulation import Terms
from insiders.report import text


def explain(customer_id: str) -> list[str]:
    """Lines for a person; the rules are learned again from the tables, as the report does, so they agree with it."""
    settings = params.read()
    timeline = read()
    learned = criteria.learn(timeline, terms(settings.report))
    labels = text.labels(Language(TEXTS_ARE_IN, settings.preprocess.currency))
    return [*_place(_row(timeline.present, customer_id)), "", *story.tell(customer_id, learned, timeline, labels)]


def terms(settings: params.Report) -> Terms:
    return Terms(settings.flip_share_max, settings.flip_months, settings.leave_slacks, settings.grace_months)


def read() -> Timeline:
    """Customers with their segment and how sure it is, now and at the past month starts."""
    return Timeline(present(), past())


def present() -> pd.DataFrame:
    assigned = tables.read(paths.ASSIGNMENTS).drop(columns="as_of")
    placed = assigned.merge(tables.read(paths.CONFIDENCE), on="customer_id", how="left")
    return rules.add_figures(tables.read(paths.CUSTOMERS).merge(placed, on="customer_id", validate="one_to_one"))


def past() -> pd.DataFrame:
    """Customers at the past month starts, with the segment in which today's model puts them."""
    return criteria.past_customers(tables.read(paths.HISTORY), tables.read(paths.MEMBERSHIPS))


def _row(present: pd.DataFrame, customer_id: str) -> "pd.Series":
    found = present[present["customer_id"] == customer_id]
    if found.empty:
        example = present["customer_id"].iloc[0] if len(present) else "none"
        raise InputError(
            f"customer {customer_id!r} is not among the {len(present)} of {paths.ASSIGNMENTS}: "
            f"an id there looks like {example!r}"
        )
    return found.iloc[0]


def _place(row: "pd.Series") -> list[str]:
    sure = row["confidence"]
    return [
        f"customer {row['customer_id']}",
        f"{row['segment']}: {'an Insider' if row['is_insider'] else 'not an Insider'}",
        row["reason"],
        f"as of {row['as_of']:%Y-%m-%d}, by model version {row['model_version']}",
        *([] if pd.isna(sure) else [f"confidence {sure:.2f}: the share of the most similar customers in this segment"]),
        "",
        *(_feature(name, row[name]) for name in schemas.FEATURES),
    ]


def _feature(name: str, found: float) -> str:
    column = schemas.FEATURES[name]
    figure = "-" if pd.isna(found) else f"{found:,.2f}"
    return f"{name:<24}{figure:>14} {column.metadata['unit']:<20} {column.description}"

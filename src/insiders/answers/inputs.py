"""What the answers are made of: the tables of a run, each read once, when it is first asked for; and the settings."""

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from threadpoolctl import threadpool_limits

from insiders import affinity, schemas
from insiders.answers import customer
from insiders.answers import past as answers_past
from insiders.answers.manifest import Manifest, Source
from insiders.explore import months, products, profiles, rhythm
from insiders.explore.cohorts import PastNumbers
from insiders.explore.profiles import SegmentProfile
from insiders.io import engine, params, paths, tables
from insiders.language import Language
from insiders.programme import criteria, members
from insiders.programme.criteria import Criteria, Timeline
from insiders.programme.decisions import DecisionTerms
from insiders.programme.hands import NEVER

if TYPE_CHECKING:
    from ibis import Table
    from ibis.backends.duckdb import Backend

    from insiders.report.numbers import Answers
    from insiders.value.forecast import Outlook


class Inputs:
    """Tables as pandas frames, and what more than one answer asks of them."""

    def __init__(self, settings: params.Params) -> None:
        self.settings = settings
        self.language = Language(settings.report.language, settings.preprocess.currency)
        self.horizon_days = settings.featurize.horizon_days

    # --- tables ---

    @cached_property
    def members(self) -> pd.DataFrame:
        """Everybody today: schemas.CUSTOMERS with ASSIGNMENTS, confidence where it is known, and expected_revenue.

        And of members their `status`, `until` and `arm`; status and arm are empty for who is no member.
        """
        expected = self.expectations[["customer_id", "expected_revenue"]]
        known = customer.present().merge(expected, on="customer_id", how="left", validate="one_to_one")
        own = members.inside(self.programme)[["customer_id", "status", "until", "arm"]]
        joined = known.merge(own, on="customer_id", how="left", validate="one_to_one")
        return joined.fillna({"status": "", "arm": ""})

    @cached_property
    def programme(self) -> pd.DataFrame:
        """Who is or was a member of the programme (schemas.MEMBERS)."""
        return tables.read(paths.MEMBERS)

    @cached_property
    def movement(self) -> pd.DataFrame:
        """What happened at each check of the programme (schemas.MOVEMENT)."""
        return tables.read(paths.MOVEMENT)

    @cached_property
    def terms(self) -> DecisionTerms:
        return customer.terms()

    @cached_property
    def insiders(self) -> pd.DataFrame:
        return tables.spreadsheet_read(tables.read_csv(paths.INSIDERS, text="customer_id"))

    @cached_property
    def expectations(self) -> pd.DataFrame:
        return tables.read(paths.EXPECTATIONS)

    @cached_property
    def outlook(self) -> "Outlook":
        """What the list is expected to bring."""
        outlook: Outlook = tables.read_json(paths.OUTLOOK)
        return outlook

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """One row per rule of cleaning; `amount` is text, exact."""
        return tables.read_csv(paths.LEDGER, text="amount")

    @cached_property
    def trials(self) -> pd.DataFrame:
        return tables.read_csv(paths.TRIALS)

    @cached_property
    def registered(self) -> Manifest:
        manifest: Manifest = tables.read_json(paths.REGISTERED)
        return manifest

    @cached_property
    def answers(self) -> "Answers":
        """The nine answers as the report wrote them, for what is made after it."""
        answers: Answers = tables.read_json(paths.ANSWERS)
        return answers

    @cached_property
    def source(self) -> Source:
        source: Source = tables.read_json(paths.SOURCE)
        return source

    # --- sums of orders and lines, by the engine ---

    @cached_property
    def as_of(self) -> date:
        (day,) = engine.fetch_row(self.connection, self.scan(paths.ASSIGNMENTS).select("as_of").limit(1))
        return pd.Timestamp(day).date()

    @cached_property
    def connection(self) -> "Backend":
        return engine.connect()

    def scan(self, path: Path) -> "Table":
        return engine.scan(self.connection, path)

    def fetch(self, table: "Table") -> pd.DataFrame:
        return engine.fetch(self.connection, table)

    @cached_property
    def months(self) -> pd.DataFrame:
        """Net revenue of both sides by month (months.side_by_side)."""
        sums = months.by_month(self.scan(paths.ORDERS), self.scan(paths.ASSIGNMENTS), self.as_of)
        return months.side_by_side(self.fetch(sums), self.as_of)

    @cached_property
    def rhythm(self) -> pd.DataFrame:
        """Orders by side, weekday and hour (rhythm.by_hour)."""
        return self.fetch(rhythm.by_hour(self.scan(paths.ORDERS), self.scan(paths.ASSIGNMENTS), self.as_of))

    @cached_property
    def segment_products(self) -> pd.DataFrame:
        """What the customers of each segment typically buy (products.typical), with the products' texts."""
        bought = self.fetch(products.buyers(self.scan(paths.LINES), self.scan(paths.ASSIGNMENTS), self.as_of))
        return self.describe(products.typical(bought, self.members["segment"].value_counts()))

    @cached_property
    def insider_products(self) -> pd.DataFrame:
        """What the Insiders typically buy, more of it."""
        sides = products.by_side(self.scan(paths.ASSIGNMENTS))
        bought = self.fetch(products.buyers(self.scan(paths.LINES), sides, self.as_of))
        inside, outside = products.SIDES
        sizes = self.members["is_insider"].map({True: inside, False: outside}).value_counts()
        typical = products.typical(bought, sizes, products.OF_INSIDERS)
        return self.describe(typical[typical["segment"] == inside])

    def describe(self, found: pd.DataFrame) -> pd.DataFrame:
        """Add `description` to rows with a `product_code`: the text that the shop uses most."""
        texts = products.texts(self.scan(paths.TRANSACTIONS), sorted(set(found["product_code"])))
        return products.describe(found, self.fetch(texts))

    def look_at_purchases(self) -> None:
        """Ask first what all purchases are needed for: they take their memory before the customers take theirs."""
        _ = self.recommendations

    # --- what more than one answer asks ---

    @cached_property
    def segments(self) -> Sequence[SegmentProfile]:
        return profiles.segments(self.members)

    @cached_property
    def past_customers(self) -> pd.DataFrame:
        """Everybody at the past month starts (schemas.HISTORY with MEMBERSHIPS), and what they brought next.

        `next_revenue` is null where its horizon had not ended by today.
        """
        return answers_past.with_next_revenue(self.connection, customer.past(), self.as_of, self.horizon_days)

    @cached_property
    def timeline(self) -> Timeline:
        return Timeline(self.members, self.past_customers)

    @cached_property
    def criteria(self) -> Criteria:
        return criteria.learn(self.timeline, self.terms)

    @cached_property
    def past(self) -> PastNumbers:
        order = [row["segment"] for row in self.segments]
        return answers_past.past(self.connection, self.members, order, self.settings.report.quiet_months)

    @cached_property
    def recommendations(self) -> affinity.Recommendations:
        """Products for each customer by their codes, and how good such ones were."""
        purchases = affinity.purchases(self.scan(paths.LINES), self.as_of)
        bought = engine.fetch_coded(self.connection, purchases, ["customer_id", "product_code"])
        periods = affinity.Periods.before(self.as_of, self.horizon_days)
        with threadpool_limits(1):
            return affinity.recommend(bought, periods, self.settings.report.on_sale_days, self.settings.seed)

    @cached_property
    def recommended(self) -> pd.DataFrame:
        """The products by the text that the shop uses most (schemas.RECOMMENDATIONS), for whoever did not object."""
        shown, objecting = self.recommendations.shown, self.members["hand"] == NEVER
        shown = shown[~shown["customer_id"].isin(self.members.loc[objecting, "customer_id"])]
        codes = sorted({*shown["product_code"], *shown["because"].dropna()})
        names = self.describe(pd.DataFrame({"product_code": codes}, dtype="str"))
        name = names.set_index("product_code")["description"]
        described = shown.assign(description=shown["product_code"].map(name), because=shown["because"].map(name))
        dated = described.merge(self.members[["customer_id", "as_of", "release"]], on="customer_id", how="left")
        return dated[list(schemas.RECOMMENDATIONS.columns)]

"""The customers whom the programme looks at, now and in the past, and the rules learned from them."""

from typing import NamedTuple

import pandas as pd

from insiders.programme import learning, rules, simulation
from insiders.programme.learning import Fit
from insiders.programme.simulation import Policy, Terms


class Timeline(NamedTuple):
    """Customers (rules.add_figures) with `segment` and `is_insider` by today's model: now, and at past month starts."""

    present: pd.DataFrame
    past: pd.DataFrame

    @property
    def checks(self) -> pd.DataFrame:
        """One row per customer and check, the present last, in the columns that both tables have."""
        columns = ["customer_id", "as_of", "segment", "is_insider", *rules.AT_LEAST]
        return pd.concat([self.past[columns], self.present[columns]], ignore_index=True)


class Criteria(NamedTuple):
    """The rule to enter and the policy to leave by; None where there is nobody to learn them from."""

    enter: Fit | None
    leave: Policy | None


def past_customers(history: pd.DataFrame, memberships: pd.DataFrame) -> pd.DataFrame:
    """Customers of the past (schemas.HISTORY) with `segment` and `is_insider` of schemas.MEMBERSHIPS."""
    keys = ["customer_id", "as_of"]
    customers = rules.add_figures(history[[*keys, *rules.TABLE_COLUMNS]])
    return customers.merge(memberships, on=keys, validate="one_to_one")


def learn(timeline: Timeline, terms: Terms) -> Criteria:
    """Learn the rule to enter from today's list alone, and the policy to leave by from its effect in the past."""
    fit = learning.learn(timeline.present, timeline.present["is_insider"])
    return Criteria(fit, None if fit is None else simulation.choose(fit.rule, timeline.checks, terms))

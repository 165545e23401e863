"""Is the reading of the experiment right? Simulated shops, with and without a programme that brings something.

    python benchmarks/experiment.py [--lots 500] [--customers 20000] [--uplift 0.1] [--seed 1]

A shop of two years chooses its members by what they brought until half a year before the end, and 500 times the lots
are drawn anew. Without a programme (A/A) as many differences should be found as `alpha` says. With one
(simulate.programme_uplift) they should be found as often as the reading itself states, and its interval should hold
what the programme truly added to the planned metric: the mean over all members of their months with further orders
less those without, amounts capped.
"""

import argparse
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from insiders.io import params
from insiders.programme import arms, experiment, readout
from insiders.programme.arms import HELD_OUT, Lottery
from insiders.programme.experiment import Design
from insiders.programme.readout import Reading, ReadOut
from insiders.simulate import Settings, Shop

DAYS, MONTHS_AFTER, MEMBER_SHARE = 730, 6, 0.06
SERVICES = ["POST", "C2", "CRUK", "M"]


class Trial:
    """Members of a simulated shop, ranked by what they brought, and their months with and without a programme."""

    def __init__(self, customers: int, uplift: float, seed: int) -> None:
        own = params.read().simulate
        settings = Settings(customers, own.start, DAYS, own.products, anonymous_share=0.0, programme_uplift=uplift)
        self.first, self.until = own.start, own.start + timedelta(days=DAYS)
        self.day = self.until - timedelta(days=MONTHS_AFTER * experiment.MONTH_DAYS)
        plain = amounts(Shop(replace(settings, programme_uplift=0.0), seed))
        before = plain[plain["on"] < pd.Timestamp(self.day)].groupby("customer_id")["amount"].sum()
        ranked = before.sort_values(ascending=False).index[: round(MEMBER_SHARE * customers)]
        place = np.arange(1, len(ranked) + 1)
        self.members = pd.DataFrame({"customer_id": ranked, "stratum": arms.strata(place, len(ranked))})
        everything = amounts(Shop(settings, seed, dict.fromkeys(ranked, self.day)))
        self.plain = self._months(plain)
        self.further = self._months(everything.iloc[len(plain) :])

    def _months(self, rows: pd.DataFrame) -> pd.DataFrame:
        month = (rows["on"] - pd.Timestamp(self.day)).dt.days // experiment.MONTH_DAYS
        own = rows.assign(month=month)[rows["customer_id"].isin(self.members["customer_id"])]
        return (
            own.groupby(["customer_id", "month"], as_index=False)["amount"]
            .sum()
            .rename(columns={"amount": "net_revenue"})
        )

    def read(self, lot: int, design: Design, *, with_programme: bool) -> ReadOut:
        none = pd.DataFrame({"stratum": [], "arm": []})
        drawn = self.members.assign(
            arm=arms.draw(self.members, none, Lottery(lot, design.control_share)), enrolled_on=pd.Timestamp(self.day)
        )
        invited = drawn.loc[drawn["arm"] != HELD_OUT, "customer_id"]
        more = self.further[self.further["customer_id"].isin(invited) & with_programme]
        revenue = pd.concat([self.plain, more]).groupby(["customer_id", "month"], as_index=False).sum()
        made = readout.read(drawn, revenue, Reading(self.first, self.until), design)
        assert made is not None
        return made

    def truth(self, cap: float) -> tuple[float, float]:
        """What the programme adds to the metric per member and month, in money and as a share."""
        span = range(MONTHS_AFTER)
        without, more = (
            experiment.as_matrix(rows, self.members["customer_id"], span) for rows in (self.plain, self.further)
        )
        before, after = (np.clip(each, -cap, cap).mean() for each in (without, without + more))
        return after - before, after / before - 1


def amounts(shop: Shop) -> pd.DataFrame:
    """Lines of goods: customer_id, on (day), amount."""
    lines = pa.concat_tables(shop.blocks()).to_pandas()
    goods = lines[~lines["StockCode"].isin(SERVICES)]
    amount = goods["Quantity"] * goods["UnitPrice"].astype(float)
    return pd.DataFrame(
        {"customer_id": goods["CustomerID"], "on": goods["InvoiceDate"].dt.normalize(), "amount": amount}
    )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("lots", 500), ("customers", 20_000), ("uplift", 0.1), ("seed", 1)):
        asked.add_argument(f"--{name}", type=type(default), default=default)
    own = asked.parse_args()
    trial, design = Trial(own.customers, own.uplift, own.seed), _design()
    money, share = trial.truth(trial.read(0, design, with_programme=False)["cap"] or 0.0)
    sharp = replace(design, minimum_uplift=share)
    wrong = found = holds = stated = 0.0
    for lot in range(own.lots):
        nothing, something = (trial.read(lot, sharp, with_programme=each) for each in (False, True))
        wrong += nothing["effect"]["p"] < design.alpha
        found += something["effect"]["p"] < design.alpha
        holds += something["effect"]["money_low"] <= money <= something["effect"]["money_high"]
        stated += something["power"]["power"]
    shares = {"A/A found": wrong, "found": found, "power stated": stated, "interval holds the truth": holds}
    print(f"{own.customers:,} customers, {len(trial.members):,} members, {own.lots} lots; true uplift {share:.1%}")
    print(" · ".join(f"{name} {value / own.lots:.1%}" for name, value in shares.items()))


def _design() -> Design:
    settings = params.read()
    return Design(settings.programme.held_out_share, **settings.report.experiment.model_dump())


if __name__ == "__main__":
    main()

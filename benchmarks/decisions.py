"""A year of real decisions: how still the membership was, and what that stillness cost.

    python benchmarks/decisions.py FOLDER [--horizon 90]

The folder is a project in which every stage has run; it is copied, and in the copy a decision is recorded as of every
month start that the data allow, by `insiders enrol` itself. Told are who joined, left and flipped (left within
programme.flip_months of joining, or came back so soon), and what the members of a day brought in the days after it as
a share of what as many customers by score alone brought. The champion saw all but the last period of these months, so
the value is no evidence of the model, only of what the membership gives up for standing still.
"""

import argparse
import os
import shutil
import tempfile
from datetime import date
from pathlib import Path

import pandas as pd

from insiders.answers import enrolment
from insiders.errors import InputError
from insiders.io import ledger, params, paths, tables
from insiders.programme import stillness
from insiders.programme.movement import Walk
from insiders.programme.proposal import movement
from insiders.programme.stillness import StillnessTerms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--horizon", type=int, default=90)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = shutil.copytree(asked.folder, Path(place) / "project", ignore=shutil.ignore_patterns(".venv"))
        os.chdir(folder)
        shutil.rmtree(paths.PROGRAMME, ignore_errors=True)
        values = decide(asked.horizon)
        report(values)


def decide(horizon: int) -> pd.DataFrame:
    """Record the decisions. -> by day: members, and what they and as many by score brought after it."""
    settings, orders = params.read(), tables.read(paths.ORDERS)
    days = pd.date_range(orders["ordered_at"].min(), orders["ordered_at"].max(), freq="MS", normalize=True)
    rows = []
    for day in days:
        try:
            customers = enrolment.customers_as_of(day.date(), settings)
        except InputError as reason:
            print(f"{day.date()}: no decision ({reason})")
            continue
        standing = enrolment.propose(customers, settings).programme.standing
        decided = enrolment.enrol(day.date())
        inside = decided.members.loc[decided.members["status"] != "left", "customer_id"]
        by_score = standing.sort_values("place").index[: len(inside)]
        span = orders["ordered_at"].between(day, day + pd.Timedelta(days=horizon), inclusive="left")
        came = orders[span].groupby("customer_id")["net_revenue"].sum().astype(float)
        values = [came.reindex(each).sum() for each in (inside, by_score)]
        rows.append(
            (day.date(), len(inside), *values, (day + pd.Timedelta(days=horizon)) <= orders["ordered_at"].max())
        )
        print(f"{day.date()}: {len(inside)} members, value ÷ score list {values[0] / values[1]:.3f}")
        repeat_changes_nothing(day.date())
    return pd.DataFrame(rows, columns=["day", "members", "brought", "by_score", "is_whole"])


def repeat_changes_nothing(day: date) -> None:
    before = tables.digest(*ledger.files())
    assert not enrolment.enrol(day).is_new
    assert tables.digest(*ledger.files()) == before


def report(values: pd.DataFrame) -> None:
    own = params.read().programme
    terms = StillnessTerms(own.flip_share_max, own.flip_months, own.leave_share_max, own.bands, own.grace_months)
    tables_by_day = {pd.Timestamp(day): ledger.read(day).members.set_index("customer_id") for day in ledger.days()}
    walk = Walk.of(movement(tables_by_day, decided=True))
    counts = stillness.count_events(walk.events, walk.days, terms)
    print(counts.to_string())
    whole = values[values["is_whole"]]
    ratio = whole["brought"] / whole["by_score"]
    flips, leavers = (f"{counts[name].max():.1%}" for name in ("flip_share", "left_share"))
    print(f"{len(values)} decisions; worst month: flips {flips}, leave {leavers}")
    print(f"value ÷ score list: mean {ratio.mean():.3f}, worst {ratio.min():.3f} of {len(whole)} months")
    first = ledger.days()[0]
    try:
        enrolment.enrol((pd.Timestamp(first) + pd.Timedelta(days=1)).date())
    except InputError as refusal:
        print(f"out of order: refused ({refusal})")


if __name__ == "__main__":
    main()

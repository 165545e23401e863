"""What a long ledger costs: `insiders assign` with three years of decisions about many members.

    python benchmarks/ledger.py FOLDER [--members 100000] [--months 36]

The folder is a project in which every stage has run; it is copied. Its customers are repeated under other ids until a
fifth more than the members are there, and as many monthly decisions as asked for are recorded before today. CPU time
of the command with that ledger, and without any.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pandas as pd

from insiders import schemas
from insiders.answers import enrolment
from insiders.io import ledger, params, paths, tables, workspace
from insiders.programme import members
from insiders.programme.arms import Lottery
from insiders.programme.membership import Policy

SPARE = 1.2  # customers for each member


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--members", type=int, default=100_000)
    parser.add_argument("--months", type=int, default=36)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.chdir(shutil.copytree(asked.folder, Path(place) / "project", ignore=shutil.ignore_patterns(".venv")))
        shutil.rmtree(paths.PROGRAMME, ignore_errors=True)
        customers = repeated(tables.read(paths.CUSTOMERS), round(SPARE * asked.members))
        with workspace.alone("benchmarks/ledger.py"):  # what it writes counts as whole
            tables.write(customers, paths.CUSTOMERS, schemas.CUSTOMERS)
        paths.MEMBERS.unlink()  # nobody of the list before is among them
        params.write_value("programme", "size", asked.members)
        without = cpu_of_assign()
        record(customers, asked.members, asked.months)
        print(f"{len(customers):,} customers, {asked.members:,} members, {asked.months} decisions: insiders assign")
        print(f"takes {cpu_of_assign():.1f} s CPU, without the decisions {without:.1f} s")


def repeated(customers: pd.DataFrame, count: int) -> pd.DataFrame:
    times = -(-count // len(customers))
    copies = [customers.assign(customer_id=customers["customer_id"] + f"-{copy:03}") for copy in range(times)]
    return pd.concat(copies, ignore_index=True).head(count).sort_values("customer_id", ignore_index=True)


def record(customers: pd.DataFrame, size: int, months: int) -> None:
    """As many checks of the same customers, month by month until today."""
    settings = params.read()
    now = enrolment.propose(customers, settings).programme
    last, before, nobody = None, None, pd.Series({}, dtype="str")
    for day in pd.date_range(end=customers["as_of"].iloc[0] - pd.Timedelta(days=1), periods=months, freq="MS"):
        scored = customers.assign(as_of=day, score=now.standing["score"].reindex(customers["customer_id"]).to_numpy())
        roster = members.roster(scored, size, before, nobody)
        policy, lottery = Policy(1.25, 1), Lottery(settings.seed, settings.programme.held_out_share)
        last, before = members.review(members.none() if last is None else last, roster, policy, lottery), day
        table = last.assign(release=now.terms["release"]).reset_index()[list(schemas.MEMBERS.columns)]
        ledger.append(day.date(), {**now.terms, "size": size}, table)


def cpu_of_assign() -> float:
    before = os.times()
    subprocess.run(["insiders", "assign"], check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


if __name__ == "__main__":
    main()

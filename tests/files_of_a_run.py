"""What all files of a finished run say about the membership, joined: each sentence returned is a contradiction."""

import json
import re
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from insiders.answers import customer
from insiders.io import params

EVENTS = {"joined": "member", "returned": "member", "stayed": "member", "in_grace": "grace", "left": "left"}
LISTS = ("insiders", "audiences", "experiment", "rfm", "recommendations")
WORDED = ("segment", "country", "status", "arm", "is_wholesaler", "action")  # cells that spreadsheets have in words
FOR_MEMBERS = ("about_to_leave",)  # beside the actions that params.yaml has for Insiders


class Files(NamedTuple):
    folder: Path
    answers: dict[str, Any]
    metrics: dict[str, Any]
    members: pd.DataFrame  # by customer_id, also those who left
    programme_actions: tuple[str, ...]

    @property
    def inside(self) -> pd.DataFrame:
        return self.members[self.members["status"] != "left"]

    def table(self, name: str) -> pd.DataFrame:
        return pd.read_parquet(self.folder / f"data/{name}.parquet")

    def csv(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.folder / f"reports/{name}.csv", dtype={"customer_id": str}, keep_default_na=False)


def opened(folder: Path) -> Files:
    answers, metrics = (
        json.loads((folder / f"reports/{name}.json").read_text(encoding="utf-8")) for name in ("answers", "metrics")
    )
    own = [each.kind for each in params.read(folder / "params.yaml").report.actions if each.segments == "insiders"]
    members = pd.read_parquet(folder / "data/members.parquet").set_index("customer_id")
    return Files(folder, answers, metrics, members, (*own, *FOR_MEMBERS))


def contradictions(folder: Path) -> list[str]:
    files = opened(folder)
    parts = (_counts, _lists, _releases, _customers, _movement, _audiences, _sheets, _steps, _page, _stories)
    return [each for part in parts for each in part(files)]


def _counts(files: Files) -> Iterator[str]:
    nine, inside = files.answers, files.inside
    counts = {
        **{key: nine[key]["count"] for key in ("who", "how_many", "traits", "revenue_share", "enter", "leave")},
        "expected_revenue": nine["expected_revenue"]["count"],
        "actions": nine["actions"]["members"],
        "experiment": nine["guarantee"]["experiment"]["insiders"],
        "metrics.insiders": files.metrics["insiders"]["count"],
        "metrics.programme": files.metrics["programme"]["members"],
    }
    yield from (
        f"{name} counts {count} of {len(inside)} members" for name, count in counts.items() if count != len(inside)
    )
    held_out = (inside["arm"] == "held_out").sum()
    arms = {"actions": nine["actions"]["held_out"], "experiment": nine["guarantee"]["experiment"]["control"]}
    yield from (f"{name} has {count} of {held_out} held out" for name, count in arms.items() if count != held_out)
    grace = (inside["status"] == "grace").sum()
    if nine["leave"]["in_grace"] != grace:
        yield f"leave has {nine['leave']['in_grace']} of {grace} in grace"


def _lists(files: Files) -> Iterator[str]:
    assigned, listed, drawn = files.table("assignments"), files.csv("insiders"), files.csv("experiment")
    ids = {
        "assignments": set(assigned.loc[assigned["is_insider"], "customer_id"]),
        "insiders.csv": set(listed["customer_id"]),
        "experiment.csv": set(drawn["customer_id"]),
    }
    yield from (
        f"{name} names others than members.parquet" for name, own in ids.items() if own != set(files.inside.index)
    )
    ours = files.inside.reindex(listed["customer_id"])
    for name in ("status", "arm", "rank", "release"):
        if ours[name].tolist() != listed[name].tolist():
            yield f"insiders.csv has another {name} than members.parquet"
    if ours["since"].dt.strftime("%Y-%m-%d").tolist() != listed["since"].str[:10].tolist():
        yield "insiders.csv has another since than members.parquet"
    if files.members["arm"].reindex(drawn["customer_id"]).tolist() != drawn["arm"].tolist():
        yield "experiment.csv has another arm than members.parquet"
    if set(assigned["release"]) != set(files.inside["release"]) and len(files.inside):
        yield "assignments.parquet is of another release than members.parquet"
    objecting = set(assigned.loc[assigned["hand"] == "never", "customer_id"])
    for name in ("insiders", "audiences", "experiment", "recommendations"):
        if objecting & set(files.csv(name)["customer_id"]):
            yield f"{name}.csv names somebody who objected"


def _releases(files: Files) -> Iterator[str]:
    """Day and release of whatever states them."""
    assigned, origin = files.table("assignments"), files.answers["guarantee"]["provenance"]
    [release], [as_of] = assigned["release"].unique(), assigned["as_of"].dt.strftime("%Y-%m-%d").unique()
    lists = {f"{name}.csv": files.csv(name) for name in LISTS}
    lists |= {path.name: pd.read_csv(path, dtype=str) for path in _audience_files(files)}
    stated = {
        **{name: (set(rows["release"]), set(rows["as_of"])) for name, rows in lists.items() if len(rows)},
        "answers.json": ({origin["release"]}, {origin["as_of"], files.answers["who"]["as_of"]}),
        "metrics.json": ({files.metrics["programme"]["release"]}, {files.metrics["data"]["as_of"]}),
        "members.parquet": (set(files.members["release"]) or {release}, {as_of}),
    }
    yield from (
        f"{name} is of {told}, assignments.parquet of {(release, as_of)}"
        for name, told in stated.items()
        if told != ({release}, {as_of})
    )


def _customers(files: Files) -> Iterator[str]:
    """Segment and scores of everybody, in whatever names them."""
    assigned = files.table("assignments").set_index("customer_id")
    scored = files.csv("rfm")
    if sorted(scored["customer_id"]) != sorted(assigned.index):
        yield "rfm.csv names others than assignments.parquet"
    for name in LISTS:
        rows = files.csv(name)
        if not set(rows["customer_id"]) <= set(assigned.index):
            yield f"{name}.csv names somebody who is not in assignments.parquet"
        if "segment" in rows and rows["segment"].tolist() != assigned["segment"].reindex(rows["customer_id"]).tolist():
            yield f"{name}.csv has another segment than assignments.parquet"
    groups = scored["group"].value_counts().to_dict()
    told = {row["group"]: row["customers"] for row in files.answers["traits"]["rfm"]["groups"] if row["customers"]}
    if groups != told:
        yield f"rfm.csv has the groups {groups}, answers.json {told}"
    for each in files.answers["actions"]["recommendations"]["examples"]:
        rows = files.csv("recommendations").query("customer_id == @each['customer_id']")
        if rows["product_code"].tolist()[: len(each["products"])] != [one["product_code"] for one in each["products"]]:
            yield f"recommendations.csv has other products for {each['customer_id']} than answers.json"


def _sheets(files: Files) -> Iterator[str]:
    """The spreadsheets hold the same rows, in the same order: their heads and some of their cells are words."""
    for path in sorted((files.folder / "reports/spreadsheets").glob("*.csv")):
        sheet = pd.read_csv(path, encoding="utf-8-sig", dtype=str, keep_default_na=False)
        listed = pd.read_csv(files.folder / f"reports/{path.name}", dtype=str, keep_default_na=False)
        same = [place for place, name in enumerate(listed) if name not in WORDED]
        if sheet.iloc[:, same].to_numpy().tolist() != listed.iloc[:, same].to_numpy().tolist():
            yield f"spreadsheets/{path.name} differs from {path.name}"


def _movement(files: Files) -> Iterator[str]:
    movement = files.table("movement")
    last = movement[movement["as_of"] == movement["as_of"].max()].set_index("customer_id")["event"].map(EVENTS)
    if last[last != "left"].sort_index().to_dict() != files.inside["status"].sort_index().to_dict():
        yield "the last check of movement.parquet leaves others in than members.parquet has"
    months = {row["as_of"]: row["members"] for row in files.answers["leave"]["months"]}
    counted = movement[movement["event"] != "left"].groupby("as_of").size()
    if [months.get(f"{day:%Y-%m-%d}") for day in counted.index] != counted.tolist():
        yield "leave counts other members by month than movement.parquet"


def _audience_files(files: Files) -> list[Path]:
    return sorted((files.folder / "reports/audiences").glob("*.csv"))


def _audiences(files: Files) -> Iterator[str]:
    meant, plan = files.csv("audiences"), files.answers["actions"]
    arm = files.inside["arm"].reindex(meant["customer_id"]).fillna("").tolist()
    if arm != meant["arm"].tolist():
        yield "audiences.csv has another arm than members.parquet"
    status = files.inside["status"].reindex(meant["customer_id"]).fillna("").tolist()
    if status != meant["status"].tolist():
        yield "audiences.csv has another status than members.parquet"
    parts = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in _audience_files(files)]
    if sorted(map(tuple, pd.concat(parts)[["action", "customer_id"]].to_numpy())) != sorted(
        map(tuple, meant[["action", "customer_id"]].to_numpy())
    ):
        yield "the files of the actions name others than audiences.csv"
    ours = meant[meant["action"].isin(files.programme_actions)]
    if (ours["arm"] != "invited").any():
        yield "a programme action means somebody who is not invited"
    sizes = meant.groupby("action").size()
    told = pd.Series({each["key"]: 0 for row in plan["segments"] for each in row["do"] if each["audience"]}, dtype=int)
    for row in plan["segments"]:
        for each in row["do"]:
            told[each["key"]] = told.get(each["key"], 0) + (each["audience"] or 0)
    told["about_to_leave"], told["one_step_from_entering"] = plan["about_to_leave"]["count"], plan["one_step"]["count"]
    told = told[told > 0]
    if told.sort_index().to_dict() != sizes.sort_index().to_dict():
        yield f"audiences.csv has {sizes.to_dict()}, the page {told.to_dict()}"
    grace = files.inside[(files.inside["status"] == "grace") & (files.inside["arm"] == "invited")]
    if not set(grace.index) <= set(meant.loc[meant["action"] == "about_to_leave", "customer_id"]):
        yield "somebody invited is in grace, and not among those about to leave"


def _steps(files: Files) -> Iterator[str]:
    """What each one lacks, from their own figures: with it they meet a way of the conditions, and without it none."""
    people = files.table("customers").set_index("customer_id")
    ways = files.answers["enter"]["ways"]
    meant = files.csv("audiences")
    near = meant.loc[meant["action"] == "one_step_from_entering", "customer_id"]
    if set(near) & set(files.inside.index):
        yield "a member is one step from entering"
    for each in near:
        lacks = [[one for one in way if not _holds(people.loc[each], one)] for way in ways]
        steps = [missed[0]["column"] for missed in lacks if len(missed) == 1]
        if not all(lacks) or not any(re.match("net_revenue|order_count|recency_days", column) for column in steps):
            yield f"{each} is not one step from meeting the conditions, in money, orders or days"
    for row in files.answers["actions"]["one_step"]["first"]:
        own = people.loc[row["customer_id"]].copy()
        if row["column"] not in ("recency_days",) and not re.match("net_revenue|order_count", row["column"]):
            yield f"{row['customer_id']} lacks {row['column']}, which is neither money nor orders"
        if not np.isclose(abs(own[row["column"]] - row["threshold"]), row["missing"], atol=1e-5):
            yield f"{row['customer_id']} lacks {row['missing']} of {row['column']}, by their figures another amount"
        without = _meets(own, ways)
        own[row["column"]] = row["threshold"]
        if without or not _meets(own, ways):
            yield f"{row['customer_id']} is not one step from meeting the conditions"


def _meets(figures: pd.Series, ways: list[list[dict[str, Any]]]) -> bool:
    return any(all(_holds(figures, each) for each in way) for way in ways)


def _holds(figures: pd.Series, condition: dict[str, Any]) -> bool:
    value, threshold = figures[condition["column"]], condition["threshold"]
    return bool(value >= threshold if condition["bound"] == "at_least" else value <= threshold)


def _page(files: Files) -> Iterator[str]:
    page = (files.folder / "reports/index.html").read_text(encoding="utf-8")
    if len(files.inside) and not re.search(rf"\b{len(files.inside):,} of {len(files.table('customers')):,} ", page):
        yield "the page states another count"


def _stories(files: Files) -> Iterator[str]:
    """`insiders explain` of every customer."""
    with chdir(files.folder):
        known = customer.background()
        told = {each: customer.tell(each, known) for each in known.present["customer_id"]}
    for each, lines in told.items():
        record = files.members.loc[each] if each in files.members.index else None
        inside = record is not None and record["status"] != "left"
        if lines[1].endswith(": an Insider") != inside:
            yield f"explain says of {each}: {lines[1]}"
        status = "never" if record is None else "left" if not inside else "member"
        heads = {"never": "Never a member", "left": "A member from", "member": "A member since"}
        if not any(line.startswith(heads[status]) for line in lines):
            yield f"explain tells another status of {each} than {status}"
        if inside and lines[-1].split(":")[0].split()[-1] not in ("joined", "returned", "stayed", "grace"):
            yield f"the last check of {each} in explain: {lines[-1]}"

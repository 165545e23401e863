"""The whole flow on a small shop, from invoice lines to the page: what others rely on, and what must change nothing."""

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil  # DVC brings it
import pytest

import small_shop
from contract import ANSWERS, METRICS
from insiders import schemas
from insiders.io import params
from insiders.io.delivery import sources
from insiders.io.tracking import connection, registry
from small_shop import EASY, LESS, STAGES

# Every table, list and JSON; each is the same for the same input and seed, whoever makes it.
RESULTS = (
    *(f"data/{name}.parquet" for name in ("transactions", "quarantine", "lines", "orders", "truth")),
    *(f"data/{name}.parquet" for name in ("customers", "snapshots", "holdout", "assignments", "members", "movement")),
    *("data/source.json", "data/ledger.csv", "data/judged.parquet", "models/candidate.json", "models/registered.json"),
    *(f"reports/{name}" for name in ("trials.csv", "insiders.csv", "experiment.csv", "answers.json", "metrics.json")),
)
INSIDERS = (
    "rank customer_id segment net_revenue order_count recency_days expected_revenue expected_low expected_high reason "
    "status since arm country is_wholesaler as_of release"
)
JUDGED = STAGES[STAGES.index("tune") :]


@pytest.fixture(scope="module", autouse=True)
def own_store() -> Iterator[None]:
    """Every project has its store in its own mlruns/."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        yield


@pytest.fixture(scope="module")
def shop(easy_shop: Path) -> Path:
    return easy_shop


@pytest.fixture
def copy(shop: Path, tmp_path: Path) -> Path:
    """The same project elsewhere, to be changed."""
    return Path(shutil.copytree(shop, tmp_path / "copy"))


def digests(folder: Path, names: tuple[str, ...] = RESULTS) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names}


def told(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text(encoding="utf-8"))


def assigned(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / "data/assignments.parquet").set_index("customer_id")


def listed(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "reports/insiders.csv", dtype={"customer_id": str})


def versions_and_runs(folder: Path) -> tuple[list[tuple[str, ...]], int]:
    with small_shop.inside(folder):
        opened = connection.connect()
        versions = [(version.number, *version.aliases) for version in registry.versions()]
        return versions, len(opened.client.search_runs([opened.experiment], max_results=1000))


def tried(folder: Path) -> int:
    """Trials, and the baselines that are measured beside them."""
    return len(pd.read_csv(folder / "reports/trials.csv"))


def rows(folder: Path) -> pd.DataFrame:
    """The invoice lines of the embedded shop, as they are delivered."""
    settings = params.read(folder / "params.yaml")
    return pd.concat([block.to_pandas() for block in sources.shop(settings).blocks()], ignore_index=True)


def feed(folder: Path, delivered: pd.DataFrame, parts: int = 1) -> None:
    """Make the rows the project's source: a folder of Parquet, in so many parts."""
    place = folder / "delivered"
    place.mkdir()
    for number, part in enumerate(np.array_split(np.arange(len(delivered)), parts)):
        delivered.iloc[part].to_parquet(place / f"{number}.parquet", index=False)
    small_shop.write_params(folder, EASY, {"ingest": {"source": "delivered"}})


# --- what others rely on ---


def test_tables_keep_their_contracts(shop: Path) -> None:
    contracts = {"customers": schemas.CUSTOMERS, "snapshots": schemas.SNAPSHOTS, "assignments": schemas.ASSIGNMENTS}
    contracts |= {"judged": schemas.JUDGED, "members": schemas.MEMBERS, "movement": schemas.MOVEMENT}
    for name, contract in contracts.items():
        contract.validate(pd.read_parquet(shop / f"data/{name}.parquet"))
    assert list(listed(shop).columns) == INSIDERS.split()
    ledger = pd.read_csv(shop / "data/ledger.csv")
    assert list(ledger.columns) == ["rule", "rows", "customers", "quantity", "amount", "action"]
    first = ["cluster", "segment", "is_insider", "reason", "as_of", "model_version"]
    assert list(assigned(shop).columns)[: len(first)] == first  # more may be added


def test_answers_and_metrics_have_their_keys(shop: Path) -> None:
    keys = list(told(shop, "reports/answers.json"))
    assert [key for key in keys if key in ANSWERS.split()] == ANSWERS.split()  # more may be added
    found = told(shop, "reports/metrics.json")
    assert {section: list(values) for section, values in found.items()} == {
        section: keys.split() for section, keys in METRICS.items()
    }


def test_every_trial_has_every_measure(shop: Path) -> None:
    trials = pd.read_csv(shop / "reports/trials.csv")
    own = trials[trials["state"] != "BASELINE"]
    assert own["number"].tolist() == list(range(LESS["tune"]["trials"]))
    assert (
        own[["embedding", "clusterer", "params", "foresight_min", "foresight_mean", "segments"]].notna().all(axis=None)
    )
    done = own[own["state"] == "COMPLETE"]
    late = ["stability", "stability_rand", "stability_refits", "silhouette", "davies_bouldin", "calinski_harabasz"]
    assert done[late].notna().all(axis=None)
    picked = own.set_index("number").loc[told(shop, "models/candidate.json")["trial"]]
    assert picked[["control_gap", "foresight_gap", "stability_seeds_rand"]].notna().all()
    assert {"net_revenue", "faded_revenue", "rfm_quintiles", "random"} < set(trials["clusterer"])


def test_rows_and_money_add_up(shop: Path) -> None:
    ledger = pd.read_csv(shop / "data/ledger.csv")
    ledger["units"] = (ledger["amount"] * 10_000).round().astype("int64")
    by_action = ledger.groupby("action")[["rows", "quantity", "units"]].sum()
    assert by_action.loc["delivered"].equals(by_action.drop(["delivered", "counted"]).sum())
    source = told(shop, "data/source.json")
    assert source["rows_read"] == len(rows(shop)) == ledger.set_index("rule").loc["delivered", "rows"]
    lines = pd.read_parquet(shop / "data/lines.parquet")
    assert int(sum(lines["amount"]) * 10_000) == ledger.set_index("rule").loc["kept", "units"]
    orders, customers = (pd.read_parquet(shop / f"data/{name}.parquet") for name in ("orders", "customers"))
    assert sum(orders["net_revenue"]) == sum(lines["amount"])
    assert customers["net_revenue"].sum() == pytest.approx(float(sum(lines["amount"])), abs=0.01)


def test_list_assignments_and_metrics_agree(shop: Path) -> None:
    everyone, insiders, metrics = assigned(shop), listed(shop), told(shop, "reports/metrics.json")
    known = pd.read_parquet(shop / "data/customers.parquet").set_index("customer_id")
    members = everyone.index[everyone["is_insider"]]
    assert sorted(everyone.index) == sorted(known.index)
    assert sorted(insiders["customer_id"]) == sorted(members)
    assert insiders["rank"].tolist() == list(range(1, len(members) + 1))
    assert metrics["insiders"]["count"] == len(members) > 0
    assert metrics["data"]["customers"] == len(everyone)
    share = known.loc[members, "net_revenue"].sum() / known["net_revenue"].sum()
    assert metrics["insiders"]["net_revenue_share"] == pytest.approx(share, abs=1e-6)
    assert metrics["forecast"]["low"] < metrics["forecast"]["expected"] < metrics["forecast"]["high"]
    assert metrics["model"]["segments"] == everyone["segment"].nunique()
    assert set(everyone["model_version"]) == {"1"} == {metrics["model"]["version"]}


def test_the_model_serves_and_everything_says_so(shop: Path) -> None:
    registered = told(shop, "models/registered.json")
    assert registered["regime"] == told(shop, "reports/metrics.json")["validation"]["regime"] == "model"
    assert (registered["version"], registered["champion_version"], registered["passed"]) == ("1", "1", True)
    versions, runs = versions_and_runs(shop)
    assert versions == [("1", "challenger", "champion")]
    assert runs == len(STAGES) + tried(shop)
    page = (shop / "reports/index.html").read_text(encoding="utf-8")
    linked, beside = set(re.findall(r'<a [^>]*href="([^#"]+)"', page)), (shop / "reports").rglob("*.*")
    assert linked == {path.relative_to(shop / "reports").as_posix() for path in beside} - {"index.html"}
    assert f"{len(listed(shop))} customers are Insiders" in re.sub("<[^>]+>", "", page)
    assert sorted(path.name for path in (shop / "reports").iterdir()) == [
        *("answers.json", "audiences", "audiences.csv", "experiment.csv", "exploration.html", "exploration.json"),
        *(
            "index.html",
            "insiders.csv",
            "intake.md",
            "metrics.json",
            "recommendations.csv",
            "rfm.csv",
            "spreadsheets",
            "trials.csv",
        ),
    ]


def test_the_judged_list_is_the_one_whose_figures_are_told(shop: Path) -> None:
    judged, brought = (pd.read_parquet(shop / f"data/{name}.parquet") for name in ("judged", "holdout"))
    validation = told(shop, "models/registered.json")["validation"]
    assert f"{judged['as_of'].iloc[0]:%Y-%m-%d}" == validation["as_of"]
    assert judged["is_insider"].sum() == validation["n"]
    later = judged.merge(brought, on="customer_id", validate="one_to_one")
    captured = later.loc[later["is_insider"], "next_revenue"].sum() / later["next_revenue"].sum()
    assert captured == pytest.approx(validation["value_capture"])


# --- what must change nothing ---


def test_again_is_no_change(copy: Path) -> None:
    (copy / "mlruns/fresh.json").unlink()  # or nothing would run at all
    before = digests(copy)
    state = versions_and_runs(copy)
    small_shop.run(copy, STAGES[STAGES.index("register") :])
    assert digests(copy) == before
    assert versions_and_runs(copy) == state


def test_order_split_and_names_change_nobodys_segment_and_back_is_back(shop: Path, copy: Path) -> None:
    """A -> B -> A: other names (in another order), permuted rows, several files; then the first source again."""
    delivered = rows(copy)
    feed(copy, named(delivered, lambda each: f"k{each[::-1]}").sample(frac=1, random_state=3), parts=3)
    small_shop.run(copy)
    expect_same_segments(shop, copy, lambda name: name[1:][::-1])
    assert versions_and_runs(copy)[0] == [("1",), ("2", "challenger", "champion")]
    assert set(assigned(copy)["model_version"]) == {"2"}

    small_shop.write_params(copy, EASY)
    small_shop.run(copy)
    assert digests(copy) == digests(shop)
    assert versions_and_runs(copy)[0] == [("1", "challenger", "champion"), ("2",)]


def test_names_in_the_same_order_change_nobodys_segment(shop: Path, tmp_path: Path, empty_store: Path) -> None:
    folder = small_shop.new_project(tmp_path / "named", empty_store, EASY)
    feed(folder, named(rows(folder), lambda each: f"customer {each}"))
    small_shop.run(folder)
    expect_same_segments(shop, folder, lambda name: name.removeprefix("customer "))


def named(delivered: pd.DataFrame, name: Callable[[str], str]) -> pd.DataFrame:
    return delivered.assign(CustomerID=delivered["CustomerID"].map(name, na_action="ignore"))


def expect_same_segments(one: Path, other: Path, first_name: Callable[[str], str]) -> None:
    known, again = assigned(one), assigned(other)
    again.index = again.index.map(first_name)
    columns = ["cluster", "segment", "is_insider", "reason"]
    pd.testing.assert_frame_equal(again.sort_index()[columns], known.sort_index()[columns])
    figures = ["rank", "net_revenue", "expected_revenue", "expected_low", "expected_high"]
    pd.testing.assert_frame_equal(listed(other)[figures], listed(one)[figures])
    assert (one / "models/candidate.json").read_bytes() == (other / "models/candidate.json").read_bytes()
    assert (one / "reports/trials.csv").read_bytes() == (other / "reports/trials.csv").read_bytes()
    then, now = (pd.read_csv(folder / "reports/experiment.csv", dtype={"customer_id": str}) for folder in (one, other))
    assert set(now["customer_id"].map(first_name)) == set(then["customer_id"])  # their lots depend on their names
    for key in ("later", "hypotheses"):  # the plan of the experiment counts who was held out
        told_of = [told(folder, "reports/answers.json")["guarantee"][key] for folder in (one, other)]
        assert told_of[0] == told_of[1], key


def test_a_killed_search_ends_as_if_nothing_happened(shop: Path, copy: Path, empty_store: Path) -> None:
    shutil.rmtree(copy / "mlruns")
    (copy / "mlruns").mkdir()
    shutil.copy(empty_store, copy / "mlruns/mlflow.db")
    wanted = digests(shop, ("reports/trials.csv", "models/candidate.json"))
    for name in wanted:
        (copy / name).unlink()
    small_shop.write_params(copy, EASY, {"tune": LESS["tune"] | {"workers": 2}})
    started = subprocess.Popen([sys.executable, "-m", "insiders.stages.tune"], cwd=copy, stdout=subprocess.DEVNULL)
    try:
        wait_for_trials(copy / "mlruns/optuna.db", 2, started)
        workers = psutil.Process(started.pid).children()
    finally:
        started.kill()
        started.wait()
    assert not (copy / "models/candidate.json").exists()
    assert not psutil.wait_procs(workers, timeout=30)[1], "workers outlive the search"
    small_shop.write_params(copy, EASY)
    small_shop.run(copy, ["tune"])
    assert digests(copy, tuple(wanted)) == wanted
    with small_shop.inside(copy):
        opened = connection.connect()
        trials = opened.client.search_runs([opened.experiment], "tags.`insiders.stage` = 'trial'")
    assert len(trials) == tried(shop)
    assert {trial.info.status for trial in trials} == {"FINISHED"}


def wait_for_trials(database: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    query = "SELECT count(*) FROM trial_user_attributes WHERE key = 'scored'"
    for _ in range(6000):
        assert process.poll() is None, "it ended before it could be killed"
        try:
            with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
                if connection.execute(query).fetchone()[0] >= count:
                    return
        except sqlite3.OperationalError:  # not there yet, or being written
            pass
        time.sleep(0.01)
    pytest.fail("no trial in a minute")


# --- what must not serve ---


def test_a_past_that_says_nothing_of_the_future_gives_no_model(tmp_path: Path, empty_store: Path) -> None:
    """Each invoice goes to a customer by lot."""
    folder = small_shop.new_project(tmp_path / "dealt", empty_store)
    delivered = rows(folder)
    bought = delivered[delivered["CustomerID"].notna()]
    owners = bought.drop_duplicates("InvoiceNo").set_index("InvoiceNo")["CustomerID"]
    dealt = dict(zip(owners.index, owners.sample(frac=1, random_state=5), strict=True))
    feed(folder, bought.assign(CustomerID=bought["InvoiceNo"].map(dealt)))
    small_shop.write_params(folder, {"ingest": {"source": "delivered"}})
    small_shop.run(folder, pictures=True)
    registered = told(folder, "models/registered.json")
    assert registered["regime"] != "model"
    assert registered["champion_version"] is None
    assert versions_and_runs(folder)[0] == [("1", "challenger")]
    assert told(folder, "reports/metrics.json")["validation"]["regime"] == registered["regime"]
    assert "1" not in set(assigned(folder)["model_version"])
    assert len(listed(folder)) == (registered["baseline"] or {"n": 0})["n"]
    judged = pd.read_parquet(folder / "data/judged.parquet")["is_insider"].sum()
    assert judged == (registered["validation"]["n"] if registered["regime"] == "baseline" else 0)


def test_a_worse_recipe_does_not_take_the_champions_place(shop: Path, copy: Path) -> None:
    candidate = told(copy, "models/candidate.json")
    candidate["measures"]["stability_rand"] = 0.0
    (copy / "models/candidate.json").write_text(json.dumps(candidate), encoding="utf-8")
    (copy / "mlruns/written.json").unlink()  # as if a run had written it
    small_shop.run(copy, ["register", "assign", "report"])
    registered = told(copy, "models/registered.json")
    assert [gate["name"] for gate in registered["gates"] if not gate["passed"]] == ["stability_rand"]
    assert (registered["version"], registered["alias"], registered["champion_version"]) == ("2", "challenger", "1")
    assert digests(copy, ("reports/insiders.csv",)) == digests(shop, ("reports/insiders.csv",))


def test_a_broken_source_leaves_the_last_good_list(shop: Path, copy: Path) -> None:
    delivered = rows(copy).head(50)
    delivered["Quantity"] = "many"
    delivered.to_csv(copy / "broken.csv", index=False)
    small_shop.write_params(copy, EASY, {"ingest": {"source": "broken.csv"}})
    with pytest.raises(SystemExit) as ended:
        small_shop.run(copy)
    message = str(ended.value.code)
    assert message.startswith("ingest: broken.csv: 50 of 50 rows (100.00%) cannot be read")
    assert "50 x Quantity is not a number, first in row 2: " in message
    assert digests(copy) == digests(shop)

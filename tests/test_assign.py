"""The list follows the champion; what fails leaves the last good list; the same state gives the same bytes."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from optuna.trial import FixedTrial

from customer_tables import MONTHS, customers, fitted, write_project
from insiders import schemas
from insiders.answers import assignments
from insiders.errors import InputError
from insiders.io import params, paths, tables
from insiders.io.tracking import address, connection, registry, runs
from insiders.io.tracking.registry import Facts
from insiders.model.clusterers import Ward
from insiders.model.embeddings import EMBEDDINGS
from insiders.model.segments import name_segments
from insiders.stages import assign
from insiders.value import scores


@pytest.fixture(autouse=True)
def project(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tables as featurize leaves them, and an empty registry; returns the store's folder."""
    monkeypatch.chdir(tmp_path)
    write_project()
    manifest("none")
    return store


@pytest.fixture(scope="module")
def served(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which version 1 serves, made once: to log a model takes seconds."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(address.VARIABLE, f"sqlite:///{shutil.copy(empty_store, folder)}")
        submit("a")
        registry.promote()
    return folder


@pytest.fixture
def champion(project: Path, served: Path) -> None:
    """Version 1 serves in this test's store."""
    shutil.copytree(served, project, dirs_exist_ok=True)


def manifest(regime: str, baseline: dict[str, Any] | None = None) -> None:
    tables.write_json({"regime": regime, "baseline": baseline}, paths.REGISTERED)


def ask_for(size: str) -> None:
    settings = Path("params.yaml").read_text(encoding="utf-8")
    assert "  size: auto " in settings
    Path("params.yaml").write_text(settings.replace("  size: auto ", f"  size: {size} "), encoding="utf-8")


def submit(key: str, clusters: int = 3) -> str:
    model = fitted(clusterer=Ward(clusters))
    model.segment_names_ = name_segments(customers(), model.labels_)
    return registry.register(model, customers(5), Facts(key, {}, {}, {}, "")).number


def assigned() -> pd.DataFrame:
    return pd.read_parquet(paths.ASSIGNMENTS)


def listed() -> pd.DataFrame:
    return pd.read_csv(paths.INSIDERS)


def contents() -> tuple[bytes, ...]:
    return tuple(path.read_bytes() for path in assign.OUTPUTS)


def run_count() -> int:
    opened = connection.connect()
    return len(opened.client.search_runs([opened.experiment], "tags.`insiders.stage` = 'assign'"))


TODAY = customers()["as_of"].iloc[0]
LARGE = [f"c{number:03d}" for number in range(0, 60, 10)]


@pytest.mark.usefixtures("champion")
def test_the_champion_decides() -> None:
    assign.main()
    found = assigned()
    assert found.loc[found["is_insider"], "customer_id"].tolist() == LARGE
    assert set(found["model_version"]) == {"1"}
    assert found["customer_id"].is_monotonic_increasing
    assert sorted(listed()["customer_id"]) == LARGE
    assert listed()["rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert listed()["net_revenue"].is_monotonic_decreasing
    assert set(listed()["segment"]) == set(assigned().loc[assigned()["is_insider"], "segment"]) == {"Frequent"}


def test_everyone_is_told_how_sure_their_segment_is() -> None:
    submit("a")
    assign.main()
    assert pd.read_parquet(paths.CONFIDENCE)["confidence"].isna().all()
    registry.promote()
    assign.main()
    found = pd.read_parquet(paths.CONFIDENCE)
    assert found["customer_id"].tolist() == assigned()["customer_id"].tolist()
    assert found["confidence"].between(0, 1).all()
    large = found["customer_id"].isin(LARGE)
    assert (found.loc[large, "confidence"] == 1.0).all()
    assert found.loc[~large, "confidence"].min() < 1  # these differ a little only, and are cut in two


def test_a_challenger_does_not_decide() -> None:
    submit("a")
    assign.main()
    assert set(assigned()["model_version"]) == {"none"}
    assert listed().empty
    assert list(listed().columns)[:3] == ["rank", "customer_id", "segment"]


def test_without_a_champion_the_baseline_decides() -> None:
    manifest("baseline", {"name": "net_revenue", "n": 2, "horizon_days": 90})
    assign.main()
    assert set(assigned()["model_version"]) == {"baseline:net_revenue"}
    assert sorted(listed()["customer_id"]) == ["c030", "c050"]  # c030 was in last month and ranks within the band
    chosen = assigned().set_index("customer_id")
    assert chosen.index[chosen["segment"] == "Insiders"].tolist() == ["c030", "c050"]


@pytest.mark.parametrize("name", ["faded_revenue", "rfm_quintiles", "lifetime_value"])
def test_every_kind_of_baseline_can_decide(name: str) -> None:
    score = scores.scorer(customers(), 90)(customers())[name]
    best = score >= np.sort(score)[-4]  # all who are tied with the fourth
    customers().iloc[:0].to_parquet(paths.HISTORY)
    manifest("baseline", {"name": name, "n": int(best.sum()), "horizon_days": 90})
    assign.main()
    assert assigned()["is_insider"].tolist() == best.tolist()


@pytest.mark.usefixtures("champion")
def test_an_alias_that_was_moved_by_hand_is_followed() -> None:
    assign.main()
    submit("b", clusters=2)
    connection.connect().client.set_registered_model_alias("insiders", "champion", "2")
    assign.main()
    assert set(assigned()["model_version"]) == {"2"}
    assert registry.rollback().number == "1"
    assign.main()
    assert set(assigned()["model_version"]) == {"1"}


@pytest.mark.usefixtures("champion")
def test_nothing_is_done_where_nothing_changed(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assign.main()
    before, database = contents(), (project / "mlflow.db").read_bytes()
    monkeypatch.setattr(assignments, "named", lambda _: pytest.fail("it ran"))
    assign.main()
    assert contents() == before
    assert (project / "mlflow.db").read_bytes() == database


def test_the_run_of_a_later_stage_leaves_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assign.main()
    with runs.stage_run("report", {}) as log:
        log({"insiders": 1})
    monkeypatch.setattr(assignments, "named", lambda _: pytest.fail("it ran"))
    assign.main()


@pytest.mark.usefixtures("champion")
def test_the_same_state_gives_the_same_bytes_and_no_further_run() -> None:
    assign.main()
    before = contents()
    Path("mlruns/fresh.json").unlink()
    assign.main()
    assert contents() == before
    assert run_count() == 1


@pytest.mark.usefixtures("champion")
def test_back_to_old_customers_is_back_to_the_old_list() -> None:
    assign.main()
    before = contents()
    write_project(customers().assign(recency_days=lambda each: each["recency_days"] + 0.0).iloc[:40])
    assign.main()
    assert len(assigned()) == 40
    write_project()
    assign.main()
    assert contents() == before


def test_places_are_those_of_the_embedding_and_only_a_model_has_any() -> None:
    number = submit("a")
    assign.main()
    assert pd.read_parquet(paths.PLACES).empty
    registry.promote()
    assign.main()
    [version] = [each for each in registry.versions() if each.number == number]
    known = pd.read_parquet(paths.CUSTOMERS).sort_values("customer_id")
    found = tables.read(paths.PLACES, schemas.PLACES)
    assert found["customer_id"].tolist() == known["customer_id"].tolist()
    assert np.array_equal(np.stack(found["place"].tolist()), registry.load(version).embed(known))


@pytest.mark.usefixtures("champion")
def test_order_and_names_of_the_customers_change_nothing_else() -> None:
    assign.main()
    known = assigned().set_index("customer_id")
    before = pd.read_parquet(paths.CONFIDENCE)["confidence"].value_counts().to_dict()
    other = customers().sample(frac=1, random_state=1, ignore_index=True)
    other["customer_id"] = pd.array(["z" + each[::-1] for each in other["customer_id"]], dtype="str")
    write_project(other)
    paths.MEMBERS.unlink()  # of customers who are all gone
    assign.main()
    again = assigned()
    again.index = pd.Index([each[1:][::-1] for each in again["customer_id"]], name="customer_id")
    columns = ["cluster", "segment", "is_insider", "reason"]
    sure = pd.read_parquet(paths.CONFIDENCE)["confidence"]
    assert sure.value_counts().to_dict() == before
    pd.testing.assert_frame_equal(again[columns].sort_index(), known[columns])


@pytest.mark.usefixtures("champion")
def test_what_fails_leaves_the_last_good_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assign.main()
    before = contents()
    write_project(customers(50))
    monkeypatch.setattr(assignments.schemas, "INSIDERS", assignments.schemas.HOLDOUT)
    with pytest.raises(Exception, match="customer"):
        assign.main()
    assert contents() == before
    assert sorted(path.name for path in paths.INSIDERS.parent.iterdir()) == ["insiders.csv"]


@pytest.mark.usefixtures("champion")
def test_bad_customers_end_with_a_word_and_the_old_list() -> None:
    assign.main()
    before = contents()
    customers().assign(recency_days=0.0).to_parquet(paths.CUSTOMERS)
    with pytest.raises(SystemExit, match=r"customers\.parquet: recency_days fails the check"):
        assign.main()
    assert contents() == before


@pytest.mark.usefixtures("champion")
def test_customers_without_their_products_are_refused_only_by_a_model_that_looks_at_them() -> None:
    customers().drop(columns="products").to_parquet(paths.CUSTOMERS)
    assign.main()
    assert listed()["customer_id"].sort_values().tolist() == LARGE
    by_products = fitted(EMBEDDINGS["affinity"](FixedTrial({"affinity.components": 4}), 7), features=("products",))
    registry.register(by_products, customers(5), Facts("b", {}, {}, {}, ""))
    registry.promote()
    with pytest.raises(SystemExit, match="customers lack the features products; the model expects products"):
        assign.main()


@pytest.mark.usefixtures("champion")
def test_a_champion_named_meanwhile_is_not_taken_for_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    real = assignments.write

    def write_while_somebody_promotes(*given: Any) -> None:
        real(*given)
        submit("b", clusters=2)
        registry.promote()

    monkeypatch.setattr(assignments, "write", write_while_somebody_promotes)
    assign.main()
    monkeypatch.setattr(assignments, "write", real)
    assign.main()
    assert set(assigned()["model_version"]) == {"2"}


def test_the_list_is_safe_in_a_spreadsheet() -> None:
    named = customers()
    named["customer_id"] = pd.array(
        ["=1+1", "'=1+1", "+2", "-3", "@x", "\ty", *named["customer_id"].iloc[6:]], dtype="str"
    )
    manifest("baseline", {"name": "net_revenue", "n": 60, "horizon_days": 90})
    write_project(named)
    ask_for("60")
    assign.main()
    first = {each for each in listed()["customer_id"] if not each.startswith("c")}
    assert first == {"'=1+1", "''=1+1", "+2", "-3", "'@x", "'\ty"}
    assert "=1+1" in set(assigned()["customer_id"])


def test_amounts_are_in_hundredths() -> None:
    manifest("baseline", {"name": "net_revenue", "n": 60, "horizon_days": 90})
    assign.main()
    amounts = listed()[["net_revenue", "expected_revenue", "expected_low", "expected_high"]].to_numpy()
    assert np.array_equal(amounts, amounts.round(2))


@pytest.mark.parametrize("name", ["1", "challenger", "@challenger"])
def test_a_version_can_be_asked_by_number_or_alias(name: str) -> None:
    submit("a")
    assert assignments.named(name, params.read(), TODAY).version == "1"


def test_an_unknown_version_is_named() -> None:
    submit("a")
    with pytest.raises(InputError, match=r"no version '7': there is 1 @challenger"):
        assignments.named("7", params.read(), TODAY)


def test_without_a_manifest_the_way_to_one_is_told() -> None:
    paths.REGISTERED.unlink()
    with pytest.raises(InputError, match=r"registered\.json is missing: run `dvc repro`"):
        assignments.named(None, params.read(), TODAY)


def remembered() -> pd.DataFrame:
    return pd.read_parquet(paths.MEMBERSHIPS)


@pytest.mark.usefixtures("champion")
def test_the_champion_looks_back_at_every_month_start() -> None:
    assign.main()
    found = remembered()
    assert found.groupby("as_of").size().to_dict() == dict.fromkeys(MONTHS, 40)
    for _, then in found.groupby("as_of"):
        assert then.loc[then["is_insider"], "customer_id"].tolist() == ["c000", "c010", "c020", "c030"]
        assert set(then.loc[then["is_insider"], "segment"]) == {"Frequent"}
    assert found.equals(found.sort_values(["as_of", "customer_id"]))


def test_a_baseline_looks_back_with_the_same_share() -> None:
    manifest("baseline", {"name": "net_revenue", "n": 3, "horizon_days": 90})
    assign.main()
    found = remembered()
    chosen = found[found["is_insider"]]
    assert chosen.groupby("as_of")["customer_id"].agg(list).to_dict() == {day: ["c020", "c030"] for day in MONTHS}


def test_without_a_list_nobody_was_a_member() -> None:
    assign.main()
    assert not remembered()["is_insider"].any()


@pytest.mark.parametrize("regime", ["model", "baseline"])
def test_what_is_known_of_other_dates_changes_no_first_membership(regime: str) -> None:
    submit("a")
    if regime == "model":
        registry.promote()
    else:
        manifest("baseline", {"name": "faded_revenue", "n": 7, "horizon_days": 90})
    early, late = customers(40, MONTHS[0]), customers(40, MONTHS[1])
    other = late.assign(**{name: late[name].to_numpy()[::-1] * 1.5 for name in schemas.FEATURES}).iloc[:25]
    alone, before, after = (first_month(pd.concat(each)) for each in ([early], [early, late], [other, early]))
    assert alone["is_insider"].any()
    pd.testing.assert_frame_equal(before, alone)
    pd.testing.assert_frame_equal(after, alone)


def first_month(months: pd.DataFrame) -> pd.DataFrame:
    """The memberships of MONTHS[0] where these months are known."""
    server = assignments.named(None, params.read(), TODAY)
    served = assignments.serve(server, customers(), assignments.read_history(), months, params.read())
    return served.memberships[served.memberships["as_of"] == MONTHS[0]].reset_index(drop=True)


@pytest.mark.usefixtures("champion")
@pytest.mark.parametrize(("asked", "count"), [("7", 7), ("0.25", 15), ("auto", 6)])
def test_the_size_that_is_asked_for_stands_in_every_table(asked: str, count: int) -> None:
    ask_for(asked)
    assign.main()
    members = pd.read_parquet(paths.MEMBERS)
    inside = set(members.loc[members["status"] != "left", "customer_id"])
    assert len(inside) == count
    assert set(assigned().loc[assigned()["is_insider"], "customer_id"]) == inside
    assert set(listed()["customer_id"]) == inside
    assert listed()["rank"].tolist() == list(range(1, count + 1))
    assert set(listed()["release"]) == set(members["release"])
    movement = pd.read_parquet(paths.MOVEMENT)
    last = movement[movement["as_of"] == movement["as_of"].max()]
    assert set(last.loc[last["event"] != "left", "customer_id"]) == inside


def test_a_shop_without_past_months_has_no_past_memberships() -> None:
    customers().iloc[:0].to_parquet(paths.HISTORY)
    assign.main()
    assert remembered().empty
    schemas.MEMBERSHIPS.validate(remembered())


def test_the_last_period_counts_in_the_history() -> None:
    history = assignments.read_history()
    assert history["next_revenue"].notna().all()
    assert history["next_revenue"].iloc[0] == customers()["net_revenue"].iloc[0] / 4

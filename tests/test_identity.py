"""Who a segment is after a retrain: worked out on small shops, and through the stage that registers."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insiders.answers import registration
from insiders.io import paths, tables
from insiders.io.tracking import registry
from insiders.model import segments
from insiders.model.segments import Champion, Identity
from insiders.stages import register as stage
from test_segments import COLUMNS, LAPSED_LARGE, LAPSED_SMALL, NEWCOMER, REGULAR, WHOLESALE, shop

NAMES = {0: "Large", 1: "Steady", 2: "Gone"}


def champion(labels: np.ndarray, names: dict[int, str] = NAMES) -> Champion:
    return Champion(labels, names)


def names(found: list[Identity]) -> dict[int, str]:
    return {each.cluster: each.name for each in found}


def test_without_a_champion_every_segment_is_new() -> None:
    customers, labels = shop(WHOLESALE, REGULAR)
    assert segments.identify(customers, labels, None) == [
        Identity(0, "Frequent", None, None, 0, {}),
        Identity(1, "Regular", None, None, 0, {}),
    ]


def test_other_numbers_keep_their_names() -> None:
    customers, labels = shop(WHOLESALE, REGULAR, LAPSED_SMALL)
    found = segments.identify(customers, np.array([2, 2, 0, 0, 1, 1]), champion(labels))
    assert names(found) == {2: "Large", 0: "Steady", 1: "Gone"}
    assert [each.shared_customers for each in found] == [2, 2, 2]
    assert {each.matched_by for each in found} == {"members"}
    assert all(each.changed == {} for each in found)


def test_the_best_assignment_counts_and_not_the_best_pair() -> None:
    """Cluster 1 shares most with Steady, but cluster 2 has nobody else to go on as."""
    customers, _ = shop(*[REGULAR] * 8, size=1)
    old = np.array([1, 1, 1, 1, 1, 2, 2, 2])
    new = np.array([2, 2, 1, 1, 1, 1, 1, 1])
    found = segments.identify(customers, new, champion(old))
    assert names(found) == {1: "Gone", 2: "Steady"}


def test_a_new_segment_gets_a_name_that_nobody_has_or_had() -> None:
    customers, _ = shop(WHOLESALE, REGULAR, REGULAR, NEWCOMER, LAPSED_SMALL)
    labels = np.array([0, 0, 1, 1, 1, 1, 2, 2, 3, 3])
    old = np.where(labels == 0, 0, 1)
    known = {0: "Large", 1: "Regular", 2: "New", 3: "Lapsed"}  # New and Lapsed have no customers any more
    found = segments.identify(customers, labels, champion(old, names=known))
    assert names(found) == {0: "Large", 1: "Regular", 2: "New, 2", 3: "Lapsed, 2"}
    assert [each.matched_from for each in found] == ["Large", "Regular", None, None]


def test_where_no_customer_is_shared_the_profile_tells() -> None:
    """Noise to the one model where the other sees a cluster: only what the customers are like can tell."""
    customers, _ = shop(WHOLESALE, REGULAR, REGULAR, LAPSED_LARGE)
    old = np.array([0, 0, 1, 1, -1, -1, 2, 2])
    new = np.array([0, 0, -1, -1, 1, 1, -1, -1])
    found = segments.identify(customers, new, champion(old))
    assert names(found) == {0: "Large", 1: "Steady"}
    assert (found[1].matched_by, found[1].shared_customers) == ("profile", 0)


def test_a_profile_that_moved_is_told_with_both_medians() -> None:
    late = [*REGULAR[:4], 200, *REGULAR[5:]]
    customers, _ = shop(WHOLESALE, REGULAR, late, late)
    old = np.array([0, 0, 1, 1, 1, -1, -1, -1])
    new = np.array([0, 0, -1, 1, 1, 1, 1, 1])
    found = segments.identify(customers, new, champion(old))
    assert [each.changed for each in found] == [{}, {"recency_days": (40.0, 200.0)}]


def test_noise_is_no_segment() -> None:
    customers, labels = shop(WHOLESALE, REGULAR, LAPSED_SMALL)
    found = segments.identify(customers, np.where(labels == 2, -1, labels), champion(labels))
    assert names(found) == {0: "Large", 1: "Steady"}


rows = st.tuples(*[st.integers(0, 400) for _ in COLUMNS]).map(list)


@settings(max_examples=30, deadline=None)
@given(groups=st.lists(rows, min_size=2, max_size=7), data=st.data(), order=st.randoms())
def test_names_are_unique_and_order_and_ids_change_nothing(groups: list, data: st.DataObject, order) -> None:
    customers, _ = shop(*groups)
    label = st.integers(-1, 4)
    new, old = (np.array(data.draw(st.lists(label, min_size=len(customers), max_size=len(customers)))) for _ in "no")
    known = champion(old, {number: name for number, name in enumerate(["Large", "A", "B", "C", "Lapsed"])})
    found = segments.identify(customers, new, known)
    assert len({each.name for each in found}) == len(found)
    assert [each.cluster for each in found] == sorted(set(new.tolist()) - {-1})
    place = list(range(len(customers)))
    order.shuffle(place)
    mixed = customers.iloc[place].assign(customer_id=customers["customer_id"].to_numpy())
    assert segments.identify(mixed, new[place], Champion(old[place], known.names)) == found


# --- through register ---


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory, easy_shop: Path) -> Iterator[Path]:
    """A small shop whose first candidate serves."""
    folder = Path(shutil.copytree(easy_shop, tmp_path_factory.mktemp("identity") / "shop"))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
        monkeypatch.chdir(folder)
        registry.promote()
        yield folder


def again() -> bytes:
    Path("mlruns/fresh.json").unlink(missing_ok=True)
    stage.main()
    return paths.REGISTERED.read_bytes()


def test_a_retrain_keeps_the_champions_names_and_says_so_twice_in_the_same_bytes(registered: Path) -> None:
    first = (registered / paths.REGISTERED).read_bytes()
    assert again() == first
    before = json.loads(first)["segments"]
    assert [each["matched_from"] for each in before] == [None] * len(before)
    given = tables.read_json(paths.CANDIDATE)
    tables.write_json({**given, "seed": given["seed"] + 1}, paths.CANDIDATE)
    Path("mlruns/written.json").unlink()  # as if a run had written it
    second = again()
    found = json.loads(second)
    assert found["version"] == "2"
    kept = [each for each in found["segments"] if each["matched_from"]]
    assert kept
    assert all(each["name"] == each["matched_from"] and each["shared_customers"] > 0 for each in kept)
    registry.promote("2")
    third = again()
    assert json.loads(third)["segments"] == found["segments"]
    assert again() == third
    [version] = [each for each in registry.versions() if each.number == "2"]
    names = registry.load(version).model.segment_names_
    assert names == {each["cluster"]: each["name"] for each in found["segments"]}
    assert all(f"| {each['name']} | {each['matched_from'] or 'new'} |" in version.card for each in found["segments"])
    tables.write_json(given, paths.CANDIDATE)
    assert json.loads(again())["segments"] == before


def test_a_champion_that_cannot_be_loaded_leaves_the_names_to_the_table(
    registered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers = pd.read_parquet(registered / paths.CUSTOMERS)
    assert registration.champion_segments(customers, "none") is None
    assert registration.champion_segments(customers.drop(columns="net_revenue"), "1") is None
    assert registration.champion_segments(customers, "1") is not None
    monkeypatch.setattr(registry, "versions", list)
    assert registration.champion_segments(customers, "1") is None

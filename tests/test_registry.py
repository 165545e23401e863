"""Versions, aliases, their history, and the packaged model wherever it is loaded."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from pandas.testing import assert_frame_equal

from customer_tables import FEATURES, customers, fitted
from insiders.errors import InputError
from insiders.evidence.gates import Gate
from insiders.io.tracking import cards, connection, registry
from insiders.io.tracking.cards import CardFacts
from insiders.io.tracking.registry import Facts, Version
from insiders.model.segments import Identity

pytestmark = pytest.mark.usefixtures("store")

GATES = [Gate("not_worse", "lift", ">=", 0.97, 0.993), Gate("stable", "Jaccard", ">=", 0.75, 0.7)]
MODEL = fitted()


def submit(key: str, **changes: Any) -> Version:
    given = {"params": {"k": 3}, "metrics": {"value_lift": 1.01}, "tags": {"insiders.data": "abc"}, "card": "# card"}
    return registry.register(MODEL, customers(5), Facts(key, **{**given, **changes}))


def add_version_without_model(key: str) -> None:
    """A version without a model, made the challenger: enough where only aliases matter."""
    client = connection.connect().client
    if not client.search_registered_models():
        client.create_registered_model("insiders")
    made = client.create_model_version("insiders", "file:///nowhere", tags={"insiders.key": key})
    client.set_registered_model_alias("insiders", "challenger", made.version)


def set_alias_in_ui(alias: str, number: str) -> None:
    """What a click in MLflow's UI does."""
    connection.connect().client.set_registered_model_alias("insiders", alias, number)


def promote(*given: Any, **named: Any) -> Version:
    version = registry.promote(*given, **named)
    assert version is not None
    return version


def champion_number() -> str | None:
    champion = registry.champion()
    return champion.number if champion else None


def test_a_version_carries_what_is_known_of_it() -> None:
    tags = {**cards.gate_tags(GATES), "insiders.data_digest": "abc"}
    version = submit("k1", tags=tags)
    assert (version.number, version.aliases, version.card, version.key) == ("1", ("challenger",), "# card", "k1")
    assert version.tags["gate.not_worse"] == "passed 0.993 >= 0.97"
    assert version.tags["gate.stable"] == "failed 0.7 >= 0.75"
    assert version.tags["insiders.git_commit"]
    assert not version.passed
    client = connection.connect().client
    found = client.get_model_version("insiders", "1")
    run = client.get_run(found.run_id)
    assert (run.data.metrics, run.data.params, run.info.status) == ({"value_lift": 1.01}, {"k": "3"}, "FINISHED")
    assert [metric.key for metric in client.get_logged_model(found.source.removeprefix("models:/")).metrics] == [
        "value_lift"
    ]


def test_the_same_key_never_becomes_a_second_version() -> None:
    assert [submit(key).number for key in ("a", "b", "a", "a")] == ["1", "2", "1", "1"]
    assert [version.aliases for version in registry.versions()] == [("challenger",), ()]
    assert registry.find("b") == registry.versions()[1]
    assert registry.find("c") is None


def test_verdicts_of_a_known_version_are_brought_up_to_date() -> None:
    submit("a", tags={"gate.champion": "passed 1 >= 1", "gate.gone": "failed 0 >= 1"})
    version = submit("a", tags={"gate.champion": "failed 0.9 >= 1"}, card="# new")
    assert (version.tags["gate.champion"], version.card) == ("failed 0.9 >= 1", "# new")
    assert "gate.gone" not in version.tags


def test_an_unchanged_registration_writes_nothing(store: Path) -> None:
    submit("a")
    registry.promote()
    before = (store / "mlflow.db").read_bytes()
    submit("a")
    registry.promote("1", by="gate")
    registry.sync_champion()
    assert (store / "mlflow.db").read_bytes() == before


def test_an_empty_registry_has_nobody_to_serve() -> None:
    assert (registry.champion(), registry.sync_champion(), registry.versions()) == (None, None, [])
    with pytest.raises(InputError, match="no challenger"):
        registry.promote()
    with pytest.raises(InputError, match="no champion before this"):
        registry.rollback()


def test_rollback_goes_back_step_by_step() -> None:
    for key in ("a", "b", "c"):
        add_version_without_model(key)
        registry.promote(by="gate")
    assert [registry.rollback().number, registry.rollback().number] == ["2", "1"]
    assert champion_number() == "1"
    with pytest.raises(InputError, match="no champion before version 1"):
        registry.rollback()
    assert champion_number() == "1"


def test_who_promoted_is_recorded() -> None:
    add_version_without_model("a")
    assert promote(by="gate").tags["promoted_by"] == "gate"
    add_version_without_model("b")
    assert promote().tags["promoted_by"] == "person"
    with pytest.raises(InputError, match="no version 9; there is 1, 2"):
        registry.promote("9")


def test_a_gate_does_not_overrule_a_person() -> None:
    for key in ("a", "b"):
        add_version_without_model(key)
        registry.promote(by="gate")
    registry.rollback()
    again = submit("b")
    assert again.is_set_aside
    assert promote(again.number, by="gate").number == "1"
    chosen = promote(again.number)
    assert (chosen.number, chosen.is_set_aside) == ("2", False)


def test_a_promotion_by_hand_is_noticed() -> None:
    for key in ("a", "b", "c"):
        add_version_without_model(key)
    registry.promote("1", by="gate")
    set_alias_in_ui("champion", "3")
    found = registry.sync_champion()
    assert found is not None
    assert (found.number, found.tags["promoted_by"]) == ("3", "person")
    assert registry.rollback().number == "1"


def test_a_rollback_by_hand_is_noticed() -> None:
    for key in ("a", "b"):
        add_version_without_model(key)
        registry.promote(by="gate")
    set_alias_in_ui("champion", "1")
    assert submit("b").is_set_aside
    with pytest.raises(InputError, match="no champion before version 1"):
        registry.rollback()


def test_a_champion_whose_alias_was_removed_comes_back() -> None:
    add_version_without_model("a")
    registry.promote()
    connection.connect().client.delete_registered_model_alias("insiders", "champion")
    assert registry.promote("1", by="gate") is None
    assert champion_number() is None
    assert registry.rollback().number == "1"


def test_a_deleted_version_is_passed_over() -> None:
    for key in ("a", "b", "c"):
        add_version_without_model(key)
        registry.promote(by="gate")
    connection.connect().client.delete_model_version("insiders", "2")
    assert registry.rollback().number == "1"


def test_a_version_loads_and_says_the_same() -> None:
    loaded = registry.load(submit("a"))
    assert_frame_equal(loaded.predict(customers()), MODEL.predict(customers()))


def test_a_moved_store_still_loads_its_models(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submit("a")
    moved = tmp_path / "another place"
    shutil.move(store, moved)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{moved / 'mlflow.db'}")
    [version] = registry.versions()
    assert_frame_equal(registry.load(version).predict(customers()), MODEL.predict(customers()))


def test_a_model_of_somebody_else_is_refused() -> None:
    add_version_without_model("a")
    with pytest.raises(InputError, match="version 1 of insiders has no model of this project"):
        registry.load(registry.versions()[0])


def test_the_card_says_how_the_model_was_judged() -> None:
    facts = CardFacts(
        candidate={"embedding": "value_plane", "clusterer": "kmeans", "params": {"k": 3}, "seed": 7, "trial": 5},
        features=FEATURES,
        measures={"stability": 0.912345, "value_lift_1": 1.1},
        validation={"value_lift": 1.0123456, "n": 312, "as_of": "2011-09-11", "horizon_days": 90},
        gates=GATES,
        agreement=0.83,
        segments=[
            Identity(0, "Insiders", "Insiders", "members", 300, {}),
            Identity(1, "Regular", "Regular", "members", 41, {"recency_days": (40.0, 71.5), "order_count": (4.0, 3.0)}),
            Identity(2, "New", None, None, 0, {}),
        ],
    )
    card = cards.model_card(facts)
    assert card.startswith("# Insiders: value_plane and kmeans\n")
    assert "| stable | failed | 0.7 >= 0.75 | Jaccard |" in card
    assert "| value_lift | 1.012 |" in card
    assert "| stability | 0.9123 |" in card
    assert "value_lift_1" not in card
    assert "list of 312 customers" in card
    assert "| Insiders | Insiders | 300 | nothing |" in card
    assert "| Regular | Regular | 41 | recency_days 40 to 71.5; order_count 4 to 3 |" in card
    assert "| New | new | 0 | nothing |" in card

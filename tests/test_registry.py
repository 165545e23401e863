"""Versions, aliases, their history, and the packaged model wherever it is loaded."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from insiders.clusterers import Mixture, Ward
from insiders.embeddings import LogScaler, ValuePlane
from insiders.errors import InputError
from insiders.io import package, tracking
from insiders.io.package import Limits, Package
from insiders.io.tracking import packaging, registry
from insiders.io.tracking.registry import Facts, Version
from insiders.model import SegmentModel

pytestmark = pytest.mark.usefixtures("store")

FEATURES = ("recency_days", "order_count", "net_revenue", "returned_revenue_share")
GATES = [
    {"name": "not_worse", "value": 0.993, "comparison": ">=", "threshold": 0.97, "passed": True, "meaning": "lift"},
    {"name": "stable", "value": 0.7, "comparison": ">=", "threshold": 0.75, "passed": False, "meaning": "Jaccard"},
]


def customers(count: int = 60) -> pd.DataFrame:
    """Every tenth customer is large, recent and frequent; a few figures in between."""
    number = np.arange(count)
    large = number % 10 == 0
    return pd.DataFrame(
        {
            "recency_days": np.where(large, 5.0, 100.0) + number % 7,
            "order_count": np.where(large, 20.0, 2.0) + number % 3,
            "net_revenue": np.where(large, 9000.0, 200.0) + number * 10,
            "returned_revenue_share": (number % 4) / 10,
        }
    )


def fitted(embedding: Any = None, clusterer: Any = None) -> SegmentModel:
    past = customers().assign(next_revenue=lambda each: each["net_revenue"] / 2)
    model = SegmentModel(embedding or LogScaler(), clusterer or Ward(3), FEATURES, 0.02)
    return model.fit(customers(), past)


MODEL = fitted()


def submit(key: str, **changes: Any) -> Version:
    given = {"params": {"k": 3}, "metrics": {"value_lift": 1.01}, "tags": {"insiders.data": "abc"}, "card": "# card"}
    return registry.register(MODEL, customers(5), Facts(key, **{**given, **changes}))


def bare(key: str) -> None:
    """A version without a model, made the challenger: enough where only aliases matter."""
    client = tracking.connect().client
    if not client.search_registered_models():
        client.create_registered_model("insiders")
    made = client.create_model_version("insiders", "file:///nowhere", tags={"insiders.key": key})
    client.set_registered_model_alias("insiders", "challenger", made.version)


def by_hand(alias: str, number: str) -> None:
    """What a click in MLflow's UI does."""
    tracking.connect().client.set_registered_model_alias("insiders", alias, number)


def serves() -> str | None:
    found = registry.champion()
    return found.number if found else None


def test_a_version_carries_what_is_known_of_it() -> None:
    tags = {**tracking.gate_tags(GATES), "insiders.data_digest": "abc"}
    version = submit("k1", tags=tags)
    assert (version.number, version.aliases, version.card, version.key) == ("1", ("challenger",), "# card", "k1")
    assert version.tags["gate.not_worse"] == "passed 0.993 >= 0.97"
    assert version.tags["gate.stable"] == "failed 0.7 >= 0.75"
    assert version.tags["insiders.git_commit"]
    assert not version.passed
    client = tracking.connect().client
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
    submit("a", tags={"gate.champion": "passed 1 >= 1"})
    version = submit("a", tags={"gate.champion": "failed 0.9 >= 1"}, card="# new")
    assert (version.tags["gate.champion"], version.card) == ("failed 0.9 >= 1", "# new")


def test_an_unchanged_registration_writes_nothing(store: Path) -> None:
    submit("a")
    registry.promote()
    before = (store / "mlflow.db").read_bytes()
    submit("a")
    registry.promote("1", by="gate")
    registry.serving()
    assert (store / "mlflow.db").read_bytes() == before


def test_an_empty_registry_has_nobody_to_serve() -> None:
    assert (registry.champion(), registry.challenger(), registry.serving(), registry.versions()) == (None,) * 3 + ([],)
    with pytest.raises(InputError, match="no challenger"):
        registry.promote()
    with pytest.raises(InputError, match="no champion before this"):
        registry.rollback()


def test_rollback_goes_back_step_by_step() -> None:
    for key in ("a", "b", "c"):
        bare(key)
        registry.promote(by="gate")
    assert [registry.rollback().number, registry.rollback().number] == ["2", "1"]
    assert serves() == "1"
    with pytest.raises(InputError, match="no champion before version 1"):
        registry.rollback()
    assert serves() == "1"


def test_who_promoted_is_recorded() -> None:
    bare("a")
    assert registry.promote(by="gate").tags["promoted_by"] == "gate"
    bare("b")
    assert registry.promote().tags["promoted_by"] == "person"
    with pytest.raises(InputError, match="no version 9; there is 1, 2"):
        registry.promote("9")


def test_a_gate_does_not_overrule_a_person() -> None:
    for key in ("a", "b"):
        bare(key)
        registry.promote(by="gate")
    registry.rollback()
    again = submit("b")
    assert again.set_aside
    assert registry.promote(again.number, by="gate").number == "1"
    assert registry.promote(again.number).number == "2"


def test_a_promotion_by_hand_is_noticed() -> None:
    for key in ("a", "b", "c"):
        bare(key)
    registry.promote("1", by="gate")
    by_hand("champion", "3")
    found = registry.serving()
    assert found is not None
    assert (found.number, found.tags["promoted_by"]) == ("3", "person")
    assert registry.rollback().number == "1"


def test_a_rollback_by_hand_is_noticed() -> None:
    for key in ("a", "b"):
        bare(key)
        registry.promote(by="gate")
    by_hand("champion", "1")
    assert submit("b").set_aside
    with pytest.raises(InputError, match="no champion before version 1"):
        registry.rollback()


def test_a_champion_whose_alias_was_removed_comes_back() -> None:
    bare("a")
    registry.promote()
    tracking.connect().client.delete_registered_model_alias("insiders", "champion")
    assert serves() is None
    assert registry.rollback().number == "1"


def test_a_deleted_version_is_passed_over() -> None:
    for key in ("a", "b", "c"):
        bare(key)
        registry.promote(by="gate")
    tracking.connect().client.delete_model_version("insiders", "2")
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
    bare("a")
    with pytest.raises(InputError, match="version 1 of insiders has no model of this project"):
        registry.load(registry.versions()[0])


@pytest.mark.parametrize("embedding", [LogScaler(), ValuePlane(5, 0.5, "net_revenue")])
@pytest.mark.parametrize("clusterer", [Ward(3), Mixture(3)])
def test_a_saved_model_says_the_same(embedding: Any, clusterer: Any, tmp_path: Path) -> None:
    model = fitted(embedding, clusterer)
    package.save(Package(model, packaging.limits(FEATURES)), tmp_path)
    assert_frame_equal(package.load(tmp_path).predict(customers()), model.predict(customers()))


def test_every_estimator_of_the_project_is_trusted() -> None:
    from sklearn.base import BaseEstimator

    from insiders import clusterers, embeddings

    own = {
        f"{each.__module__}.{each.__name__}"
        for module in (clusterers, embeddings)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, BaseEstimator) and not each.__name__.startswith("_")
        if each.__module__ == module.__name__
    }
    assert own <= set(package.TRUSTED)


def tampered(folder: Path) -> None:
    """Make the model's file ask for a function of the operating system."""
    path = folder / package.MODEL
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(content["schema.json"])
    evil = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "__id__": 1, "content": "x"}
    schema["content"]["content"]["features"] = evil
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in {**content, "schema.json": json.dumps(schema)}.items():
            archive.writestr(name, data)


def test_a_tampered_file_is_refused(tmp_path: Path) -> None:
    package.save(Package(MODEL, packaging.limits(FEATURES)), tmp_path)
    tampered(tmp_path)
    with pytest.raises(InputError, match=r"os\.system"):
        package.load(tmp_path)


def test_a_type_that_nobody_trusts_is_not_saved(tmp_path: Path) -> None:
    model = fitted()
    model.ranks_ = Path("anything")
    with pytest.raises(InputError, match="does not trust"):
        package.save(Package(model, packaging.limits(FEATURES)), tmp_path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    package.save(Package(MODEL, packaging.limits(FEATURES)), tmp_path)
    (tmp_path / package.MODEL).write_bytes(b"PK nothing")
    with pytest.raises(InputError, match="not a model"):
        package.load(tmp_path)


def test_limits_come_from_the_schema() -> None:
    assert packaging.limits(("recency_days", "returned_item_share", "net_revenue", "gap_mean_days")) == {
        "recency_days": Limits(1, None, False),
        "returned_item_share": Limits(0, 1, False),
        "net_revenue": Limits(None, None, False),
        "gap_mean_days": Limits(None, None, True),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recency_days": -1.0}, r"recency_days is -1.0 in row 1 \(and 59 others\); expected at least 1"),
        ({"returned_revenue_share": 1.5}, "returned_revenue_share is 1.5 .* expected at most 1"),
        ({"net_revenue": np.nan}, "net_revenue is nan .* expected a value in every row"),
        ({"net_revenue": np.inf}, "net_revenue is inf .* expected finite numbers"),
        ({"net_revenue": "much"}, "net_revenue: .*much"),
    ],
)
def test_what_is_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Package(MODEL, packaging.limits(FEATURES)).predict(customers().assign(**change))


def test_a_missing_feature_is_named() -> None:
    with pytest.raises(InputError, match="lack the features order_count"):
        Package(MODEL, packaging.limits(FEATURES)).predict(customers().drop(columns="order_count"))


def test_nobodys_label_depends_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Package(MODEL, packaging.limits(FEATURES))
    whole = served.predict(customers())
    monkeypatch.setattr(package, "CHUNK", 7)
    assert_frame_equal(served.predict(customers()), whole)
    alone = pd.concat([served.predict(customers().iloc[[row]]) for row in range(60)])
    assert_frame_equal(alone, whole)


def test_no_customers_get_no_labels() -> None:
    answer = Package(MODEL, packaging.limits(FEATURES)).predict(customers().iloc[:0])
    assert_frame_equal(answer, MODEL.predict(customers()).iloc[:0])


ALONE = """
import sys
class OnlyTheModelsOwn:
    '''Neither the project as installed nor any library beyond the stated requirements can be imported.'''
    refused = {"pandera", "ibis", "duckdb", "optuna", "hdbscan", "umap", "matplotlib", "dvc", "typer"}
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.refused:
            raise ModuleNotFoundError(f"{name} is not there")
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path = [place for place in sys.path if not place.rstrip("/").endswith("/src")]
sys.meta_path.insert(0, OnlyTheModelsOwn())
try:
    import insiders
except ModuleNotFoundError:
    pass
else:
    sys.exit(f"insiders is there: {insiders.__file__}")
import mlflow.pyfunc, pandas as pd
model = mlflow.pyfunc.load_model("models:/insiders@challenger")
answer = model.predict(pd.read_json(sys.argv[1], dtype=float))
import insiders.model
assert "/code/" in insiders.model.__file__, insiders.model.__file__
answer.to_json(sys.argv[2])
"""


def test_the_model_works_where_the_project_is_not_installed(tmp_path: Path) -> None:
    submit("a")
    given, answer = tmp_path / "given.json", tmp_path / "answer.json"
    customers().to_json(given)
    command = [sys.executable, "-c", ALONE, str(given), str(answer)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(answer.read_text()) == json.loads(MODEL.predict(customers()).to_json())


def test_the_card_says_how_the_model_was_judged() -> None:
    manifest = {
        "candidate": {
            "embedding": "value_plane",
            "clusterer": "kmeans",
            "params": {"k": 3},
            "seed": 7,
            "trial": 5,
            "features": list(FEATURES),
            "measures": {"stability": 0.912345},
        },
        "gates": GATES,
        "validation": {"value_lift": 1.0123456, "n": 312, "as_of": "2011-09-11", "horizon_days": 90},
        "agreement": 0.83,
    }
    card = tracking.model_card(manifest)
    assert card.startswith("# Insiders: value_plane and kmeans\n")
    assert "| stable | failed | 0.7 >= 0.75 | Jaccard |" in card
    assert "| value_lift | 1.012 |" in card
    assert "| stability | 0.9123 |" in card
    assert "list of 312 customers" in card

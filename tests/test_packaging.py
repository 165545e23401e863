"""The packaged model: saved without pickle, checked on the way in, at work where the project is not installed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from optuna.trial import FixedTrial
from pandas.testing import assert_frame_equal

from customer_tables import FEATURES, customers, fitted
from insiders.errors import InputError
from insiders.io import package
from insiders.io.package import Limits, Package
from insiders.io.tracking import packaging, registry
from insiders.io.tracking.registry import Facts
from insiders.model.clusterers import Mixture, Ward
from insiders.model.embeddings import EMBEDDINGS, LogScaler, ValuePlane, columns
from insiders.model.segment_model import SegmentModel

MODEL = fitted()
POINTS = {
    "affinity": {"affinity.components": 4},
    "affinity_scaled": {"affinity_scaled.components": 4, "affinity_scaled.weight": 0.35},
    "lifetime_plane": {"lifetime_plane.future": 0.5, "lifetime_plane.parts": True},
}


def fitted_in(name: str) -> SegmentModel:
    """A model in one of the embeddings that look at other columns than the features."""
    return fitted(EMBEDDINGS[name](FixedTrial(POINTS[name]), 7), features=columns(name, FEATURES))


BY_PRODUCTS = fitted_in("affinity_scaled")


@pytest.mark.parametrize("embedding", [LogScaler(), ValuePlane(5, 0.5, "net_revenue")])
@pytest.mark.parametrize("clusterer", [Ward(3), Mixture(3)])
def test_a_saved_model_says_the_same(embedding: Any, clusterer: Any, tmp_path: Path) -> None:
    model = fitted(embedding, clusterer)
    package.save(Package(model, packaging.feature_limits(FEATURES)), tmp_path)
    assert_frame_equal(package.load(tmp_path).predict(customers()), model.predict(customers()))


@pytest.mark.parametrize("name", POINTS)
def test_a_saved_model_of_products_or_value_says_the_same(name: str, tmp_path: Path) -> None:
    model = fitted_in(name)
    package.save(Package(model, packaging.feature_limits(model.columns)), tmp_path)
    assert_frame_equal(package.load(tmp_path).predict(customers()), model.predict(customers()))


def test_every_estimator_of_the_project_is_trusted() -> None:
    from sklearn.base import BaseEstimator

    from insiders.model import clusterers, embeddings

    own = {
        f"{each.__module__}.{each.__name__}"
        for module in (clusterers, embeddings)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, BaseEstimator) and not each.__name__.startswith("_")
        if each.__module__.startswith(module.__name__)
    }
    assert {"insiders.model.clusterers.Ward", "insiders.model.embeddings.scaling.LogScaler"} <= own
    assert own <= set(package.TRUSTED)


def tamper_with(folder: Path) -> None:
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


def seal(folder: Path) -> None:
    """Write the digest anew, as whoever changes a file on purpose would."""
    (folder / package.DIGEST).write_text(package.digest(folder))


def test_a_changed_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    package.save(Package(MODEL, packaging.feature_limits(FEATURES)), tmp_path)
    bound = package.digest(tmp_path)
    tamper_with(tmp_path)
    with pytest.raises(InputError, match="another digest"):
        package.load(tmp_path)
    seal(tmp_path)
    with pytest.raises(InputError, match="another digest"):
        package.load(tmp_path, bound)


def test_a_tampered_file_is_refused(tmp_path: Path) -> None:
    package.save(Package(MODEL, packaging.feature_limits(FEATURES)), tmp_path)
    tamper_with(tmp_path)
    seal(tmp_path)
    with pytest.raises(InputError, match=r"os\.system"):
        package.load(tmp_path)


def test_a_type_that_nobody_trusts_is_not_saved(tmp_path: Path) -> None:
    model = fitted()
    model.ranks_ = Path("anything")
    with pytest.raises(InputError, match="does not trust"):
        package.save(Package(model, packaging.feature_limits(FEATURES)), tmp_path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    package.save(Package(MODEL, packaging.feature_limits(FEATURES)), tmp_path)
    (tmp_path / package.MODEL).write_bytes(b"PK nothing")
    seal(tmp_path)
    with pytest.raises(InputError, match="not a model"):
        package.load(tmp_path)


def test_a_damaged_contract_is_refused(tmp_path: Path) -> None:
    package.save(Package(MODEL, packaging.feature_limits(FEATURES)), tmp_path)
    for text in ("{", "[]", '{"recency_days": {"lowest": 1}}'):
        (tmp_path / package.CONTRACT).write_text(text)
        seal(tmp_path)
        with pytest.raises(InputError, match="not a contract"):
            package.load(tmp_path)


def test_limits_come_from_the_schema() -> None:
    assert packaging.feature_limits(("recency_days", "returned_item_share", "net_revenue", "gap_mean_days")) == {
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
        Package(MODEL, packaging.feature_limits(FEATURES)).predict(customers().assign(**change))


def test_a_missing_feature_is_named() -> None:
    with pytest.raises(InputError, match="lack the features order_count"):
        Package(MODEL, packaging.feature_limits(FEATURES)).predict(customers().drop(columns="order_count"))


def test_only_who_looks_at_products_needs_them() -> None:
    without = customers().drop(columns="products")
    assert len(Package(MODEL, packaging.feature_limits(MODEL.features)).predict(without)) == len(without)
    served = Package(BY_PRODUCTS, packaging.feature_limits(BY_PRODUCTS.features))
    with pytest.raises(InputError, match="lack the features products"):
        served.predict(without)
    with pytest.raises(InputError, match=r"products is nan in row 1 \(and 59 others\); expected a text in every row"):
        served.predict(without.assign(products=np.nan))


def test_the_signature_tells_texts_from_numbers() -> None:
    inputs = packaging.signature(packaging.feature_limits(BY_PRODUCTS.features)).inputs
    assert {each.name: each.type.name for each in inputs} == dict.fromkeys(FEATURES, "double") | {"products": "string"}


def test_nobodys_label_depends_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    served = Package(MODEL, packaging.feature_limits(FEATURES))
    whole = served.predict(customers())
    monkeypatch.setattr(package, "CHUNK", 7)
    assert_frame_equal(served.predict(customers()), whole)
    alone = pd.concat([served.predict(customers().iloc[[row]]) for row in range(60)])
    assert_frame_equal(alone, whole)


def test_no_customers_get_no_labels() -> None:
    answer = Package(MODEL, packaging.feature_limits(FEATURES)).predict(customers().iloc[:0])
    assert_frame_equal(answer, MODEL.predict(customers()).iloc[:0])


ALONE = """
import sys
from importlib.util import find_spec
class OnlyTheModelsOwn:
    '''Neither the project as installed nor any library beyond the stated requirements can be imported.'''
    refused = {"pandera", "ibis", "duckdb", "optuna", "hdbscan", "umap", "matplotlib", "dvc", "typer"}
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.refused:
            raise ModuleNotFoundError(f"{name} is not there")
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path = [place for place in sys.path if not place.rstrip("/").endswith("/src")]
sys.meta_path.insert(0, OnlyTheModelsOwn())
project = find_spec("insiders")  # an editable installation leaves a folder without code: what `insiders init` copies
if project and project.origin:
    sys.exit(f"insiders is there: {project.origin}")
import mlflow.pyfunc, pandas as pd
model = mlflow.pyfunc.load_model("models:/insiders@challenger")
rows = pd.read_json(sys.argv[1], dtype=False)
answer = model.predict(rows.astype({name: float for name in rows if name != "products"}))
import insiders.model
assert "/code/" in insiders.model.segment_model.__file__, insiders.model.segment_model.__file__
answer.to_json(sys.argv[2])
"""


@pytest.mark.usefixtures("store")
def test_the_model_works_where_the_project_is_not_installed(tmp_path: Path) -> None:
    registry.register(BY_PRODUCTS, customers(5), Facts("a", {}, {}, {}, ""))
    given, answer = tmp_path / "given.json", tmp_path / "answer.json"
    customers()[list(BY_PRODUCTS.features)].to_json(given)
    command = [sys.executable, "-c", ALONE, str(given), str(answer)]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(answer.read_text()) == json.loads(BY_PRODUCTS.predict(customers()).to_json())


@contextmanager
def model_server(model: Path, log: Path) -> Iterator[str]:
    """MLflow's model server as `mlflow models serve` starts it; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["-m", str(model), "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port), "-w", "1"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # as in an activated environment
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "models", "serve", *options],
            env={**os.environ, "PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", server, log)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def wait_for(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(address).close()
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"no answer in a minute: {log.read_text()}")


def post(address: str, rows: pd.DataFrame) -> tuple[int, Any]:
    given = rows[list(FEATURES)]
    table = {"columns": list(FEATURES), "data": given.to_numpy().tolist()}
    request = urllib.request.Request(
        address, json.dumps({"dataframe_split": table}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)


def test_the_model_can_be_served(tmp_path: Path) -> None:
    from mlflow.models.model import Model

    with (
        packaging.model_folder(MODEL, customers(5), Model()) as folder,
        model_server(folder, tmp_path / "log") as address,
    ):
        status, answer = post(address, customers())
        assert status == 200
        assert answer["predictions"] == MODEL.predict(customers()).to_dict(orient="records")
        status, answer = post(address, customers().assign(recency_days=-1.0))
        assert status == 400
        assert "recency_days is -1.0 in row 1 (and 59 others); expected at least 1" in answer["message"]

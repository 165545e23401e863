import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import sqlalchemy

import databases
import small_shop
from insiders.errors import InputError
from insiders.evidence import search
from insiders.io import params, studies
from insiders.io.tracking import address
from test_search import SETTINGS, cheap

ROOT = Path(__file__).parents[1]


@pytest.fixture
def settings():
    return params.read(ROOT / "params.yaml")


def changed(settings, **values):
    return settings.model_copy(update={"tune": settings.tune.model_copy(update=values)})


def test_workers_and_storage_decide_nothing(settings):
    known = studies.search_settings(settings)
    assert studies.search_settings(changed(settings, workers=7, storage="sqlite:///elsewhere.db")) == known
    assert studies.search_settings(changed(settings, trials=7)) != known
    assert asdict(known)["seed"] == settings.seed


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("embeddings", ("scaled", "tsne"), "tune.embeddings names tsne; expected some of scaled"),
        ("clusterers", ("dbscan",), "tune.clusterers names dbscan; expected some of kmeans"),
        ("features", ("income",), "tune.features names income; expected some of recency_days"),
        ("embeddings", (), "tune.embeddings names nothing"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_are_known(settings, setting, value, expected):
    with pytest.raises(InputError, match=expected):
        studies.search_settings(changed(settings, **{setting: value}))


def test_the_objectives_of_a_study_have_names_also_when_it_is_opened_again(tmp_path):
    for _ in range(2):
        opened = studies.open_study(f"sqlite:///{tmp_path}/study.db", "named")
        assert opened.metric_names == ["foresight_mean", "stability_rand"]


def test_umap_without_its_extra_is_refused_with_the_way_to_install_it(settings, monkeypatch):
    monkeypatch.setattr(studies, "find_spec", lambda _: None)
    with pytest.raises(InputError, match="make umap"):
        studies.search_settings(changed(settings, embeddings=("umap",)))


def test_a_study_is_named_by_its_data_its_settings_and_the_code(settings, tmp_path):
    data = tmp_path / "snapshots.parquet"
    data.write_bytes(b"one")
    wanted = studies.search_settings(settings)
    known = studies.study_name(data, wanted)
    assert studies.study_name(data, wanted) == known
    assert studies.study_name(data, studies.search_settings(changed(settings, trials=7))) != known
    data.write_bytes(b"two")
    assert studies.study_name(data, wanted) != known


def test_any_change_of_the_code_that_scores_starts_a_new_study(settings, tmp_path, monkeypatch):
    data, code, wanted = tmp_path / "snapshots.parquet", tmp_path / "insiders", studies.search_settings(settings)
    data.touch()
    for name in ("evidence/judge.py", "model/embeddings/scaling.py", "value/scores.py", "units.py", "report/page.py"):
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).touch()
    monkeypatch.setattr(studies, "CODE", code)
    names = [studies.study_name(data, wanted)]
    for name in ("evidence/judge.py", "model/embeddings/scaling.py", "value/scores.py", "units.py", "model/new.py"):
        (code / name).write_text("after")
        names.append(studies.study_name(data, wanted))
    assert len(set(names)) == len(names)
    (code / "report/page.py").write_text("after")
    assert studies.study_name(data, wanted) == names[-1]


def test_a_study_is_found_again_under_its_name(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    studies.open_study(url, "one").enqueue_trial({"embedding": "scaled"})
    assert len(studies.open_study(url, "one").trials) == 1
    assert len(studies.open_study(url, "two").trials) == 0


# Of the first trial: what is believed no more, and what Optuna itself cannot read.
FLIPPED = {
    "a measure": "UPDATE trial_user_attributes SET value_json = replace(value_json, '0.0', '0.5') WHERE key = 'scored'",
    "a recipe": "UPDATE trial_user_attributes SET value_json = replace(value_json, ': 3', ': 7') WHERE key = 'recipe'",
    "a digest": "UPDATE trial_user_attributes SET value_json = replace(value_json, 'a', 'b') WHERE key = 'sha256'",
}
BROKEN = {
    "no JSON": "UPDATE trial_params SET distribution_json = substr(distribution_json, 2)",
    "no state": "UPDATE trials SET state = 'COMPLETF'",
}


def flip(url, statement):
    with sqlalchemy.create_engine(url).begin() as connection:
        assert connection.execute(sqlalchemy.text(statement)).rowcount


@pytest.mark.parametrize("statement", FLIPPED.values(), ids=FLIPPED)
def test_a_trial_that_is_not_as_it_was_kept_is_scored_anew(statement, tmp_path):
    url, scored = f"sqlite:///{tmp_path}/study.db", []

    def score(recipes):
        scored.extend(recipes)
        yield from cheap(recipes)

    def trials():
        found = search.run(studies.open_study(url, "flipped"), SETTINGS, score)
        return sorted(found, key=lambda trial: trial.number)

    first = trials()
    scored.clear()
    assert trials() == first
    assert scored == []
    flip(url, statement)
    assert trials() == first
    assert len(scored) > 0


@pytest.mark.parametrize("statement", BROKEN.values(), ids=BROKEN)
def test_a_study_that_optuna_cannot_read_is_refused_with_the_way_back(statement, tmp_path):
    url = f"sqlite:///{tmp_path}/study.db"
    list(search.run(studies.open_study(url, "broken"), replace(SETTINGS, trials=1), cheap))
    flip(url, statement)
    with pytest.raises(InputError, match=r"study\.db is damaged .*scored anew"):
        studies.open_study(url, "broken")


def test_a_storage_that_cannot_be_reached_is_named(tmp_path):
    with pytest.raises(InputError, match=r"tune\.storage"):
        studies.open_study(f"sqlite:///{tmp_path}/no/such/folder/study.db", "one")


def answered(address, server):
    for _ in range(300):
        assert server.poll() is None
        try:
            with urllib.request.urlopen(address) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"no answer from {address}")


def test_optuna_dashboard_opens_the_storage(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    study = studies.open_study(url, "insiders-1")
    list(search.run(study, replace(SETTINGS, trials=2), cheap))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).parent / "optuna-dashboard"
    command = [program, url, "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}/api/studies"
        (shown,) = answered(address, server)["study_summaries"]
        trials = answered(f"{address}/{shown['study_id']}?after=0", server)["trials"]
    finally:
        server.terminate()
        server.wait()
    assert shown["study_name"] == "insiders-1"
    assert shown["directions"] == ["maximize", "maximize"]
    assert [each["state"] for each in trials] == ["Complete", "Complete"]


def test_a_password_is_not_repeated():
    with pytest.raises(InputError) as refused:
        studies.open_study("postgresql+nothing://me:secret@127.0.0.1/studies", "one")  # pragma: allowlist secret
    assert "secret" not in str(refused.value)
    assert "127.0.0.1/studies" in str(refused.value)


def only_study(url):
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        names = connection.execute(sqlalchemy.text("SELECT study_name FROM studies")).scalars().all()
    engine.dispose()
    [name] = names
    return name


def not_searched(shop, folder, empty_store):
    """The tables of a shop in a project of its own, whose store is empty and which was never searched."""
    small_shop.new_project(folder, empty_store, small_shop.EASY)
    return shutil.copytree(shop / "data", folder / "data").parent


def tuning(folder, url):
    """The tune stage of a project as a process of its own, with its study in the database."""
    small_shop.write_params(folder, small_shop.EASY, {"tune": {"storage": url}})
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONWARNINGS": "ignore"}
    environment.pop(address.VARIABLE, None)
    with (folder / "log").open("wb") as log:
        command = [sys.executable, "-m", "insiders.stages.tune"]
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)


@pytest.mark.skipif(databases.missing() is not None, reason=str(databases.missing()))
def test_two_machines_on_one_database_score_each_trial_once_and_find_what_one_alone_finds(
    tmp_path, empty_store, easy_shop
):
    machines = [not_searched(easy_shop, tmp_path / name, empty_store) for name in ("one", "other")]
    with databases.server() as url:
        for folder, stage in [(folder, tuning(folder, url)) for folder in machines]:
            assert stage.wait() == 0, (folder / "log").read_text()
        name = only_study(url)  # both find the same score, and so the same study
        recipes = [trial.user_attrs["recipe"] for trial in studies.open_study(url, name).trials]
    assert len(recipes) == small_shop.LESS["tune"]["trials"]
    assert all(recipes.count(each) == 1 for each in recipes)
    for folder in machines:
        for result in ("reports/trials.csv", "models/candidate.json"):
            assert (folder / result).read_bytes() == (easy_shop / result).read_bytes()

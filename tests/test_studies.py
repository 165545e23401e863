from dataclasses import asdict
from pathlib import Path

import pytest

from insiders.errors import InputError
from insiders.io import params, studies

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


def test_a_study_is_found_again_under_its_name(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    studies.open_study(url, "one").enqueue_trial({"embedding": "scaled"})
    assert len(studies.open_study(url, "one").trials) == 1
    assert len(studies.open_study(url, "two").trials) == 0


def test_a_storage_that_cannot_be_reached_is_named(tmp_path):
    with pytest.raises(InputError, match=r"tune\.storage"):
        studies.open_study(f"sqlite:///{tmp_path}/no/such/folder/study.db", "one")

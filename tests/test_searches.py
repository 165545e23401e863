"""A search that is killed again and again, beside another one or below a killed DVC, ends as one left alone."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
import yaml

import kills
import small_shop
from insiders.io import repair, studies
from insiders.io.tracking import connection, runs
from small_shop import EASY
from test_any_moment import SEARCH, before, without_code
from test_studies import only_study

pytestmark = pytest.mark.battery
KILLS = 5
TUNE = ("insiders.stages.tune",)
DVC = ("dvc", "repro", "--single-item", "tune")
RESULTS = ("reports/trials.csv", "models/candidate.json")


@pytest.fixture
def shop(easy_shop: Path, empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shop that is about to be searched, by DVC if one likes."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_SQLALCHEMYSTORE_POOLCLASS", "NullPool")
    folder = tmp_path / "shop"
    before("tune", easy_shop, empty_store, folder)
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": dict([without_code("tune")])}))
    return folder


def searched(shop: Path, name: str, **changes: Any) -> Path:
    """A copy of the shop with other settings of its search, which must change nothing."""
    folder = Path(shutil.copytree(shop, shop.with_name(name)))
    small_shop.write_params(folder, EASY, {"tune": {**SEARCH["tune"], **changes}})
    return folder


def results(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS}


def trials(folder: Path) -> list[tuple[str, str]]:
    """Number and end of each trial that MLflow has, and the ends of the searches."""
    with small_shop.inside(folder):
        assert repair.repair() == []
        opened = connection.connect()
        found = opened.client.search_runs([opened.experiment], max_results=1000)
    own = [each for each in found if each.data.tags[runs.STAGE_TAG] in ("tune", "trial")]
    return sorted((each.data.tags.get(runs.TRIAL_TAG, "search"), each.info.status) for each in own)


def scored(url: str) -> list[Mapping[str, Any]]:
    return [trial.user_attrs["recipe"] for trial in studies.open_study(url, only_study(url)).trials]


def test_below_a_dvc_that_is_killed_five_times(shop: Path) -> None:
    alone, folder = searched(shop, "alone", workers=2), searched(shop, "killed", workers=2)
    whole, random = kills.taken(DVC, alone), Random(1)
    cut_off = 0
    for _ in range(KILLS):
        dvc = kills.started(DVC, folder)
        kills.wait(dvc, random.uniform(0.1, 0.5) * whole)
        cut_off += dvc.is_alive()
        dvc.kill()  # alone: what it has started ends by itself
        dvc.join()
        assert kills.outliving(folder) == []
    assert cut_off >= KILLS - 2  # the last ones find much of the search done, and may come to its end
    kills.taken(DVC, folder)
    assert results(folder) == results(alone)
    assert trials(folder) == trials(alone)
    assert len(scored(f"sqlite:///{folder / 'mlruns/optuna.db'}")) == SEARCH["tune"]["trials"]


def test_two_at_one_study_of_which_one_is_killed_five_times(shop: Path, tmp_path: Path) -> None:
    url, random = f"sqlite:///{tmp_path / 'study.db'}", Random(2)
    alone = searched(shop, "alone")
    whole = kills.taken(TUNE, alone)
    folders = [searched(shop, name, storage=url) for name in ("one", "other")]
    running = {folder: kills.started(TUNE, folder) for folder in folders}
    for _ in range(KILLS):
        folder = random.choice(folders)
        kills.wait(running[folder], random.uniform(0.1, 0.6) * whole)
        kills.kill_group(running[folder])
        running[folder] = kills.started(TUNE, folder)
    for folder, process in running.items():
        process.join()
        assert process.exitcode == 0, (folder / "log").read_text(encoding="utf-8")
        assert results(folder) == results(alone)
        assert trials(folder) == trials(alone)
    recipes = scored(url)
    assert len(recipes) == SEARCH["tune"]["trials"]
    assert all(recipes.count(each) == 1 for each in recipes)

"""Leases on the tasks of a study, and several processes on one study."""

import threading
import time

import optuna
import pytest
import sqlalchemy as sql

import databases
from insiders.evidence import search
from insiders.io import studies
from insiders.io.leases import Leases
from test_search import SETTINGS, cheap, interrupted, study

# Threads stand for processes here, and warnings that one of them silences for a moment can be seen by another.
pytestmark = pytest.mark.filterwarnings("ignore:.*:optuna.exceptions.ExperimentalWarning")


@pytest.fixture(scope="module")
def postgres():
    if why := databases.missing():
        pytest.skip(why)
    with databases.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """An empty database; the server's tables are made anew for each test."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'study.db'}"
    server = request.getfixturevalue("postgres")
    engine = sql.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sql.text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    engine.dispose()
    return server


@pytest.fixture
def leases(url):
    made = []

    def make(timeout=60.0, limit=2, owner=None):
        made.append(Leases(url, "study", limit, timeout, owner))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_task_is_leased_once_until_it_is_released(leases):
    one, other = leases(), leases()
    assert one.acquire("1")
    assert not other.acquire("1")
    assert other.acquire("2")
    other.release("1")  # not its own: stays
    assert not other.acquire("1")
    one.release("1")
    assert other.acquire("1")


def test_of_many_that_ask_at_once_one_is_given_the_lease(leases):
    everyone, got = [leases() for _ in range(6)], []
    threads = [threading.Thread(target=lambda each=each: got.append(each.acquire("1"))) for each in everyone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 5 + [True]


def test_one_process_takes_over_from_a_dead_holder_and_none_from_a_living_one(leases, monkeypatch):
    monkeypatch.setattr("insiders.io.leases.HEARTBEAT_SECONDS", 0.05)
    alive, dead = leases(), leases()
    assert alive.acquire("1")
    assert dead.acquire("2")
    dead._closed.set()
    heirs = [leases(timeout=0.6) for _ in range(3)]
    time.sleep(0.1)
    for each in heirs:
        assert not each.acquire("1")
        assert not each.acquire("2")
    time.sleep(0.8)
    assert [each.acquire("1") for each in heirs] == [False] * 3
    assert [each.acquire("2") for each in heirs] == [True, False, False]


def test_who_follows_a_killed_process_by_its_name_has_its_leases_at_once(leases):
    killed, other, next_one = leases(owner="here"), leases(owner="there"), leases(owner="here")
    assert killed.acquire("1")
    assert not other.acquire("1")
    assert next_one.acquire("1")
    next_one.release("1")
    assert other.acquire("1")


def test_no_heartbeat_outlives_the_end(url, monkeypatch):
    """One that was still under way would keep its connection, which nobody closes."""
    monkeypatch.setattr("insiders.io.leases.HEARTBEAT_SECONDS", 0.001)
    before = set(threading.enumerate())
    for _ in range(10):
        Leases(url, "study", 1).close()
        assert set(threading.enumerate()) <= before


def searching(url, leases, score, found):
    opened = studies.open_study(url, "study")
    found.append(sorted(search.run(opened, SETTINGS, score, leases), key=lambda each: each.number))


def counted(scored):
    def score(recipes):
        for recipe, answer in zip(recipes, cheap(recipes), strict=True):
            time.sleep(0.05)
            scored.append(recipe)
            yield answer

    return score


def test_several_processes_score_each_trial_once_and_end_with_what_one_alone_finds(url, leases):
    alone = list(search.run(study(), SETTINGS, cheap))
    studies.open_study(url, "study")
    scored, found = [], []
    threads = [threading.Thread(target=searching, args=(url, leases(), counted(scored), found)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [alone] * 3
    assert len(scored) == SETTINGS.trials


def test_what_a_killed_process_left_is_scored_by_another(url, leases):
    alone = list(search.run(study(), SETTINGS, cheap))
    killed, found = leases(), []
    with pytest.raises(KeyboardInterrupt):
        searching(url, killed, interrupted(cheap, after=5), [])
    killed._closed.set()
    searching(url, leases(timeout=0.5), cheap, found)
    assert found == [alone]
    states = [each.state for each in studies.open_study(url, "study").trials]
    assert states.count(optuna.trial.TrialState.COMPLETE) == SETTINGS.trials
    assert optuna.trial.TrialState.RUNNING not in states

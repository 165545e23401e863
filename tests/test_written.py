"""A file that is not as a run wrote it is refused before use: flipped bits, cut ends, and what DVC brings back."""

import hashlib
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pandas as pd
import pytest

from customer_tables import customers
from insiders import schemas
from insiders.errors import InputError
from insiders.io import engine, paths, tables, workspace, written

FLIPS, CUTS = 400, 50


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run has written a table and its figures."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(written, "WAIT_SECONDS", 0)
    write()


def write(count: int = 60) -> None:
    with workspace.alone("featurize"):
        tables.write(customers(count), paths.CUSTOMERS, schemas.CUSTOMERS)
        tables.write_json({"customers": count, "share": 0.25}, paths.METRICS)


def read_all() -> None:
    tables.read(paths.CUSTOMERS, schemas.CUSTOMERS)
    tables.read_json(paths.METRICS)


def test_what_a_run_wrote_is_read() -> None:
    read_all()
    assert engine.scan(engine.connect(1), paths.CUSTOMERS).count().execute() == 60


@pytest.mark.parametrize("path", [paths.CUSTOMERS, paths.METRICS])
def test_every_flipped_bit_and_every_cut_end_is_refused(path: Path) -> None:
    whole, random = path.read_bytes(), Random(1)
    flipped = [(random.randrange(len(whole)), 1 << random.randrange(8)) for _ in range(FLIPS)]
    damaged = [whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :] for at, bit in flipped]
    damaged += [whole[: random.randrange(len(whole))] for _ in range(CUTS)]
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(InputError, match="is not as it was written"):
            written.refuse_changed(path)
    with pytest.raises(InputError, match="is not as it was written"):
        read_all()
    with pytest.raises(InputError, match="is not as it was written"):
        engine.scan(engine.connect(1), path)


def test_a_run_that_is_cut_off_leaves_no_mixture_to_be_read() -> None:
    killed = workspace.alone("featurize")
    killed.__enter__()
    tables.write(customers(50), paths.CUSTOMERS, schemas.CUSTOMERS)
    killed.__exit__(RuntimeError, RuntimeError("before the second file"), None)
    with pytest.raises(InputError, match="or its run was cut off"):
        tables.read(paths.CUSTOMERS, schemas.CUSTOMERS)
    assert len(tables.read_last(paths.CUSTOMERS, schemas.CUSTOMERS)) == 50  # for the run that replaces it
    write(50)
    read_all()


def test_what_a_run_wrote_before_may_come_back() -> None:
    before = paths.CUSTOMERS.read_bytes()
    write(50)
    paths.CUSTOMERS.write_bytes(before)
    read_all()


def test_what_dvc_brings_back_is_what_its_lock_says(tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    customers(40).to_parquet(other, index=False)
    shutil.copy(other, paths.CUSTOMERS)
    with pytest.raises(InputError):
        read_all()
    digest = hashlib.md5(other.read_bytes()).hexdigest()
    Path("dvc.lock").write_text(f"    - path: data/customers.parquet\n      md5: {digest}\n", encoding="utf-8")
    read_all()


def test_what_no_run_wrote_is_taken_as_it_is() -> None:
    pd.DataFrame({"a": [1]}).to_parquet("mine.parquet")
    assert tables.read(Path("mine.parquet"))["a"].tolist() == [1]
    written.DIGESTS.write_text("{", encoding="utf-8")
    paths.METRICS.write_text("{}", encoding="utf-8")
    assert tables.read_json(paths.METRICS) == {}


def test_who_reads_while_a_run_writes_gets_the_old_or_the_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "WAIT_SECONDS", 5)
    is_done = threading.Event()

    def read() -> set[int]:
        sizes = set[int]()
        while not is_done.is_set():
            sizes.add(len(tables.read(paths.CUSTOMERS)))
        return sizes

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for count in (50, 60) * 5:
            write(count)
        is_done.set()
    assert all(reader.result() <= {50, 60} and reader.result() for reader in readers)


def sizes() -> tuple[int, int]:
    return len(tables.read(paths.CUSTOMERS)), tables.read_json(paths.METRICS)["customers"]


def test_several_files_are_read_as_one_run_left_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "WAIT_SECONDS", 5)
    write(50)
    write(60)  # so that the digests of both are known
    rounds = []

    def read() -> tuple[int, int]:
        first, _ = sizes()
        if not rounds:
            write(50)  # between the one file and the other
        rounds.append((first, sizes()[1]))
        return rounds[-1]

    assert written.together(read) == (50, 50)
    assert rounds == [(60, 50), (50, 50)]


def test_what_dvc_brings_back_is_read_together_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "WAIT_SECONDS", 5)
    monkeypatch.setattr(written, "REST_SECONDS", 0.2)
    kept = paths.CUSTOMERS.read_bytes()
    write(50)
    paths.CUSTOMERS.write_bytes(kept)
    assert written.together(sizes) == (60, 50)


def test_files_that_never_rest_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(written, "WAIT_SECONDS", 0.2)
    counts = iter(range(20, 10_000))

    def read() -> tuple[int, int]:
        first, _ = sizes()
        write(next(counts))
        return first, sizes()[1]

    with pytest.raises(InputError, match=r"data/customers.parquet, reports/metrics.json are written all the time"):
        written.together(read)

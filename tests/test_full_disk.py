"""A disk that is full or read-only: one clear error, the last list as it was, and nothing half written beside it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from customer_tables import customers, write_project
from insiders import schemas
from insiders.errors import InputError
from insiders.io import engine, paths, tables
from insiders.stages import assign

MEGABYTE = 1 << 20
ROWS = pd.DataFrame({"value": np.random.default_rng(1).random(600_000)})
WRITERS: dict[str, Callable[[], object]] = {
    "parquet": lambda: tables.write(ROWS, Path("data/rows.parquet")),
    "csv": lambda: tables.write(ROWS, Path("data/rows.csv")),
    "json": lambda: tables.write_json(ROWS["value"].tolist(), Path("data/rows.json")),
    "engine": lambda: engine.write(engine.connect(1), ibis.memtable(ROWS), Path("data/rows.parquet"), None, ["value"]),
}


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of a few megabytes, as the working folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount a disk")
    with monkeypatch.context() as patched:
        patched.chdir(folder)
        yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left: int) -> None:
    """Leave so many bytes of the disk free."""
    status = os.statvfs(disk)
    (disk / "filling").write_bytes(bytes(max(status.f_bavail * status.f_frsize - left, 0)))


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_is_one_clear_error(kind: str, disk: Path) -> None:
    fill(disk, 2 * MEGABYTE)
    with pytest.raises(InputError, match=r"No space left on device.* make room"):
        WRITERS[kind]()
    assert list(Path("data").iterdir()) == []


@pytest.mark.parametrize("kind", WRITERS)
def test_a_read_only_disk_is_one_clear_error(kind: str, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(InputError, match=r"data/rows.* cannot be written: Read-only file system"):
        WRITERS[kind]()


def outputs() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in assign.OUTPUTS}


@pytest.mark.parametrize(
    "left", [0, 30_000, *(pytest.param(size * 5_500, marks=pytest.mark.battery) for size in range(1, 11))]
)
def test_assign_on_a_full_disk_leaves_the_last_list(
    left: int, disk: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(empty_store, disk / "store.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{disk / 'store.db'}")
    write_project()
    tables.write_json(
        {"regime": "baseline", "baseline": {"name": "net_revenue", "n": 6, "horizon_days": 90}}, paths.REGISTERED
    )
    assign.main()
    before = outputs()
    tables.write(customers(50), paths.CUSTOMERS, schemas.CUSTOMERS)
    fill(disk, left)
    with pytest.raises(SystemExit) as ended:
        assign.main()
    told = str(ended.value.code)
    assert told.startswith("assign: ")
    assert len(told.splitlines()) == 1
    assert outputs() == before
    assert not [path for path in disk.rglob(f".*{tables.TEMPORARY}")]
    (disk / "filling").unlink()
    assign.main()
    assert outputs() != before

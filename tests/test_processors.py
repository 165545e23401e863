"""The same bytes on every machine: a small shop under other kernels of OpenBLAS, elsewhere, in another Python.

OpenBLAS has kernels for many processors, and OPENBLAS_CORETYPE chooses one. The C library chooses its logarithms and
powers by what the processor can do, and GLIBC_TUNABLES hides some of that. So one machine computes like several; what
the library of another system does differently this cannot show.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path

import pytest

import small_shop
from small_shop import EASY, STAGES

# Elsewhere are another time zone, another order of sets and more threads, and two processes search.
ELSEWHERE: Mapping[str, str] = {"TZ": "Pacific/Kiritimati", "PYTHONHASHSEED": "4242", "OMP_NUM_THREADS": "2"}
WORKERS = 2
OTHER_PYTHON = "INSIDERS_OTHER_PYTHON"  # names another interpreter that has the dependencies
PROCESSORS: Mapping[str, Mapping[str, str]] = {
    "Haswell": {},
    "Sandybridge": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"},
    "Nehalem": {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4"},
}
FIRST, ABROAD, OTHER = PROCESSORS  # the second is computed with elsewhere
# One trial for each of the points with which a search begins, so that every embedding and clusterer is fitted.
EVERYTHING = {
    "tune": {
        **EASY["tune"],
        "trials": 13,
        "resamples": 2,
        "embeddings": ["scaled", "quantile", "pca", "leaves", "value_plane", "lifetime_plane", "affinity_scaled"],
    }
}
MULTIPLY = (
    "import numpy, threadpoolctl\n"
    "numpy.ones((64, 64)) @ numpy.ones((64, 64))\n"
    "print(*{each['architecture'] for each in threadpoolctl.threadpool_info() if each['internal_api'] == 'openblas'})"
)
RUN = f"import importlib\nfor stage in {STAGES}: importlib.import_module(f'insiders.stages.{{stage}}').main()"


def environment(processor: str) -> dict[str, str]:
    """Variables of a process on this processor; on the machine's own where it has no such kernel."""
    own = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    known = kernel(processor) if can_run(processor) else {}
    return own | {"PYTHONPATH": str(small_shop.TOP / "src"), "OMP_NUM_THREADS": "1"} | known


def kernel(processor: str) -> dict[str, str]:
    return {"OPENBLAS_CORETYPE": processor, **PROCESSORS[processor]}


@cache
def can_run(processor: str) -> bool:
    """Whether NumPy multiplies with this kernel: OpenBLAS takes another one, or dies, where the processor cannot."""
    command = [sys.executable, "-c", MULTIPLY]
    ended = subprocess.run(command, env=os.environ | kernel(processor), capture_output=True, text=True, check=False)
    return ended.returncode == 0 and ended.stdout.split() == [processor]


def results(folder: Path, variables: Mapping[str, str], python: str = sys.executable) -> dict[str, str]:
    """Digest of every file that a run of all stages makes."""
    ended = subprocess.run([python, "-c", RUN], cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    files = sorted(path for part in ("data", "models", "reports") for path in (folder / part).rglob("*.*"))
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> dict[str, str]:
    """The results on the first of the processors."""
    folder = small_shop.new_project(tmp_path_factory.mktemp("first") / "shop", empty_store, EASY, EVERYTHING)
    return results(folder, environment(FIRST))


@pytest.fixture
def shop(empty_store: Path, tmp_path: Path) -> Path:
    return small_shop.new_project(tmp_path / "shop", empty_store, EASY, EVERYTHING)


def test_elsewhere_another_processor_makes_the_same_bytes(first: dict[str, str], shop: Path) -> None:
    """All at once, and each alone would be noticed: another processor, time zone, order of sets, threads, workers."""
    small_shop.write_params(shop, EASY, EVERYTHING, {"tune": {"workers": WORKERS}})
    found = results(shop, environment(ABROAD) | ELSEWHERE)
    assert {"data/places.parquet", "models/registered.json", "reports/answers.json"} < set(found)
    assert found == first


def test_another_processor_makes_the_same_bytes(first: dict[str, str], shop: Path) -> None:
    for processor in (FIRST, OTHER):
        if not can_run(processor):
            pytest.skip(f"this processor, or its BLAS, has no kernel {processor}")
    assert results(shop, environment(OTHER)) == first


def test_another_python_makes_the_same_bytes(first: dict[str, str], shop: Path) -> None:
    python = os.environ.get(OTHER_PYTHON)
    if python is None:
        pytest.skip(f"{OTHER_PYTHON} names no other interpreter that has the dependencies")
    assert results(shop, environment(FIRST), python) == first

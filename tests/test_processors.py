"""The same bytes on every processor: a small shop under other kernels of OpenBLAS, more threads, another Python.

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

OTHER_PYTHON = "INSIDERS_OTHER_PYTHON"  # names another interpreter that has the dependencies
PROCESSORS: Mapping[str, Mapping[str, str]] = {
    "Haswell": {"OMP_NUM_THREADS": "1"},
    "Sandybridge": {"OMP_NUM_THREADS": "2", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4"},
    "Nehalem": {"OMP_NUM_THREADS": "1", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX,-AVX2,-FMA,-FMA4"},
}
FIRST, *OTHERS = PROCESSORS
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
    own = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    path = {"PYTHONPATH": str(small_shop.TOP / "src")}
    return own | path | {"OPENBLAS_CORETYPE": processor} | PROCESSORS[processor]


@cache
def can_run(processor: str) -> bool:
    """Whether NumPy multiplies with this kernel: OpenBLAS takes another one, or dies, where the processor cannot."""
    command = [sys.executable, "-c", MULTIPLY]
    ended = subprocess.run(command, env=environment(processor), capture_output=True, text=True, check=False)
    return ended.returncode == 0 and ended.stdout.split() == [processor]


def results(folder: Path, store: Path, processor: str, python: str = sys.executable) -> dict[str, str]:
    """Digest of every file that a run of all stages makes."""
    small_shop.new_project(folder, store, EASY, EVERYTHING)
    ended = subprocess.run(
        [python, "-c", RUN], cwd=folder, env=environment(processor), capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    files = sorted(path for part in ("data", "models", "reports") for path in (folder / part).rglob("*.*"))
    return {path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> dict[str, str]:
    """The results on the first of the processors."""
    if not can_run(FIRST):
        pytest.skip(f"this processor, or its BLAS, has no kernel {FIRST} to compare with")
    return results(tmp_path_factory.mktemp("first") / "shop", empty_store, FIRST)


@pytest.mark.parametrize("processor", OTHERS)
def test_another_processor_makes_the_same_bytes(
    processor: str, first: dict[str, str], empty_store: Path, tmp_path: Path
) -> None:
    if not can_run(processor):
        pytest.skip(f"this processor, or its BLAS, has no kernel {processor}")
    found = results(tmp_path / "shop", empty_store, processor)
    assert {"data/places.parquet", "models/registered.json", "reports/answers.json"} < set(found)
    assert found == first


def test_another_python_makes_the_same_bytes(first: dict[str, str], empty_store: Path, tmp_path: Path) -> None:
    python = os.environ.get(OTHER_PYTHON)
    if python is None:
        pytest.skip(f"{OTHER_PYTHON} names no other interpreter that has the dependencies")
    assert results(tmp_path / "shop", empty_store, FIRST, python) == first

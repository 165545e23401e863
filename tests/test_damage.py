"""Every file that a run writes and something reads later: a flipped bit or a cut end is refused by whoever reads it."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

import small_shop
from customer_tables import copy_params
from insiders.answers import enrolment
from insiders.answers.inputs import Inputs
from insiders.answers.release import Opened
from insiders.answers.release import files as release
from insiders.errors import InputError
from insiders.io import doctor, engine, ledger, params, paths, repair, tables, workspace, written

FLIPS, CUTS = 400, 50
SAMPLE_FLIPS, SAMPLE_CUTS = 20, 5  # of the ordinary suite
REFUSED = "is not as it was written"


def inputs() -> Inputs:
    return Inputs(params.read())


# Who reads a file first, for those that are no table in Parquet and no JSON.
READERS: dict[Path, Callable[[], object]] = {
    paths.INSIDERS: lambda: inputs().insiders,
    paths.LEDGER: lambda: inputs().ledger,
    paths.TRIALS: lambda: inputs().trials,
    paths.AUDIENCES: lambda: engine.scan_csv(engine.connect(1), paths.AUDIENCES),
    paths.RECOMMENDATIONS: lambda: engine.scan_csv(engine.connect(1), paths.RECOMMENDATIONS),
    paths.INTAKE: lambda: problem(release.Files().opened()),
    paths.HANDS: ledger.read_hands,
    paths.ACCEPTED: ledger.read_accepted,
}
# Nobody reads these but people: `insiders doctor` looks at them.
SHOWN = (paths.PAGE, paths.EXPLORATION_PAGE, paths.EXPERIMENT, paths.RFM)


def problem(opened: Opened) -> None:
    if opened.problem:
        raise InputError(opened.problem)


def read(path: Path) -> object:
    if path in SHOWN:
        return problem_of_doctor()
    if path in READERS:
        return READERS[path]()
    if path.suffix == ".json":
        return tables.read_json(path)
    if path.parent == paths.PROGRAMME:
        return ledger.read_all(ledger.days()[-1])
    engine.scan(engine.connect(1), path)
    return tables.read(path)


def problem_of_doctor() -> None:
    found = {each.need: each for each in doctor.examine()}["files"]
    if not found.ok:
        raise InputError(f"{found.state} {REFUSED}")


@pytest.fixture(scope="module")
def shop(easy_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that ran, with a decision, a customer set by hand and a fault that somebody accepted."""
    folder = tmp_path_factory.mktemp("damage") / "shop"
    shutil.copytree(easy_shop, folder)
    with small_shop.inside(folder):
        with workspace.alone("insiders enrol"):
            enrolment.enrol(None)
        with workspace.alone("insiders set"):
            ledger.append_hand({"customer_id": "10001", "hand": "out", "why": "asked", "on": "2025-12-11"})
            ledger.append_accepted({"data": "0", "faults": {}, "version": "1", "release": "r", "why": "w", "on": "d"})
    return folder


@pytest.fixture(autouse=True)
def _inside(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop)
    monkeypatch.setattr(written, "WAIT_SECONDS", 0)
    monkeypatch.setattr(release, "PAUSE_SECONDS", 0)


def files() -> list[Path]:
    """Every file that a run has written."""
    return sorted(written._files())


def damaged(whole: bytes, flips: int, cuts: int) -> list[bytes]:
    random = Random(1)
    flipped = [(random.randrange(len(whole)), 1 << random.randrange(8)) for _ in range(flips)]
    changed = [whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :] for at, bit in flipped]
    return [*changed, *(whole[: random.randrange(len(whole))] for _ in range(cuts))]


def test_every_file_is_read_as_it_was_written() -> None:
    assert len(files()) > 30
    assert not written.changed()
    for path in files():
        read(path)


@pytest.mark.parametrize(
    ("flips", "cuts"), [(SAMPLE_FLIPS, SAMPLE_CUTS), pytest.param(FLIPS, CUTS, marks=pytest.mark.battery)]
)
def test_every_flipped_bit_and_every_cut_end_is_refused(flips: int, cuts: int) -> None:
    for path in files():
        whole = path.read_bytes()
        contents = damaged(whole, flips, cuts)
        for content in contents:
            path.write_bytes(content)
            with pytest.raises(InputError, match=REFUSED):
                written.refuse_changed(path)
        for content in (contents[0], contents[-1]):  # and whoever reads it asks
            path.write_bytes(content)
            with pytest.raises(InputError, match=f"{REFUSED}|is no decision that"):
                read(path)
        path.write_bytes(whole)


# What DVC puts in place of a file.


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of one stage, run by DVC; the object of its output in DVC's cache has a flipped bit. Returns that."""
    monkeypatch.chdir(tmp_path)
    copy_params()
    Path("make.py").write_text(STAGE, encoding="utf-8")
    Path("dvc.yaml").write_text(
        f"stages: {{make: {{cmd: '{sys.executable} make.py', deps: [make.py], outs: [{OUT}]}}}}\n"
    )
    for command in (["init", "--no-scm", "-q"], ["repro", "-q"]):
        dvc(*command)
    [stored] = Path(".dvc/cache/files/md5").glob("??/*")
    content = stored.read_bytes()
    stored.chmod(0o644)
    stored.write_bytes(content.replace(b"60", b"61"))
    return stored


OUT = "reports/metrics.json"
STAGE = """
from insiders.io import paths, tables, workspace
with workspace.alone("make"):
    tables.write_json({"customers": 60}, paths.METRICS)
"""


def dvc(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "dvc", *words], check=True, capture_output=True, timeout=120)


@pytest.mark.parametrize("is_fresh_clone", [False, True])
def test_a_damaged_object_of_dvcs_cache_is_refused_and_mended(repository: Path, is_fresh_clone: bool) -> None:
    Path(OUT).unlink()
    if is_fresh_clone:  # which has no digests of its own
        written.DIGESTS.unlink()
    dvc("checkout", "-q")
    assert b"61" in Path(OUT).read_bytes()  # DVC does not see it
    with pytest.raises(InputError, match=f"{REFUSED}.*doctor --repair"):
        tables.read_json(Path(OUT))
    assert written.changed() == [Path(OUT)]
    assert [str(repository) in told for told in repair.repair()] == [True]
    dvc("repro", "-q", "--force")
    assert tables.read_json(Path(OUT)) == {"customers": 60}
    assert not written.changed()

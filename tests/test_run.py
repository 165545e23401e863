"""`insiders run`: DVC's own pipeline, its stages as forks of one process, comes to what `dvc repro` comes to."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from hashlib import md5
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
import yaml

import small_shop
from insiders.io import pipeline
from small_shop import EASY

DATA = ("ingest", "preprocess", "featurize")
# A pipeline of stages that a test writes, in the place of this project's, by a program that imports little.
LITTLE = 'pipeline.IMPORTS = ("insiders.io.workspace", "psutil")\n'
PROBES = f"""\
import re, signal, sys
from insiders.io import pipeline
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a job in the background, as CI may be, passes over
pipeline.STAGE = re.compile("python -m (probe)")
{LITTLE}{{change}}
sys.exit(pipeline.run(sys.argv[1:]))
"""
COMMANDS = "pipeline.can_fork = lambda: False"
Words = tuple[str, ...]
DVC: Words = (sys.executable, "-m", "dvc", "repro")
RUN: Words = (sys.executable, "-c", PROBES.format(change=""))
AS_COMMANDS: Words = (sys.executable, "-c", PROBES.format(change=COMMANDS))
WHOLE = (
    PROBES.replace('"python -m (probe)"', 'r"python -m (insiders[.]stages[.]\\w+|probe)"')
    .replace(LITTLE, "")
    .format(change="")
)
LOOK = """\
import json, os, sys
from pathlib import Path
threads = [path.read_text().strip() for path in Path(f"/proc/{os.getppid()}/task").glob("*/comm")]
Path("state.json").write_text(json.dumps([threads, [*sys.modules]]))
"""


def started(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """A program in a session of its own, as in a terminal of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = kept | {"PATH": path, "DVC_NO_ANALYTICS": "true", "PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    return subprocess.Popen(words, cwd=folder, env=env, stdout=pipe, stderr=pipe, text=True, start_new_session=True)


def ended(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    program = started(folder, *words)
    out, err = program.communicate(timeout=120)
    return subprocess.CompletedProcess(words, program.returncode, out, err)


def initialised(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text("[core]\n    no_scm = true\n")
    return folder


@pytest.fixture
def probes(tmp_path: Path) -> Path:
    """A pipeline of two stages, of which each copies its input; a test writes more into probe.py."""
    folder = initialised(tmp_path / "probes")
    chain = {"one": ("a", "b"), "two": ("b", "c")}
    stages = {
        name: {"cmd": "python -m probe", "deps": [of], "outs": [{to: {"persist": True}}]}
        for name, (of, to) in chain.items()
    }
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (folder / "a").write_text("first")
    write_probe(folder, "")
    return folder


def write_probe(folder: Path, more: str) -> None:
    code = 'import os, sys\none, two = {"one": "ab", "two": "bc"}[os.environ["DVC_STAGE"]]\n'
    copy = "open(two, 'w').write(open(one).read())\nopen('log', 'a').write(os.environ['DVC_STAGE'] + ' ')\n"
    (folder / "probe.py").write_text(code + more + copy)


def log(folder: Path) -> list[str]:
    return (folder / "log").read_text().split()


# --- the same ---


@pytest.fixture(scope="module")
def shop(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This project's data stages, run on the small shop, and a last stage that looks at the process that forked it."""
    folder = initialised(small_shop.new_project(tmp_path_factory.mktemp("run") / "shop", empty_store, EASY))
    declared = yaml.safe_load((small_shop.TOP / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    stages = {name: declared[name] for name in DATA}
    for stage in stages.values():
        stage["deps"] = [each for each in stage.get("deps", []) if not each.startswith("src/")]
    stages["probe"] = {"cmd": "python -m probe", "deps": ["data/customers.parquet"], "outs": ["state.json"]}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    (folder / "probe.py").write_text(LOOK)
    done = ended(folder, sys.executable, "-c", WHOLE)
    assert done.returncode == 0, done.stderr
    return folder


def test_every_file_is_as_without_forks(shop: Path, easy_shop: Path) -> None:
    lock = yaml.safe_load((shop / "dvc.lock").read_text())["stages"]
    made = {out["path"]: out["md5"] for name in DATA for out in lock[name]["outs"]}
    assert "data/customers.parquet" in made
    files = {name: easy_shop / name for name in made}
    assert made == {name: md5(path.read_bytes()).hexdigest() for name, path in files.items()}


def test_dvc_finds_nothing_left_to_do(shop: Path) -> None:
    assert "Data and pipelines are up to date" in ended(shop, *DVC).stdout


def test_the_server_has_imported_everything_and_started_nothing(shop: Path) -> None:
    """A fork takes along only the thread that forks: a lock that another holds would stay locked for ever.

    Arrow's allocator has a thread of its own, which it stops and starts again around a fork.
    """
    threads, modules = json.loads((shop / "state.json").read_text())
    assert len([name for name in threads if name != "jemalloc_bg_thd"]) == 1
    assert {*pipeline.IMPORTS, "ibis", "matplotlib", "optuna", "pandera.pandas", "sklearn"} <= {*modules}


def test_what_has_nothing_to_do_is_not_run(probes: Path) -> None:
    assert ended(probes, *RUN).returncode == 0
    assert log(probes) == ["one", "two"]
    again = ended(probes, *RUN)
    assert again.returncode == 0
    assert "Data and pipelines are up to date" in again.stdout
    (probes / "a").write_text("second")
    assert ended(probes, *RUN, "one").returncode == 0  # a target, as dvc repro has it
    assert log(probes) == ["one", "two", "one"]
    assert ended(probes, *DVC).returncode == 0
    assert log(probes) == ["one", "two", "one", "two"]
    assert "up to date" in ended(probes, *RUN).stdout


def test_without_forks_the_stages_are_commands(probes: Path) -> None:
    write_probe(probes, "open('parents', 'a').write(str(os.getppid()) + ' ')\n")
    assert ended(probes, *AS_COMMANDS).returncode == 0
    assert log(probes) == ["one", "two"]
    ended(probes, *RUN, "--force")
    parents = (probes / "parents").read_text().split()
    assert len(parents) == 4
    assert parents[2] == parents[3]  # the server


def test_a_stage_that_runs_every_time_alone_starts_no_server(probes: Path) -> None:
    declared = yaml.safe_load((probes / "dvc.yaml").read_text())
    declared["stages"]["two"]["always_changed"] = True
    (probes / "dvc.yaml").write_text(yaml.safe_dump(declared))
    write_probe(
        probes, "with open(os.environ['DVC_STAGE'], 'a') as file: file.write(str('psutil' in sys.modules) + ' ')\n"
    )
    assert ended(probes, *RUN).returncode == 0
    assert ended(probes, *RUN).returncode == 0
    assert (probes / "one").read_text().split() == ["True"]
    assert (probes / "two").read_text().split() == ["True", "False"]


FAILURES = {
    "a message": "sys.exit('probe: the file is not a table')\n",
    "a bug": "raise ValueError('odd')\n",
    "killed": "os.kill(os.getpid(), 9)\n",
}


def last_words(said: str) -> str:
    """What DVC said last. A shell that replaces itself by the command ends by its signal, another says 128 more."""
    return re.sub(r" 137$", " -9", said.splitlines()[-1])


@pytest.mark.parametrize("failure", FAILURES.values(), ids=list(FAILURES))
def test_a_failing_stage_ends_alike(failure: str, probes: Path) -> None:
    write_probe(probes, f"if two == 'c':\n    {failure}")
    one, other = (ended(probes, *program, "--force") for program in (DVC, RUN))
    assert one.returncode == other.returncode == 255
    assert last_words(other.stderr) == last_words(one.stderr)
    assert "failed to reproduce 'two': failed to run: python -m probe, exited with" in other.stderr
    said = [line for line in one.stderr.splitlines() if line.startswith(("probe: ", "ValueError: "))]
    assert [line for line in other.stderr.splitlines() if line in said] == said
    assert len(said) == ("'" in failure)
    assert log(probes) == ["one", "one"]
    assert (probes / "b").exists()


# --- ends ---

WAITS = """\
from insiders.io import workspace
workspace.die_with_dvc()
open('waiting', 'w').write(str(os.getpid()))
import time
time.sleep(60)
"""


def waiting(folder: Path, *words: str) -> tuple["subprocess.Popen[str]", psutil.Process]:
    """A pipeline whose first stage waits, and that stage's process."""
    write_probe(folder, WAITS)
    program, mark = started(folder, *words), folder / "waiting"
    deadline = time.monotonic() + 60
    while not (mark.exists() and mark.read_text()):
        assert time.monotonic() < deadline
        assert program.poll() is None
        time.sleep(0.05)
    return program, psutil.Process(int(mark.read_text()))


def test_an_interrupt_ends_stage_and_pipeline(probes: Path) -> None:
    pipe, stage = waiting(probes, *RUN)
    os.killpg(pipe.pid, signal.SIGINT)  # what Ctrl-C does in a terminal
    _, err = pipe.communicate(timeout=30)
    assert pipe.returncode == 255
    assert "failed to run: python -m probe, exited with -2" in err
    assert not psutil.wait_procs([stage], timeout=30)[1]
    assert not (probes / "b").exists()


def test_no_stage_outlives_a_killed_pipeline(probes: Path) -> None:
    pipe, stage = waiting(probes, *RUN)
    pipe.kill()
    pipe.communicate(timeout=30)
    assert not psutil.wait_procs([stage], timeout=30)[1]


def test_what_is_imported_is_there() -> None:
    """A server passes over what it cannot import, without a word."""
    assert [name for name in pipeline.IMPORTS if find_spec(name) is None] == []

"""The README against the repository: its commands run, its tree, links, names and figures are those that are there."""

import importlib.util
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import small_shop
from customer_tables import customers, fitted
from insiders import cli
from insiders.io.delivery import download
from insiders.io.tracking import registry
from insiders.io.tracking.registry import Facts
from small_shop import TOP

README = (TOP / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```sh\n(.*?)^ *```", README, re.DOTALL | re.MULTILINE)
COMMANDS = sorted({line.split("#")[0].strip() for block in BLOCKS for line in block.splitlines() if line.strip()})
RECIPES = {
    "make": ["insiders run"],
    "make test": ["pytest"],
    "make postgres": ["--constraints requirements-extras.lock", "psycopg"],
    "make stores": ["--constraints requirements-extras.lock", "pymongo"],
    "make servers": ["--constraints requirements-extras.lock", "nx-27017", "mariadb-server", "libreoffice-calc"],
    "make spark": ["--constraints requirements-extras.lock", "pyspark"],
    "make umap": ["--constraints requirements-extras.lock", "umap-learn"],
    "make prophet": ["--constraints requirements-extras.lock", "prophet"],
    "make check": ["ruff format --check", "ruff check", "mypy", "lint-imports", "python docs/api.py", "pytest"],
    "make docs": ["python docs/api.py"],
}
BY_HAND = {  # without make: what the target that it stands for runs
    "python -m venv .venv": ("env", "-m venv .venv"),
    "pip install --require-hashes -r requirements.lock": ("env", "--require-hashes -r requirements.lock"),
    "pip install --no-deps --no-build-isolation -e .": ("env", "--no-deps --no-build-isolation -e ."),
    "insiders run": ("all", "insiders run"),
    "pytest": ("test", "pytest"),
}
LARGEST_PICTURE = 300_000  # bytes


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


# The commands.


@pytest.fixture(scope="module")
def finished(easy_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which every stage has run on a small shop, and DVC knows it."""
    folder = Path(shutil.copytree(easy_shop, tmp_path_factory.mktemp("readme") / "clone"))
    for name in ("dvc.yaml", "requirements.lock", "README.md"):
        shutil.copy(TOP / name, folder)
    for name in ("src", "benchmarks", "docs"):
        shutil.copytree(TOP / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").write_text("[core]\n    no_scm = true\n    analytics = false\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", database(folder))
        small_shop.run(folder, ["register", "assign"])  # their store has moved
    ran(folder, "dvc", "commit", "--force")
    return folder


@pytest.fixture
def project(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The clone, for one test alone."""
    folder = tmp_path / "clone"
    shutil.copytree(finished, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", database(folder))
    return folder


def database(folder: Path) -> str:
    """The store in which a clone looks anyway; in this process MLFLOW_TRACKING_URI may still name another test's."""
    return f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}"


def environment() -> dict[str, str]:
    """As after `source .venv/bin/activate` in a new shell, without the variables of a make or a test around us."""
    foreign = ("MAKE", "MFLAGS", "MLFLOW_TRACKING_URI")
    found = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return found | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"}


def ran(folder: Path, *words: str) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def insiders(*words: str) -> str:
    result = CliRunner().invoke(cli.app, list(words))
    assert result.exit_code == 0, result.output
    return str(result.output)


def first_insider() -> str:
    return Path("reports/insiders.csv").read_text().splitlines()[1].split(",")[1]


def in_line(command: str, _project: Path, _patch: pytest.MonkeyPatch) -> str:
    return insiders(*command.replace("CUSTOMER_ID", first_insider()).split()[1:])


def in_shell(command: str, project: Path, _patch: pytest.MonkeyPatch) -> str:
    return ran(project, *command.split())


def follows(command: str, project: Path, patch: pytest.MonkeyPatch) -> str:
    """Without a change, only what follows the registry runs."""
    shown = in_shell(command, project, patch)
    assert re.findall(r"Running stage '(\w+)'", shown) == ["register", "assign"]
    return shown


def target(command: str, _project: Path, _patch: pytest.MonkeyPatch) -> str:
    """A test cannot run the tests: what the target would run is asked for."""
    shown = ran(TOP, *command.split(), "--dry-run")
    for part in RECIPES[command]:
        assert part in shown
    return shown


def wrapped(command: str, _project: Path, _patch: pytest.MonkeyPatch) -> str:
    """What a target runs, also where it has nothing to do."""
    name, part = BY_HAND[command]
    assert part in ran(TOP, "make", name, "--always-make", "--dry-run")
    return ""


def begun(command: str, project: Path, _patch: pytest.MonkeyPatch) -> str:
    shown = insiders(*command.split()[1:])
    assert (project / "DIR" / "params.yaml").read_bytes() == (TOP / "params.yaml").read_bytes()
    return shown


def packed(command: str, project: Path, _patch: pytest.MonkeyPatch) -> str:
    """Without the network: of what builds the wheel the environment's own."""
    ran(
        TOP,
        sys.executable,
        "-m",
        *command.replace("build .", str(project / "build")).split(),
        "--no-build-isolation",
        ".",
    )
    return str(list((project / "build").iterdir()))


def unpacked(command: str, project: Path, patch: pytest.MonkeyPatch) -> str:
    """Into a folder of its own, without the packages that the wheel needs."""
    packed("pip wheel --no-deps --wheel-dir build .", project, patch)
    [wheel] = project.glob(command.rsplit(maxsplit=1)[-1])
    return ran(
        project, sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", "new", str(wheel)
    )


def activation(_command: str, _project: Path, _patch: pytest.MonkeyPatch) -> str:
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    assert "VENV := .venv\n" in makefile
    assert "-m venv $(VENV)" in makefile
    return ""


def fetched(command: str, project: Path, patch: pytest.MonkeyPatch) -> str:
    """From the publisher's address; here that of a file on this machine, opened as the network would be."""
    parcel = project / "parcel"
    parcel.write_bytes(b"the file")
    patch.setattr(download, "KNOWN_DIGESTS", {})
    patch.setattr(download, "_open", lambda _url: urllib.request.urlopen(parcel.as_uri()))
    return in_line(command, project, patch)


def promoted(command: str, project: Path, patch: pytest.MonkeyPatch) -> str:
    registry.register(fitted(), customers(5), Facts("another", {}, {}, {}, ""))
    return in_line(command, project, patch)


def rolled_back(command: str, project: Path, patch: pytest.MonkeyPatch) -> str:
    promoted("insiders promote", project, patch)
    return in_line(command, project, patch)


SERVERS = {  # command -> what its page says
    "insiders ui": "MLflow",
    "insiders dashboard": "Streamlit",
    "insiders dashboard --from sqlite:///insiders.db": "Streamlit",
}


def served(command: str, project: Path, _patch: pytest.MonkeyPatch) -> str:
    """Start the page on a free port, ask for it, and end it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    log = project / "ui.log"
    with log.open("wb") as out:
        words = [*command.split(), "--port", port]
        server = subprocess.Popen(words, cwd=project, stdout=out, stderr=out, env=environment())
    try:
        assert SERVERS[command] in page(f"http://127.0.0.1:{port}/", server)
    finally:
        server.terminate()
        server.wait(30)
    return log.read_text()


def page(address: str, server: "subprocess.Popen[bytes]") -> str:
    for _ in range(900):
        assert server.poll() is None
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


def measured(command: str, project: Path, patch: pytest.MonkeyPatch) -> str:
    insiders("simulate", "--customers", "30", "--out", "data/shop.csv")
    return in_shell(f"{command} --runs 1", project, patch)


Check = Callable[[str, Path, pytest.MonkeyPatch], str]
CHECKS: dict[str, tuple[Check, str]] = {  # command -> how it is run, and what it then says
    **dict.fromkeys(RECIPES, (target, "")),
    **dict.fromkeys(BY_HAND, (wrapped, "")),
    "source .venv/bin/activate": (activation, ""),
    "pip wheel --no-deps --wheel-dir build .": (packed, "insiders-"),
    "pip install build/insiders-*.whl": (unpacked, "Successfully installed insiders"),
    "insiders init DIR": (begun, "DIR holds a project"),
    "dvc repro": (follows, "Stage 'report' didn't change"),
    "dvc repro featurize": (in_shell, "Stage 'featurize' didn't change"),
    "dvc repro --force --single-item ingest": (in_shell, "Running stage 'ingest'"),
    "insiders fetch": (fetched, "source: data/raw/"),
    "insiders simulate --customers 1000 --out data/shop.csv": (in_line, "a shop with 1,000 customers"),
    "insiders check": (in_line, "# What was understood"),
    "insiders ui": (served, "the trials side by side: http://127.0.0.1:"),
    "insiders promote": (promoted, "version 2 serves"),
    "insiders rollback": (rolled_back, "version 1 serves again"),
    "insiders assign": (in_line, "customers, by model version 1"),
    "insiders assign --out segments.parquet": (in_line, "holds the segments by model version 1"),
    "insiders assign --accept --why new-prices": (in_line, "there was nothing to accept"),
    "insiders enrol": (in_line, "recorded: run `dvc repro`"),
    "insiders set CUSTOMER_ID in --why partner": (in_line, "from the next decision on"),
    "insiders experiment": (in_line, "no experiment to read"),
    "insiders list --top 100 --out top.csv": (in_line, "should bring"),
    "insiders explain CUSTOMER_ID": (in_line, "an Insider"),
    "insiders dashboard": (served, "http://127.0.0.1:"),
    "insiders dashboard --from sqlite:///insiders.db": (served, "http://127.0.0.1:"),
    "insiders publish --to sqlite:///insiders.db": (in_line, "published, "),
    "insiders bi metabase --database 2 --out metabase.json": (in_line, "cards and the dashboard"),
    "insiders bi superset --source postgresql://bi@db.example/marketing --out insiders.zip": (in_line, "the dashboard"),
    "insiders bi powerbi --source postgresql://db.example/marketing --out powerbi": (in_line, "visuals: open"),
    "insiders doctor": (in_line, "every value is there"),
    "python benchmarks/clean_features.py data/shop.csv": (measured, "features: equal"),
    "python benchmarks/evidence.py sample=.": (in_shell, ""),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_runs(command: str, finished: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check, said = CHECKS[command]
    place = finished if command.startswith("dvc") else project  # in a store that was moved there would be work to do
    assert said in check(command, place, monkeypatch)


def test_no_check_outlives_its_command() -> None:
    assert set(CHECKS) == set(COMMANDS)


def test_every_command_of_insiders_is_named_and_no_other() -> None:
    in_lines = re.findall("`[^`]+`", re.sub("```.*?```", "", README, flags=re.DOTALL))
    named = set(re.findall(r"\binsiders ([a-z]+)", "\n".join([*BLOCKS, *in_lines])))
    single = {each.name or each.callback.__name__ for each in cli.app.registered_commands if each.callback}
    assert named == single | {group.name for group in cli.app.registered_groups}


# What stands in it.


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files"], cwd=TOP, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a checkout of git: what belongs to the repository is not known")
    return done.stdout.splitlines()


def tree() -> tuple[set[str], set[str]]:
    """Names at the top, and those in src/insiders; folders end with a slash."""
    top, package = section("The tree").split("```")[1].split("src/insiders/\n")
    rows = [re.split(r"\s{3,}", line)[0] for line in top.splitlines()]
    return {name for row in rows for name in row.split()}, set(re.findall(r"^[├└]── (\S+)", package, re.MULTILINE))


def heads(paths: list[str]) -> set[str]:
    """The first part of each path."""
    return {part + slash for part, slash, _ in (path.partition("/") for path in paths)}


def test_the_tree_is_that_of_the_repository() -> None:
    top, package = tree()
    files = tracked()
    inner = [path.removeprefix("src/insiders/") for path in files if path.startswith("src/insiders/")]
    assert top | {"src/"} == heads(files)
    assert package == heads(inner) - {"__init__.py"}


def test_every_relative_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (TOP / link).exists()] == []


def test_pictures_are_small_enough_to_load() -> None:
    for path in (TOP / "docs").glob("*.png"):
        assert path.stat().st_size < LARGEST_PICTURE
        assert 1100 < struct.unpack(">I", path.read_bytes()[16:20])[0] < 1300
        assert f"(docs/{path.name})" in README


def test_every_output_comes_out(finished: Path) -> None:
    outputs = re.findall(r"^\| `([^`]+)`", section("What comes out"), re.MULTILINE)
    assert len(outputs) == 28
    assert [path for path in outputs if not (finished / path).exists()] == []


def test_every_param_that_is_named_exists() -> None:
    settings: dict[str, Any] = yaml.safe_load((TOP / "params.yaml").read_text(encoding="utf-8"))
    sections = {name: own for name, own in settings.items() if isinstance(own, dict)}
    named = re.findall(rf"`({'|'.join(sections)})\.(\w+)", README)
    assert named
    assert [pair for pair in named if pair[1] not in sections[pair[0]]] == []


@pytest.fixture
def evidence() -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("evidence", TOP / "benchmarks" / "evidence.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_evidence_is_that_of_the_runs(evidence: ModuleType) -> None:
    assert list(evidence.kept()) == list(evidence.TITLES)
    [shown] = evidence.PLACE.findall(README)
    assert shown == evidence.table(evidence.kept())


def test_new_evidence_replaces_the_old(project: Path) -> None:
    ran(project, sys.executable, "benchmarks/evidence.py", "sample=.")
    assert (project / "docs/sample.json").read_bytes() == (project / "reports/metrics.json").read_bytes()
    changed = (project / "README.md").read_text(encoding="utf-8")
    assert changed != README
    assert changed.partition("<!-- evidence -->")[0] == README.partition("<!-- evidence -->")[0]

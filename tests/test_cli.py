"""The commands: what they print, what they write, and how they end where the input is at fault."""

import os
import re
import subprocess
import sys
import time
from importlib.metadata import requires, version
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from customer_tables import customers, fitted, write_project
from insiders import cli
from insiders.answers import labels
from insiders.io import doctor, paths, tables
from insiders.io.tracking import registry, server
from insiders.io.tracking.registry import Facts


@pytest.fixture(autouse=True)
def project(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stages have run but for assign, served by a baseline of two customers."""
    monkeypatch.chdir(tmp_path)
    write_project()
    tables.write_json(
        {"regime": "baseline", "baseline": {"name": "net_revenue", "n": 2, "horizon_days": 90}}, paths.REGISTERED
    )
    return store


def run(*words: str) -> Result:
    return CliRunner().invoke(cli.app, list(words))


def refused(*words: str) -> str:
    """What a command says that ends with status 1."""
    result = run(*words)
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert result.output.splitlines()[-1].startswith("insiders: ")
    return result.output


def submit(key: str) -> None:
    tags = {"gate.stable": "failed 0.7 >= 0.75"} if key == "bad" else {"gate.stable": "passed 0.8 >= 0.75"}
    registry.register(fitted(), customers(5), Facts(key, {}, {}, tags, ""))


def test_help_comes_at_once() -> None:
    started = time.perf_counter()
    code = "import sys; from insiders.cli import app; print(sorted(name.split('.')[0] for name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert not {"pandas", "numpy", "mlflow", "sklearn", "pydantic"} & set(eval(done.stdout))
    assert time.perf_counter() - started < 10


COMMANDS = [
    "init",
    "simulate",
    "fetch",
    "assign",
    "enrol",
    "set",
    "publish",
    "bi",
    "experiment",
    "promote",
    "rollback",
    "explain",
    "dashboard",
    "ui",
    "doctor",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert command in run("--help").stdout
    assert run(command, "--help").exit_code == 0


def test_assign_writes_both_tables() -> None:
    assert run("assign").stdout == "2 Insiders among 60 customers, by model version baseline:net_revenue\n"
    assert pd.read_csv(paths.INSIDERS)["customer_id"].tolist() == ["c050", "c030"]  # who was a member keeps a place


def test_assign_takes_another_table_another_version_and_another_place(tmp_path: Path) -> None:
    submit("a")
    other = tmp_path / "next month.parquet"
    customers(30).to_parquet(other)
    old = Path("elsewhere") / paths.OUTLOOK
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    result = run("assign", "--customers", str(other), "--version", "challenger", "--out", "elsewhere")
    assert result.stdout == "3 Insiders among 30 customers, by model version 1\n"
    assert len(pd.read_parquet("elsewhere/data/assignments.parquet")) == 30
    assert not old.exists()  # the forecast of another list
    assert not paths.INSIDERS.exists()


def test_assign_refuses_what_it_cannot_read() -> None:
    assert "none.parquet is missing" in refused("assign", "--customers", "none.parquet")
    Path("text.parquet").write_text("no table")
    assert "text.parquet cannot be read as Parquet" in refused("assign", "--customers", "text.parquet")
    customers().drop(columns="order_count").to_parquet("narrow.parquet")
    assert "order_count" in refused("assign", "--customers", "narrow.parquet")
    assert "no version '7'" in refused("assign", "--version", "7")


def test_assign_writes_what_the_model_says_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    submit("a")
    monkeypatch.setattr(labels, "ROWS", 7)
    customers(30).to_parquet("next.parquet")
    result = run("assign", "--customers", "next.parquet", "--version", "1", "--out", "labels.parquet")
    assert result.stdout == "labels.parquet holds the segments by model version 1\n"
    written, at_once = pd.read_parquet("labels.parquet"), registry.load(registry.versions()[0]).predict(customers(30))
    assert written["customer_id"].tolist() == customers(30)["customer_id"].tolist()
    pd.testing.assert_frame_equal(written[list(at_once)], at_once)
    assert not paths.ASSIGNMENTS.exists()


def test_assign_refuses_what_no_model_can_label_by_itself() -> None:
    assert "name a --version, or a folder" in refused("assign", "--out", "labels.parquet")
    submit("a")
    wrong = {
        "has no customers": customers(0),
        "lacks the columns as_of": customers().drop(columns="as_of"),
        "lacks the columns order_count": customers().drop(columns="order_count"),
        "expected those of one day": pd.concat([customers(2), customers(2, pd.Timestamp("2011-12-09").as_unit("us"))]),
    }
    for message, table in wrong.items():
        table.to_parquet("wrong.parquet", index=False)
        words = ("assign", "--customers", "wrong.parquet", "--version", "1", "--out", "labels.parquet")
        assert message in re.sub(r"\s+", " ", refused(*words))
    assert not Path("labels.parquet").exists()


def test_promote_and_rollback_move_the_champion() -> None:
    assert "no challenger to promote" in refused("promote")
    for key in ("good", "bad"):
        submit(key)
    assert run("promote", "1").stdout == "version 1 serves: run `dvc repro`\n"
    assert run("promote").stdout == "version 2 serves (it has not passed every gate): run `dvc repro`\n"
    assert run("rollback").stdout == "version 1 serves again: run `dvc repro`\n"
    assert "no champion before version 1" in refused("rollback")
    assert "no version 9" in refused("promote", "9")


def test_a_list_of_any_size_says_what_it_should_bring() -> None:
    assert "assignments.parquet is missing" in refused("list", "--top", "3", "--out", "top.csv")
    run("assign")
    said = run("list", "--top", "3", "--out", "top.csv").stdout
    listed, members = (pd.read_csv(path, dtype={"customer_id": str}) for path in ("top.csv", paths.INSIDERS))
    best = pd.read_parquet(paths.ASSIGNMENTS).sort_values("place")["customer_id"].head(3)
    expected = pd.read_parquet(paths.EXPECTATIONS).set_index("customer_id").loc[best, "expected_revenue"].sum()
    assert listed["customer_id"].tolist() == best.tolist()
    assert list(listed) == list(members)
    assert f"they should bring {expected:,.0f}" in said
    overlap = len(set(members["customer_id"]) & set(best))
    assert f"{overlap} of them are among the {len(members)} members" in said
    assert listed["reason"].str.split().str.len().max() <= 12
    assert "there are" in refused("list", "--top", "9999", "--out", "top.csv")
    assert "expected a file that ends with .csv or .parquet" in refused("list", "--top", "3", "--out", "top.ods")


def test_explain_tells_why() -> None:
    assert "assignments.parquet is missing" in refused("explain", "c050")
    run("assign")
    lines = run("explain", "c050").stdout.splitlines()
    assert lines[:2] == ["customer c050", "Insiders: an Insider"]
    assert lines[2].startswith("place 1 by score; the programme has ")
    assert lines[3] == "as of 2011-12-10, by model version baseline:net_revenue"
    assert any(line.split()[:3] == ["net_revenue", "9,500.00", "currency"] for line in lines)
    assert any(line.split()[:2] == ["same_season_revenue", "-"] for line in lines)
    assert any(line.startswith("The score decides who enters; ") for line in lines)
    assert any(line.startswith("A member stays up to place 2 by score, ") for line in lines)
    assert lines[-1] == "  2011-12-10  simulated joined: within the size of the programme"
    assert run("explain", "c030").stdout.splitlines()[-3].startswith("  2011-11-01  simulated ")
    assert "customer 'nobody' is not among the 60" in refused("explain", "nobody")


@pytest.mark.parametrize("name", ["shop.csv", "shop.parquet"])
def test_simulate_writes_a_shop(name: str) -> None:
    assert run("simulate", "--customers", "30", "--out", name).stdout == f"{name} holds a shop with 30 customers\n"
    first = Path(name).read_bytes()
    run("simulate", "--customers", "30", "--out", name, "--seed", "1")
    assert Path(name).read_bytes() != first
    run("simulate", "--customers", "30", "--out", name)
    assert Path(name).read_bytes() == first


def test_simulate_refuses_another_form() -> None:
    assert "expected .parquet or .csv" in refused("simulate", "--customers", "30", "--out", "shop.xlsx")


SIMULATE = ("simulate", "--customers", "30", "--out", "shop.csv")


@pytest.mark.parametrize("command", [SIMULATE, ("assign",), ("explain", "c050")], ids=lambda words: words[0])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"seed: [", "params.yaml is not valid YAML: line 1: "),
        (b"seed: \xff", "params.yaml is not UTF-8"),
        (b"", "params.yaml: the file holds None, expected the settings by section"),
        (b"seed: 1", "tune is missing: every setting is written in the file"),
        (b"sed: 1", "sed is not a setting: correct its name, or delete it"),
        (b"seed: -1", "seed is -1: Input should be greater than or equal to 0"),
    ],
)
def test_broken_settings_are_named(command: tuple[str, ...], content: bytes, message: str) -> None:
    Path("params.yaml").write_bytes(content)
    assert message in refused(*command)


@pytest.mark.parametrize("command", [("assign",), ("explain", "c050")], ids=lambda words: words[0])
def test_before_the_first_run_the_missing_file_is_named(command: tuple[str, ...]) -> None:
    paths.CUSTOMERS.unlink()
    assert re.search(r"data/\w+\.parquet is missing: run `dvc repro`, which makes it", refused(*command))


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_before_the_first_run_there_is_no_registry(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}")
    assert re.search("there is no registry at sqlite:.*: run `dvc repro`", refused(command))
    assert not (tmp_path / "new").exists()


def test_outside_the_project_the_way_in_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    command = [sys.executable, "-c", "from insiders.cli import app; app()", "assign"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "insiders: params.yaml is missing: run the command in the project's top folder, or make one with "
        "`insiders init FOLDER`\n"
    )


def test_ui_serves_the_store_with_one_worker(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(server.os, "execve", lambda _, command, __: started.append(command))
    monkeypatch.setattr(server, "_require_free", lambda _: None)
    shown = run("ui", "--port", "5077").stdout
    assert shown.splitlines()[0] == "http://127.0.0.1:5077"
    assert "Model training" in shown
    assert re.search(r"http://127\.0\.0\.1:5077/#/experiments/\d+/runs\?\S+viewStateShareKey=trials", shown)
    [command] = started
    assert command[1:4] == ["-m", "mlflow", "server"]
    options = dict(zip(command[4::2], command[5::2], strict=True))
    assert options == {
        "--backend-store-uri": f"sqlite:///{project / 'mlflow.db'}",
        "--default-artifact-root": (project / "artifacts").as_uri(),
        "--host": "127.0.0.1",
        "--port": "5077",
        "--workers": "1",
        "--allowed-hosts": "127.0.0.1:5077,localhost:5077",
    }


def test_mlflow_answers_to_no_foreign_name_by_these_hosts() -> None:
    from mlflow.server.security_utils import get_default_allowed_hosts, is_allowed_host_header

    command = server.command("sqlite:////tmp/mlflow.db", 5077)
    allowed = command[command.index("--allowed-hosts") + 1].split(",")
    foreign = ["10.evil.example", "10.evil.example:5077", "evil.example:5077", "192.168.evil.example"]
    assert is_allowed_host_header(get_default_allowed_hosts(), foreign[0])  # without the list
    assert not any(is_allowed_host_header(allowed, host) for host in foreign)
    assert is_allowed_host_header(allowed, "localhost:5077")


@pytest.mark.usefixtures("project")
def test_a_login_is_asked_for_or_refused_with_what_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[tuple[list[str], dict[str, str]]] = []
    monkeypatch.setattr(server.os, "execve", lambda _, *given: started.append(given))
    monkeypatch.setattr(server, "_require_free", lambda _: None)
    monkeypatch.setattr(server, "find_spec", lambda _: None)
    assert "`make auth`" in refused("ui", "--auth")
    monkeypatch.setattr(server, "find_spec", lambda _: object())
    monkeypatch.delenv(server.SECRETS[1], raising=False)
    monkeypatch.setenv(server.SECRETS[0], "a long random text")
    assert "needs MLFLOW_AUTH_ADMIN_PASSWORD in" in refused("ui", "--auth")
    monkeypatch.setenv(server.SECRETS[1], "another long random text")
    run("ui", "--auth")
    [(command, environment)] = started
    assert command[-2:] == ["--app-name", "basic-auth"]
    settings = Path(environment[server.CONFIG])
    assert f"database_uri = sqlite:///{settings.parent / 'auth.db'}" in settings.read_text(encoding="utf-8")


def test_ui_refuses_a_port_in_use() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "is in use: name another with --port" in refused("ui", "--port", str(taken.getsockname()[1]))


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A project that lacks nothing: a lock that agrees, DVC set up."""
    pins = [
        f"{name}=={version(name)} \\\n    --hash=sha256:00"
        for name in doctor._on_this_machine(requires("insiders") or [])
    ]
    Path("requirements.lock").write_text("\n".join(pins), encoding="utf-8")
    Path(".dvc").mkdir()
    Path("dvc.yaml").touch()
    monkeypatch.setattr(doctor, "FREE_BYTES", 0)


def problems() -> dict[str, str]:
    return {each.need: each.state for each in doctor.examine() if not each.ok}


@pytest.mark.usefixtures("healthy")
def test_a_healthy_project_has_no_problem() -> None:
    result = run("doctor")
    assert result.exit_code == 0, result.stdout
    assert all(line.startswith("ok") for line in result.stdout.splitlines())
    submit("a")
    registry.promote()
    assert "champion     version 1, its model can be read" in run("doctor").stdout


@pytest.mark.usefixtures("healthy")
def test_doctor_finds_what_is_wrong(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("\npandas==0.1 ; python_version >= '3'\nscipy==0.1 ; python_version < '3'\n")
    Path(".dvc").rmdir()
    (project / "mlflow.db").write_text("no database")
    settings = Path("params.yaml").read_text(encoding="utf-8")
    Path("params.yaml").write_text(settings.replace("source: sample", "source: gone.csv"), encoding="utf-8")
    monkeypatch.setattr(doctor, "FREE_BYTES", 1 << 80)
    monkeypatch.setattr(doctor, "PYTHON", (9, 0))
    found = problems()
    assert found["environment"] == f"pandas {version('pandas')}, locked ==0.1"
    assert found["source"] == "gone.csv is not there"
    assert set(found) == {"python", "environment", "dvc", "mlflow", "champion", "disk", "source"}
    result = run("doctor")
    assert result.exit_code == 1
    assert "         to do        run `make env`" in result.stdout.splitlines()


@pytest.mark.usefixtures("healthy")
def test_doctor_goes_by_the_package_where_there_is_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("requirements.lock").unlink()
    assert problems() == {}
    monkeypatch.setattr(doctor.metadata, "requires", lambda _: ["pandas<1", "nothing-of-this-name>=2; extra == 'x'"])
    assert problems() == {"environment": f"pandas {version('pandas')}, declared <1"}


@pytest.mark.usefixtures("healthy")
def test_doctor_notices_a_changed_source() -> None:
    settings = Path("params.yaml").read_text(encoding="utf-8")
    Path("params.yaml").write_text(settings.replace("source: sample", "source: shop.csv"), encoding="utf-8")
    Path("shop.csv").write_text("a,b\n")
    tables.write_json({"source": "shop.csv", "bytes": 4, "sha256": "0" * 64}, paths.SOURCE)
    assert problems() == {"source": "shop.csv has changed since it was read"}


@pytest.mark.usefixtures("healthy")
def test_doctor_leaves_no_store_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'new' / 'mlflow.db'}")
    assert problems() == {}
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("healthy")
def test_doctor_tells_of_a_moved_store(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    submit("a")
    project.rename(tmp_path / "moved")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'moved' / 'mlflow.db'}")
    assert f"moved from {project}: its paths were rewritten" in run("doctor").stdout
    assert problems() == {}

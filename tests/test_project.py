"""A new project without a checkout: what `insiders init` writes, and that the pipeline runs there from a wheel."""

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

import small_shop
from insiders import cli
from insiders.io import project
from small_shop import STAGES, TOP

LATER = STAGES[1:]


def init(folder: Path) -> Result:
    return CliRunner().invoke(cli.app, ["init", str(folder)])


def stages(text: str) -> dict[str, Any]:
    return dict(yaml.safe_load(text)["stages"])


def config(folder: Path) -> str:
    return (folder / ".dvc" / "config").read_text()


def listing(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found if not {".git", "tmp"} & set(path.parts[-3:])}


def test_init_writes_the_checkout_s_own_files(tmp_path: Path) -> None:
    result = init(tmp_path / "new" / "shop")
    assert result.exit_code == 0, result.output
    assert "then run there: dvc repro" in result.stdout
    for name in {*project.FILES} - {project.PIPELINE}:
        assert (tmp_path / "new/shop" / name).read_bytes() == (TOP / name).read_bytes()
    assert {"dvc.yaml", ".dvc/config", ".dvcignore"} < {*listing(tmp_path / "new/shop")}


def test_the_pipeline_is_the_checkout_s_with_the_version_in_place_of_the_code() -> None:
    text = (TOP / "dvc.yaml").read_text(encoding="utf-8")
    written, own = stages(project.pipeline(text)), stages(text)
    assert "src/" not in project.pipeline(text)
    first = written.pop("version")
    assert first["always_changed"]
    [made] = first["outs"]
    assert first["cmd"].endswith(f"> {next(iter(made))}")
    for declared in own.values():
        declared["deps"] = [*made, *(name for name in declared["deps"] if not name.startswith("src/"))]
    assert written == own


@pytest.mark.parametrize("name", [*project.FILES, *project.MADE_BY_DVC])
def test_nothing_is_overwritten(name: Path, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    (tmp_path / "README.md").write_text("mine")
    before = listing(tmp_path)
    result = init(tmp_path)
    assert result.exit_code == 1
    assert f"has {name.as_posix()} already" in result.output
    assert listing(tmp_path) == before


def test_all_that_is_there_already_is_named(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    present = ", ".join(name.as_posix() for name in (*project.FILES, *project.MADE_BY_DVC))
    assert f"has {present} already" in init(tmp_path).output


def test_a_file_in_the_folder_s_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("mine")
    result = init(tmp_path / "shop")
    assert result.exit_code == 1
    assert "shop cannot be written" in result.output


def test_what_dvc_refuses_is_said(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".git/info/exclude").write_text(".dvc\n")
    result = init(tmp_path)
    assert result.exit_code == 1
    assert f"DVC cannot be initialised in {tmp_path}: ERROR" in result.output
    assert not (tmp_path / "params.yaml").exists()


def test_dvc_works_with_git_only_where_git_is(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path / "repository")], check=True)
    for place, has_git in (("alone", False), ("repository", True), ("repository/below", True)):
        assert init(tmp_path / place).exit_code == 0
        assert ("no_scm" in config(tmp_path / place)) is not has_git
        assert "analytics = false" in config(tmp_path / place)


def test_the_version_is_said() -> None:
    result = CliRunner().invoke(cli.app, ["--version"])
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", result.stdout)


# From a wheel.


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=TOP, check=True)
    [built] = folder.glob("*.whl")
    return built


def test_a_wheel_carries_the_checkout_s_own_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if name.startswith("insiders/project/")}
        assert carried == {f"insiders/project/{name.as_posix()}" for name in project.FILES}
        for name in project.FILES:
            assert archive.read(f"insiders/project/{name.as_posix()}") == (TOP / name).read_bytes()


def test_the_pipeline_runs_from_a_wheel_without_a_checkout(wheel: Path, empty_store: Path, tmp_path: Path) -> None:
    installed, folder = tmp_path / "installed", tmp_path / "shop"
    install = ["pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(installed), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW")} | {
        "PYTHONPATH": str(installed),
        "PATH": os.pathsep.join([str(installed / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]),
    }

    def ran(*words: str) -> str:
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = "import insiders; print(insiders.__file__)"
    assert ran(sys.executable, "-c", where).strip() == str(installed / "insiders" / "__init__.py")
    ran("insiders", "init", "shop")
    small_shop.write_params(folder, small_shop.EASY, {"tune": {"trials": 2}})
    (folder / "mlruns/mlflow.db").write_bytes(empty_store.read_bytes())
    assert re.findall(r"Running stage '(\w+)'", ran("dvc", "--cd", "shop", "repro", "ingest")) == ["version", "ingest"]
    # The others in one process, which spares their imports; DVC then takes down what each stage needs and made.
    run = (
        f"from importlib import import_module as stage; [stage(f'insiders.stages.{{name}}').main() for name in {LATER}]"
    )
    ran(sys.executable, "-c", f"import os; os.chdir('shop'); {run}")
    ran("dvc", "--cd", "shop", "commit", "--force")
    assert set(re.findall(r"^\s+(.+)$", ran("dvc", "--cd", "shop", "status"), re.MULTILINE)) == {"always changed"}
    assert (folder / "reports/insiders.csv").stat().st_size > 0

"""Workflow, hooks and container: the Pythons that pyproject.toml promises, and the targets that developers use."""

import os
import re
import tomllib
from typing import Any

import yaml

from small_shop import TOP

PROJECT: dict[str, Any] = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
WORKFLOW: dict[str, Any] = yaml.safe_load((TOP / ".github/workflows/ci.yml").read_text(encoding="utf-8"))
HOOKS: list[dict[str, Any]] = [
    hook
    for repository in yaml.safe_load((TOP / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    for hook in repository["hooks"]
]
MAKEFILE = (TOP / "Makefile").read_text(encoding="utf-8")


def prerequisites(target: str) -> list[str]:
    [found] = re.findall(rf"^{target}:(.*)$", MAKEFILE, re.MULTILINE)
    return str(found).split()


def test_the_workflow_runs_every_python_that_is_promised() -> None:
    prefix = "Programming Language :: Python :: "
    promised = [each.removeprefix(prefix) for each in PROJECT["classifiers"] if each.startswith(prefix)]
    [job] = WORKFLOW["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == promised
    assert PROJECT["requires-python"] == f">={promised[0]}"
    chosen = [step["with"]["python-version"] for step in job["steps"] if "python-version" in step.get("with", {})]
    assert chosen == ["${{ matrix.python }}"]


def test_the_workflow_runs_what_a_developer_runs() -> None:
    [job] = WORKFLOW["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert os.access(TOP / ".ci/run", os.X_OK)
    assert (TOP / ".ci/run").read_text(encoding="utf-8").splitlines()[-1] == "make check"


def test_each_hook_is_a_target_that_make_check_runs_too() -> None:
    targets = [hook["entry"].removeprefix("make ") for hook in HOOKS]
    assert targets == ["format", "lint", "types", "imports", "leaks"]
    assert set(targets) < set(prerequisites("check"))


def test_a_hook_needs_nothing_but_the_environment() -> None:
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in HOOKS)


# The container: no daemon is needed to see what its file would do wrong.

STEPS = re.findall(
    r"^([A-Z]+) (.+)$", (TOP / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", ""), re.MULTILINE
)


def test_the_container_has_a_promised_python_and_no_root() -> None:
    [python] = [re.match(r"python:(3\.\d+)-", words) for step, words in STEPS if step == "FROM" and ":" in words]
    assert python
    assert f"Programming Language :: Python :: {python[1]}" in PROJECT["classifiers"]
    assert [words for step, words in STEPS if step == "USER"] == ["insiders"]
    assert STEPS[-1] == ("CMD", '["make"]')


def test_the_container_s_environment_has_what_make_env_depends_on() -> None:
    environment = [words for step, words in STEPS if step == "COPY" and "--from" not in words and words[-1] == "/"]
    copied = [name for words in environment for name in words.split()[1:-1]]
    assert all((TOP / name).is_file() for name in copied)
    packed = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert {"Makefile", PROJECT["readme"], *packed["wheel"]["force-include"]} < set(copied)
    assert set(re.findall(r"^\$\(STAMP\): (.+)$", MAKEFILE, re.MULTILINE)[0].split()) < set(copied)


def test_the_container_is_made_of_what_git_holds() -> None:
    ignored = {line.removeprefix("**/") for line in (TOP / ".dockerignore").read_text(encoding="utf-8").splitlines()}
    by_git = (TOP / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert {line.removeprefix("!").strip("/") for line in by_git} <= {line.removeprefix("!") for line in ignored}

"""The audit of the packages: licences that need a reason have one, and missing advisories are no good news."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from small_shop import TOP


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", TOP / "docs/audit.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["audit"] = module
    spec.loader.exec_module(module)
    return module


def test_every_licence_of_this_environment_is_free_or_has_its_reason(audit: ModuleType, tmp_path: Path) -> None:
    found = audit.packages()
    assert audit.unexplained(found) == []
    assert {each.name for each in found} >= {"mlflow", "hypothesis", "certifi"}
    audit.write_licences(found, tmp_path / "build/licences.csv")
    assert "hypothesis," in (tmp_path / "build/licences.csv").read_text(encoding="utf-8")


def test_copyleft_without_a_reason_and_no_licence_at_all_are_named(audit: ModuleType) -> None:
    wrong = [audit.Package("some", "1", "AGPL-3.0", ""), audit.Package("other", "2", "", "")]
    assert audit.unexplained(wrong) == ["some 1: AGPL-3.0", "other 2: no licence stated"]
    assert audit.unexplained([audit.Package("free", "1", "MIT", ""), audit.Package("own", "1", "MPL-2.0", "why")]) == []


@pytest.mark.parametrize(("status", "said", "there"), [(1, "jinja2 2.10 GHSA-1", True), (0, "No known", False)])
def test_advisories_are_there_only_where_the_known_one_is_reported(
    audit: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, said: str, there: bool
) -> None:
    answer = subprocess.CompletedProcess([], status, stdout=said)
    monkeypatch.setattr(audit, "vulnerabilities", lambda _: answer)
    assert audit.advisories_are_there(tmp_path) is there
    assert list(tmp_path.iterdir()) == []

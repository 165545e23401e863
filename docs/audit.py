"""`make audit`: licences of all installed packages, a bill of materials, and known vulnerabilities of the locks.

Writes build/licences.csv and build/bom.json. Ends with status 1 where a package has a licence that asks for more than
naming its authors and stands in no list below, where a vulnerability is known, or where the advisory data cannot be
reached: nothing found is no good news then.
"""

import csv
import re
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

TOP = Path(__file__).parents[1]
LICENCES, MATERIALS = Path("build/licences.csv"), Path("build/bom.json")
LOCKS = ("requirements.lock", "requirements-extras.lock")
CANARY = "jinja2==2.10"  # has known vulnerabilities: where none is reported, there are no advisories
COPYLEFT = re.compile(r"GPL|GNU|MPL|Mozilla|EPL|Eclipse|EUPL|CDDL|OSL", re.IGNORECASE)
# Copyleft packages, and why they may be here. Nothing of them is copied into this project or its models.
REASONS = {
    "certifi": "MPL-2.0, a list of certificates, used unchanged",
    "dulwich": "Apache-2.0 is offered as well, and chosen",
    "grandalf": "GPL-2.0, DVC draws its graph with it in a process of its own; nothing here imports it",
    "hypothesis": "MPL-2.0, used unchanged, in tests only",
    "orjson": "MPL-2.0 in parts, used unchanged",
    "pathspec": "MPL-2.0, used unchanged, by DVC",
    "psycopg": "LGPL-3.0, used unchanged as a library, in the extra `postgres`",
    "psycopg-binary": "LGPL-3.0, used unchanged as a library, in the extra `postgres`",
    "pygit2": "GPL-2.0 with an exception for whoever links it; DVC imports it",
    "shtab": "MPL-2.0, used unchanged, by DVC",
    "tqdm": "MPL-2.0 in parts, used unchanged",
}
LICENCE_FILES = {"MIT": "Permission is hereby granted, free of charge", "BSD": "Redistribution and use in source"}


class Package(NamedTuple):
    """A package that is installed; `reason` is empty where its licence needs none."""

    name: str
    version: str
    licence: str
    reason: str


def packages() -> list[Package]:
    found = {each.metadata["Name"].lower(): each for each in distributions()}
    return [_package(name, found[name]) for name in sorted(found)]


def _package(name: str, distribution: Distribution) -> Package:
    licence = licence_of(distribution)
    return Package(name, distribution.version, licence, REASONS.get(name, "") if COPYLEFT.search(licence) else "")


def licence_of(distribution: Distribution) -> str:
    """What a package states: an expression, a classifier, a line, else what its file begins with; empty: nothing."""
    facts = distribution.metadata
    classifiers = [each for each in facts.get_all("Classifier") or [] if each.startswith("License ::")]
    stated = facts.get("License-Expression") or "; ".join(each.split(" :: ")[-1] for each in classifiers)
    return stated or (facts.get("License") or "").split("\n")[0] or _from_file(distribution)


def _from_file(distribution: Distribution) -> str:
    texts = [path.read_text(encoding="utf-8") for path in distribution.files or [] if "licen" in path.name.lower()]
    return next((kind for kind, words in LICENCE_FILES.items() if any(words in text for text in texts)), "")


def unexplained(found: Iterable[Package]) -> list[str]:
    """Packages whose licence is copyleft or not stated, without a reason."""
    wrong = (each for each in found if not each.reason and (not each.licence or COPYLEFT.search(each.licence)))
    return [f"{each.name} {each.version}: {each.licence or 'no licence stated'}" for each in wrong]


def write_licences(found: Iterable[Package], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([Package._fields, *found])


def vulnerabilities(lock: Path) -> "subprocess.CompletedProcess[str]":
    """What pip-audit says of pinned versions; status 1 where it knows of something."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", "--progress-spinner", "off"]
    return subprocess.run(  # noqa: S603 (our own command)
        [*command, "-r", str(lock)], capture_output=True, text=True, check=False
    )


def advisories_are_there(folder: Path) -> bool:
    """Whether a package of known vulnerabilities is reported."""
    canary = folder / "canary.txt"
    canary.write_text(f"{CANARY}\n", encoding="utf-8")
    asked = vulnerabilities(canary)
    canary.unlink()
    return asked.returncode == 1 and "jinja2" in asked.stdout


def main() -> int:
    found = packages()
    write_licences(found, LICENCES)
    materials = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-file", str(MATERIALS)]
    subprocess.run(materials, check=True)  # noqa: S603 (our own command)
    problems = [f"licence: {each}" for each in unexplained(found)]
    if advisories_are_there(MATERIALS.parent):
        asked = [vulnerabilities(TOP / name) for name in LOCKS]
        problems += [each.stdout for each in asked if each.returncode]
    else:
        problems.append("the advisory data cannot be reached from here: nothing is known of vulnerabilities")
    named = [each for each in found if each.reason]
    sys.stdout.write("".join(f"copyleft: {each.name}: {each.reason}\n" for each in named))
    sys.stdout.write(f"{len(found)} packages, in {LICENCES} and {MATERIALS}\n")
    sys.stderr.write("".join(f"{each}\n" for each in problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""CONTRIBUTING.md and docs/architecture.md against the code: wings, layers, arrows, paths, targets, what to touch."""

import re
import tomllib

import grimp  # import-linter brings it
import pytest
import yaml

from small_shop import TOP

PACKAGE = TOP / "src" / "insiders"
PAGES = {name: (TOP / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "docs/architecture.md")}
CONTRIBUTING, ARCHITECTURE = PAGES.values()
MADE_BY_A_RUN = {"mlruns", "models", "reports", ".venv"}  # folders
PATH = re.compile(r"[\w.-]*/[\w./-]*|[\w.-]+\.(?:py|md|yaml|toml|j2|po|lock)")


def quoted(text: str) -> list[str]:
    """What stands between backticks, outside blocks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def section(page: str, title: str) -> str:
    """What stands below a heading, down to the next."""
    [text] = re.findall(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", page, re.DOTALL | re.MULTILINE)
    return str(text)


def block(text: str) -> str:
    """The only block of a section."""
    [found] = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return str(found)


def rows(text: str) -> list[list[str]]:
    """The cells of a table without its head."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]


# The house.


@pytest.fixture(scope="module")
def arrows() -> dict[str, set[str]]:
    """Each entry at the top of the package, and those that it imports from."""
    graph = grimp.build_graph("insiders", cache_dir=None)
    entries = graph.find_children("insiders")
    for entry in entries:
        graph.squash_module(entry)
    return {
        entry.removeprefix("insiders."): {
            name.removeprefix("insiders.")
            for name in graph.find_modules_directly_imported_by(entry) & entries - {entry}
        }
        for entry in entries
    }


def layers() -> list[set[str]]:
    settings = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    [contract] = [each for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    return [set(layer.split(" | ")) for layer in contract["layers"]]


def test_the_house_has_few_doors_and_few_arrows(arrows: dict[str, set[str]]) -> None:
    assert len(arrows) <= 18
    assert sum(len(imports) for imports in arrows.values()) <= 55


def test_the_layers_are_those_of_the_contract() -> None:
    lines = block(section(ARCHITECTURE, "The house")).splitlines()
    assert [set(line.split(" | ")) for line in lines] == layers()


def test_the_picture_shows_every_wing_in_the_order_of_the_layers() -> None:
    lines = block(section(CONTRIBUTING, "The house")).splitlines()
    assert [set(re.split(r"\s{3,}", line)[0].split()) for line in lines if "▼" not in line] == layers()


def test_each_wing_is_told_with_what_it_imports(arrows: dict[str, set[str]]) -> None:
    told = {quoted(wing)[0]: set(quoted(imports)) for wing, _, imports in rows(section(ARCHITECTURE, "The house"))}
    assert all((PACKAGE / name).exists() for name in told)
    assert {name.rstrip("/").removesuffix(".py"): imports for name, imports in told.items()} == arrows


# Paths and targets.


def exists(path: str) -> bool:
    """In the repository, in the package, or below a folder that only a run makes."""
    return path.partition("/")[0] in MADE_BY_A_RUN or (TOP / path).exists() or (PACKAGE / path).exists()


@pytest.mark.parametrize("name", PAGES)
def test_every_path_leads_somewhere(name: str) -> None:
    paths = [text for text in quoted(PAGES[name]) if PATH.fullmatch(text)]
    assert len(paths) > 10
    assert [path for path in paths if not exists(path)] == []
    links = [link for link in re.findall(r"\]\(([^)]+)\)", PAGES[name]) if "://" not in link]
    assert [link for link in links if not ((TOP / name).parent / link).exists()] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_target_is_one_of_make(name: str) -> None:
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?:`|^)make ([a-z]+)", PAGES[name], re.MULTILINE))
    assert targets
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_every_setting_exists() -> None:
    settings = yaml.safe_load((TOP / "params.yaml").read_text(encoding="utf-8"))
    named = [text.split(".") for text in quoted(ARCHITECTURE) if text.split(".")[0] in settings and "." in text]
    assert ["tune", "workers"] in named
    assert [name for name in named if name[1] not in settings[name[0]]] == []


# What to touch.

ADDED = re.findall(r"^### To add (.+)$", CONTRIBUTING, re.MULTILINE)


def example(text: str) -> str:
    [name] = re.findall(r"\bas `(\w+)` is:", text, re.IGNORECASE)
    return str(name)


@pytest.mark.parametrize("what", ADDED)
def test_what_to_touch_stands_where_it_is_said_to_stand(what: str) -> None:
    touched = rows(section(CONTRIBUTING, f"To add {what}"))
    assert len(touched) >= 2
    for file, there in touched:
        text = (TOP / quoted(file)[0]).read_text(encoding="utf-8")
        symbols = [name for name in quoted(there) if name.isidentifier()]
        assert [name for name in symbols if not re.search(rf"\b{name}\b", text)] == [], file


@pytest.mark.parametrize("what", ADDED)
def test_no_file_that_names_the_example_is_left_out(what: str) -> None:
    text = section(CONTRIBUTING, f"To add {what}")
    name = re.compile(rf"\b{example(text)}\b")
    package = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".j2")]
    naming = [path for path in (*package, TOP / "params.yaml") if name.search(path.read_text(encoding="utf-8"))]
    assert naming
    assert {path.relative_to(TOP).as_posix() for path in naming} <= set(quoted(text))

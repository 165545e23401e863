"""The size of the code: short functions of few arguments, short files, typed signatures, stages without decisions."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles

import pytest

from small_shop import TOP

PACKAGE = TOP / "src" / "insiders"
SOURCES = sorted(PACKAGE.rglob("*.py"))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions() -> Iterator[tuple[Path, Function]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield path, node


def body_lines(function: Function) -> int:
    """-> lines from the first statement after the docstring to the last; a function of a docstring alone has none."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def arguments(function: Function) -> list[ast.arg]:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    return [each for each in named if each.arg not in {"self", "cls"}]


def says_any(function: Function) -> bool:
    extra = [each for each in (function.args.vararg, function.args.kwarg) if each is not None]
    notes = [function.returns, *(each.annotation for each in [*arguments(function), *extra])]
    return any(re.search(r"\bAny\b", ast.unparse(note)) for note in notes if note)  # also within quotes


def ninth_decile(sizes: list[int]) -> float:
    return quantiles(sizes, n=10)[-1]


def test_functions_are_short_and_take_few_arguments() -> None:
    sizes = {f"{path.relative_to(PACKAGE)}:{node.name}": body_lines(node) for path, node in functions()}
    assert quantiles(sizes.values(), n=2)[0] <= 6
    assert ninth_decile(list(sizes.values())) <= 15
    assert {name: size for name, size in sizes.items() if size > 40} == {}
    assert ninth_decile([len(arguments(node)) for _, node in functions()]) <= 4


def test_signatures_say_what_they_take_and_give() -> None:
    vague = [says_any(node) for _, node in functions()]
    assert sum(vague) <= len(vague) / 10


def test_no_file_is_long() -> None:
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


@pytest.mark.parametrize("path", sorted((PACKAGE / "stages").glob("*.py")), ids=lambda path: path.stem)
def test_a_stage_only_reads_calls_and_writes(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 120
    mains = [node for node in ast.walk(ast.parse(text)) if isinstance(node, Function) and node.name == "main"]
    assert all(body_lines(node) <= 20 for node in mains)

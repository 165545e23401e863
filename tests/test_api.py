"""What `import insiders` offers a data scientist, and that it loads nothing before it is asked for."""

import ast
import subprocess
import sys
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
from sklearn.cluster import KMeans

import insiders
from insiders.model.embeddings import LogScaler
from ledgers import cleaned, fetched, transaction


def typed_imports() -> dict[str, str]:
    """Name -> module, of the imports that type checkers and editors follow."""
    tree = ast.parse(Path(insiders.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


@pytest.mark.parametrize("name", insiders.__all__)
def test_every_name_is_there_and_is_what_type_checkers_take_it_for(name: str) -> None:
    if name == "__version__":
        assert insiders.__version__ == version("insiders")
    else:
        assert getattr(insiders, name) is getattr(import_module(typed_imports()[name]), name)
    assert name in dir(insiders)


def test_another_name_is_refused_as_of_any_module() -> None:
    with pytest.raises(AttributeError, match="module 'insiders' has no attribute 'Segments'"):
        insiders.Segments  # noqa: B018


def test_importing_it_loads_no_library() -> None:
    code = "import sys; before = set(sys.modules); import insiders; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert {name.partition(".")[0] for name in done.stdout.split()} <= {"insiders", *sys.stdlib_module_names}
    assert [name for name in done.stdout.split() if name.startswith("insiders")] == ["insiders"]


def test_from_lines_to_segments_by_these_names_alone() -> None:
    rows = ("1 A 5 2023-01-02 1 ann", "2 A 6 2023-01-03 1 bob", "3 A 500 2023-01-02 1 cat", "4 A 600 2023-01-03 1 dan")
    lines = cleaned(transaction(text) for text in rows)
    windows = insiders.Windows(history_start=date(2023, 1, 1), horizon_days=90, fade_days=240)
    table = insiders.customers(insiders.orders(lines), lines, [date(2023, 2, 1)], windows)
    customers = fetched(table, "customer_id")
    assert set(insiders.FEATURES) <= set(customers)

    features, score = ("net_revenue", "order_count"), insiders.Scorer("net_revenue")
    model = insiders.SegmentModel(LogScaler(), KMeans(2, random_state=0), features, score, share=0.5)
    segments = model.fit(customers, customers.assign(next_revenue=0.0)).predict(customers)

    assert segments["is_insider"].tolist() == [False, False, True, True]

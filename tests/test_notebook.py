"""docs/notebook.ipynb: its cells run one after the other, and print what stands beside them."""

import json
import runpy

from small_shop import TOP

PAGE = runpy.run_path(str(TOP / "docs/notebook.py"))
TEXT = PAGE["PAGE"].read_text(encoding="utf-8")


def test_the_cells_print_what_stands_beside_them() -> None:
    assert PAGE["with_outputs"](json.loads(TEXT)) == TEXT, "run `python docs/notebook.py`"


def test_it_holds_no_path_of_a_machine() -> None:
    assert "/tmp" not in TEXT
    assert "/home" not in TEXT

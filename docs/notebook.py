"""Run the cells of docs/notebook.ipynb and write what they print beside them; a test holds the page to that."""

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("notebook.ipynb")


def printed(notebook: dict[str, Any]) -> list[str]:
    """What each code cell prints, in their order and one world."""
    world: dict[str, Any] = {"__name__": "__main__"}
    said = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            with contextlib.redirect_stdout(io.StringIO()) as stream:
                exec(compile("".join(cell["source"]), str(PAGE), "exec"), world)  # noqa: S102 - our own cells
            said.append(stream.getvalue())
    return said


def with_outputs(notebook: dict[str, Any]) -> str:
    """The notebook's text, its code cells with what they print."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    for number, (cell, text) in enumerate(zip(cells, printed(notebook), strict=True), 1):
        stream = {"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)}
        cell |= {"execution_count": number, "outputs": [stream] if text else []}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PAGE.write_text(with_outputs(json.loads(PAGE.read_text(encoding="utf-8"))), encoding="utf-8", newline="\n")
    sys.exit(0)

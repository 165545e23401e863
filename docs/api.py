"""API pages out of the docstrings, into build/docs (`make docs`). What the generator warns of ends it, but for two limits."""

import pkgutil
import warnings
from pathlib import Path

import pdoc

import insiders

OUT = Path(__file__).parents[1] / "build" / "docs"
LIMITS = (
    "Error parsing type annotation",  # types for mypy alone, as pd.Series[str]: the page shows them as they are written
    "Cannot determine where .* is taken from, assuming current file",  # keys of a TypedDict: the current file it is
)


def main() -> None:
    vars(insiders).update({name: getattr(insiders, name) for name in insiders.__all__})  # imported when asked for
    wings = [each.name for each in pkgutil.iter_modules(insiders.__path__, "insiders.")]
    pdoc.render.configure(docformat="markdown")
    warnings.filterwarnings("error", module="pdoc")
    for limit in LIMITS:
        warnings.filterwarnings("ignore", limit)
    pdoc.pdoc("insiders", *wings, output_directory=OUT)


if __name__ == "__main__":
    main()

"""API pages out of the docstrings, into build/docs (`make docs`). A warning of the generator is an error."""

import os
import pkgutil
import warnings
from pathlib import Path

import pdoc

import insiders
from insiders import schemas

OUT = Path(__file__).parents[1] / "build" / "docs"
ENVIRONMENT = {
    "PDOC_ALLOW_EXEC": "1",  # a library asks `uname` for the processor while it is imported
    "PDOC_DISPLAY_ENV_VARS": "1",  # no value in the code comes from a variable, though one may equal it, as 127.0.0.1
}
LIMITS = (  # of the generator, not of the docstrings
    "Error parsing type annotation",  # types for mypy alone, as pd.Series[str]: the page shows them as they are written
    "Failed to run TYPE_CHECKING code .* No module named",  # drivers that are extras: the same
    "Cannot determine where .* is taken from, assuming current file",  # keys of a TypedDict: the current file it is
)


def main() -> None:
    for package in (insiders, schemas):  # which import what they name when it is asked for
        vars(package).update({name: getattr(package, name) for name in package.__all__})
    wings = [each.name for each in pkgutil.iter_modules(insiders.__path__, "insiders.")]
    os.environ.update(ENVIRONMENT)
    pdoc.render.configure(docformat="markdown")
    warnings.filterwarnings("error", module="pdoc")
    for limit in LIMITS:
        warnings.filterwarnings("ignore", limit)
    pdoc.pdoc("insiders", *wings, output_directory=OUT)


if __name__ == "__main__":
    main()

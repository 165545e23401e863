"""Tables of customers and small results on disk: checked on the way, and visible as a whole or not at all."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insiders.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "'")  # a spreadsheet computes what begins so, or hides the last


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a temporary name to write to; it takes the place of `path` only when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write(frame: "pd.DataFrame", path: Path, schema: Any = None) -> None:
    """Check the frame against its contract and write it, as Parquet or CSV by the path's ending."""
    write_together({path: (frame, schema)})


def write_together(contents: Mapping[Path, tuple["pd.DataFrame", Any]]) -> None:
    """Write several tables, each path's frame and contract; where one fails, none appears."""
    with ExitStack() as places:
        temporary = {path: places.enter_context(atomic_write(path)) for path in contents}
        for path, (frame, schema) in contents.items():
            checked = frame if schema is None else schema.validate(frame, lazy=True)[list(schema.columns)]
            if path.suffix == ".csv":
                checked.to_csv(temporary[path], index=False, lineterminator="\n")
            else:
                checked.to_parquet(temporary[path], index=False)


def spreadsheet_safe(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Put an apostrophe in front of each text that a spreadsheet would take for a formula."""
    words = frame.select_dtypes(include=["object", "str"]).columns
    return frame.assign(**{name: frame[name].map(_plain, na_action="ignore").astype("str") for name in words})


def _plain(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def read(path: Path, schema: Any = None) -> "pd.DataFrame":
    """Read a Parquet table and check it against its contract."""
    import pandas as pd

    require(path)
    frame = pd.read_parquet(path)
    return frame if schema is None else schema.validate(frame, lazy=True)


def write_json(content: Any, path: Path) -> None:
    """Write readable JSON; floats as Python prints them, so the same figures give the same bytes. NaN is refused."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def as_json(content: Any) -> str:
    """One line of JSON with sorted keys, for a cell of a table."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)


def read_json(path: Path) -> Any:
    require(path)
    return json.loads(path.read_text(encoding="utf-8"))


def digest(*files: Path) -> str:
    """One sha256 over the content of the files, in this order."""
    content = hashlib.sha256()
    for path in files:
        require(path)
        content.update(hashlib.sha256(path.read_bytes()).digest())
    return content.hexdigest()


def write_text(text: str, path: Path) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def require(path: Path) -> None:
    """Refuse to go on without a file that an earlier stage makes."""
    if not path.exists():
        raise InputError(f"{path} is missing: run `dvc repro`, which makes it")

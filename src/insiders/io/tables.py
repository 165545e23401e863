"""Tables of customers and small results on disk: checked against their contract, and visible whole or not at all."""

import hashlib
import json
import os
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, BinaryIO

from insiders.errors import InputError, unwritable
from insiders.io import paths, written
from insiders.io.digests import digest_of

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

Contents = Mapping[Path, "tuple[pd.DataFrame, DataFrameSchema | None]"]  # of files: each one's table and contract
Parts = Mapping[Path, "tuple[Iterable[pd.DataFrame], DataFrameSchema]"]  # the same, each table in parts, one at a time

TEMPORARY = ".new"  # ending of a file or folder that is being written
# A spreadsheet computes a text that begins with one of these signs, wide and small ones too, whatever is blank or
# invisible before it; a leading apostrophe it hides. A number with a sign is no more than a number.
BLANKS = " \t\r\n\v\f\u00a0\u200b\u200c\u200d\u2060\u3000\ufeff"
SIGNS = "=+@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212-"
COMPUTED = f"[{BLANKS}]*[{SIGNS}](?s:.)"  # patterns that Python, Arrow and DuckDB read alike
FORMULA = f"^(?:['\t\r\n]|{COMPUTED})"
NUMBER = "^[+-]?[0-9]+(?:[.,][0-9]+)*$"


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; it replaces `path` only where the block ends without an error.

    The temporary name is nobody else's, and the content lies on the disk before it is visible. Raises InputError where
    the disk is full or read-only; the file that was there stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _sync(temporary)
        temporary.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise unwritable(error, path) or error from error
    finally:
        with suppress(OSError):  # of a folder that went read-only
            temporary.unlink(missing_ok=True)


def temporary_folder() -> TemporaryDirectory[str]:
    """A folder in mlruns/, where `repair` finds it if its process is killed; elsewhere where nothing can be written."""
    place = paths.MLRUNS.absolute() if os.access(paths.MLRUNS, os.W_OK) else None
    return TemporaryDirectory(prefix=".", suffix=TEMPORARY, dir=place)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, lie on the disk."""
    if os.name == "nt" and path.is_dir():  # Windows opens no folder
        return
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(frame: "pd.DataFrame", path: Path, schema: "DataFrameSchema | None" = None) -> None:
    """Check the frame against its contract and write it, as Parquet or CSV by the path's ending."""
    write_together({path: (frame, schema)})


def write_together(contents: Contents) -> None:
    """Write several tables; where one fails, none of the files changes."""
    with ExitStack() as stack:
        temporary = {path: stack.enter_context(atomic_write(path)) for path in contents}
        for path, (frame, schema) in contents.items():
            valid = frame if schema is None else schema.validate(frame, lazy=True)[list(schema.columns)]
            if path.suffix == ".csv":
                valid.to_csv(temporary[path], index=False, lineterminator="\n")
            else:
                valid.to_parquet(temporary[path], index=False)


def write_parts_together(contents: Parts) -> None:
    """Write several Parquet tables part by part, sorted by what is unique in them; where one fails, no file changes."""
    with ExitStack() as stack:
        temporary = {path: stack.enter_context(atomic_write(path)) for path in contents}
        for path, (parts, schema) in contents.items():
            _write_parts(parts, schema, temporary[path])


def _write_parts(parts: "Iterable[pd.DataFrame]", schema: "DataFrameSchema", path: Path) -> None:
    """Each part is a row group. One that begins with the key on which the last ended repeats it, as no other can."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    with ExitStack() as stack:
        writer, last = None, None
        for part in parts:
            own = part if last is None else pd.concat([last, part], ignore_index=True)
            valid = schema.validate(own, lazy=True)[list(schema.columns)]
            table = pa.Table.from_pandas(valid.iloc[len(own) - len(part) :], preserve_index=False)
            writer = writer or stack.enter_context(pq.ParquetWriter(path, table.schema))
            writer.write_table(table)
            last = part.tail(1)


def spreadsheet_safe(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Put an apostrophe in front of each text that a spreadsheet would take for a formula.

    A carriage return becomes a line feed, which is quoted: it would begin a row, and with it perhaps a formula.
    Ids of customers stay as they are, and join: ingest has marked those that are formulas (delivery.rows).
    """
    texts = frame.select_dtypes(include=["object", "str"]).columns
    return frame.assign(**{name: _escaped(_in_lines(frame[name].astype("str"))) for name in texts})


# A column in which nothing is to be changed stays itself: a copy of millions of texts is as large again.


def _in_lines(texts: "pd.Series[str]") -> "pd.Series[str]":
    has_return = texts.str.contains("\r", regex=False, na=False)
    return texts.str.replace("\r\n?", "\n", regex=True) if has_return.any() else texts


def _escaped(texts: "pd.Series[str]") -> "pd.Series[str]":
    is_formula = texts.str.contains(FORMULA, na=False) & ~texts.str.contains(NUMBER, na=False)
    return texts.mask(is_formula, "'" + texts) if is_formula.any() else texts


def spreadsheet_read(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Take off the apostrophes again that `spreadsheet_safe` put in front of texts."""
    texts = frame.select_dtypes(include=["object", "str"]).columns
    return frame.assign(**{name: frame[name].str.removeprefix("'") for name in texts})


def read(path: Path, schema: "DataFrameSchema | None" = None) -> "pd.DataFrame":
    """Read a Parquet table as it was written and check it against its contract."""
    require(path)
    with written.opened(path) as file:
        return _parse(file, schema, path)


def read_without(left_out: Collection[str], path: Path, schema: "DataFrameSchema") -> "pd.DataFrame":
    """Read a Parquet table but for some columns, and check the others against its contract."""
    require(path)
    with written.opened(path) as file:
        wanted = [name for name in _columns(file, path) if name not in left_out]
        return _parse(file, schema.remove_columns([*left_out]), path, wanted)


def _columns(file: BinaryIO, path: Path) -> list[str]:
    import pyarrow.parquet as pq
    from pyarrow import ArrowException

    try:
        names: list[str] = pq.read_schema(file).names
    except (ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    return names


def read_vouched(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    """Read some columns of a Parquet table whose values somebody vouches for: they are not checked."""
    require(path)
    with written.opened(path) as file:
        return _parse(file, None, path, columns)


def read_blocks(path: Path, columns: Sequence[str], rows: int) -> "Iterator[pd.DataFrame]":
    """Read some columns of a Parquet table, so many rows at a time; their values are not checked."""
    import pyarrow.parquet as pq
    from pyarrow import ArrowException, Table

    require(path)
    with written.opened(path) as file:
        try:
            content = pq.ParquetFile(file)
            _require_columns(columns, content.schema_arrow.names, path)
            for batch in content.iter_batches(rows, columns=[*columns]):
                yield Table.from_batches([batch]).to_pandas()
        except (ArrowException, OSError) as error:
            raise _unreadable(path, error) from error


def _require_columns(columns: Sequence[str], present: Sequence[str], path: Path) -> None:
    missing = [name for name in columns if name not in present]
    if missing:
        raise InputError(f"{path} lacks the columns {', '.join(missing)}; expected a table that `dvc repro` makes")


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path} cannot be read as Parquet: {error}; expected a table that `dvc repro` makes")


def read_last(path: Path, schema: "DataFrameSchema | None" = None) -> "pd.DataFrame":
    """Read what the caller is about to replace: the run that wrote it may have been cut off after it."""
    with path.open("rb") as file:
        return _parse(file, schema, path)


def _parse(
    file: BinaryIO, schema: "DataFrameSchema | None", path: Path, columns: Sequence[str] | None = None
) -> "pd.DataFrame":
    import pandas as pd
    from pyarrow import ArrowException

    try:
        frame = pd.read_parquet(file, columns=None if columns is None else [*columns])
    except (ArrowException, OSError) as error:
        raise _unreadable(path, error) from error
    return frame if schema is None else _validate(frame, schema, path)


def _validate(frame: "pd.DataFrame", schema: "DataFrameSchema", path: Path) -> "pd.DataFrame":
    from pandera.errors import SchemaErrors

    try:
        return schema.validate(frame, lazy=True, inplace=True)  # nobody else holds it, and a copy is as large again
    except SchemaErrors as error:
        failure = error.failure_cases.iloc[0]
        raise InputError(
            f"{path}: {failure['column'] or 'the table'} fails the check {failure['check']!r}, "
            f"with {failure['failure_case']!r} (and {len(error.failure_cases) - 1} more failures); "
            f"expected the table {schema.name} as `dvc repro` makes it"
        ) from error


def write_json(content: object, path: Path) -> None:
    """Write readable JSON; floats as Python prints them, so the same figures give the same bytes. NaN is refused."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def as_json(content: object) -> str:
    """One line of JSON with sorted keys, for a cell of a table or a tag. NaN is refused."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)


def read_json(path: Path) -> Any:
    """Read what `write_json` wrote, as it was written; its form is known to the caller only."""
    require(path)
    try:
        with written.opened(path) as file:
            return json.loads(file.read().decode("utf-8"))
    except ValueError as error:
        raise InputError(f"{path} cannot be read as JSON: {error}; expected what `dvc repro` makes") from error


def read_csv(path: Path, text: str | None = None) -> "pd.DataFrame":
    """Read a small CSV table as it was written; `text` names a column to be kept letter by letter."""
    import pandas as pd

    require(path)
    with written.opened(path) as file:
        # Only what is empty is missing: a customer may be called NA.
        return pd.read_csv(file, dtype={text: str} if text else None, keep_default_na=False, na_values=[""])


def read_text(path: Path) -> str:
    """Read a text as it was written."""
    require(path)
    with written.opened(path) as file:
        return file.read().decode("utf-8")


def digest(*files: Path) -> str:
    """One sha256 over the content of the files, in this order."""
    content = hashlib.sha256()
    for path in files:
        require(path)
        content.update(bytes.fromhex(digest_of(path)))
    return content.hexdigest()


def write_text(text: str, path: Path) -> None:
    """Write text as UTF-8 with line feeds, on every system."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def require(path: Path) -> None:
    """Raise InputError where a file is missing that an earlier stage makes."""
    if not path.exists():
        raise InputError(f"{path} is missing: run `dvc repro`, which makes it")

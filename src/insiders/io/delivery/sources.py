"""Where the rows come from: a file, a folder, the web, a database or the embedded sample, all as blocks of text."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from insiders.errors import InputError
from insiders.io import ledger, paths
from insiders.io.addresses import shown
from insiders.io.delivery import blocks
from insiders.io.delivery.blocks import PROBLEM, ROW
from insiders.io.delivery.csv_file import Delimited
from insiders.io.delivery.files import (
    CSV,
    DAMAGED,
    PARQUET,
    SUFFIXES,
    WORKBOOK,
    File,
    identity,
    parts,
    seekable,
    unpack,
)
from insiders.io.delivery.header import Declared
from insiders.io.params import SAMPLE, Ingest, Params

if TYPE_CHECKING:
    import pyarrow as pa

    from insiders.simulate import Shop

WEB = ("http", "https")
DATABASE = "database"


@dataclass(frozen=True)
class Source:
    """What is read: its columns, its rows, and facts about it for the record."""

    kind: str
    columns: tuple[str, ...]
    blocks: Iterable["pa.RecordBatch"]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def decimal(self) -> str | None:
        """Say which mark its numbers have, where it is no matter of how somebody wrote them."""
        return None if self.kind == "csv" else "."

    @property
    def has_order(self) -> bool:
        """Whether its rows have numbers; a database sends them as it likes."""
        return self.kind != DATABASE


@contextmanager
def naming(source: str) -> Iterator[None]:
    """Put the name of the source before what is wrong with it."""
    try:
        yield
    except InputError as error:
        said = str(error).removeprefix(f"{shown(source)}: ")  # where a database says it of itself
        raise InputError(f"{shown(source)}: {said}") from error
    except PermissionError as error:
        raise InputError(f"{error.filename} may not be read or written by this user: change its permissions") from error
    except DAMAGED as error:
        raise InputError(f"{shown(source)}: the file is damaged or incomplete ({error}): fetch it again") from error
    except OSError as error:
        if error.errno is not None:
            raise  # the disk's, not what is read of a file
        raise InputError(f"{shown(source)}: the file is damaged or incomplete ({error}): fetch it again") from error


def open_source(params: Params) -> Source:
    """Open what `ingest.source` names."""
    settings = params.ingest
    if settings.source == SAMPLE:
        return _open_sample(shop(params))
    scheme = urlsplit(settings.source).scheme.lower() if "://" in settings.source else ""
    if scheme in WEB:
        from insiders.io.delivery.download import cached

        return _open_file(cached(settings.source, settings.sha256, paths.RAW), settings)
    if scheme:
        return _open_database(settings)
    path = Path(settings.source)
    if path.is_dir():
        return _open_folder(path, settings)
    if not path.is_file():
        raise InputError("there is no such file or folder: mend ingest.source in params.yaml")
    return _open_file(path, settings)


def shop(params: Params) -> "Shop":
    """Set up the simulated shop that is the embedded sample."""
    from insiders.simulate import Settings, Shop

    settings = Settings(**params.simulate.model_dump())
    return Shop(settings, params.seed, ledger.invited() if settings.programme_uplift else {})


def _open_sample(shop: "Shop") -> Source:
    tables = shop.blocks()
    first = next(tables)
    batches = (batch for table in chain([first], tables) for batch in table.combine_chunks().to_batches())
    return Source(SAMPLE, tuple(first.column_names), blocks.as_text(batches, first.column_names))


def _declared(settings: Ingest) -> Declared:
    return Declared(frozenset((settings.columns or {}).values()), settings.header_row)


def _open_file(path: Path, settings: Ingest) -> Source:
    facts = identity(path)
    if settings.sha256 and settings.sha256.lower() != facts["sha256"]:
        raise InputError(
            f"its sha256 is {facts['sha256']}, ingest.sha256 expects {settings.sha256}: it is another file"
        )
    found = unpack(path)
    if len(found) > 1:
        return _open_several(found, settings, facts)
    return _open_single(found[0], settings, facts)


def _open_single(file: File, settings: Ingest, facts: Mapping[str, Any]) -> Source:
    if file.suffix in CSV:
        table = Delimited(file.open, settings.encoding, _declared(settings))
        return Source("csv", table.columns, table.blocks(), {**facts, "encoding": table.encoding})
    if file.suffix == WORKBOOK:
        from insiders.io.delivery.xlsx_file import Workbook

        book = Workbook(file.open, settings.columns, settings.header_row)
        return Source("xlsx", book.columns, book.blocks(), {**facts, "sheets": book.sheets})
    if file.suffix == PARQUET:
        return _open_parquet([file], facts)
    raise InputError(f"the ending {file.suffix!r} is not known; expected one of {', '.join(SUFFIXES)}, .gz or .zip")


def _open_folder(folder: Path, settings: Ingest) -> Source:
    found = [file for part in parts(folder) for file in unpack(part)]
    if not found:
        raise InputError(f"the folder holds no file that is read: expected {', '.join(SUFFIXES)}")
    return _open_several(found, settings, {**identity(folder), "files": len(found)})


def _open_several(files: list[File], settings: Ingest, facts: Mapping[str, Any]) -> Source:
    """Read files of one kind one after the other; they have the same columns, in whatever order."""
    if kinds := sorted({file.suffix for file in files[1:]} - {files[0].suffix}):
        raise InputError(
            f"it holds files of several kinds ({files[0].suffix}, {', '.join(kinds)}): expected one, with the same "
            "columns; keep only the files that belong together"
        )
    if files[0].suffix == PARQUET:
        return _open_parquet(files, facts)
    each = [_open_single(file, settings, {}) for file in files]
    names = each[0].columns
    for file, source in zip(files, each, strict=True):
        if sorted(source.columns) != sorted(names):
            raise InputError(
                f"{file.name} has the columns {list(source.columns)}, {files[0].name} has {list(names)}: expected the "
                "same in every file"
            )
    ordered = (batch.select([*names, ROW, PROBLEM]) for source in each for batch in source.blocks)
    return Source(each[0].kind, names, blocks.renumbered(ordered), {**facts, "files": len(files)})


def _open_parquet(files: list[File], facts: Mapping[str, Any]) -> Source:
    names = _parquet_names(files[0])
    for file in files:
        if sorted(_parquet_names(file)) != sorted(names):
            raise InputError(f"{file.name} has the columns {_parquet_names(file)}, {files[0].name} has {names}")
    return Source("parquet", blocks.named(names), blocks.as_text(_batches(files, names), blocks.named(names)), facts)


def _parquet_names(file: File) -> list[str]:
    from pyarrow import parquet

    with _naming_damage(file), file.open() as stream:
        return list(parquet.read_schema(seekable(stream)).names)


@contextmanager
def _naming_damage(file: File) -> Iterator[None]:
    """InputError where what is read of a file is no Parquet."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's, not the file's
        reason = str(error).splitlines()[0]
        raise InputError(f"{file.name} is not a Parquet file, or a damaged one ({reason}): fetch it again") from error


def _batches(files: Iterable[File], names: list[str]) -> Iterator["pa.RecordBatch"]:
    from pyarrow import parquet

    for file in files:
        with _naming_damage(file), file.open() as stream:
            for batch in parquet.ParquetFile(seekable(stream)).iter_batches():
                chosen = batch.select(names)
                chosen.validate(full=True)  # bytes that are no text would pass here, and not where they are read next
                yield chosen


def _open_database(settings: Ingest) -> Source:
    from insiders.io.delivery import database, increments

    facts = {"table": settings.table, "query": settings.query}
    if settings.reread == "changed":
        return Source(DATABASE, *increments.read(settings, paths.LAST_READING), facts)
    names, values = database.rows(settings)
    return Source(DATABASE, names, blocks.from_values(values, names), facts)

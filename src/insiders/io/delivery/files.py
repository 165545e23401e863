"""Local files, as they are or alone inside an archive."""

import errno
import gzip
import hashlib
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from insiders.errors import InputError
from insiders.io.digests import digest_of

CSV = (".csv", ".tsv", ".txt")
WORKBOOK, PARQUET = ".xlsx", ".parquet"
SUFFIXES = (*CSV, WORKBOOK, PARQUET)
NO_DATA = (".", "~$", "readme")  # how hidden files begin, those of an open workbook, and what people write of a folder
# An archive may unpack to so many times its size: invoice lines shrink to a tenth, rarely to a fiftieth. Small ones may
# to any size up to UNPACKED_SMALL. What cannot be read piece by piece must fit into the memory.
RATIO_MAX, UNPACKED_SMALL, WHOLE_MAX = 200, 100 << 20, 2 << 30  # times, bytes, bytes
PIECE = 1 << 20  # bytes that are unpacked at once
# NotImplementedError: a way to compress that no program has.
DAMAGED = (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError)


@dataclass(frozen=True)
class File:
    """A file that can be opened again and again; inside an archive, what it unpacks to."""

    name: str
    open: Callable[[], IO[bytes]]

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix.lower()


def parts(path: Path) -> list[Path]:
    """List the file itself, or all files of a folder that can be read; what begins with "_" is a job's own."""
    if not path.is_dir():
        return [path]
    found = sorted(part for part in path.rglob("*") if part.is_file() and _is_data(part.name.removesuffix(".gz")))
    return [part for part in found if not part.name.startswith("_")]


def identity(path: Path) -> dict[str, Any]:
    """Give size and sha256 of a file; of a folder, those of all files together."""
    found = parts(path)
    each = [digest_of(part) for part in found]
    whole = hashlib.sha256("".join(each).encode()).hexdigest() if path.is_dir() else each[0]
    return {"bytes": sum(part.stat().st_size for part in found), "sha256": whole}


def changed_since(record: Mapping[str, Any]) -> bool:
    """Tell whether the local file or folder that a `data/source.json` describes has other bytes now, or is gone.

    The digest decides, not the time of the last change: that would differ between two copies of the same file.
    """
    path = Path(str(record["source"]))
    if "sha256" not in record or "://" in str(record["source"]):
        return False
    if not path.exists() or sum(each.stat().st_size for each in parts(path)) != record["bytes"]:
        return True
    return bool(identity(path)["sha256"] != record["sha256"])


def refuse_changed(record: Mapping[str, Any]) -> None:
    """Stop where the file behind the tables has other bytes now: DVC watches the setting, not the file that it names.

    A file that is gone changes nothing: what was read from it stands.
    """
    for part in (record, record.get("identities")):
        if part and Path(str(part["source"])).exists() and changed_since(part):
            raise InputError(
                f"{part['source']} has changed since it was ingested, so the tables do not hold what it holds now: "
                "run `dvc repro --force --single-item ingest` and then `dvc repro`"
            )


def unpack(path: Path) -> list[File]:
    """Look into .gz and .zip, and into no archive inside; nothing is written anywhere.

    Raises InputError where an archive holds no file that can be read, or unpacks to more than any honest one.
    """
    if path.suffix.lower() == ".gz":
        size_max = unpacked_max(path.stat().st_size)
        return [File(path.stem, lambda: _bounded(cast("IO[bytes]", gzip.open(path)), size_max))]
    if path.suffix.lower() == ".zip":
        return _unzip(path)
    return [File(path.name, lambda: path.open("rb"))]


def archive(place: Path | IO[bytes]) -> zipfile.ZipFile:
    """Open an archive; zipfile.BadZipFile too where its directory holds names that are no text, or no places."""
    try:
        return zipfile.ZipFile(place)
    except ValueError as error:
        raise zipfile.BadZipFile(f"its directory is damaged ({error})") from error


def _unzip(path: Path) -> list[File]:
    with archive(path) as opened:
        infos = opened.infolist()
    found = sorted((info for info in infos if _is_data(info.filename)), key=lambda info: info.filename)
    if not found:
        names = ", ".join(info.filename for info in infos) or "nothing"
        raise InputError(f"expected a file ({', '.join(SUFFIXES)}) in the archive, found {names}: unpack it yourself")
    refuse_bomb(infos, unpacked_max(path.stat().st_size))
    if locked := [info.filename for info in found if info.flag_bits & 1]:
        raise InputError(f"{locked[0]} in the archive is encrypted: unpack it yourself")
    return [_member(path, info) for info in found]


def _member(path: Path, info: zipfile.ZipInfo) -> File:
    return File(info.filename, lambda: _opened(path, info))


def _opened(path: Path, info: zipfile.ZipInfo) -> IO[bytes]:
    try:
        return _bounded(archive(path).open(info), info.file_size)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise zipfile.BadZipFile(f"{info.filename} would lie before the archive's begin") from error


def _is_data(name: str) -> bool:
    path = Path(name)
    return (
        path.suffix.lower() in SUFFIXES and not path.name.lower().startswith(NO_DATA) and "__MACOSX" not in path.parts
    )


def unpacked_max(packed: int) -> int:
    """To how many bytes an archive of a size may unpack."""
    return max(UNPACKED_SMALL, RATIO_MAX * packed)


def refuse_bomb(infos: Iterable[zipfile.ZipInfo], size_max: int) -> None:
    """InputError where an archive says that it unpacks to too much; zipfile gives out no more than it says."""
    if sum(info.file_size for info in infos) > size_max:
        raise _too_large(size_max)


def _too_large(size_max: int) -> InputError:
    return InputError(
        f"it unpacks to more than {size_max:,} bytes, which no honest file of its size does: look at it, and unpack it "
        "yourself where it is what you expect"
    )


class _Bounded(io.RawIOBase):
    """What an archive unpacks to, up to so many bytes; it closes the stream that it reads."""

    def __init__(self, stream: IO[bytes], size_max: int) -> None:
        self._stream, self._left, self._max = stream, size_max, size_max

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        self._left -= len(content)
        if self._left < 0:
            raise _too_large(self._max)
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _bounded(stream: IO[bytes], size_max: int) -> IO[bytes]:
    return cast("IO[bytes]", io.BufferedReader(_Bounded(stream, size_max), PIECE))


def seekable(stream: IO[bytes]) -> IO[bytes]:
    """Unpack what lies in an archive: Parquet is read from its end."""
    is_packed = isinstance(stream, io.BufferedReader) and isinstance(stream.raw, _Bounded)
    return io.BytesIO(whole(stream)) if is_packed else stream


def whole(stream: IO[bytes]) -> bytes:
    """All bytes of what cannot be read piece by piece; InputError where they are too many for the memory."""
    content = stream.read(WHOLE_MAX + 1)
    if len(content) > WHOLE_MAX:
        raise InputError(
            f"it has more than {WHOLE_MAX:,} bytes, too many to be read at once: unpack it, or deliver CSV"
        )
    return content

"""Files from the web: whole, of the expected digest, or not at all."""

import hashlib
import http.client
import re
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from insiders.errors import InputError
from insiders.io.digests import digest_of
from insiders.io.tables import atomic_write

# Daqing Chen, "Online Retail", doi 10.24432/C5BW33, CC BY 4.0. The digest is the one that those who use it publish.
ONLINE_RETAIL = "https://archive.ics.uci.edu/static/public/352/online+retail.zip"
# pragma: allowlist nextline secret
KNOWN_DIGESTS = {ONLINE_RETAIL: "f5385cbb54bbebf7196389109c6b0621faab0c304e3702548165e71c84aede8b"}

TIMEOUT = 60  # seconds without a byte
CHUNK = 1 << 20  # bytes
AGENT = "insiders"
NAME = re.compile(r"[^\W_][\w .()+,=@~-]{0,150}")
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}


def cached(url: str, sha256: str | None, folder: Path) -> Path:
    """Give the local copy of a file; one whose digest is the expected one is not fetched again."""
    sha256 = sha256 or KNOWN_DIGESTS.get(url)
    path = folder / _name(url)
    if not (sha256 and path.is_file() and digest_of(path) == sha256.lower()):
        download(url, path, sha256)
    return path


def _name(url: str) -> str:
    """The last part of the address as a file's name, on every system; one that is none, or hidden, gives way."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return name if NAME.fullmatch(name) and PurePosixPath(name).stem.lower() not in RESERVED else "download"


def download(url: str, path: Path, sha256: str | None = None) -> str:
    """Fetch a file and give its sha256. Raises InputError and leaves nothing where it is not whole, or another."""
    try:
        with atomic_write(path) as temporary, _open(url) as answer, temporary.open("wb") as target:
            found = _copy(answer, target)
            if sha256 and found != sha256.lower():
                raise InputError(f"the download's sha256 is {found}, expected {sha256}: it is another file, or damaged")
    except urllib.error.HTTPError as error:
        error.close()
        raise InputError(f"the server answered {error.code} {error.reason}: mend the address") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(f"the download failed ({reason}): is the network open and the address right?") from error
    return found


def _open(url: str) -> Any:
    if urlsplit(url).scheme.lower() not in ("http", "https"):
        raise InputError("expected an address that begins with http:// or https://")
    request = urllib.request.Request(url, headers={"User-Agent": AGENT})  # noqa: S310 - the scheme is checked above
    return urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310 - the scheme is checked above


def _copy(answer: Any, target: IO[bytes]) -> str:
    """Copy the body and give its sha256; a body shorter than announced is an error."""
    state, size = hashlib.sha256(), 0
    while chunk := answer.read(CHUNK):
        target.write(chunk)
        state.update(chunk)
        size += len(chunk)
    announced = answer.headers.get("Content-Length")
    if announced is not None and size != int(announced):
        raise InputError(f"the download broke off after {size:,} of {int(announced):,} bytes: try again")
    return state.hexdigest()

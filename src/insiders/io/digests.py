"""Digests of files: how one is known again, or found changed."""

import hashlib
from io import BufferedReader
from pathlib import Path


def digest_of(path: Path, kind: str = "sha256") -> str:
    with path.open("rb") as file:
        return digest_of_opened(file, kind)


def digest_of_opened(file: BufferedReader, kind: str = "sha256") -> str:
    """Of all that it holds, wherever it was read to."""
    file.seek(0)
    return hashlib.file_digest(file, lambda: hashlib.new(kind, usedforsecurity=False)).hexdigest()

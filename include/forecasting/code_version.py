"""Which code made a model: a digest of the sources, as a number kept by hand is forgotten."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from include.features.definition import definition_sha256

FOLDER = Path(__file__).parent


@cache
def code_version() -> str:
    """SHA-256 of the sources of this package and of the definition of features; equal code gives equal digests."""
    digest = hashlib.sha256(definition_sha256().encode())
    for source in sorted(FOLDER.rglob("*.py")):
        text = source.read_bytes()
        digest.update(f"{source.relative_to(FOLDER).as_posix()} {len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()

"""A fingerprint of how the transforms compute, so that a changed rule makes its rows be computed afresh."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from include.config import transforms
from include.transforms import spans
from include.warehouse.sql import SQL_FOLDER

SOURCES = (
    Path(str(transforms.__file__)),
    Path(spans.__file__),
    *sorted((SQL_FOLDER / "transforms").glob("upsert_*")),
    SQL_FOLDER / "transforms" / "merge.jinja",
)


@cache
def definition_sha256() -> str:
    """SHA-256 of the statements' text, of the settings and of how far a change reaches.

    Text rather than a version number by hand: nobody can forget it, and a change without effect costs one recompute
    that writes nothing.
    """
    digest = hashlib.sha256()
    for source in SOURCES:
        digest.update(source.read_bytes())
    return digest.hexdigest()

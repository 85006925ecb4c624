"""A fingerprint of how features are computed, so that a changed formula makes its rows be computed afresh."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

FEATURES_FOLDER = Path(__file__).parent
INDICATORS_FOLDER = FEATURES_FOLDER.parent / "indicators"
SOURCES = (
    *(FEATURES_FOLDER / f"{name}.py" for name in ("model", "blocks", "compute", "clock_columns", "fear_greed")),
    *(INDICATORS_FOLDER / f"{name}.py" for name in ("run", "windows", "extremes")),
)
LIBRARIES = ("TA-Lib", "pandas", "numpy")


@cache
def definition_sha256() -> str:
    """SHA-256 of the computing modules' text and the versions of the libraries below them.

    Text rather than a version number by hand: nobody can forget it, and a change without effect costs one recompute
    that writes nothing.
    """
    digest = hashlib.sha256()
    for source in SOURCES:
        digest.update(source.read_bytes())
    for library in LIBRARIES:
        digest.update(f"{library}=={version(library)}\n".encode())
    return digest.hexdigest()

"""One HTTP answer, as plain data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, whatever its status. `headers` ignore case; `url` is what was asked, with its parameters."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    @property
    def sha256(self) -> str:
        """Hash of the body: evidence of what the venue answered."""
        return hashlib.sha256(self.body).hexdigest()

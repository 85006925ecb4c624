"""What a step of maintenance removed, or would remove."""

from __future__ import annotations

from typing import Any, NamedTuple


class Removed(NamedTuple):
    """number: rows, files or model versions of `what`; bytes: what they took, None where nobody knows."""

    what: str
    number: int
    bytes: int | None = None

    def as_dict(self) -> dict[str, Any]:
        return self._asdict()

    def __str__(self) -> str:
        size = "" if self.bytes is None else f", {self.bytes:,} bytes"
        return f"{self.what}: {self.number:,}{size}"

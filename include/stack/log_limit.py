"""The components' own logs, kept from growing without end: who writes them appends, and need not be told."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LONGEST_LOG_BYTES = 20_000_000
KEPT_BYTES = 10_000_000
CHECKED_EVERY_SECONDS = 60.0


def limit_logs(folder: Path, longest: int = LONGEST_LOG_BYTES, kept: int = KEPT_BYTES) -> list[Path]:
    """Cut each `*.log` of the folder that is longer than `longest` bytes; answers which were.

    The last `kept` bytes go to `<name>.log.1`, which replaces the one before; the log begins anew. A line that is
    written between the copy and the cut is lost. What cannot be read or written is left as it is.
    """
    cut = []
    for log in sorted(folder.glob("*.log")):
        with suppress(OSError):
            if log.stat().st_size <= longest:
                continue
            with log.open("rb") as source:
                source.seek(-kept, os.SEEK_END)
                log.with_suffix(".log.1").write_bytes(source.read())
            os.truncate(log, 0)
            cut.append(log)
    return cut

"""Which backups are kept: all of the last two days, the newest of each day before, and of each of the last months."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from include.backup.files import MANIFEST, Manifest

RECENT = timedelta(days=2)  # one made by hand before an upgrade outlives the next night's


def superfluous(held: Iterable[tuple[Path, Manifest]], days: int, months: int) -> list[Path]:
    """Dumps to delete, by database: all but the newest of each of `days` days and of each of `months` months.

    Days and months without a backup do not count: where backups stopped, what there is stays. The newest is always
    kept, and so is what is not older than it by more than RECENT. Raises ValueError for fewer than 1 day or 0 months.
    """
    if days < 1 or months < 0:
        raise ValueError(f"at least 1 daily and 0 monthly backups are kept, not {days} and {months}")
    newest_first = sorted(held, key=lambda each: each[1].started_at, reverse=True)
    newest: dict[str, datetime] = {}
    for _, manifest in newest_first:
        newest.setdefault(manifest.database, manifest.started_at)
    kept = {path for path, manifest in newest_first if newest[manifest.database] - manifest.started_at <= RECENT}
    for count, period in ((days, "%Y-%m-%d"), (months, "%Y-%m")):
        seen: dict[str, set[str]] = {}
        for path, manifest in newest_first:
            periods = seen.setdefault(manifest.database, set())
            label = manifest.started_at.strftime(period)
            if label not in periods and len(periods) < count:
                periods.add(label)
                kept.add(path)
    return [path for path, _ in newest_first if path not in kept]


def delete(path: Path) -> None:
    """Delete a backup; the dump first, so that no dump is ever without its manifest."""
    path.unlink()
    path.with_suffix(MANIFEST).unlink()

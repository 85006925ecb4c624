"""`backups`: what there is to restore, and whether its bytes are still what was written."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from include.backup.client import BackupError
from include.backup.command import REFUSALS
from include.backup.files import backups, refuse_other_bytes
from include.backup.place import folder_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--folder", help="where backups lie")


def run(options: argparse.Namespace) -> int:
    """0; 1 where a backup is spoilt, or its manifest unreadable, or none is there."""
    spoilt = found = 0
    unreadable: list[Path] = []

    def report(path: Path, error: BackupError) -> None:
        unreadable.append(path)
        print(f"error: {error}", file=sys.stderr)

    try:
        for path, manifest in backups(folder_of(options.folder), report):
            found += 1
            try:
                refuse_other_bytes(path, manifest)
                state = "sound"
            except BackupError:
                state, spoilt = "SPOILT: other bytes than were written", spoilt + 1
            size = f"{manifest.bytes / 1e6:.1f} MB"
            print(f"{manifest.started_at:%Y-%m-%d %H:%M} {manifest.database:10} {size:>11}  {path}  {state}")
        for path in unreadable:
            print(f"{'?':16} {'?':10} {'?':>11}  {path}  UNREADABLE: no manifest to restore it by")
    except REFUSALS as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if not found and not unreadable:
        print("no backup", file=sys.stderr)
    return 1 if spoilt or unreadable or not found else 0

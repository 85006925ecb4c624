"""Where a replayed world's time survives a restart."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from include.replay.errors import ReplayError


class StateFile:
    """A JSON file with the world's identity and a time that is at or after every time told so far.

    The time written runs ahead of the time told (`cover`), so that even a killed server never goes back.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self.path = path
        self.identity = identity
        self._covered: datetime | None = None

    def load(self) -> datetime | None:
        """The time written down, None where there is no file yet.

        Raises ReplayError for an unreadable file and for the state of another world.
        """
        try:
            content = json.loads(self.path.read_text())
            identity, saved = content["world"], datetime.fromisoformat(content["now"]).astimezone(UTC)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise ReplayError(f"{self.path} is not a state of the replay exchange ({error}); remove it") from error
        if identity != self.identity:
            raise ReplayError(f"{self.path} holds the time of world {identity!r}, this is {self.identity!r}")
        return saved

    def cover(self, told: datetime, until: datetime) -> None:
        """Make sure that the file covers the time `told`; where it does not, write `until`."""
        if self._covered is None or told > self._covered:
            self.save(until)

    def save(self, at: datetime) -> None:
        """Write `at`, whole or not at all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.tmp")
        draft.write_text(json.dumps({"world": self.identity, "now": at.isoformat()}))
        draft.replace(self.path)
        self._covered = at

"""What a soak saw, line by line on disk: one that was cut off, by the clock or by kill -9, goes on from there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.month.sample import Figures

FILE = "diary.jsonl"
KEPT_SAMPLES = 60


@dataclass
class Diary:
    """Of one folder. sitting: number of this run, from 1; memory and processes begin anew with each.

    samples: figures after each hour, each with its `hour` and `sitting`; a sitting's first one was taken before any
    hour of it. ended: when each sample was taken, UTC. seconds: of machine time, by sitting.
    """

    path: Path
    sitting: int = 1
    samples: list[Figures] = field(default_factory=list)
    ended: list[datetime] = field(default_factory=list)
    seconds: dict[int, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @classmethod
    def opened(cls, folder: Path) -> Diary:
        """The diary of a folder, ready for its next sitting; the last line may be torn, and is then left out."""
        diary = cls(folder / FILE)
        if diary.path.exists():
            text = diary.path.read_text()
            whole = text[: text.rfind("\n") + 1]
            for line in whole.splitlines():
                diary._take(json.loads(line))
            if whole != text:
                diary.path.write_text(whole)
        diary.sitting = max(diary.seconds, default=0) + 1
        return diary

    @property
    def hours(self) -> int:
        """Simulated so far, all sittings together."""
        return int(self.samples[-1]["hour"]) if self.samples else 0

    def note(self, figures: Figures, hour: int, seconds: float, failed: list[str]) -> None:
        """One more sample. seconds: of this sitting until now. failed: runs since the last sample."""
        line = {
            "ended": datetime.now(UTC).isoformat(),
            "seconds": round(seconds, 1),
            "failed": failed,
            "sample": {"hour": hour, "sitting": self.sitting, **figures},
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as out:
            out.write(json.dumps(line) + "\n")
        self._take(line)

    def few_samples(self) -> list[Figures]:
        """At most about KEPT_SAMPLES of them, evenly spread, and the last: as many as a record can hold."""
        step = -(-len(self.samples) // KEPT_SAMPLES) or 1
        kept = self.samples[::step]
        return kept if kept[-1] is self.samples[-1] else [*kept, self.samples[-1]]

    def _take(self, line: dict[str, Any]) -> None:
        self.samples.append(line["sample"])
        self.ended.append(datetime.fromisoformat(line["ended"]))
        self.seconds[int(line["sample"]["sitting"])] = line["seconds"]
        self.failed += line["failed"]

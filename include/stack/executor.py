"""Which executor runs the tasks: the scheduler's own processes, or Celery workers that are fed through Redis."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from include.stack.layout import StackError

VARIABLE = "AIRFLOW_EXECUTOR"
NAMES = ("LocalExecutor", "CeleryExecutor")  # Airflow's own


@dataclass(frozen=True, slots=True)
class Executor:
    """slots: tasks at a time, all workers together. workers: Celery workers, 0 where the scheduler runs the tasks."""

    slots: int = 4
    workers: int = 0

    @property
    def is_celery(self) -> bool:
        return self.workers > 0

    @property
    def concurrency(self) -> int:
        """Tasks at a time of one worker."""
        return -(-self.slots // self.workers)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Executor:
        """AIRFLOW_EXECUTOR (LocalExecutor or CeleryExecutor), AIRFLOW_PARALLELISM (4), AIRFLOW_WORKERS (Celery's, 2).

        Raises StackError for what is none of these.
        """
        name = environ.get(VARIABLE) or NAMES[0]
        if name not in NAMES:
            raise StackError(f"{VARIABLE}={name!r}: one of {', '.join(NAMES)}")
        slots = _count(environ, "AIRFLOW_PARALLELISM", 4)
        return cls(slots, _count(environ, "AIRFLOW_WORKERS", 2) if name == NAMES[1] else 0)

    def note(self, var: Path) -> None:
        """Keep it for `last_executor`."""
        (var / "executor.json").write_text(json.dumps(asdict(self)))


def last_executor(var: Path) -> Executor:
    """The executor of the stack that ran here last; the default one where none ever did."""
    note = var / "executor.json"
    return Executor(**json.loads(note.read_text())) if note.exists() else Executor()


def _count(environ: Mapping[str, str], variable: str, default: int) -> int:
    text = environ.get(variable) or str(default)
    if not text.isdigit() or not 0 < int(text) <= 1000:
        raise StackError(f"{variable}={text!r} is not a number from 1 to 1000")
    return int(text)

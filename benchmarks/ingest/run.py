"""Runs of the benchmark's steps: each a process of its own whose last line is JSON, measured, repeated, compared."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Figures:
    """What was measured, by step and figure, one value per run; and what was demanded of them."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    missed: list[str] = field(default_factory=list)

    def note(self, step: str, **figures: float) -> None:
        for name, value in figures.items():
            self.values[step][name].append(value)
        shown = "  ".join(f"{name} {value:,.6g}" for name, value in figures.items())
        print(f"  {step:22}{shown}", flush=True)

    def median(self, step: str, figure: str) -> float:
        return statistics.median(self.values[step][figure])

    def greatest(self, figure: str) -> float:
        return max((max(found[figure]) for found in self.values.values() if figure in found), default=0)

    def demand(self, what: str, value: float, *, least: float | None = None, most: float | None = None) -> None:
        """Say whether a figure is what is promised."""
        is_met = (least is None or value >= least) and (most is None or value <= most)
        bound = f"at least {least:,g}" if least is not None else f"at most {most:,g}"
        print(f"{'met   ' if is_met else 'MISSED'}  {what:66}{value:>12,.4g}   {bound}", flush=True)
        if not is_met:
            self.missed.append(what)


def step(
    figures: Figures, name: str, command: Sequence[str], environment: dict[str, str] | None = None
) -> dict[str, float]:
    """Run one step as a process; notes its rows a second in its own phase and as a whole process."""
    began = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"{name} failed: {' '.join(command)}\n{done.stderr[-4000:]}")
    told: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    figures.note(
        name,
        rate=told["rows"] / told["seconds"],
        process_rate=told["rows"] / seconds,
        **({"rss_mb": told["rss_mb"]} if "rss_mb" in told else {}),
    )
    return told


@contextmanager
def server(candles: int, months: int, latency: float) -> Iterator[str]:
    """Base URL of the venue on localhost."""
    command = [sys.executable, "-m", "benchmarks.ingest.server", "--candles", str(candles)]
    command += ["--months", str(months), "--latency", str(latency)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout  # noqa: S101 - a pipe was asked for
        yield f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
    finally:
        process.terminate()
        process.wait()

"""Figures of a run that is too small for them to mean anything."""

from __future__ import annotations

from benchmarks.ingest.run import Figures


class Unjudged(Figures):
    """Says what is demanded, and holds nobody to it."""

    def demand(self, what: str, value: float, *, least: float | None = None, most: float | None = None) -> None:
        del least, most
        print(f"not judged  {what:62}{value:>12,.4g}", flush=True)

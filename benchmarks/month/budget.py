"""The budget file: what a month of operation, or one run of a DAG, may take."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).parents[1] / "budget.toml"
RECORD = Path(__file__).parents[1] / "soak_record.json"


def limits(section: str, path: Path = FILE) -> dict[str, float]:
    """Limits of a section, by figure. Raises KeyError for a section that is not there."""
    with path.open("rb") as file:
        found: dict[str, float] = tomllib.load(file)[section]
    return found


def worst(record: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Of each figure what a month comes to, or what was seen, where that was more. record: of benchmarks/soak.py."""
    return {name: max(value, record["most"][name]) for name, value in record["month"].items()}


def breaches(figures: Mapping[str, float], allowed: Mapping[str, float]) -> list[str]:
    """A line for each figure above its limit, and for each limit whose figure is missing."""
    lines = []
    for name, limit in allowed.items():
        if name not in figures:
            lines.append(f"{name}: not measured, and {limit:,.0f} is its limit")
        elif figures[name] > limit:
            lines.append(f"{name}: {figures[name]:,.0f} is more than {limit:,.0f}")
    return lines

"""Reading StatsD lines, with InfluxDB tags: `name,tag=value:1.5|ms|@0.5` and `name:1|c:2|c`."""

from __future__ import annotations

import math
import re
from typing import Literal, NamedTuple

from include.metrics.receiver.tally import Tally

Kind = Literal["counter", "gauge", "observer"]

# NaN and what adds up to infinity are refused: one of them would spoil a sum for the life of the process.
LARGEST_VALUE = 1e30
# A sample cannot stand for more than a million others.
LOWEST_RATE = 1e-6

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ILLEGAL_IN_NAME = re.compile(r"[^a-zA-Z0-9_]")
_SAMPLE_ERRORS = "statsd_exporter_sample_errors_total"


class Event(NamedTuple):
    """One sample. Timers arrive in milliseconds and leave in seconds; `weight` is how many sightings it stands for."""

    kind: Kind
    name: str
    labels: dict[str, str]
    value: float
    relative: bool = False
    weight: int = 1


def escape(name: str) -> str:
    """A legal Prometheus name: what is not a letter, a digit or `_` becomes `_`, and a leading digit is hidden."""
    name = _ILLEGAL_IN_NAME.sub("_", name)
    return f"_{name}" if name[:1].isdigit() else name


def parse_line(line: bytes, tally: Tally) -> list[Event]:
    """The events of one line; what cannot be read is counted in the tally and left out."""
    if not line:
        return []
    tally.add("statsd_exporter_lines_total")
    try:
        head, colon, rest = line.decode("utf-8").partition(":")
    except UnicodeDecodeError:
        head = colon = rest = ""
    if not head or not colon:
        tally.add(_SAMPLE_ERRORS, "reason", "malformed_line")
        return []
    name, *tags = head.split(",")
    labels = _labels(tags, tally)
    events = (_event(name, labels, sample, tally) for sample in rest.split(":"))
    return [event for event in events if event]


def _labels(tags: list[str], tally: Tally) -> dict[str, str]:
    labels = {}
    for tag in tags:
        key, _, value = tag.partition("=")
        if key and value:
            labels[escape(key)] = value
        else:
            tally.add("statsd_exporter_tag_errors_total")
    return labels


def _event(name: str, labels: dict[str, str], sample: str, tally: Tally) -> Event | None:
    tally.add("statsd_exporter_samples_total")
    value_text, *parts = sample.split("|")
    if not 1 <= len(parts) <= 3 or not all(parts):
        tally.add(_SAMPLE_ERRORS, "reason", "malformed_component")
        return None
    value = float(value_text) if _NUMBER.fullmatch(value_text) else math.inf
    if abs(value) > LARGEST_VALUE:
        tally.add(_SAMPLE_ERRORS, "reason", "malformed_value")
        return None
    rate = _rate(parts[1:], tally)
    if labels:
        tally.add("statsd_exporter_tags_total")
    match parts[0]:
        case "c":
            return Event("counter", name, labels, value / rate)
        case "g":
            return Event("gauge", name, labels, value, relative=value_text[0] in "+-")
        case "ms":
            return Event("observer", name, labels, value / 1000, weight=int(1 / rate))
        case "h" | "d":
            return Event("observer", name, labels, value, weight=int(1 / rate))
    tally.add(_SAMPLE_ERRORS, "reason", "illegal_event")
    return None


def _rate(extras: list[str], tally: Tally) -> float:
    """Share of sightings that were sent, 1 where nothing legible says otherwise."""
    rate = 1.0
    for extra in extras:
        given = float(extra[1:]) if extra[0] == "@" and _NUMBER.fullmatch(extra[1:]) else 0.0
        if LOWEST_RATE <= given <= 1:
            rate = given
        else:
            tally.add(_SAMPLE_ERRORS, "reason", "invalid_sample_factor")
    return rate

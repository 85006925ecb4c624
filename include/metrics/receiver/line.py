"""Reading StatsD lines as statsd_exporter reads them: `name,tag=value:1.5|ms|@0.5`, and what others make of tags.

InfluxDB's `name,tag=value:1|c`, Librato's `name#tag=value:1|c`, SignalFx' `name[tag=value]:1|c` and DogStatsD's
`name:1|c|#tag:value`, whose values may be several: `name:1:2|ms`. Several samples of a name: `name:1|c:2|c`.
"""

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
_TAG_ERRORS = "statsd_exporter_tag_errors_total"
_TAGS_BEGIN = re.compile("[#,]")
_OBSERVED = ("ms", "h", "d")


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
    name, labels = _name_and_labels(head, tally)
    samples = _samples(rest, bool(labels), tally)
    events = (_event(name, labels, sample, tally) for sample in samples)
    return [event for event in events if event]


def _name_and_labels(head: str, tally: Tally) -> tuple[str, dict[str, str]]:
    opening, closing = head.find("["), head.find("]")
    if -1 < opening < closing:
        return head[:opening] + head[closing + 1 :], _labels(head[opening + 1 : closing], "=", tally)
    if opening != closing:  # half a pair
        tally.add(_TAG_ERRORS)
        return head, {}
    parts = _TAGS_BEGIN.split(head, maxsplit=1)
    return parts[0], _labels(parts[1], "=", tally) if len(parts) == 2 else {}


def _labels(tags: str, separator: str, tally: Tally) -> dict[str, str]:
    labels = {}
    for tag in tags.removesuffix(",").split(",") if tags else ():
        key, _, value = tag.partition(separator)
        if key and value:
            labels[escape(key)] = value
        else:
            tally.add(_TAG_ERRORS)
    return labels


def _samples(rest: str, has_labels: bool, tally: Tally) -> list[str]:
    """The samples behind a name; none, and counted why, where they cannot be told apart."""
    values, bar, described = rest.partition("|")
    reason = ""
    if not bar:
        reason = "not_enough_parts_after_colon"
    elif "|#" in rest and has_labels:
        reason = "mixed_tagging_styles"
    elif ":" in values and described.partition("|")[0] not in _OBSERVED:
        reason = "invalid_extended_aggregate_type"
    if reason:
        tally.add(_SAMPLE_ERRORS, "reason", reason)
        return []
    if ":" in values:
        return [f"{value}|{described}" for value in values.split(":")]
    return [rest] if "|#" in rest else rest.split(":")


def _event(name: str, labels: dict[str, str], sample: str, tally: Tally) -> Event | None:
    tally.add("statsd_exporter_samples_total")
    value_text, *parts = sample.split("|")
    if not 1 <= len(parts) <= 3 or not all(parts[1:]):
        tally.add(_SAMPLE_ERRORS, "reason", "malformed_component")
        return None
    value = float(value_text) if _NUMBER.fullmatch(value_text) else math.inf
    if abs(value) > LARGEST_VALUE:
        tally.add(_SAMPLE_ERRORS, "reason", "malformed_value")
        return None
    for tags in (part[1:] for part in parts[1:] if part[0] == "#"):
        labels = labels | _labels(tags, ":", tally)
    rate = _rate([part for part in parts[1:] if part[0] != "#"], tally)
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

"""The mapping file of statsd_exporter: which StatsD name becomes which metric, with which labels and life time.

The part of its format this product uses: `defaults` (observer_type histogram, histogram_options.buckets, match_type,
ttl) and `mappings` (match, match_type glob or regex, match_metric_type, name, labels, help, action map or drop, ttl,
observer_type, histogram_options). Anything else is refused when the file is read, never ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import yaml

from include.metrics.receiver.line import Kind, escape

DEFAULT_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
DEFAULT_KEYS = {"observer_type", "histogram_options", "match_type", "ttl"}
RULE_KEYS = DEFAULT_KEYS | {"match", "match_metric_type", "name", "labels", "help", "action"}
# Resolutions remembered; a sender of endless new names costs time then, not memory.
CACHE_SIZE = 4096

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")
_REFERENCE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_GLOB_SEGMENT = re.compile(r"\*|[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)


class MappingError(ValueError):
    """The mapping file says something that is wrong or that this receiver does not do."""


class Target(NamedTuple):
    """Where an event goes. `ttl` in seconds, 0 is for ever; `labels` are those the rule adds to the event's own."""

    action: Literal["map", "drop", "unmapped"]
    name: str
    labels: tuple[tuple[str, str], ...]
    help: str
    ttl: float
    buckets: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    pattern: re.Pattern[str]
    kind: Kind | None
    target: Target

    def apply(self, found: re.Match[str]) -> Target:
        """The target with the pattern's captures put in."""

        def fill(template: str) -> str:
            return _REFERENCE.sub(lambda m: found.group(int(m[1] or m[2])) or "", template)

        labels = tuple((label, fill(value)) for label, value in self.target.labels)
        return self.target._replace(name=escape(fill(self.target.name)), labels=labels)


class Mapping:
    """Ordered rules. Globs win over regular expressions wherever they stand, then the first in the file wins."""

    def __init__(self, rules: Sequence[tuple[str, Rule]], default: Target) -> None:
        self._rules = [rule for _, rule in sorted(rules, key=lambda pair: pair[0] != "glob")]
        self._default = default
        self._cache: dict[tuple[Kind, str], Target] = {}

    def __len__(self) -> int:
        return len(self._rules)

    def resolve(self, kind: Kind, name: str) -> Target:
        """Where an event of this kind and StatsD name goes."""
        target = self._cache.get((kind, name))
        if target is None:
            target = self._search(kind, name)
            if len(self._cache) >= CACHE_SIZE:
                self._cache.clear()
            self._cache[kind, name] = target
        return target

    def _search(self, kind: Kind, name: str) -> Target:
        for rule in self._rules:
            if rule.kind in (None, kind) and (found := rule.pattern.search(name)):
                return rule.apply(found)
        return self._default._replace(name=escape(name))


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises MappingError naming the file and the rule, OSError where there is no file."""
    try:
        return parse_mapping(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (MappingError, yaml.YAMLError) as error:
        raise MappingError(f"{path}: {error}") from error


def parse_mapping(document: Any) -> Mapping:
    """The mapping a parsed YAML document describes. Raises MappingError."""
    if not isinstance(document, dict) or set(document) - {"defaults", "mappings"}:
        raise MappingError("expected a mapping with the keys `defaults` and `mappings` and no other")
    defaults = document.get("defaults") or {}
    _check_keys(defaults, DEFAULT_KEYS, "defaults")
    # Without a word of it statsd_exporter makes summaries, which cannot be added up over processes.
    if defaults.get("observer_type") != "histogram":
        raise MappingError("defaults.observer_type must be `histogram`")
    default = Target("unmapped", "", (), "", _seconds(defaults.get("ttl", 0)), _buckets(defaults, DEFAULT_BUCKETS))
    rules = [_rule(entry, default, str(defaults.get("match_type", "glob"))) for entry in document.get("mappings") or []]
    return Mapping(rules, default)


def _rule(entry: Dictionary[str, Any], default: Target, default_match_type: str) -> tuple[str, Rule]:
    match = str(entry.get("match", ""))
    where = f"mapping {match!r}"
    _check_keys(entry, RULE_KEYS, where)
    match_type = str(entry.get("match_type", default_match_type))
    kind, action = entry.get("match_metric_type"), entry.get("action", "map")
    if kind not in (None, *get_args(Kind)) or action not in ("map", "drop"):
        raise MappingError(f"{where}: unknown match_metric_type {kind!r} or action {action!r}")
    if entry.get("observer_type", "histogram") != "histogram":
        raise MappingError(f"{where}: observer_type must be `histogram`")
    pattern = _pattern(match, match_type, where)
    name, labels = str(entry.get("name", "")), {str(k): str(v) for k, v in (entry.get("labels") or {}).items()}
    if not name and action == "map":
        raise MappingError(f"{where}: `name` is missing")
    for template in (name, *labels.values()):
        for found in _REFERENCE.finditer(template):
            number = found[1] or found[2]
            if not number.isdigit() or not 1 <= int(number) <= pattern.groups:
                raise MappingError(f"{where}: {found[0]!r} in {template!r} names no capture; write ${{1}}_x, not $1_x")
    ttl = _seconds(entry["ttl"]) if "ttl" in entry else default.ttl
    target = Target(
        action, name, tuple(labels.items()), str(entry.get("help", "")), ttl, _buckets(entry, default.buckets)
    )
    return match_type, Rule(pattern, kind, target)


def _pattern(match: str, match_type: str, where: str) -> re.Pattern[str]:
    if match_type == "regex":
        try:
            return re.compile(match)
        except re.error as error:
            raise MappingError(f"{where}: {error}") from error
    segments = match.split(".")
    if match_type != "glob" or not all(_GLOB_SEGMENT.fullmatch(segment) for segment in segments):
        raise MappingError(f"{where}: a glob is whole segments, each a name or `*`, and match_type is glob or regex")
    return re.compile("^" + r"\.".join("([^.]+)" if s == "*" else re.escape(s) for s in segments) + "$")


def _buckets(entry: Dictionary[str, Any], default: tuple[float, ...]) -> tuple[float, ...]:
    options = entry.get("histogram_options") or {}
    _check_keys(options, {"buckets"}, "histogram_options")
    buckets = tuple(float(bound) for bound in options.get("buckets") or default)
    if list(buckets) != sorted(set(buckets)):
        raise MappingError(f"buckets must rise: {buckets}")
    return buckets


def _seconds(duration: Any) -> float:
    """Seconds of a Go duration such as `1h30m` or `15s`; a bare 0 is 0."""
    found = _DURATION.fullmatch(str(duration))
    if str(duration) == "0":
        return 0.0
    if not found or not found[0]:
        raise MappingError(f"duration {duration!r} is not of the form 1h30m15s")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def _check_keys(entry: Any, known: set[str], where: str) -> None:
    if not isinstance(entry, dict):
        raise MappingError(f"{where}: expected a mapping")
    if unknown := set(entry) - known:
        raise MappingError(f"{where}: unknown keys {sorted(unknown)}")

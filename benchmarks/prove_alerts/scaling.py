"""Waiting times made short: our rule files and Alertmanager's routes with their durations divided, all else untouched.

Divided are `for`, `keep_firing_for`, range windows, offsets and the routes' waiting times, none to less than what a
scrape a second still fills. Ages in the rules (`time() - x > 2 * 3600`) stay: rows are given old times instead. Only
what cannot be given an age, in OWN_AGE, has it divided as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FLOORS = {"window": 8, "for": 3, "keep_firing_for": 15, "wait": 1, "age": 30}  # seconds
OWN_AGE = ("TransactionLong",)  # PostgreSQL alone says since when a transaction is open
RANGE = re.compile(r"\[(\d+[smhd])\]")
OFFSET = re.compile(r"\boffset (\d+[smhd])\b")
AGE = re.compile(r"> (\d+) \* (60|3600|86400)\b")
DURATION = re.compile(r"(\d+)([smhd])")


def divided(duration: str, factor: float, floor: int) -> str:
    """`2h` by 720 is `10s`; never less than floor seconds, never more than it was. ValueError for what is none."""
    found = DURATION.fullmatch(duration)
    if found is None:
        raise ValueError(f"{duration!r} is no duration of one number and s, m, h or d")
    seconds = int(found[1]) * SECONDS[found[2]]
    return f"{min(seconds, max(floor, math.ceil(seconds / factor)))}s"


def expression(text: str, factor: float, age: bool = False) -> str:
    """A PromQL expression with windows and offsets divided; ages too where asked."""
    text = RANGE.sub(lambda m: f"[{divided(m[1], factor, FLOORS['window'])}]", text)
    text = OFFSET.sub(lambda m: f"offset {divided(m[1], factor, FLOORS['window'])}", text)
    if age:
        text = AGE.sub(lambda m: f"> {max(FLOORS['age'], math.ceil(int(m[1]) * int(m[2]) / factor))}", text)
    return text


def rule(given: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """An alert or recording rule."""
    changed = {**given, "expr": expression(given["expr"], factor, given.get("alert") in OWN_AGE)}
    for name in ("for", "keep_firing_for"):
        if name in given:
            changed[name] = divided(given[name], factor, FLOORS[name])
    return changed


def rule_file(given: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """A rule file, parsed."""
    return {
        "groups": [{**group, "rules": [rule(each, factor) for each in group["rules"]]} for group in given["groups"]]
    }


def routes(given: Mapping[str, Any], factor: float) -> dict[str, Any]:
    """A route of Alertmanager and those below it. `repeat_interval` stays, but for what repeats every minute."""
    changed = dict(given)
    for name in ("group_wait", "group_interval"):
        if name in given:
            changed[name] = divided(given[name], factor, FLOORS["wait"])
    if given.get("repeat_interval") == "1m":
        changed["repeat_interval"] = "2s"
    if "routes" in given:
        changed["routes"] = [routes(each, factor) for each in given["routes"]]
    return changed

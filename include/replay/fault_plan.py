"""A seeded plan of faults for each host: the same plan gives the same faults at the same requests and candles.

Faults of requests strike the n-th request of a host by chance (`share`) or by order (`at`); faults of data strike
candles, chosen by their open time, so that it does not matter who asks for them, when, or in which order.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from include.replay.fault_answers import ANSWERED, HOSTS
from include.replay.fault_spoils import SPOILT

REQUEST_KINDS = (*ANSWERED, *SPOILT, "slow")
# late, hole: the candle is missing. duplicate, out_of_order: rows as venues sometimes give them. contradicting: a
# second, different row for one open time. revised: part of the volume is still to come. truncated: a month that was
# published with its first ten days only.
DATA_KINDS = ("late", "hole", "duplicate", "out_of_order", "contradicting", "revised", "truncated")
STATE_KINDS = ("delisted", "clock_skew")
_SPAN = 2.0**64


def chance(seed: int, *what: object) -> float:
    """A number in [0, 1) that follows from the seed and `what` alone."""
    text = "\x00".join(map(str, (seed, *what)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") / _SPAN


@dataclass(frozen=True, slots=True)
class Wish:
    """How often, where and for how long a kind of fault strikes.

    share: of requests, or of candles (all of them where left out). at: numbers of requests, from 1.
    retry_after: seconds told with 429 and 418. seconds: delay of a slow answer; how far a clock is ahead; for candles,
    how long after their close it strikes. answers: in how many answers with the candle it strikes; 0 for ever.
    until_request: number of the host's request from which on it does not. symbols: as the book spells them; all where
    empty. starts_at, ends_at: half-open range of open times (UTC); for `delisted`, starts_at is when the venue forgets
    the symbols.
    """

    share: float = 0.0
    at: tuple[int, ...] = ()
    retry_after: int = 1
    seconds: float = 0.0
    answers: int = 0
    until_request: int = 0
    symbols: tuple[str, ...] = ()
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def concerns(self, symbol: str) -> bool:
        return not self.symbols or symbol in self.symbols


@dataclass(slots=True)
class HostPlan:
    """The faults of one host and how far it has come."""

    host: str
    seed: int
    wishes: Mapping[str, Wish]
    requests: int = 0
    done: Counter[str] = field(default_factory=Counter)

    def next_fault(self, path: str) -> tuple[str, Wish] | None:
        """Count a request, and tell which fault it meets."""
        self.requests += 1
        number = self.requests
        drawn = chance(self.seed, self.host, number)
        for kind, wish in self.wishes.items():
            if kind not in REQUEST_KINDS:
                continue
            strikes = drawn < wish.share or number in wish.at
            drawn = drawn - wish.share if drawn >= wish.share else 2.0  # each draw belongs to one kind at most
            if strikes and _fits(kind, path):
                self.done[kind] += 1
                return kind, wish
        return None


class FaultPlan:
    """The plan in force; without one, nothing happens."""

    def __init__(self) -> None:
        self._seed = 0
        self._hosts: dict[str, HostPlan] = {}

    def set(self, wish: object) -> None:
        """Replace the plan by `{"seed": 7, "hosts": {host: {kind: share or {option: value}}}}`.

        Raises ValueError for anything else.
        """
        if not isinstance(wish, dict) or not set(wish) <= {"seed", "hosts"} or not isinstance(wish.get("hosts"), dict):
            raise ValueError('expected {"seed": integer, "hosts": {host: {kind: share or options}}}')
        seed = wish.get("seed", 0)
        if not isinstance(seed, int):
            raise ValueError(f"seed {seed!r} is not an integer")
        hosts = {host: HostPlan(host, seed, _wishes(host, kinds)) for host, kinds in wish["hosts"].items()}
        self._seed, self._hosts = seed, hosts

    def clear(self) -> None:
        self._hosts = {}

    def of(self, host: str) -> HostPlan | None:
        return self._hosts.get(host)

    def clock_skew(self, host: str) -> float:
        """Seconds the host's clock is ahead."""
        plan = self.of(host)
        wish = plan.wishes.get("clock_skew") if plan else None
        return wish.seconds if wish else 0.0

    def account(self) -> dict[str, object]:
        """What has been done, by host and kind; rows for faults of data, requests for the others."""
        return {
            "seed": self._seed,
            "hosts": {
                host: {"requests": plan.requests, "planned": list(plan.wishes), "done": dict(plan.done)}
                for host, plan in self._hosts.items()
            },
        }


def _fits(kind: str, path: str) -> bool:
    return kind != "wrong_checksum" or path.upper().endswith(".CHECKSUM")


def _wishes(host: str, kinds: object) -> dict[str, Wish]:
    if host not in HOSTS:
        raise ValueError(f"unknown host {host!r}; known: {', '.join(HOSTS)}")
    if not isinstance(kinds, dict):
        raise ValueError(f"{host}: expected {{kind: share or options}}")
    wishes = {kind: _wish(f"{host}.{kind}", kind, options) for kind, options in kinds.items()}
    if sum(wish.share for kind, wish in wishes.items() if kind in REQUEST_KINDS) > 1:
        raise ValueError(f"{host}: the shares of requests add up to more than 1")
    return wishes


def _wish(name: str, kind: str, options: object) -> Wish:
    if kind not in REQUEST_KINDS + DATA_KINDS + STATE_KINDS:
        raise ValueError(f"{name}: unknown kind; known: {', '.join(REQUEST_KINDS + DATA_KINDS + STATE_KINDS)}")
    values: dict[str, Any] = dict(options) if isinstance(options, dict) else {"share": options}
    if kind in DATA_KINDS:
        values = {"share": 1.0} | values  # which candles is told by the other options then
    try:
        for key in ("at", "symbols"):
            if key in values:
                values[key] = tuple(values[key])
        for key in ("starts_at", "ends_at"):
            if key in values:
                values[key] = _instant(values[key])
        wish = Wish(**values)
        if not 0 <= wish.share <= 1:
            raise ValueError(f"share {wish.share} does not lie between 0 and 1")
        if min(wish.answers, wish.until_request, wish.retry_after) < 0:
            raise ValueError("a count is negative")
        if kind == "late" and not (wish.seconds or wish.answers):
            raise ValueError('needs "seconds" or "answers", or it would never come')
        if kind == "delisted" and not (wish.symbols and wish.starts_at):
            raise ValueError('needs "symbols" and "starts_at"')
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from error
    return wish


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no UTC offset")
    return at.astimezone(UTC)

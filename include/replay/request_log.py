"""Who asked how much of each host: what tells whether its callers kept to their budget."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from include.replay.clock import machine_seconds

_WINDOWS = {"second": 1, "minute": 60}
_DAY = 86_400
_REFUSALS = (418, 429)


@dataclass(slots=True)
class _Host:
    requests: int = 0
    weight: int = 0
    recent: dict[str, deque[tuple[float, int]]] = field(default_factory=lambda: {name: deque() for name in _WINDOWS})
    within: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    by_day: Counter[int] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    stay_away_until: float = 0.0
    too_early: int = 0


class RequestLog:
    """Requests and weight of each host since the start, by the machine's clock: it is the real rate that counts."""

    def __init__(self, seconds: Callable[[], float] = machine_seconds) -> None:
        self._seconds = seconds
        self._hosts: dict[str, _Host] = {}

    def arrived(self, host: str, weight: int) -> None:
        """Count one request."""
        now = self._seconds()
        seen = self._hosts.setdefault(host, _Host())
        seen.requests += 1
        seen.weight += weight
        seen.by_day[int(now // _DAY)] += 1
        seen.too_early += now < seen.stay_away_until
        for name, length in _WINDOWS.items():
            recent = seen.recent[name]
            recent.append((now, weight))
            seen.within[name] += weight
            while recent[0][0] <= now - length:
                seen.within[name] -= recent.popleft()[1]
            seen.most[name] = max(seen.most[name], seen.within[name])

    def answered(self, host: str, status: int, retry_after: str | None, *, is_fault: bool) -> None:
        """Note a refusal: the venue's own, which a polite caller never meets, or one of a fault that was asked for."""
        if status not in _REFUSALS:
            return
        seen = self._hosts.setdefault(host, _Host())
        (seen.faults if is_fault else seen.refused)[str(status)] += 1
        if retry_after and retry_after.isdecimal():
            seen.stay_away_until = max(seen.stay_away_until, self._seconds() + int(retry_after))

    def account(self) -> dict[str, dict[str, object]]:
        """By host: requests, weight, the most weight in any second and minute and the most requests in any UTC day,
        429s and 418s of the venue's own and of faults, and requests that came before a Retry-After was over."""
        return {
            host: {
                "requests": seen.requests,
                "weight": seen.weight,
                "most_weight_in_a_second": seen.most["second"],
                "most_weight_in_a_minute": seen.most["minute"],
                "most_requests_in_a_day": max(seen.by_day.values(), default=0),
                "refused": {str(status): seen.refused[str(status)] for status in _REFUSALS},
                "refused_by_faults": {str(status): seen.faults[str(status)] for status in _REFUSALS},
                "too_early": seen.too_early,
            }
            for host, seen in self._hosts.items()
        }

    def clear(self) -> None:
        """Begin to count anew; what callers were told about staying away is forgotten too."""
        self._hosts.clear()

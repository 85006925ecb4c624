"""The only module that sends metrics: StatsD over UDP with InfluxDB tags, the dialect Airflow is set to as well.

`STATSD_HOST` and `STATSD_PORT` (8125 where absent) say where to; without a host nothing is sent. A metric that is not
declared raises wherever it runs, so a test sees it; nothing the network does ever raises.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache

from statsd import StatsClient

from include.metrics.metric import MetricType
from include.metrics.registry import declared

# In a tag these would end the tag, the name or the line for the receiver.
_ILLEGAL_IN_TAG = re.compile(r"[^A-Za-z0-9_./+-]")

_log = logging.getLogger(__name__)


def count(name: str, value: int = 1, /, **labels: object) -> None:
    """Add to a counter; nothing is sent for 0. A negative value is a ValueError: counters only rise."""
    stat = _tagged(name, "counter", labels)
    if value < 0:
        raise ValueError(f"counter {name} cannot fall by {-value}")
    if value and (client := _client()):
        client.incr(stat, value)


def declare(series: Iterable[tuple[str, dict[str, str]]]) -> None:
    """Send counters at 0, which changes none: those that have counted nothing yet are seen from then on."""
    if client := _client():
        for name, labels in series:
            client.incr(_tagged(name, "counter", labels), 0)


def zeros(series: Iterable[tuple[str, dict[str, str]]]) -> Iterator[bytes]:
    """The packets that `declare` sends."""
    for name, labels in series:
        yield f"{_tagged(name, 'counter', labels)}:0|c".encode()


def timing(name: str, seconds: float, /, **labels: object) -> None:
    """Report one duration in seconds."""
    stat = _tagged(name, "timer", labels)
    if client := _client():
        client.timing(stat, seconds * 1000)


def _tagged(name: str, type_: MetricType, labels: Mapping[str, object]) -> str:
    metric = declared(name, type_, set(labels))
    tags = (f"{label}={_ILLEGAL_IN_TAG.sub('_', str(labels[label])) or '_'}" for label in metric.labels)
    return ",".join((name, *tags))


@cache
def _client() -> StatsClient | None:
    """One client per process; the library swallows what sending a packet may raise, but not looking up the host."""
    host = os.environ.get("STATSD_HOST")
    if not host:
        return None
    try:
        return StatsClient(host, int(os.environ.get("STATSD_PORT", "8125")))
    except OSError as error:
        _log.warning("no metrics are sent from this process: %s (STATSD_HOST=%s)", error, host)
        return None

"""alternative.me: the Crypto Fear & Greed index, one value for each UTC day since 2018-02-01 but for a few.

Attribution to alternative.me is due wherever the values are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from include.candles.model import RejectedRow
from include.candles.timeframes import EPOCH
from include.candles.validate import raw_text
from include.venues.answers import read_json
from include.venues.errors import NoDataError, RequestRejectedError, UnavailableError, VenueError
from include.venues.gate import NO_GATE, Gate
from include.venues.http import Response, Retry, Transport, fetch, world
from include.venues.model import FearGreed, Observations

VENUE = "alternative_me"
# A day's value is stamped midnight but appears some minutes later; until then nobody can have known it.
PUBLICATION_DELAY = timedelta(minutes=15)


class AlternativeMe:
    """Client of one base URL."""

    def __init__(self, transport: Transport, retry: Retry | None = None, gate: Gate = NO_GATE) -> None:
        self._transport = transport
        self._retry = retry or Retry()
        self._gate = gate

    def fear_greed(self, limit: int) -> Observations[FearGreed]:
        """The newest `limit` days (0: all), ascending. `published_at` is 15 minutes after the day begins (UTC).

        Different values for one day are all refused. Raises NoDataError for an answer without a usable day.
        """
        if limit < 0:
            raise ValueError(f"limit {limit} is negative; 0 asks for all days")
        # Without the trailing slash the venue redirects.
        return fetch(
            VENUE, self._transport, "/fng/", {"limit": limit}, _observations, retry=self._retry, gate=self._gate
        )


def _observations(response: Response) -> Observations[FearGreed]:
    answer = read_json(VENUE, response, _refusal)
    try:
        problem, rows = answer["metadata"]["error"], list(answer["data"])
    except (KeyError, TypeError) as error:
        raise UnavailableError(VENUE, f"answer of {response.url} cannot be read: {error!r}") from error
    if problem is not None:
        raise UnavailableError(VENUE, f"error in the answer of {response.url}: {problem}")
    by_day: dict[date, list[tuple[FearGreed, Any]]] = {}
    rejected: list[RejectedRow] = []
    for row in rows:
        try:
            reading = _fear_greed(row)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            rejected.append(RejectedRow(f"index cannot be read: {error!r}", raw_text(row)))
        else:
            by_day.setdefault(reading.day, []).append((reading, row))
    readings: list[FearGreed] = []
    for day in sorted(by_day):
        versions = by_day[day]
        if len({reading for reading, _ in versions}) == 1:
            readings.append(versions[0][0])
        else:
            rejected += [RejectedRow(f"different values for {day}", raw_text(row)) for _, row in versions]
    if not readings:
        raise NoDataError(VENUE, f"no usable day among {len(rows)} rows of {response.url}")
    return Observations(readings, world(response), response.url, rejected)


def _fear_greed(row: Mapping[str, Any]) -> FearGreed:
    """An item of `data`, in which every value is a text; the time stamp is in seconds."""
    value = int(row["value"])
    if not 0 <= value <= 100:
        raise ValueError(f"{value} is not between 0 and 100")
    classification = row["value_classification"]
    if not isinstance(classification, str) or not classification:
        raise ValueError("no classification")
    stamped = EPOCH + timedelta(seconds=int(row["timestamp"]))
    return FearGreed(stamped.date(), value, classification, stamped + PUBLICATION_DELAY)


def _refusal(response: Response, body: Any) -> VenueError:
    return RequestRejectedError(VENUE, f"HTTP {response.status} from {response.url}: {body}")

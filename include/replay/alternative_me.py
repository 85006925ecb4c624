"""alternative.me's Fear & Greed index over a world."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from include.replay.answers import json_answer, not_served
from include.replay.clock import ReplayClock
from include.replay.world import DAY_MS, World

# A day's value is published this long after its midnight.
PUBLICATION_DELAY_MS = 10 * 60 * 1000


class AlternativeMe:
    """Routes below `/alternative_me`. Every value is text; only the newest item says when the next one is due."""

    def __init__(self, world: World, clock: ReplayClock) -> None:
        self._world = world
        self._clock = clock

    def routes(self) -> list[Route]:
        return [Route("/fng/", self._fear_greed, methods=["GET"])]

    async def _fear_greed(self, request: Request) -> Response:
        query = request.query_params
        if query.get("date_format") or query.get("format", "json") != "json":
            return not_served("date_format, and any format but json")
        limit = query.get("limit", "1")
        if not limit.isdigit():
            return json_answer({"name": "Fear and Greed Index", "data": [], "metadata": {"error": "Invalid limit"}})
        now_ms = self._clock.now_ms()
        days = self._world.sentiment(now_ms - PUBLICATION_DELAY_MS)[::-1]
        items = [
            {
                "value": str(day.value),
                "value_classification": day.classification,
                "timestamp": str(day.opened_ms // 1000),
            }
            for day in (days[: int(limit)] if int(limit) else days)
        ]
        if items:
            items[0]["time_until_update"] = str((DAY_MS - now_ms % DAY_MS) // 1000)
        return json_answer({"name": "Fear and Greed Index", "data": items, "metadata": {"error": None}})

"""Binance as far as a download needs it, on localhost, each answer as late as a real one: klines and monthly files.

`python -m benchmarks.ingest.server --candles N --months M --latency SECONDS`; prints its port when it is ready.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import io
import json
import time
import zipfile
from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiohttp import web

from benchmarks.ingest.candles import FIRST, MINUTE, json_row, lines, walk
from include.candles.timeframes import EPOCH
from include.venues.binance_archive_files import ArchiveFile, following_month

PAGE = 1000
WEIGHTS = {"/api/v3/klines": 2, "/api/v3/exchangeInfo": 20}
FIRST_MS = (FIRST - EPOCH) // timedelta(milliseconds=1)
MINUTE_MS = 60_000
NO_SUCH_KEY = "<Error><Code>NoSuchKey</Code></Error>"
LISTING = {
    "timezone": "UTC",
    "serverTime": FIRST_MS,
    "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000}],
    "exchangeFilters": [],
    "symbols": [
        {
            "symbol": "BTCUSDT",
            "status": "TRADING",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "baseCommissionPrecision": 8,
            "quoteCommissionPrecision": 8,
            "orderTypes": ["LIMIT", "MARKET"],
            "isSpotTradingAllowed": True,
            "isMarginTradingAllowed": False,
            "permissions": [],
            "permissionSets": [["SPOT"]],
            "filters": [
                {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01"},
                {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000.00", "stepSize": "0.00001"},
                {"filterType": "NOTIONAL", "minNotional": "5.00", "maxNotional": "9000000.00"},
            ],
        }
    ],
}


class Venue:
    """`rows`: minutes REST has; `files`: what lies in the archive, by path. Counts weight per wall-clock minute."""

    def __init__(self, candles: int, months: int, latency: float) -> None:
        self.latency = latency
        self.minute, self.used = 0, 0
        self.files: dict[str, bytes] = {}
        month, files = FIRST.date(), []
        for _ in range(months):
            files.append(ArchiveFile.of_month("BTCUSDT", "1m", month))
            month = following_month(month)
        archived = (files[-1].end - FIRST) // MINUTE if files else 0
        text = lines(walk(max(candles, archived)))
        for file in files:
            first, last = (file.start - FIRST) // MINUTE, (file.end - FIRST) // MINUTE
            self._publish(file, "\n".join([*text[first:last], ""]).encode())
        self.rows = [json_row(line) for line in text[:candles]]

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._charged])
        app.router.add_get("/api/v3/klines", self.klines)
        app.router.add_get("/api/v3/exchangeInfo", self.listing)
        app.router.add_get("/api/v3/time", self.time)
        app.router.add_get("/data/{path:.*}", self.file)
        return app

    def _publish(self, file: ArchiveFile, text: bytes) -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            archive.writestr(f"{file.stem}.csv", text)
        body = packed.getvalue()
        self.files[file.path] = body
        self.files[f"{file.path}.CHECKSUM"] = f"{hashlib.sha256(body).hexdigest()}  {file.name}\n".encode()

    @web.middleware
    async def _charged(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Late, with the weight this minute has used, and refused above 6000."""
        minute = int(time.time() // 60)
        if minute != self.minute:
            self.minute, self.used = minute, 0
        self.used += WEIGHTS.get(request.path, 1 if request.path.startswith("/api") else 0)
        await asyncio.sleep(self.latency)
        if self.used > 6000:
            seconds = str(60 - int(time.time() % 60))
            return web.json_response({"code": -1003, "msg": "Too much request weight used."}, status=429,
                                     headers={"Retry-After": seconds})  # fmt: skip
        answer = await handler(request)
        answer.headers["X-MBX-USED-WEIGHT-1M"] = str(self.used)
        return answer

    async def klines(self, request: web.Request) -> web.Response:
        """The oldest rows of the window, as the venue chooses them where startTime is given."""
        asked = request.query
        limit = min(PAGE, int(asked.get("limit", 500)))
        first = max(0, -((FIRST_MS - int(asked["startTime"])) // MINUTE_MS))
        last = min(len(self.rows), first + limit)
        if "endTime" in asked:
            last = min(last, (int(asked["endTime"]) - FIRST_MS) // MINUTE_MS + 1)
        return web.Response(body=b"[" + b",".join(self.rows[first:last]) + b"]", content_type="application/json")

    async def listing(self, request: web.Request) -> web.Response:
        return web.json_response(LISTING)

    async def time(self, request: web.Request) -> web.Response:
        return web.json_response({"serverTime": int(time.time() * 1000)})

    async def file(self, request: web.Request) -> web.Response:
        body = self.files.get(request.path)
        if body is None:
            return web.Response(
                status=404, text="<Error><Code>NoSuchKey</Code></Error>", content_type="application/xml"
            )
        return web.Response(body=body, headers={"ETag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'})


async def serve(venue: Venue) -> None:
    runner = web.AppRunner(venue.app(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(json.dumps({"port": runner.addresses[0][1], "candles": len(venue.rows)}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--candles", type=int, required=True)
    parser.add_argument("--months", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.15)
    asked = parser.parse_args()
    asyncio.run(serve(Venue(asked.candles, asked.months, asked.latency)))


if __name__ == "__main__":
    main()

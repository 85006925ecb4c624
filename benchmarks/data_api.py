"""What an answer of the data API costs, beside a bare FastAPI route that returns a constant: `make bench-api`.

Asks a stack that is up (`make demo`, `make up`), over loopback and through Airflow's own login, the five calls that
the pages make most often; in rounds, the yardstick first in each, so that all meet the same machine. Each call is
bounded in number and time. Then a year of hourly candles of one market, one asker at a time: exit status 1 where 95 of
100 did not have it in 100 ms of the server's time, where no whole year is there, or where anything was not answered by
200; 2 where no stack could be asked.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import requests

from benchmarks.api.bare import PATH, bare
from benchmarks.api.load import Call, Sample, load, quantile
from include.stack.credentials import AIRFLOW_USERS, load_or_create
from include.stack.layout import Layout, Ports, StackError
from include.stack.query import known_layout

HOST, API = "127.0.0.1", "/market/api/v1"
HOURS_OF_A_YEAR = 365 * 24
YEAR_MS = 100  # of the server's time
ROUNDS = 5
HEADINGS = ("call", "answers", "p50 ms", "p95 ms", "p95 / bare", "answers/s", "server p95 ms", "KB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--market", default="binance:BTC/USDT", help="of what is asked (default: %(default)s)")
    parser.add_argument("--user", default="viewer", choices=AIRFLOW_USERS, help="who asks (default: %(default)s)")
    parser.add_argument("--askers", type=int, default=4, help="at a time (default: %(default)s)")
    parser.add_argument("--most", type=int, default=400, help="questions per call (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="per call, at most (default: %(default)s)")
    options = parser.parse_args()
    try:
        layout = known_layout(Layout.from_environment("live").var)
        port = Ports.from_environment().airflow
        password = load_or_create(layout.credentials)[0].airflow_users()[options.user]
        token = log_in(port, options.user, password)
        end = newest_close(port, token, options.market)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{layout.world} world, {os.cpu_count()} processors, load before {os.getloadavg()[0]:.1f}")
    with bare() as bare_port:
        asked = [Call("bare FastAPI, a constant", HOST, bare_port, PATH), *calls(port, token, options.market, end)]
        found = in_rounds(asked, options.askers, options.most, options.seconds)
    print(f"\n{options.askers} askers at a time")
    print("\n".join(table(found)))
    year = load(year_of_hours(port, token, options.market, end), askers=1, most=100, seconds=options.seconds)
    said, missed = judged(year, hours_in(port, token, options.market, end))
    print(f"\n{said}")
    failed = {name: sample.failed for name, sample in {**found, "a year": year}.items() if sample.failed}
    for name, statuses in failed.items():
        print(f"not answered: {name}: {', '.join(sorted(set(statuses)))}, {len(statuses)} times", file=sys.stderr)
    return 1 if missed or failed else 0


def log_in(port: int, user: str, password: str) -> str:
    """Airflow's token. Raises StackError where no Airflow answers."""
    try:
        answer = requests.post(
            f"http://{HOST}:{port}/auth/token", json={"username": user, "password": password}, timeout=10
        )
        answer.raise_for_status()
    except requests.RequestException as error:
        raise StackError(f"no Airflow lets {user} in at port {port}: {error}; start one with `make demo`") from error
    return str(answer.json()["access_token"])


def get(port: int, token: str, path: str, **asked: Any) -> Any:
    answer = requests.get(
        f"http://{HOST}:{port}{API}/{path}",
        params={"untrusted": "true", **asked},
        headers={"Authorization": f"Bearer {token}"},
        timeout=30,
    )
    if answer.status_code != 200:
        raise StackError(f"the data API answered {answer.status_code} to {path}: {answer.text[:300]}")
    return answer.json()


def newest_close(port: int, token: str, market: str) -> datetime:
    """Close of the market's newest hour, UTC. Raises StackError where the API does not answer, or knows no hour."""
    for row in get(port, token, "instruments")["data"]:
        if f"{row['venue']}:{row['symbol']}" == market and row["newest_opened_at"]:
            return datetime.fromisoformat(row["newest_opened_at"]) + timedelta(hours=1)
    raise StackError(f"there is no hour of {market}; name another market: --market")


def window(market: str, end: datetime) -> dict[str, str]:
    """A year of hours of one market."""
    venue, _, symbol = market.partition(":")
    start = end - timedelta(hours=HOURS_OF_A_YEAR)
    return {"venue": venue, "symbol": symbol, "timeframe": "1h", "from": start.isoformat(), "to": end.isoformat()}


def calls(port: int, token: str, market: str, end: datetime) -> list[Call]:
    """What the first views of the pages ask."""
    year = window(market, end)
    of_market = {name: year[name] for name in ("venue", "symbol", "timeframe")}
    asked: dict[str, dict[str, str]] = {
        "candles/chart": {**year, "points": "800", "indicators": "sma_30,rsi_14"},
        "candles": of_market,
        "tickers/latest": {},
        "coverage": of_market,
        "forecasts/latest": {},
    }
    return [_call(f"/{path}", port, token, path, values) for path, values in asked.items()]


def year_of_hours(port: int, token: str, market: str, end: datetime) -> Call:
    return _call("a year of hourly candles", port, token, "candles", {**window(market, end), "limit": "10000"})


def hours_in(port: int, token: str, market: str, end: datetime) -> int:
    """How many candles the year of the question has."""
    return len(get(port, token, "candles", **window(market, end), limit=10_000)["data"])


def _call(name: str, port: int, token: str, path: str, values: dict[str, str]) -> Call:
    query = urlencode({**values, "untrusted": "true"})
    return Call(name, HOST, port, f"{API}/{path}?{query}", {"Authorization": f"Bearer {token}"})


def in_rounds(asked: list[Call], askers: int, most: int, seconds: float) -> dict[str, Sample]:
    """All calls in turn, round by round; what was answered before the first round is not counted."""
    for call in asked:
        load(call, askers=askers, most=2 * askers, seconds=seconds / ROUNDS)
    found = {call.name: Sample() for call in asked}
    for _ in range(ROUNDS):
        for call in asked:
            found[call.name].add(load(call, askers=askers, most=most // ROUNDS, seconds=seconds / ROUNDS))
    return found


def table(found: dict[str, Sample]) -> list[str]:
    """Aligned lines; the first sample is the yardstick of the ratios."""
    yardstick = next(iter(found.values()))
    lines = [HEADINGS, *(_cells(name, sample, yardstick) for name, sample in found.items())]
    widths = [max(len(line[place]) for line in lines) for place in range(len(HEADINGS))]
    return ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines]


def _cells(name: str, sample: Sample, yardstick: Sample) -> tuple[str, ...]:
    if not sample.seconds:
        return (name, "0", *["-"] * (len(HEADINGS) - 2))
    p95 = quantile(sample.seconds, 0.95)
    ratio = f"{p95 / quantile(yardstick.seconds, 0.95):.1f}" if yardstick.seconds else "-"
    server = f"{1000 * quantile(sample.server, 0.95):.1f}" if sample.server else "-"
    p50 = quantile(sample.seconds, 0.5)
    return (
        name,
        str(len(sample.seconds)),
        f"{1000 * p50:.1f}",
        f"{1000 * p95:.1f}",
        ratio,
        f"{sample.rate:.0f}",
        server,
        f"{sample.size / 1000:.1f}",
    )


def judged(year: Sample, hours: int) -> tuple[str, bool]:
    """A line about the year of hours, and whether what is promised of it was missed."""
    if not year.server:
        return "a year of hourly candles: no answer said how long the server took", True
    server = [1000 * seconds for seconds in year.server]
    p95 = quantile(server, 0.95)
    said = (
        f"a year of hourly candles of one market: {hours} candles in {year.size / 1e6:.1f} MB of JSON, "
        f"{len(server)} answers, one at a time; server {quantile(server, 0.5):.0f} ms (p50), {p95:.0f} ms (p95), "
        f"limit {YEAR_MS}; client {1000 * quantile(year.seconds, 0.5):.0f} ms (p50)"
    )
    if hours < HOURS_OF_A_YEAR:
        return f"{said}; NOT A WHOLE YEAR: {HOURS_OF_A_YEAR} hours are wanted", True
    return said, p95 >= YEAR_MS


if __name__ == "__main__":
    sys.exit(main())

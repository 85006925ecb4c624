"""What a backfill costs, by hand and by the command: sums, reach, months, and both ways of printing them."""

import argparse
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.clock import FixedClock
from include.collect import quote_command
from include.collect.quote import BYTES_PER_CANDLE, Cost, quote
from include.collect.sources import SourceSettings
from include.config.markets import MARKETS, TIMEFRAMES, Market

NOW = datetime(2024, 7, 1, 12, 30, tzinfo=UTC)
BINANCE = Market("binance", "BTC/USDT", "BTCUSDT", datetime(2017, 8, 17, 4, tzinfo=UTC))
KRAKEN = Market("kraken", "BTC/USD", "XXBTZUSD", datetime(2013, 10, 6, 21, tzinfo=UTC))
COINBASE = Market("coinbase", "BTC/USD", "BTC-USD", datetime(2015, 7, 20, tzinfo=UTC))
NONE = SourceSettings()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def costs(market: Market, start: str, end: str, timeframe: str = "1h", settings: SourceSettings = NONE) -> Any:
    found = quote([market], [timeframe], at(start), at(end), NOW, settings)
    return {source: cost for (_, source), cost in found.by_source.items()}


def test_months_of_binance_cost_a_file_and_its_checksum_each() -> None:
    (cost,) = costs(BINANCE, "2024-01-01", "2024-04-01").values()
    assert cost == Cost(requests=6, weight=6, bytes=91 * 24 * 60, rows=91 * 24, minutes=6 / 1200)


def test_a_month_in_progress_costs_pages_of_rest() -> None:
    (cost,) = costs(BINANCE, "2024-06-01", "2024-07-01").values()
    assert (cost.requests, cost.weight, cost.rows, cost.minutes) == (1, 2, 720, 2 / 1200)
    minutes = costs(BINANCE, "2024-06-01", "2024-07-01", "1m")
    assert (minutes["binance-archive"].requests, minutes["binance-archive"].rows) == (56, 28 * 1440)
    assert (minutes["binance-rest"].requests, minutes["binance-rest"].rows) == (3, 2 * 1440)


def test_rest_is_asked_month_by_month_as_the_backfill_runs() -> None:
    assert costs(COINBASE, "2024-01-01", "2024-03-01", "1d")["coinbase-rest"].requests == 2
    assert costs(COINBASE, "2024-01-01", "2024-02-01")["coinbase-rest"].requests == 3
    assert costs(COINBASE, "2024-01-01", "2024-02-01")["coinbase-rest"].minutes == pytest.approx(3 / 5 / 60)


def test_what_kraken_does_not_keep_is_out_of_reach_as_one_stretch() -> None:
    found = quote([KRAKEN], ["1h"], at("2024-01-01"), at("2024-07-01"), NOW, NONE)
    (missing,) = found.out_of_reach
    edge = at("2024-07-01 12:00") - 719 * timedelta(hours=1)
    assert (missing.market, missing.timeframe, missing.start, missing.end) == (
        "kraken:BTC/USD",
        "1h",
        at("2024-01-01"),
        edge,
    )
    kept = found.by_source["kraken", "kraken-rest"].rows
    assert missing.rows + kept == 182 * 24
    assert kept == (at("2024-07-01") - edge) // timedelta(hours=1)


def test_krakens_trades_take_about_a_thousand_requests_a_month() -> None:
    cost = costs(KRAKEN, "2024-01-01", "2024-02-01", settings=SourceSettings(kraken_trades=True))["kraken-trades"]
    assert cost.requests == 807
    assert cost.rows == 744
    assert cost.minutes == pytest.approx(807 * 1.5 / 60)


def test_krakens_files_cost_no_request() -> None:
    cost = costs(KRAKEN, "2024-01-01", "2024-02-01", settings=SourceSettings(kraken_ohlcvt=True))["kraken-ohlcvt"]
    assert (cost.requests, cost.minutes, cost.rows, cost.bytes) == (0, 0, 744, 744 * 59)


def test_rows_are_all_candles_closed_and_listed() -> None:
    listing = costs(BINANCE, "2017-01-01", "2017-10-01")["binance-archive"]
    assert (listing.rows, listing.requests) == ((at("2017-10-01") - BINANCE.listed_at) // timedelta(hours=1), 4)
    assert sum(cost.rows for cost in costs(BINANCE, "2024-06-30", "2025-01-01").values()) == 24 + 12
    assert costs(BINANCE, "2016-01-01", "2016-02-01") == {}
    assert costs(BINANCE, "2025-01-01", "2025-02-01") == {}


def test_a_timeframe_a_venue_lacks_is_said_and_the_others_are_quoted() -> None:
    found = quote([KRAKEN, COINBASE], ["2h"], at("2024-06-20"), at("2024-06-21"), NOW, NONE)
    assert found.lacking == ["kraken:BTC/USD has no 2h candles"]
    assert [source for _, source in found.by_source] == ["coinbase-rest"]


def test_venues_are_the_sums_of_their_sources() -> None:
    found = quote([BINANCE, COINBASE], ["1h", "1d"], at("2024-01-15"), at("2024-07-01"), NOW, NONE)
    venue = found.by_venue()["binance"]
    parts = [cost for (of, _), cost in found.by_source.items() if of == "binance"]
    assert len(parts) == 2
    assert (venue.requests, venue.rows) == (sum(p.requests for p in parts), sum(p.rows for p in parts))
    assert set(found.by_venue()) == {"binance", "coinbase"}


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    parser = argparse.ArgumentParser()
    quote_command.add_arguments(parser)
    status = quote_command.run(parser.parse_args(arguments), FixedClock(datetime(2027, 3, 1, tzinfo=UTC)))
    told = capsys.readouterr()
    return status, told.out, told.err


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    window = ("--from", "2018-01-01", "--to", "2025-02-01")
    status, out, err = ask(capsys, "--markets", "binance:BTC/USDT", "kraken:BTC/USD", *window)
    assert (status, err) == (0, "")
    head, *rows = out.splitlines()
    assert head.split() == list(quote_command.COLUMNS)
    assert rows[0].split()[:5] == ["binance", "binance-archive", "340", "340", "64,700"]
    assert rows[1].split()[:2] == ["binance", "all"]
    assert rows[2].split()[:2] == ["all", "340"]
    assert "out of reach: kraken:BTC/USD 1h, 2018-01-01 00:00 to 2025-02-01 00:00: 62,112 candles" in out


def test_the_command_speaks_json_to_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = ask(capsys, "--from", "2018-01-01", "--to", "2018-03-01T00:00:00+00:00", "--json")
    assert status == 0
    answer = json.loads(out)
    assert {venue["venue"] for venue in answer["venues"]} == {"binance", "coinbase"}
    (binance,) = [venue for venue in answer["venues"] if venue["venue"] == "binance"]
    markets = sum(market.venue == "binance" for market in MARKETS)
    assert binance["rows"] == markets * 59 * 25
    assert binance["requests"] == markets * 2 * 2 * len(TIMEFRAMES)
    assert [source["source"] for source in binance["sources"]] == ["binance-archive"]
    assert {each["market"] for each in answer["out_of_reach"]} == {"kraken:BTC/USD", "kraken:ETH/USD"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--from", "2018-01-01", "--markets", "binance:DOGE/USDT"), "is not configured"),
        (("--from", "2018-01-02", "--to", "2018-01-01"), "nothing lies between"),
    ],
)
def test_the_command_says_what_is_wrong(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], problem: str
) -> None:
    status, out, err = ask(capsys, *arguments)
    assert (status, out) == (1, "")
    assert problem in err


def test_bytes_are_as_measured_on_recorded_answers(market_data_dir: Path) -> None:
    pages = sorted((market_data_dir / "binance/raw_rest_pages").glob("*.json.gz"))
    assert len(pages) > 5
    for page in pages:
        rows = json.loads(gzip.decompress(page.read_bytes()))
        sent = gzip.compress(json.dumps(rows, separators=(",", ":")).encode(), 6)
        assert len(sent) / len(rows) == pytest.approx(BYTES_PER_CANDLE["binance-rest"], rel=0.25)

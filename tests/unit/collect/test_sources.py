"""Which source serves which stretch: whole and partial months, due dates, reach, listing; nothing lost in between."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.candles.timeframes import ceil, floor
from include.collect.sources import (
    BINANCE_ARCHIVE,
    KRAKEN_OHLCVT,
    KRAKEN_TRADES,
    OUT_OF_REACH,
    SourceSettings,
    plan_sources,
)
from include.config.markets import Market
from include.venues.capabilities import CAPABILITIES

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LISTED = datetime(2017, 8, 17, 4, tzinfo=UTC)
BINANCE = Market("binance", "BTC/USDT", "BTCUSDT", LISTED)
KRAKEN = Market("kraken", "BTC/USD", "XXBTZUSD", datetime(2013, 10, 6, 21, tzinfo=UTC))
COINBASE = Market("coinbase", "BTC/USD", "BTC-USD", datetime(2015, 7, 20, tzinfo=UTC))
NONE, ALL = SourceSettings(), SourceSettings(kraken_ohlcvt=True, kraken_trades=True)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def plan(
    market: Market, start: str, end: str, now: str, timeframe: str = "1h", settings: SourceSettings = NONE
) -> list[tuple[str, datetime, datetime]]:
    segments = plan_sources(market, timeframe, at(start), at(end), at(now), settings)
    return [(segment.source, segment.start, segment.end) for segment in segments]


def test_whole_months_come_from_the_archive_and_the_rest_from_rest() -> None:
    assert plan(BINANCE, "2024-01-20", "2024-05-10 06:00", "2024-07-01") == [
        ("binance-rest", at("2024-01-20"), at("2024-02-01")),
        (BINANCE_ARCHIVE, at("2024-02-01"), at("2024-05-01")),
        ("binance-rest", at("2024-05-01"), at("2024-05-10 06:00")),
    ]


def test_the_files_of_a_segment_are_its_months() -> None:
    (segment,) = plan_sources(BINANCE, "1h", at("2023-12-01"), at("2024-03-01"), at("2024-07-01"), NONE)
    assert [file.name for file in segment.files] == [f"BTCUSDT-1h-{m}.zip" for m in ("2023-12", "2024-01", "2024-02")]
    assert segment.fallbacks == ("binance-rest",)


@pytest.mark.parametrize(("now", "source"), [("2024-02-14 23:59", "binance-rest"), ("2024-02-15", BINANCE_ARCHIVE)])
def test_a_month_comes_from_the_archive_once_it_is_due(now: str, source: str) -> None:
    assert plan(BINANCE, "2024-01-01", "2024-02-01", now) == [(source, at("2024-01-01"), at("2024-02-01"))]


def test_the_month_of_the_listing_is_whole_from_the_listing_on() -> None:
    assert plan(BINANCE, "2017-01-01", "2017-10-01", "2018-01-01") == [(BINANCE_ARCHIVE, LISTED, at("2017-10-01"))]
    assert plan(BINANCE, "2017-08-18", "2017-09-01", "2018-01-01")[0][0] == "binance-rest"


def test_the_day_of_the_listing_belongs_to_it() -> None:
    assert plan(BINANCE, "2017-08-01", "2017-09-01", "2018-01-01", "1d") == [
        (BINANCE_ARCHIVE, at("2017-08-17"), at("2017-09-01"))
    ]


def test_minutes_of_a_month_in_progress_come_by_day_once_a_day_is_due() -> None:
    assert plan(BINANCE, "2024-02-01", "2024-02-06 12:00", "2024-02-06 11:30", "1m") == [
        (BINANCE_ARCHIVE, at("2024-02-01"), at("2024-02-04")),
        ("binance-rest", at("2024-02-04"), at("2024-02-06 11:30")),
    ]
    (days, _) = plan_sources(BINANCE, "1m", at("2024-02-01"), at("2024-02-06"), at("2024-02-06 11:30"), NONE)
    assert [file.name for file in days.files] == [f"BTCUSDT-1m-2024-02-0{day}.zip" for day in (1, 2, 3)]
    assert plan(BINANCE, "2024-02-01", "2024-02-06", "2024-02-06 11:30", "5m")[0][0] == "binance-rest"


def test_what_is_not_closed_and_what_is_not_listed_is_left_out() -> None:
    assert plan(BINANCE, "2024-05-01", "2024-06-01", "2024-05-01 02:30")[-1][2] == at("2024-05-01 02:00")
    assert plan(BINANCE, "2024-06-01", "2024-07-01", "2024-05-01") == []
    assert plan(BINANCE, "2010-01-01", "2017-08-17 04:00", "2024-05-01") == []


def test_kraken_reaches_719_closed_candles_back() -> None:
    now = at("2024-05-01 12:30")
    edge = floor(now, "1h") - 719 * HOUR
    assert plan(KRAKEN, "2024-01-01", "2024-05-02", "2024-05-01 12:30") == [
        (OUT_OF_REACH, at("2024-01-01"), edge),
        ("kraken-rest", edge, at("2024-05-01 12:00")),
    ]
    assert plan(KRAKEN, "2024-04-20", "2024-04-21", "2024-05-01") == [
        ("kraken-rest", at("2024-04-20"), at("2024-04-21"))
    ]
    assert plan(KRAKEN, "2020-01-01", "2020-02-01", "2024-05-01") == [
        (OUT_OF_REACH, at("2020-01-01"), at("2020-02-01"))
    ]


@pytest.mark.parametrize(
    ("settings", "chain"),
    [
        (NONE, (OUT_OF_REACH,)),
        (SourceSettings(kraken_trades=True), (KRAKEN_TRADES, OUT_OF_REACH)),
        (SourceSettings(kraken_ohlcvt=True), (KRAKEN_OHLCVT, OUT_OF_REACH)),
        (ALL, (KRAKEN_OHLCVT, KRAKEN_TRADES, OUT_OF_REACH)),
    ],
)
def test_older_candles_of_kraken_come_from_what_is_allowed(settings: SourceSettings, chain: tuple[str, ...]) -> None:
    old, new = plan_sources(KRAKEN, "1h", at("2020-01-01"), at("2024-05-01"), at("2024-05-01"), settings)
    assert (old.source, *old.fallbacks) == chain
    assert new.fallbacks == chain


def test_coinbase_keeps_everything() -> None:
    assert plan(COINBASE, "2016-01-01", "2024-05-01", "2024-05-01", settings=ALL) == [
        ("coinbase-rest", at("2016-01-01"), at("2024-05-01"))
    ]


@pytest.mark.parametrize(
    ("market", "timeframe", "named"),
    [(KRAKEN, "2h", "1m, 5m, 15m, 30m, 1h, 4h, 1d"), (COINBASE, "12h", "1m, 5m"), (BINANCE, "1M", "12h, 1d")],
)
def test_a_timeframe_the_venue_lacks_is_named_with_those_it_has(market: Market, timeframe: str, named: str) -> None:
    with pytest.raises(ValueError, match=rf"{market.venue} has no timeframe '{timeframe}'; it has .*{named}"):
        plan(market, "2024-01-01", "2024-02-01", "2024-05-01", timeframe)


@given(
    market=st.sampled_from([BINANCE, KRAKEN, COINBASE]),
    timeframe=st.sampled_from(["1m", "1h", "1d"]),
    start=st.integers(0, 5000),
    length=st.integers(0, 2500),
    now=st.integers(0, 5000),
    settings=st.sampled_from([NONE, ALL]),
)
def test_segments_cover_the_closed_and_listed_window_once(
    market: Market, timeframe: str, start: int, length: int, now: int, settings: SourceSettings
) -> None:
    zero = datetime(2017, 6, 1, 5, 20, tzinfo=UTC)
    opens, ends, clock = zero + start * HOUR, zero + (start + length) * HOUR, zero + now * HOUR
    segments = plan_sources(market, timeframe, opens, ends, clock, settings)
    first = max(ceil(opens, timeframe), floor(market.listed_at, timeframe))
    until = min(ceil(ends, timeframe), floor(clock, timeframe))
    edges = [first, *(segment.end for segment in segments)] if segments else [until]
    assert edges[-1] == until or (not segments and first >= until)
    assert [segment.start for segment in segments] == edges[:-1]
    assert all(segment.start < segment.end for segment in segments)
    for segment in segments:
        held = [hour for file in segment.files for hour in (file.start, file.end)]
        assert not held or (held[0] <= segment.start and held[-1] == segment.end)
        assert bool(segment.files) == (segment.source == BINANCE_ARCHIVE)
        assert all(file.due_at <= clock for file in segment.files)


def test_a_new_venue_needs_nothing_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CAPABILITIES, "elsewhere", CAPABILITIES["coinbase"])
    market = Market("elsewhere", "BTC/USD", "btc", datetime(2020, 1, 1, tzinfo=UTC))
    assert plan(market, "2024-01-01", "2024-02-01", "2024-05-01")[0][0] == "elsewhere-rest"

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from include.collect.ticker_checks import AHEAD_BY, STALE_AFTER, fault_of_ticker, split_tickers
from include.venues.model import Ticker

NOW = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
GOOD = Ticker("XXBTZUSD", NOW, Decimal("68000.1"), bid=Decimal(68000), ask=Decimal("68000.1"), trade_count_24h=7)


def test_a_live_ticker_has_no_fault_and_neither_have_figures_that_were_not_supplied() -> None:
    assert fault_of_ticker(GOOD, NOW) is None
    assert fault_of_ticker(Ticker("X", NOW, Decimal(1)), NOW) is None
    assert fault_of_ticker(GOOD._replace(bid=GOOD.ask), NOW) is None
    for at in (NOW - STALE_AFTER, NOW + AHEAD_BY):
        assert fault_of_ticker(GOOD._replace(observed_at=at), NOW) is None


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"observed_at": NOW - STALE_AFTER - timedelta(seconds=1)}, "ticker is stale"),
        ({"observed_at": NOW + AHEAD_BY + timedelta(seconds=1)}, "ticker is of the future"),
        ({"last": Decimal(0)}, "ticker without trades"),
        ({"trade_count_24h": 0}, "ticker without trades"),
        ({"bid": Decimal(0)}, "ticker without bid or ask"),
        ({"ask": Decimal(0)}, "ticker without bid or ask"),
        ({"bid": Decimal("68000.2")}, "bid above ask"),
        ({"high_24h": Decimal(1), "low_24h": Decimal(2)}, "low above high"),
    ],
)
def test_what_cannot_be_a_live_ticker_is_refused(fields: dict[str, object], fault: str) -> None:
    ticker = GOOD._replace(**fields)  # type: ignore[arg-type]
    assert fault_of_ticker(ticker, NOW) == fault
    good, ((reason, raw, _),) = split_tickers([ticker], ["XXBTZUSD"], NOW)
    assert (good, reason) == ([], fault)
    assert "XXBTZUSD" in raw


def test_one_ticker_is_kept_for_each_symbol_that_was_asked_for() -> None:
    other = GOOD._replace(symbol="XETHZUSD")
    good, rejected = split_tickers([GOOD, other, GOOD, GOOD._replace(symbol="AAPLxUSD")], ["XXBTZUSD", "XETHZUSD"], NOW)
    assert good == [GOOD, other]
    assert [row.reason for row in rejected] == ["ticker of a symbol that was not asked for"]


def test_of_different_tickers_for_a_symbol_none_is_taken() -> None:
    good, rejected = split_tickers([GOOD, GOOD._replace(last=Decimal(67000))], ["XXBTZUSD"], NOW)
    assert good == []
    assert [row.reason for row in rejected] == ["different tickers for one symbol"] * 2

"""Any answer at all to the sources of coins and sentiment: rows that make sense, refused rows, or a typed error."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from include.venues.alternative_me import AlternativeMe
from include.venues.coingecko import CoinGecko
from include.venues.errors import VenueError
from include.venues.http import Response, Retry
from include.venues.model import CoinSnapshot, FearGreed

NOW = datetime(2024, 3, 21, 9, 0, tzinfo=UTC)
ONCE = Retry(attempts=1)
READERS: dict[str, Callable[[Any], Any]] = {
    "markets": lambda transport: CoinGecko(transport, retry=ONCE).markets(["bitcoin", "ethereum"], NOW),
    "simple_price": lambda transport: CoinGecko(transport, retry=ONCE).simple_price(["bitcoin", "ethereum"], NOW),
    "chart": lambda transport: CoinGecko(transport, retry=ONCE).market_chart("bitcoin", 30),
    "daily": lambda transport: CoinGecko(transport, retry=ONCE).daily_history("bitcoin"),
    "sentiment": lambda transport: AlternativeMe(transport, retry=ONCE).fear_greed(0),
}
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["bitcoin", "2024-03-21T08:59:30.123Z", "1711011570", "1e999", "-0", "", "40", "NaN", "9" * 400]),
    st.text(max_size=8),
)
NAMES = """id current_price market_cap last_updated last_updated_at usd bitcoin prices market_caps total_volumes
data metadata error status error_code value timestamp"""
KEYS = st.sampled_from(NAMES.split())
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=20
)
STAMPS = st.integers(-(10**14), 10**14) | st.integers(0, 20_000).map(lambda day: day * 86_400_000)
POINTS = st.lists(st.tuples(STAMPS | SCALARS, SCALARS).map(list) | SCALARS, max_size=6)
SHAPED = st.one_of(
    ANYTHING,
    st.lists(
        st.fixed_dictionaries({"id": st.sampled_from(["bitcoin", "ethereum"]), "current_price": SCALARS}), max_size=3
    ),
    st.fixed_dictionaries({"bitcoin": st.fixed_dictionaries({"usd": SCALARS, "last_updated_at": SCALARS})}),
    st.fixed_dictionaries({"prices": POINTS, "market_caps": POINTS, "total_volumes": POINTS}),
    st.fixed_dictionaries(
        {
            "metadata": st.just({"error": None}),
            "data": st.lists(
                st.fixed_dictionaries(
                    {"value": SCALARS, "value_classification": SCALARS, "timestamp": SCALARS | STAMPS}
                ),
                max_size=4,
            ),
        }
    ),
)
BODIES = st.binary(max_size=200) | SHAPED.map(lambda body: json.dumps(body).encode())


@pytest.mark.parametrize("reader", READERS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(body=b'{"status": {"error_code": null}}', status=200)
@given(body=BODIES, status=st.sampled_from([200] * 8 + [400, 401, 403, 404, 418, 429, 451, 500]))
def test_any_answer_gives_sane_rows_or_a_typed_error(reader: str, scripted: Any, body: bytes, status: int) -> None:
    transport = scripted(Response(status, {}, body, "https://venue.test/asked"))
    try:
        seen = READERS[reader](transport)
    except VenueError:
        return
    assert status == 200
    assert seen.rows
    for row in seen.rows:
        if isinstance(row, CoinSnapshot):
            figures = (row.price_usd, row.market_cap_usd, row.volume_24h_usd, row.circulating_supply)
            assert all(figure is None or (isinstance(figure, Decimal) and figure.is_finite()) for figure in figures)
            assert row.price_usd > 0
            assert row.coin in ("bitcoin", "ethereum")
            assert row.observed_at.tzinfo is not None
        else:
            assert isinstance(row, FearGreed)
            assert 0 <= row.value <= 100
            assert row.classification

"""Hooks of the sources: an Airflow http connection in, a typed client of include/venues out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.http.hooks.http import HttpHook

if TYPE_CHECKING:
    from airflow.sdk import ObjectStoragePath

    from include.venues.alternative_me import AlternativeMe
    from include.venues.binance_archive import BinanceArchive
    from include.venues.coinbase_advanced import CoinbaseAdvanced
    from include.venues.coingecko import CoinGecko
    from include.venues.gate import Gate
    from include.venues.http import RequestsTransport
    from include.venues.model import MarketVenue


class VenueHook(HttpHook):
    """Common part: the connection's host is the source's base URL, real or replayed."""

    def __init__(self, http_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(method="GET", http_conn_id=http_conn_id or self.default_conn_name, **kwargs)

    read_timeout_seconds = 30.0

    def transport(self) -> RequestsTransport:
        from include.venues.http import RequestsTransport

        session = self.get_conn()
        # The http hook sends every extra it does not know as a header; ours are settings, some of them secret.
        for extra in self.get_connection(self.http_conn_id).extra_dejson:
            session.headers.pop(extra, None)
        return RequestsTransport(self.base_url, session=session, read_timeout=self.read_timeout_seconds)


class MarketVenueHook(VenueHook):
    """An exchange of include/venues/registry.py; its connection has the venue's name."""

    hook_name = "Exchange market data"

    def __init__(self, venue: str, **kwargs: Any) -> None:
        super().__init__(venue, **kwargs)
        self.venue = venue

    def client(self, gate: Gate) -> MarketVenue:
        from include.venues.registry import market_venue

        return market_venue(self.venue, self.transport(), gate=gate)


class KrakenHook(MarketVenueHook):
    """Connection `kraken`: extra `ohlcvt_uri` is the folder of the downloaded OHLCVT files, where there is one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__("kraken", **kwargs)

    def ohlcvt_folder(self) -> ObjectStoragePath | None:
        from airflow.sdk import ObjectStoragePath

        uri = self.get_connection(self.http_conn_id).extra_dejson.get("ohlcvt_uri")
        return ObjectStoragePath(uri) if uri else None


class BinanceArchiveHook(VenueHook):
    """Connection `binance_archive`: Binance's published files."""

    default_conn_name = "binance_archive"
    hook_name = "Binance archive"
    read_timeout_seconds = 120.0  # files have megabytes

    def client(self, gate: Gate) -> BinanceArchive:
        from include.venues.binance_archive import BinanceArchive

        return BinanceArchive(self.transport(), gate=gate)


class CoinbaseAdvancedHook(VenueHook):
    """Connection `coinbase_advanced`: public market data of Advanced Trade, on a host of its own."""

    default_conn_name = "coinbase_advanced"
    hook_name = "Coinbase Advanced Trade market data"

    def client(self, gate: Gate) -> CoinbaseAdvanced:
        from include.venues.coinbase_advanced import CoinbaseAdvanced

        return CoinbaseAdvanced(self.transport(), gate=gate)


class AlternativeMeHook(VenueHook):
    """Connection `alternative_me`."""

    default_conn_name = "alternative_me"
    hook_name = "alternative.me Fear & Greed"

    def client(self, gate: Gate) -> AlternativeMe:
        from include.venues.alternative_me import AlternativeMe

        return AlternativeMe(self.transport(), gate=gate)


class CoinGeckoHook(VenueHook):
    """Connection `coingecko`: extra `tier` is keyless, demo or pro; the API key is the password.

    Extra `credits_per_month`: what the plan has, where that is not the tier's usual.
    """

    default_conn_name = "coingecko"
    hook_name = "CoinGecko"

    def client(self, gate: Gate) -> CoinGecko:
        from include.venues.coingecko import CoinGecko

        connection = self.get_connection(self.http_conn_id)
        tier = connection.extra_dejson.get("tier", "keyless")
        return CoinGecko(self.transport(), tier=tier, api_key=connection.password or None, gate=gate)

    def credits_per_month(self) -> int | None:
        given = self.get_connection(self.http_conn_id).extra_dejson.get("credits_per_month")
        return int(given) if given is not None else None

"""Hooks of the sources: an Airflow http connection in, a typed client of include/venues out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.http.hooks.http import HttpHook

if TYPE_CHECKING:
    from include.venues.alternative_me import AlternativeMe
    from include.venues.binance import Binance
    from include.venues.coingecko import CoinGecko
    from include.venues.http import RequestsTransport


class VenueHook(HttpHook):
    """Common part: the connection's host is the source's base URL, real or replayed."""

    def __init__(self, http_conn_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(method="GET", http_conn_id=http_conn_id or self.default_conn_name, **kwargs)

    def transport(self) -> RequestsTransport:
        from include.venues.http import RequestsTransport

        session = self.get_conn()
        return RequestsTransport(self.base_url, session=session)


class BinanceHook(VenueHook):
    """Connection `binance`."""

    default_conn_name = "binance"
    hook_name = "Binance market data"

    def client(self) -> Binance:
        from include.venues.binance import Binance

        return Binance(self.transport())


class AlternativeMeHook(VenueHook):
    """Connection `alternative_me`."""

    default_conn_name = "alternative_me"
    hook_name = "alternative.me Fear & Greed"

    def client(self) -> AlternativeMe:
        from include.venues.alternative_me import AlternativeMe

        return AlternativeMe(self.transport())


class CoinGeckoHook(VenueHook):
    """Connection `coingecko`: extra `tier` is keyless, demo or pro; the API key is the password."""

    default_conn_name = "coingecko"
    hook_name = "CoinGecko"

    def client(self) -> CoinGecko:
        from include.venues.coingecko import CoinGecko

        connection = self.get_connection(self.http_conn_id)
        transport = self.transport()
        if transport.session:
            transport.session.headers.pop("tier", None)  # the http hook sends every unknown extra as a header
        tier = connection.extra_dejson.get("tier", "keyless")
        return CoinGecko(transport, tier=tier, api_key=connection.password or None)

"""What is hidden of an address or a text, and what is left as it was."""

from __future__ import annotations

import pytest

from include.venues.redact import hide, hide_in_body, public_url, secret_headers, secrets_of


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.binance.com/api/v3/klines?symbol=BTCUSDT&limit=1000", None),
        ("http://127.0.0.1:9009/kraken/0/public/OHLC?pair=XBTUSD&since=1", None),
        ("https://user:pass-word@host/path", "https://host/path"),
        ("https://host/path?x_cg_demo_api_key=CG-abc&ids=a", "https://host/path?x_cg_demo_api_key=***&ids=a"),
        ("https://host/file?X-Amz-Signature=abc123&part=1", "https://host/file?X-Amz-Signature=***&part=1"),
        ("http://[broken", "***"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str | None) -> None:
    assert public_url(url) == (shown or url)


def test_secrets_of_an_address_are_known_as_written_and_as_meant() -> None:
    assert secrets_of("https://u:a%2Fb@h/?api_key=one&q=two") >= {"a%2Fb", "a/b", "one"}
    assert "two" not in secrets_of("https://u:a%2Fb@h/?api_key=one&q=two")


def test_only_headers_named_like_secrets_are_secret() -> None:
    headers = {"Range": "bytes=0-63", "x-cg-demo-api-key": "CG-1", "Authorization": "Bearer x"}
    assert secret_headers(headers) == {"CG-1", "Bearer x"}


def test_secrets_are_replaced_longer_ones_first_and_short_texts_left() -> None:
    assert hide("key secret-long and secret, a/b c", {"secret", "secret-long", "a"}) == "key *** and ***, a/b c"
    assert hide("path?k=a%2Fb%20cd", {"a/b cd"}) == "path?k=***"


def test_a_body_without_secrets_is_the_very_same() -> None:
    body = b"[1, 2, 3]"
    assert hide_in_body(body, {"secret-value"}) is body
    assert hide_in_body(b"your key secret-value is wrong", {"secret-value"}) == b"your key *** is wrong"

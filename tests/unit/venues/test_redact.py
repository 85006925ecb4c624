"""What is hidden of an address or a text, and what is left as it was."""

from __future__ import annotations

from urllib.parse import unquote

import pytest

from include.venues.redact import hide, hide_in_body, public_url, secret_headers, secret_user, secrets_of


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
    assert secret_headers(headers) == {"CG-1", "Bearer x", "x"}


def test_a_bearers_token_is_hidden_without_its_scheme() -> None:
    secrets = secret_headers({"Proxy-Authorization": "Bearer abc-123-def", "x-api-key": "two words"})
    assert hide("Bearer abc-123-def, token abc-123-def; words", secrets) == "***, token ***; words"


@pytest.mark.parametrize(
    ("user", "is_hidden"),
    [
        ("sk1live9", True),
        ("AbCdEfGhIjKl", True),
        ("abcdefghijklmnopqrst", True),
        ("a%2Fbcdefg9", True),
        ("user", False),
        ("u%20%20er9", False),
        ("anonymous", False),
        ("Market-Data", False),
        ("", False),
    ],
)
def test_a_user_name_is_hidden_where_it_may_be_a_key_and_not_where_it_is_a_word(user: str, is_hidden: bool) -> None:
    assert secret_user(user) == ({user} if is_hidden else set())
    secrets = secrets_of(f"https://{user}:pass-word@host/path")
    text = f"of {user or 'nobody'}, {unquote(user)}"
    assert (
        hide(text, secrets) == hide_in_body(text.encode(), secrets).decode() == ("of ***, ***" if is_hidden else text)
    )


def test_secrets_are_replaced_longer_ones_first_and_short_texts_left() -> None:
    assert hide("key secret-long and secret, a/b c", {"secret", "secret-long", "a"}) == "key *** and ***, a/b c"
    assert hide("path?k=a%2Fb%20cd", {"a/b cd"}) == "path?k=***"


def test_a_body_is_cleared_of_the_same_forms_as_a_text() -> None:
    secrets = {"secret", "secret-long", "a/b cd", "short"}
    text = "k=a%2Fb%20cd and a/b cd, secret-long, secret, short"
    assert hide_in_body(text.encode(), secrets).decode() == hide(text, secrets) == "k=*** and ***, ***, ***, short"


def test_a_body_without_secrets_is_the_very_same() -> None:
    body = b"[1, 2, 3]"
    assert hide_in_body(body, {"secret-value"}) is body
    assert hide_in_body(b"your key secret-value is wrong", {"secret-value"}) == b"your key *** is wrong"

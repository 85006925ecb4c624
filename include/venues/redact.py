"""Keys and passwords kept out of everything that is shown, stored or raised about a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote, urlsplit, urlunsplit

HIDDEN = "***"
SHORTEST_SECRET = 6  # what is shorter would be found in innocent text, and protects nothing
_SECRET_NAME = re.compile(r"key|token|secret|signature|passw|credential|auth", re.IGNORECASE)


def public_url(url: str) -> str:
    """The URL without user, password and the values of parameters that are named like secrets; else as it was."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return HIDDEN
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query="&".join(map(_public_parameter, parts.query.split("&")))))


def secrets_of(url: str) -> set[str]:
    """What `public_url` hides, as it is written and as it is meant."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return set()
    userinfo = parts.netloc.rpartition("@")[0]
    found = {userinfo.partition(":")[2]}
    for parameter in parts.query.split("&"):
        name, _, value = parameter.partition("=")
        if _SECRET_NAME.search(name):
            found.add(value)
    return {form for value in found for form in (value, unquote(value))}


def secret_headers(headers: Mapping[str, str]) -> set[str]:
    """Values of the headers that are named like secrets."""
    return {value for name, value in headers.items() if _SECRET_NAME.search(name)}


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret replaced, plain or as a URL spells it; longer secrets first."""
    for secret in sorted({form for each in secrets for form in (each, quote(each, safe=""))}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, HIDDEN)
    return text


def hide_in_body(body: bytes, secrets: Iterable[str]) -> bytes:
    """The same for a body as it came; one that repeats no secret is the same object."""
    for secret in secrets:
        if len(secret) >= SHORTEST_SECRET:
            body = body.replace(secret.encode(), HIDDEN.encode())
    return body


def _public_parameter(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}{equals}{HIDDEN}" if equals and _SECRET_NAME.search(name) else parameter

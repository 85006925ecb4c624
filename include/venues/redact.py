"""Keys and passwords kept out of everything that is shown, stored or raised about a request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote, urlsplit, urlunsplit

HIDDEN = "***"
SHORTEST_SECRET = 6  # what is shorter would be found in innocent text, and protects nothing
SHORTEST_USER = 8
LONGEST_WORDS = 20  # a user name as long as this stands in no innocent text, whatever it is made of
_SECRET_NAME = re.compile(r"key|token|secret|signature|passw|credential|auth", re.IGNORECASE)
_WORDS = re.compile(r"(?:[A-Z]?[a-z]+|[A-Z]+)(?:[-_. ](?:[A-Z]?[a-z]+|[A-Z]+))*")


def public_url(url: str) -> str:
    """The URL without user, password and the values of parameters that are named like secrets; else as it was."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return HIDDEN
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query="&".join(map(_public_parameter, parts.query.split("&")))))


def secrets_of(url: str) -> set[str]:
    """What `public_url` hides, as it is written and as it is meant; a user name only where it may be a key."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return set()
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    found = {password, *secret_user(user)}
    for parameter in parts.query.split("&"):
        name, _, value = parameter.partition("=")
        if _SECRET_NAME.search(name):
            found.add(value)
    return {form for value in found for form in (value, unquote(value))}


def secret_headers(headers: Mapping[str, str]) -> set[str]:
    """Values of the headers that are named like secrets; of `Authorization: Bearer X` also X alone."""
    found: set[str] = set()
    for name, value in headers.items():
        if _SECRET_NAME.search(name):
            found.add(value)
            if "authorization" in name.lower():
                found.add(value.partition(" ")[2].strip())
    return found - {""}


def secret_user(user: str) -> set[str]:
    """The user name where it may be a key, as some services have it; a short one, or a word, is in innocent text."""
    meant = unquote(user)
    is_innocent = len(meant) < SHORTEST_USER or (len(meant) < LONGEST_WORDS and _WORDS.fullmatch(meant))
    return set() if is_innocent else {user}


def hide(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret replaced, plain or as a URL spells it; longer secrets first."""
    for form in _forms(secrets):
        text = text.replace(form, HIDDEN)
    return text


def hide_in_body(body: bytes, secrets: Iterable[str]) -> bytes:
    """The same for a body as it came; one that repeats no secret is the same object."""
    for form in _forms(secrets):
        body = body.replace(form.encode(), HIDDEN.encode())
    return body


def _forms(secrets: Iterable[str]) -> list[str]:
    forms = {form for each in secrets for form in (each, quote(each, safe="")) if len(form) >= SHORTEST_SECRET}
    return sorted(forms, key=len, reverse=True)


def _public_parameter(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}{equals}{HIDDEN}" if equals and _SECRET_NAME.search(name) else parameter

"""Texts of other people in the warehouse: what an error quotes of a venue's answer may hold any character."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text as PostgreSQL can hold it: NUL and lone surrogates, which it refuses, are written out as escapes."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\u0000")

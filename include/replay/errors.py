"""Errors of the replay exchange that are not answers of a venue."""

from __future__ import annotations


class ReplayError(Exception):
    """The replay exchange cannot start or go on; the message tells the operator what to change."""


class NotServedError(ReplayError):
    """A question the real venue would answer and this world cannot: it holds no such data."""

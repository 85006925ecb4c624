"""The sealed form of a forecast and its hash, made here without the database, which makes them when it seals.

The text has one line `name=bytes:value` per column, in the order of COLUMNS, as ml.sealed_text makes it. The number of
bytes says where a value ends, whatever it holds; a column that is NULL has no line.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal, NamedTuple

GENESIS = "0" * 64  # what the first row of a series names as the row before

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

Kind = Literal["text", "integer", "time", "number", "float", "boolean"]

COLUMNS: dict[str, Kind] = {
    "venue": "text",
    "symbol": "text",
    "forecast_id": "integer",
    "instrument_id": "integer",
    "timeframe": "text",
    "horizon_bars": "integer",
    "as_of": "time",
    "target_at": "time",
    "made_at": "time",
    "sealed_at": "time",
    "as_of_price": "number",
    "predicted_log_return": "float",
    "predicted_price": "number",
    "lower_price": "number",
    "upper_price": "number",
    "coverage": "float",
    "model": "text",
    "model_version": "text",
    "is_naive": "boolean",
    "lower_price_95": "number",
    "upper_price_95": "number",
    "up_probability": "float",
    "drift_log_return": "float",
    "seasonal_log_return": "float",
    "model_trained_until": "time",
    "predicted_volatility": "float",
    "lower_volatility": "float",
    "upper_volatility": "float",
    "lower_volatility_95": "float",
    "upper_volatility_95": "float",
    "volatility_model": "text",
    "volatility_model_version": "text",
    "volatility_trained_until": "time",
    "ewma_volatility": "float",
    "har_volatility": "float",
    "chain_position": "integer",
    "previous_sha256": "text",
}


class Series(NamedTuple):
    """What one chain is of: market `venue:BASE/QUOTE`, timeframe and horizon in bars of it."""

    market: str
    timeframe: str
    horizon_bars: int

    def __str__(self) -> str:
        return f"{self.market} {self.timeframe} horizon {self.horizon_bars}"


def _plain(number: Decimal) -> str:
    """Every digit that counts and no exponent: 60000.10 is 60000.1, and 0.00 is 0."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


# Times arrive as microseconds since the epoch: PostgreSQL knows times that datetime does not.
TEXT_OF: dict[Kind, Callable[[Any], str]] = {
    "text": str,
    "integer": str,
    "time": _plain,
    "number": _plain,
    "float": lambda value: struct.pack(">d", value).hex(),
    "boolean": lambda value: "true" if value else "false",
}


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """The sealed text of each column that is not NULL; times are Decimal microseconds since 1970-01-01 00:00 UTC."""
    return {name: TEXT_OF[kind](values[name]) for name, kind in COLUMNS.items() if values[name] is not None}


def sealed_line(name: str, text: str | None) -> bytes:
    """The line of one column; nothing for NULL."""
    if text is None:
        return b""
    value = text.encode()
    return b"%s=%d:%s\n" % (name.encode(), len(value), value)


def sealed_bytes(fields: Mapping[str, str]) -> bytes:
    """The form the hash is taken of, from `texts`."""
    return b"".join(sealed_line(name, fields.get(name)) for name in COLUMNS)


def sha256_of(fields: Mapping[str, str]) -> str:
    """row_sha256 as it has to be, in hex."""
    return hashlib.sha256(sealed_bytes(fields)).hexdigest()


def instant(microseconds: Decimal | None) -> datetime | None:
    """A time as datetime (UTC); None where there is none, or it is out of datetime's reach."""
    try:
        return None if microseconds is None else EPOCH + int(microseconds) * MICROSECOND
    except (OverflowError, ValueError):
        return None


class SealedRow:
    """A row of ml.forecast as it lies there: `values` by name of COLUMNS, and the hash it carries."""

    def __init__(self, values: Mapping[str, Any], row_sha256: str | None) -> None:
        self.values = values
        self.row_sha256 = row_sha256 or ""

    @cached_property
    def fields(self) -> dict[str, str]:
        """Sealed texts by column."""
        return texts(self.values)

    @cached_property
    def computed_sha256(self) -> str:
        """The hash of what the row says now."""
        return sha256_of(self.fields)

    @property
    def is_whole(self) -> bool:
        """Whether the row says what its hash says."""
        return self.computed_sha256 == self.row_sha256

    @property
    def position(self) -> int:
        """Place in the chain; 0 where it is lost."""
        return self.values["chain_position"] or 0

    @property
    def previous_sha256(self) -> str:
        """The hash it names as that of the row before."""
        return self.values["previous_sha256"] or ""

    @property
    def series(self) -> Series:
        """The chain it lies in."""
        venue, symbol = self.values["venue"], self.values["symbol"]
        market = f"{venue}:{symbol}" if venue and symbol else f"instrument {self.values['instrument_id']}"
        return Series(market, str(self.values["timeframe"]), self.values["horizon_bars"] or 0)

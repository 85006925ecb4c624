"""Query parameters as Binance checks them, with its error codes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson
from starlette.datastructures import QueryParams

_SYMBOL = r"^[A-Z0-9-_.]{1,20}$"
_SYMBOLS = r'^\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){0,1}\]$'
_NUMBER = r"^[0-9]{1,20}$"
# Milliseconds stay below this until the year 2286; what is larger is microseconds.
_MICROSECONDS_FROM = 10**13
INTERVALS = ("1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")
DEFAULT_LIMIT = 500
LARGEST_LIMIT = 1000


class BinanceError(Exception):
    """An answer of the form `{"code": -1121, "msg": "Invalid symbol."}`."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class Parameters:
    """The parameters of one request; `allowed` names those the endpoint reads.

    Raises BinanceError (-1101, -1104) for doubled and for unread parameters.
    """

    def __init__(self, query: QueryParams, allowed: Sequence[str]) -> None:
        sent = [name for name, _ in query.multi_items()]
        for name in sent:
            if sent.count(name) > 1:
                raise BinanceError(-1101, f"Duplicate values for parameter '{name}'.")
        read = sum(name in allowed for name in sent)
        if read < len(sent):
            raise BinanceError(
                -1104, f"Not all sent parameters were read; read '{read}' parameter(s) but was sent '{len(sent)}'."
            )
        self._query = query

    def text(self, name: str, pattern: str) -> str | None:
        """A parameter of legal characters, None where it was not sent. Raises BinanceError -1105, -1100."""
        value = self._query.get(name)
        if value is None:
            return None
        if not value:
            raise BinanceError(-1105, f"Parameter '{name}' was empty.")
        if not re.match(pattern, value):
            raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'.")
        return value

    def mandatory(self, name: str) -> str:
        """Raises BinanceError -1102 where the parameter was not sent or is empty."""
        value = self._query.get(name)
        if not value:
            raise BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")
        return value

    def symbol(self) -> str:
        self.mandatory("symbol")
        return self.text("symbol", _SYMBOL) or ""

    def symbols(self) -> list[str] | None:
        """The list in `symbols`, a list of one for `symbol`, None without either.

        Raises BinanceError -1128 for both at once, -1100 for a list with spaces, -1151 for a doubled symbol.
        """
        one, several = self.text("symbol", _SYMBOL), self._query.get("symbols")
        if several is None:
            return None if one is None else [one]
        if one is not None:
            raise BinanceError(-1128, "Combination of optional parameters invalid.")
        names: list[str] = orjson.loads(self.text("symbols", _SYMBOLS) or "[]")
        if len(set(names)) < len(names):
            raise BinanceError(-1151, "Symbol is present multiple times in the list.")
        return names

    @property
    def wants_one(self) -> bool:
        """Whether `symbol` was sent, which is answered by an object instead of an array."""
        return "symbol" in self._query

    def interval(self) -> str:
        value = self.mandatory("interval")
        if value not in INTERVALS:
            raise BinanceError(-1120, "Invalid interval.")
        return value

    def instant(self, name: str) -> int | None:
        """Epoch milliseconds, sent as milliseconds or microseconds."""
        value = self.text(name, _NUMBER)
        if value is None:
            return None
        number = int(value)
        return number // 1000 if number > _MICROSECONDS_FROM else number

    def limit(self) -> int:
        """Number of rows; more than 1000 are silently cut to 1000."""
        value = self.text("limit", _NUMBER)
        if value is None:
            return DEFAULT_LIMIT
        if int(value) < 1:
            raise BinanceError(-1130, "Data sent for parameter 'limit' is not valid.")
        return min(int(value), LARGEST_LIMIT)

"""What the registry makes of the database: feature columns, what each means, and the view `crypto_prices`.

A new feature is one entry of the registry: the next `migrate` adds its column. Columns are never dropped or renamed
here; that is a migration's business.
"""

from __future__ import annotations

import hashlib

from psycopg import sql

from include.features.model import Feature
from include.features.registry import FEATURES, NAMES
from include.warehouse.connection import Connection, lock
from include.warehouse.sql import statement

TABLE = sql.Identifier("features", "candle_feature")
VIEW = sql.Identifier("public", "crypto_prices")

# The view's columns that are not features.
VIEW_COLUMNS = {
    "crypto": "the coin, e.g. BTC",
    "timestamp": "close of the hour (UTC), from which the row was known; key together with crypto",
    "open": "price of the hour's first trade, in the symbol's quote",
    "high": "highest price of the hour",
    "low": "lowest price of the hour",
    "price": "price of the hour's last trade: the price at timestamp",
    "volume": "coins traded in the hour on this market",
    "quote_volume": "the same in the quote; NULL where the venue does not publish it",
    "opened_at": "open time of the hour (UTC), timestamp less one hour",
    "venue": "the market that speaks for the coin",
    "symbol": "the same market's pair",
    "world": "live, recorded or synthetic: where the data come from",
}


def install_features(connection: Connection) -> bool:
    """Columns, their comments and the view as the registry says; answers whether anything had to be done.

    The owner's connection, without an open transaction. Repeatable, and safe beside another that does the same.
    """
    text = statement("features/create_view.sql", columns=NAMES)
    digest = hashlib.sha256("\n".join([text, *map(_meaning, FEATURES), *VIEW_COLUMNS.values()]).encode()).hexdigest()
    made_from = f"Hourly price, volume, indicators and features by coin; key crypto, timestamp. Registry {digest}."
    with connection.transaction():
        lock(connection, "warehouse migrations")
        found = connection.execute("select obj_description(to_regclass('public.crypto_prices'))").fetchone()
        if found == (made_from,):
            return False
        for feature in FEATURES:
            name = sql.Identifier(feature.name)
            connection.execute(sql.SQL("alter table {} add column if not exists {} float8").format(TABLE, name))
            _comment(connection, sql.SQL("column {}.{}").format(TABLE, name), _meaning(feature))
        connection.execute("drop view if exists public.crypto_prices")
        connection.execute(text)
        _comment(connection, sql.SQL("view {}").format(VIEW), made_from)
        for column, meaning in (VIEW_COLUMNS | {feature.name: _meaning(feature) for feature in FEATURES}).items():
            _comment(connection, sql.SQL("column {}.{}").format(VIEW, sql.Identifier(column)), meaning)
    return True


def _meaning(feature: Feature) -> str:
    return f"{feature.definition} [{feature.unit}]; NULL: {feature.null_rule}; formula: {feature.source}"


def _comment(connection: Connection, what: sql.Composable, text: str) -> None:
    connection.execute(sql.SQL("comment on {} is {}").format(what, sql.Literal(text)))

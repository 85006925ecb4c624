"""A warehouse with drawn hours of three markets and their features, and a model registry beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.features.history import HOUR, market
from benchmarks.features.sides import ENDS_AT, KNOWN, put, put_index, settle
from include.candles.batch import CandleBatch
from include.config.markets import Market
from include.features.schema import install_features
from include.features.upsert import upsert_features
from include.forecasting.registry import ModelRegistry
from include.warehouse.bootstrap import WarehouseDsns
from include.warehouse.connection import connect
from include.warehouse.instruments import ensure_instrument


def markets(count: int) -> list[Market]:
    return [market(number) for number in range(count)]


def registry(folder: Path) -> ModelRegistry:
    """MLflow without a server: a SQLite file and a folder of artifacts."""
    return ModelRegistry(f"sqlite:///{folder}/mlflow.db", artifact_location=(folder / "artifacts").as_uri())


@dataclass(slots=True)
class World:
    """Histories of which the first `rows` candles are stored, with features; the others are still to come."""

    dsns: WarehouseDsns
    histories: Sequence[CandleBatch]
    rows: int
    hours_added: int = 0

    def fill(self) -> None:
        """Store the histories and compute their features."""
        with connect(self.dsns.owner) as owner, connect(self.dsns.writer) as writer:
            install_features(owner)
            put_index(writer)
            for number, history in enumerate(self.histories):
                put(writer, ensure_instrument(writer, market(number)), history[: self.rows], KNOWN)
            upsert_features(writer, KNOWN)
            settle(owner)

    def add_hour(self) -> datetime:
        """One new candle for every market and its features; a minute after its close."""
        place = self.rows + self.hours_added
        with connect(self.dsns.writer) as writer:
            for number, history in enumerate(self.histories):
                put(writer, ensure_instrument(writer, market(number)), history[place : place + 1], KNOWN)
            upsert_features(writer, KNOWN)
        self.hours_added += 1
        return ENDS_AT + self.hours_added * HOUR + timedelta(minutes=1)

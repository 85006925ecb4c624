"""Is the dataset of a stored training found again, as it was known then?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from include.forecasting.code_version import code_version
from include.forecasting.known_rows import dropped_months, known_rows
from include.forecasting.targets import ForecastKind, Target
from include.warehouse.connection import Connection
from include.warehouse.sql import statement


class UnknownTrainingError(ValueError):
    """There is no training of that number, or it is too old to say which rows it asked for."""


@dataclass(frozen=True)
class DatasetCheck:
    """A training's dataset, and the one found now of what was known at `known_at` (UTC).

    why: what is known to stand between them; empty where the digests are equal.
    """

    training_run_id: int
    market: str
    timeframe: str
    target: str
    horizon_bars: int
    known_at: datetime
    rows: int
    stored_sha256: str
    found_sha256: str
    why: list[str]

    @property
    def is_equal(self) -> bool:
        return self.stored_sha256 == self.found_sha256


def check_dataset(connection: Connection, training_run_id: int) -> DatasetCheck:
    """Read the rows of a training again. Raises UnknownTrainingError."""
    with connection.transaction():
        connection.execute("set transaction isolation level repeatable read read only")
        asked = {"training_run_id": training_run_id}
        found = connection.execute(statement("forecast/select_dataset.sql"), asked).fetchone()
        if found is None:
            raise UnknownTrainingError(f"there is no training {training_run_id}")
        instrument_id, market, timeframe, target, horizon, known_at, since, stored, code = found
        if since is None:
            raise UnknownTrainingError(f"training {training_run_id} did not record which rows it asked for")
        kind = ForecastKind(Target(target), horizon)
        rows = known_rows(connection, instrument_id, timeframe, kind, known_at=known_at, since=since).matured()
        dropped = dropped_months(connection, instrument_id, timeframe, known_at=known_at)
    digest, why = rows.sha256(), []
    if digest != stored and dropped:
        why.append(f"candles left the table since and are in the archive alone: {', '.join(dropped)}")
    if digest != stored and code != code_version():
        why.append(f"the code is another: {code_version()[:12]}, then {str(code)[:12]}")
    if digest != stored and not why:
        why.append("values of that time were changed without a revision, or months came back from the archive since")
    return DatasetCheck(training_run_id, market, timeframe, target, horizon, known_at, len(rows), stored, digest, why)

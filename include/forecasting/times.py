"""Between UTC-aware datetimes and numpy's datetime64, which knows no time zone and is read as UTC here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt


def to_datetime(at: np.datetime64) -> datetime:
    """UTC-aware datetime, to the microsecond."""
    naive: datetime = at.astype("datetime64[us]").item()
    return naive.replace(tzinfo=UTC)


def to_array(times: Iterable[datetime]) -> npt.NDArray[np.datetime64]:
    """Microseconds in UTC. Raises ValueError for a datetime without a time zone."""
    plain = []
    for at in times:
        if at.tzinfo is None:
            raise ValueError(f"{at} has no time zone")
        plain.append(at.astimezone(UTC).replace(tzinfo=None))
    return np.array(plain, dtype="datetime64[us]")

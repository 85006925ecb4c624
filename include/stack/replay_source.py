"""What the replay exchange serves: recorded candles from a folder, or a labelled random walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from include.stack.layout import StackError

NEEDED = ("binance/klines_1h/*.parquet", "alternative_me/fng_daily.csv")


@dataclass(frozen=True, slots=True)
class ReplaySource:
    """data: folder of recorded data, None for the synthetic world. clock: ISO time its world starts at, if chosen."""

    data: Path | None
    clock: str | None = None

    @property
    def world(self) -> str:
        return "recorded" if self.data else "synthetic"

    def arguments(self) -> list[str]:
        """Options of `include.cli replay`."""
        served = ["--data", str(self.data)] if self.data else ["--synthetic"]
        return [*served, *(["--clock", self.clock] if self.clock else [])]

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> ReplaySource:
        """The folder named by MARKET_DATA_DIR, else the synthetic world.

        Raises StackError where the folder is named but holds no recorded candles.
        """
        named = environ.get("MARKET_DATA_DIR")
        if not named:
            return cls(None, environ.get("REPLAY_CLOCK"))
        folder = Path(named).expanduser().absolute()
        lacking = [needed for needed in NEEDED if not list(folder.glob(needed))]
        if lacking:
            reason = f"holds no {' and no '.join(lacking)}" if folder.is_dir() else "does not exist"
            raise StackError(
                f"MARKET_DATA_DIR={named} {reason}. Name a folder of recorded data, "
                "or leave MARKET_DATA_DIR unset for the synthetic world."
            )
        return cls(folder, environ.get("REPLAY_CLOCK"))

import pickle

import pytest

from include.venues import errors


@pytest.mark.parametrize(
    "error",
    [
        errors.UnavailableError("binance", "down"),
        errors.BannedError("binance", "banned", 120.0),
        errors.UnknownSymbolError("binance", "Invalid symbol.", -1121),
    ],
)
def test_errors_survive_the_way_between_processes(error: errors.VenueError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == f"binance: {error.message}"

import numpy as np

from include.replay import bars as b
from include.replay.revisions import Revisions


def test_a_correction_grows_volumes_of_one_candle_and_leaves_prices() -> None:
    page = np.array([[0, 5, 9, 4, 6, 1000, 59, 6000, 70, 500, 3000]] * 2, dtype=np.int64)
    page[1, b.OPEN_TIME] = 60
    revisions = Revisions()
    assert revisions.applied("BTCUSDT", "1m", page) is page
    revisions.add("BTCUSDT", "1m", 60)
    revised = revisions.applied("BTCUSDT", "1m", page)
    assert np.array_equal(revised[0], page[0])
    assert revised[1].tolist() == [60, 5, 9, 4, 6, 1020, 59, 6120, 70, 510, 3060]
    assert page[1, b.BASE] == 1000
    assert revisions.applied("BTCUSDT", "1h", page) is page

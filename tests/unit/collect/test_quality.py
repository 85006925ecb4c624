import pytest

from include.collect.quality import QuarantineShareError, check_share


def test_no_rejected_row_is_nothing_to_tell() -> None:
    assert check_share(0, 0) is None
    assert check_share(0, 100) is None


def test_some_are_a_warning_and_more_than_the_share_a_failure() -> None:
    told = check_share(5, 100, what="binance:BTC/USDT 1h")
    assert told == "5 of 100 rows of binance:BTC/USDT 1h were rejected (5.0%) and lie in market.quarantine"
    with pytest.raises(QuarantineShareError, match=r"6 of 100 rows of this run .*; 5\.0% are allowed"):
        check_share(6, 100)
    assert check_share(6, 100, allowed=0.06)
    assert check_share(3, 3, allowed=1.0)
    with pytest.raises(QuarantineShareError):
        check_share(1, 1, allowed=0.0)


@pytest.mark.parametrize(("rejected", "total"), [(-1, 5), (6, 5)])
def test_counts_that_cannot_be_are_a_mistake_of_the_caller(rejected: int, total: int) -> None:
    with pytest.raises(ValueError, match="rows rejected of"):
        check_share(rejected, total)

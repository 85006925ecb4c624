from include.replay.limits import Standing, WeightBudget


class Machine:
    def __init__(self) -> None:
        self.seconds = 600.0

    def __call__(self) -> float:
        return self.seconds


def test_weight_adds_up_within_a_minute_and_starts_anew_in_the_next() -> None:
    machine = Machine()
    budget = WeightBudget(10, seconds=machine)
    assert [budget.spend(4).used for _ in range(2)] == [4, 8]
    machine.seconds += 59
    assert budget.spend(2).standing is Standing.WELCOME
    verdict = budget.spend(1)
    assert (verdict.standing, verdict.used, verdict.retry_after) == (Standing.LIMITED, 11, 1)
    machine.seconds += 1
    assert budget.spend(4) == (Standing.WELCOME, 4, 0, 0)


def test_who_does_not_stop_is_banned_longer_each_time() -> None:
    machine = Machine()
    budget = WeightBudget(1, patience=2, first_ban_seconds=120, seconds=machine)
    assert [budget.spend(1).standing for _ in range(4)] == [
        Standing.WELCOME,
        Standing.LIMITED,
        Standing.LIMITED,
        Standing.BANNED,
    ]
    machine.seconds += 119
    banned = budget.spend(1)
    assert banned.standing is Standing.BANNED
    assert banned.retry_after == 2
    assert banned.banned_until_ms == 720_000
    machine.seconds += 1
    assert [budget.spend(1).standing for _ in range(4)][-1] is Standing.BANNED
    assert budget.spend(1).retry_after == 241

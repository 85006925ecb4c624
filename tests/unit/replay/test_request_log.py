from include.replay.request_log import RequestLog


class Machine:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_busiest_second_minute_and_day_of_each_host() -> None:
    machine = Machine()
    log = RequestLog(machine)
    for at, weight in ((1000.0, 20), (1000.5, 2), (1059.9, 4), (1060.2, 4), (1061.0, 1), (90_000.0, 3)):
        machine.now = at
        log.arrived("binance", weight)
    log.arrived("kraken", 1)
    seen = log.account()["binance"]
    assert (seen["requests"], seen["weight"]) == (6, 34)
    assert seen["most_weight_in_a_second"] == 22
    # 1000.0 has left the minute that ends with 1060.2, so that 1000.5 to 1060.2 counts 10.
    assert seen["most_weight_in_a_minute"] == 26
    assert seen["most_requests_in_a_day"] == 5
    assert log.account()["kraken"]["requests"] == 1


def test_refusals_are_the_venues_own_or_of_faults_and_who_comes_too_early_is_seen() -> None:
    machine = Machine()
    log = RequestLog(machine)
    log.arrived("binance", 1)
    log.answered("binance", 200, None, is_fault=False)
    log.answered("binance", 429, "5", is_fault=False)
    log.answered("binance", 418, "20", is_fault=True)
    log.answered("binance", 429, None, is_fault=True)
    for at in (1004.0, 1019.0, 1020.0):
        machine.now = at
        log.arrived("binance", 1)
    seen = log.account()["binance"]
    assert seen["refused"] == {"418": 0, "429": 1}
    assert seen["refused_by_faults"] == {"418": 1, "429": 1}
    assert seen["too_early"] == 2
    log.clear()
    assert log.account() == {}

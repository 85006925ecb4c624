"""What a collection tells of itself."""

from __future__ import annotations

from include.collect.outcome import CollectOutcome


def test_outcomes_add_up_and_keep_their_name() -> None:
    total = CollectOutcome("candle") + CollectOutcome("candle", "BTC 1h", 1, 2, 3, 4) + CollectOutcome("candle", "x", 1)
    assert total == CollectOutcome("candle", "BTC 1h", 2, 2, 3, 4)


def test_an_outcome_is_one_line_for_a_log_and_plain_values_for_xcom() -> None:
    outcome = CollectOutcome("candle", "BTC 1h", 1, 2, 3, 4)
    assert str(outcome) == "BTC 1h: 1 new, 2 changed, 3 unchanged, 4 rejected"
    assert str(CollectOutcome("ticker")).startswith("ticker: 0 new")
    assert outcome.as_dict() == {
        "dataset": "candle",
        "what": "BTC 1h",
        "new": 1,
        "changed": 2,
        "unchanged": 3,
        "rejected": 4,
    }

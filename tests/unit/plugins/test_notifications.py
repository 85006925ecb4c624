"""The notifier that the connection names: made, rendered, masked, and refused where it cannot be."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from crypto_market.notifications import NotifierConfigurationError, sender
from include.transforms.notices import Notice
from tests.integration.kept_notices import KeepingNotifier

PATH = "tests.integration.kept_notices.KeepingNotifier"
NOTICE = Notice(
    7, "alert", "BTC", "binance", "BTC/USDT", "USDT", "down", datetime(2024, 6, 1, 12, tzinfo=UTC),
    Decimal("-6.123456"), Decimal("64000.1"), Decimal("68175.5"), Decimal(5), timedelta(hours=24),
)  # fmt: skip
MESSAGE = "BTC -6.12 % in 24 h, from 68175.5 to 64000.1 USDT (binance, 2024-06-01 12:00 UTC)"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeepingNotifier, "kept", [])
    monkeypatch.setattr(KeepingNotifier, "broken", False)


def configure(monkeypatch: pytest.MonkeyPatch, extra: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PRICE_ALERTS", json.dumps({"conn_type": "generic", "extra": extra}))


def test_without_the_connection_it_is_logged(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    sender({})(NOTICE)
    assert f"price alert: {MESSAGE}" in capsys.readouterr().out + caplog.text


def test_arguments_are_rendered_for_each_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{{ alert.crypto }} {{ alert.direction }} {{ alert.price }}: {{ message }}"
    configure(monkeypatch, {"notifier": PATH, "arguments": {"text": text, "token": "{{ kept as it is }}"}})
    send = sender({})
    send(NOTICE)
    send(NOTICE._replace(crypto="ETH"))
    assert KeepingNotifier.kept == [
        (f"BTC down 64000.1: {MESSAGE}", "{{ kept as it is }}"),
        (f"ETH down 64000.1: {MESSAGE.replace('BTC', 'ETH')}", "{{ kept as it is }}"),
    ]


def test_a_failing_notifier_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, {"notifier": PATH, "arguments": {"text": "x"}})
    monkeypatch.setattr(KeepingNotifier, "broken", True)
    with pytest.raises(ConnectionError):
        sender({})(NOTICE)


@pytest.mark.parametrize(
    ("extra", "complaint"),
    [
        ({}, "must be"),
        ({"notifier": 7}, "must be"),
        ({"notifier": PATH, "arguments": ["text"]}, "must be"),
        ({"notifier": "no.such.module.Notifier"}, "cannot be imported"),
        ({"notifier": "datetime.NoSuchName"}, "cannot be imported"),
        ({"notifier": "undotted"}, "cannot be imported"),
        ({"notifier": "datetime.datetime"}, "is no notifier"),
        ({"notifier": PATH, "arguments": {"test": "x"}}, "does not take the arguments given"),
    ],
)
def test_a_connection_that_names_no_notifier_is_refused_before_anything_is_due(
    monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any], complaint: str
) -> None:
    configure(monkeypatch, extra)
    with pytest.raises(NotifierConfigurationError, match=complaint):
        sender({})


def test_no_error_of_ours_quotes_what_an_argument_says(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, {"notifier": PATH, "arguments": {"secret_of_mine": "hunter2-hunter2"}})
    with pytest.raises(NotifierConfigurationError) as refused:
        sender({})
    assert "hunter2" not in f"{refused.value}{refused.value.__cause__}"


def test_what_is_written_into_the_arguments_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    masked: list[Any] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", lambda text, name=None: masked.append(text))
    arguments = {"text": "{{ message }}", "token": "https://hooks.example/very-secret"}
    configure(monkeypatch, {"notifier": PATH, "arguments": arguments})
    sender({})
    assert [text for text in masked if isinstance(text, str)] == ["https://hooks.example/very-secret"]

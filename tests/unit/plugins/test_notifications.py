"""The notifier that the connection names: made, rendered, masked, and refused where it cannot be."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from airflow.sdk import DAG

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
    monkeypatch.setattr(KeepingNotifier, "contexts", [])
    monkeypatch.setattr(KeepingNotifier, "broken", False)


def configure(monkeypatch: pytest.MonkeyPatch, extra: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_PRICE_ALERTS", json.dumps({"conn_type": "generic", "extra": extra}))


def test_without_the_connection_it_is_logged(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    sender({})(NOTICE)
    assert f"alert: {MESSAGE}" in capsys.readouterr().out + caplog.text


def test_arguments_are_rendered_for_each_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{{ alert.crypto }} {{ alert.direction }} {{ alert.price }}: {{ message }}"
    configure(monkeypatch, {"notifier": PATH, "arguments": {"text": text, "token": "{% raw %}{{ kept }}{% endraw %}"}})
    send = sender({})
    send(NOTICE)
    send(NOTICE._replace(crypto="ETH"))
    assert KeepingNotifier.kept == [
        (f"BTC down 64000.1: {MESSAGE}", "{{ kept }}"),
        (f"ETH down 64000.1: {MESSAGE.replace('BTC', 'ETH')}", "{{ kept }}"),
    ]


def context_of_a_task() -> Any:
    """What the task of a DAG that renders to Python objects could hand out."""
    dag = DAG("native", schedule=None, render_template_as_native_obj=True)
    return {"dag": dag, "conn": "a password", "var": "a secret", "run_id": "manual__1", "message": "not this one"}


def test_lists_and_mappings_are_rendered_and_every_text_stays_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    text = {"blocks": [{"price": "{{ alert.price }}"}, "{{ alert.change_hours }}", "[1, 2]", 3, None, True]}
    configure(monkeypatch, {"notifier": PATH, "arguments": {"text": text}})
    sender(context_of_a_task())(NOTICE._replace(price=Decimal("60000.10")))
    assert KeepingNotifier.kept == [({"blocks": [{"price": "60000.10"}, "24", "[1, 2]", 3, None, True]}, "")]


@pytest.mark.parametrize(
    "planted",
    [
        "{{ cycler.__init__.__globals__.os.system('touch PLANTED') }}",
        "{{ lipsum.__globals__['os'].system('touch PLANTED') }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ ('{0.__class__.__init__}' ~ '').format(alert) ~ message.format.__globals__ }}",
        "{{ alert | attr('__class__') }}",
        "{{ dag }}",
        "{{ conn.get('smtp_default').password }}",
        "{{ var.value.get('token') }}",
        "{{ self._TemplateReference__context.parent['dag'] }}",
        "{% import 'os' as os %}",
    ],
)
def test_what_is_planted_in_an_argument_neither_runs_nor_reaches_airflow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, planted: str
) -> None:
    mark = tmp_path / "planted"
    text = ["harmless", {"deep": planted.replace("PLANTED", str(mark))}]
    configure(monkeypatch, {"notifier": PATH, "arguments": {"text": text}})
    with pytest.raises(NotifierConfigurationError, match=r"argument price_alerts\.text cannot be rendered"):
        sender(context_of_a_task())
    assert not mark.exists()
    assert KeepingNotifier.kept == []


def test_what_came_with_the_data_is_not_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, {"notifier": PATH, "arguments": {"text": "{{ alert.symbol }}"}})
    sender(context_of_a_task())(NOTICE._replace(symbol="{{ 6 * 7 }}{{ conn }}"))
    assert KeepingNotifier.kept == [("{{ 6 * 7 }}{{ conn }}", "")]


def test_a_notifier_learns_of_the_run_and_the_notice_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, {"notifier": PATH, "arguments": {"text": "x"}})
    sender(context_of_a_task())(NOTICE)
    assert KeepingNotifier.contexts == [{"run_id": "manual__1", "message": MESSAGE, "alert": NOTICE.as_dict()}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ massage }}", r"UndefinedError: 'massage' is undefined \(names: message, alert\)"),
        ("{{ alert.prise }}", "has no attribute 'prise'"),
        ("https://hooks.example/hunter2 {{ message }", "TemplateSyntaxError: unexpected '}'"),
        ("{{ alert.price + 1 }}", "TypeError"),
    ],
)
def test_a_template_that_cannot_be_rendered_is_refused_before_anything_is_due(
    monkeypatch: pytest.MonkeyPatch, text: str, reason: str
) -> None:
    configure(monkeypatch, {"notifier": PATH, "arguments": {"text": text}})
    with pytest.raises(NotifierConfigurationError, match=reason) as refused:
        sender({})
    assert "hunter2" not in "".join(format_exception(refused.value))


def test_what_only_a_certain_notice_brings_to_light_is_raised_for_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    configure(monkeypatch, {"notifier": PATH, "arguments": {"text": "{{ 'ok' if alert.kind == 'alert' else why }}"}})
    send = sender({})
    send(NOTICE)
    with pytest.raises(NotifierConfigurationError, match="'why' is undefined"):
        send(NOTICE._replace(kind="retraction"))
    assert KeepingNotifier.kept == [("ok", "")]


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

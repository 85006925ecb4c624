"""`make prove-alerts` itself: durations divided and nothing else, no alert left out, and a verdict that can be bad."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from benchmarks.prove_alerts import scaling
from benchmarks.prove_alerts.__main__ import main, rule_names, uncovered
from benchmarks.prove_alerts.injections import ALL
from benchmarks.prove_alerts.judge import Case, Judge
from benchmarks.prove_alerts.kinds import Injection
from benchmarks.prove_alerts.recorder import Recorder
from benchmarks.prove_alerts.stage import JOBS, NAMES, RULES, write_configurations, write_rules

ROOT = Path(__file__).parents[2]
WINDOW = re.compile(r"\[\w+\]|offset \w+")


@pytest.mark.parametrize(
    ("duration", "short"),
    [("24h", "120s"), ("1d", "120s"), ("25h", "125s"), ("2m", "8s"), ("61m", "8s"), ("5s", "5s")],
)
def test_durations_are_divided_down_to_a_floor(duration: str, short: str) -> None:
    assert scaling.divided(duration, 720, 8) == short


def test_what_is_no_duration_is_refused() -> None:
    with pytest.raises(ValueError, match="'1h30m' is no duration"):
        scaling.divided("1h30m", 720, 8)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("increase(x[25h]) > 0.5", "increase(x[125s]) > 0.5"),
        ("x unless x offset 25h > 0", "x unless x offset 125s > 0"),
        ('time() - x{timeframe="1h"} > 2 * 3600', 'time() - x{timeframe="1h"} > 2 * 3600'),
        ("predict_linear(x[6h], 4 * 86400) < 0", "predict_linear(x[30s], 4 * 86400) < 0"),
    ],
)
def test_windows_and_offsets_are_divided_and_labels_and_ages_are_not(text: str, short: str) -> None:
    assert scaling.expression(text, 720) == short


def test_an_age_that_cannot_be_given_is_divided() -> None:
    given = {
        "alert": "TransactionLong",
        "expr": "time() - x > 10 * 3600",
        "for": "1h",
        "labels": {"severity": "ticket"},
    }
    expected = {**given, "expr": "time() - x > 50", "for": "5s"}
    assert scaling.rule(given, 720) == expected


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_our_rules_keep_everything_but_durations(path: Path) -> None:
    given = yaml.safe_load(path.read_text())
    short = scaling.rule_file(given, 720)
    for before, after in zip(given["groups"], short["groups"], strict=True):
        for old, new in zip(before["rules"], after["rules"], strict=True):
            promql_parser.parse(new["expr"])
            timeless = {k: v for k, v in old.items() if k not in ("expr", "for", "keep_firing_for")}
            assert {k: new[k] for k in timeless} == timeless
            assert old.keys() == new.keys()
            assert not re.search(r"\d[mhd]\]|offset \d+[mhd]", new["expr"])
            if old.get("alert") not in scaling.OWN_AGE:
                assert WINDOW.sub("", new["expr"]) == WINDOW.sub("", old["expr"])


def test_routes_wait_less_and_repeat_as_before_but_for_the_switch() -> None:
    given = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())["route"]
    short = scaling.routes(given, 720)
    assert (short["group_wait"], short["group_interval"], short["repeat_interval"]) == ("1s", "1s", "24h")
    assert [each["repeat_interval"] for each in short["routes"] if "repeat_interval" in each] == ["2s", "1h"]
    assert [each["matchers"] for each in short["routes"]] == [each["matchers"] for each in given["routes"]]


def test_every_alert_is_injected_once() -> None:
    assert uncovered(rule_names(), ALL) == []


def test_an_alert_without_an_injection_is_found() -> None:
    assert uncovered({"A", "B"}, ("A", "A", "C")) == ["B: no injection", "C: no such alert", "A: injected twice"]


def test_without_prometheus_the_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["prove_alerts"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert main() == 1
    assert "apt-get install prometheus prometheus-alertmanager" in capsys.readouterr().err


def test_the_configurations_it_writes_are_accepted(tmp_path: Path, tool) -> None:
    write_rules(tmp_path, 720)
    write_configurations(tmp_path, {name: 1 + number for number, name in enumerate(NAMES)}, 720)
    written = yaml.safe_load((tmp_path / "prometheus.yml").read_text())
    assert [job["job_name"] for job in written["scrape_configs"]] == list(JOBS)
    done = tool("amtool", "check-config", tmp_path / "alertmanager.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    done = tool("promtool", "check", "config", tmp_path / "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr


NOTHING = Injection("Broken", "a cause", lambda stage: None, lambda stage: None)


def heard(recorder: Recorder, *alerts: tuple[str, str]) -> None:
    """One webhook of Alertmanager with these alerts: name and status."""
    body: dict[str, Any] = {"alerts": [{"labels": {"alertname": name}, "status": status} for name, status in alerts]}
    recorder.take("/webhook", json.dumps(body))
    recorder.take("/chat/page", json.dumps({"text": " ".join(name for name, _ in alerts) + " docs/runbooks/"}))


@pytest.mark.parametrize(
    ("sent", "problem"),
    [
        (["firing", "resolved"], ""),
        ([], "did not fire"),
        (["firing"], "did not resolve"),
        (["firing", "firing", "resolved"], "not once each"),
        (["firing", "resolved", "firing", "resolved"], "not once each"),
    ],
)
def test_the_verdict_on_what_was_sent(sent: list[str], problem: str, tmp_path: Path) -> None:
    recorder = Recorder(0, tmp_path / "received.log")
    judge = Judge(recorder, lambda line: None)
    for status in sent:
        heard(recorder, ("Broken", status))
    now = time.monotonic()
    case = Case(NOTHING, now - 5)
    judge._cases = {"Broken": case}
    judge._step(None, [case])  # type: ignore[arg-type]
    judge._step(None, [case])  # type: ignore[arg-type]
    assert [each.problem.partition(":")[0] for each in judge.results()] == [problem]
    assert judge.unasked() == []


def test_what_nobody_injected_is_named(tmp_path: Path) -> None:
    recorder = Recorder(0, tmp_path / "received.log")
    judge = Judge(recorder, lambda line: None)
    heard(recorder, ("Watchdog", "firing"), ("Stranger", "firing"))
    assert judge.unasked() == ["Stranger"]


def test_what_fired_before_its_injection_is_named(tmp_path: Path) -> None:
    recorder = Recorder(0, tmp_path / "received.log")
    judge = Judge(recorder, lambda line: None)
    heard(recorder, ("Broken", "firing"))
    judge.expect_silence()
    judge._cases = {"Broken": Case(NOTHING, time.monotonic())}
    assert judge.unasked() == ["Broken"]

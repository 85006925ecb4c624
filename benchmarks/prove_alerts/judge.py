"""Plays injections and judges what arrives: each alert once as firing and once as resolved, and none besides."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.prove_alerts.injections import WATCHDOG
from benchmarks.prove_alerts.kinds import Injection
from benchmarks.prove_alerts.recorder import Recorder
from benchmarks.prove_alerts.stage import Stage

FIRE_SECONDS = 240
RESOLVE_SECONDS = 240
SETTLE_SECONDS = 8  # for a notification too many
RUNBOOKS = "docs/runbooks/"  # every message to people links to one
WATCHDOG_SECONDS = 90
WATCHDOG_PAUSE = 10  # that long without it is its absence; it comes every two seconds


@dataclass(slots=True)
class Case:
    """An injection at work; monotonic seconds."""

    injection: Injection
    injected: float
    fired: float | None = None
    mended: float | None = None
    resolved: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A line of the table; texts."""

    alert: str
    cause: str
    fired: str
    resolved: str
    counts: str
    problem: str


class Judge:
    def __init__(self, recorder: Recorder, say: Callable[[str], None]) -> None:
        self._recorder = recorder
        self._say = say
        self._cases: dict[str, Case] = {}
        self._began = time.monotonic()
        self._too_early: set[str] = set()

    def expect_silence(self) -> None:
        """What has fired before anything was done is uninjected, whatever is done later."""
        self._too_early = set(self._recorder.stories()) - {WATCHDOG.alert}

    def play(self, stage: Stage, injections: Sequence[Injection]) -> None:
        """All of a wave at once; each is mended when its alert has arrived; until all are over or time is up."""
        if not injections:
            return
        self._say(f"{time.monotonic() - self._began:.0f} s: {', '.join(each.alert for each in injections)}")
        wave = []
        for each in injections:
            wave.append(Case(each, time.monotonic()))
            each.inject(stage)
        self._cases |= {case.injection.alert: case for case in wave}
        deadline = time.monotonic() + FIRE_SECONDS + RESOLVE_SECONDS
        while time.monotonic() < deadline and any(case.resolved is None for case in wave):
            self._step(stage, wave)
            time.sleep(0.2)
        for case in wave:
            if case.mended is None:
                case.injection.mend(stage)
        time.sleep(SETTLE_SECONDS)

    def _step(self, stage: Stage, wave: list[Case]) -> None:
        stories = self._recorder.stories()
        for case in wave:
            story = stories.get(case.injection.alert)
            if story is None:
                continue
            if case.fired is None and story.firing:
                case.fired = story.firing[0][0]
                case.mended = time.monotonic()
                case.injection.mend(stage)
            if case.mended is not None and case.resolved is None and story.resolved:
                case.resolved = story.resolved[0][0]

    def end_of_watchdog(self, stage: Stage, injection: Injection) -> None:
        """The dead man's switch: it has come all the time; how long after Prometheus' end it ceases."""
        self._say(f"{time.monotonic() - self._began:.0f} s: {injection.alert}")
        case = Case(injection, self._began)
        self._cases[injection.alert] = case
        heard = self._recorder.stories().get(injection.alert)
        if heard is None:
            return
        case.fired = heard.firing[0][0]
        case.mended = time.monotonic()
        injection.inject(stage)
        deadline = case.mended + WATCHDOG_SECONDS
        while time.monotonic() < deadline:
            last = self._recorder.stories()[injection.alert].firing[-1][0]
            if time.monotonic() - last > WATCHDOG_PAUSE:
                case.resolved = max(last, case.mended)
                return
            time.sleep(0.5)

    def results(self) -> list[Result]:
        return [self._result(case) for case in self._cases.values()]

    def _result(self, case: Case) -> Result:
        alert = case.injection.alert
        story = self._recorder.stories().get(alert)
        firing, resolved = (len(story.firing), len(story.resolved)) if story else (0, 0)
        several = case.injection.series
        problems = []
        if case.fired is None:
            problems.append("did not fire")
        elif case.resolved is None:
            problems.append("did not resolve")
        elif alert != WATCHDOG.alert and (firing != several or resolved != several):
            heard = sorted(f"{at - self._began:.0f} s {labels}" for at, labels in story.firing) if story else []
            problems.append(f"not once each: {'; '.join(heard)}")
        if story and not self._recorder.was_messaged(alert, RUNBOOKS) and alert != WATCHDOG.alert:
            problems.append("no message with a runbook")
        fired = "" if case.fired is None else f"{case.fired - case.injected:.0f}"
        over = "" if case.resolved is None or case.mended is None else f"{max(0.0, case.resolved - case.mended):.0f}"
        counts = f"{firing} firing, {resolved} resolved" + (f" of {several} series" if several > 1 else "")
        return Result(alert, case.injection.cause, fired, over, counts, "; ".join(problems))

    def unasked(self) -> list[str]:
        """Alerts that were sent although nothing was done for them."""
        stories = self._recorder.stories()
        strangers = [name for name in stories if name not in self._cases and name != WATCHDOG.alert]
        return sorted({*strangers, *self._too_early})

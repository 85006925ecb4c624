"""Every alert fired once, and its resolution: `python -m benchmarks.prove_alerts [--only ALERT …] [--factor 720]`.

Real: Prometheus and Alertmanager as Debian packages them, our rule files, routes and templates, our receiver with the
facts of a real PostgreSQL that has our migrations and Airflow's; Airflow's scheduler, DAG processor and triggerer.
Waiting times are divided (scaling.py); where packets or pages are imitated, the table says so. Ends with status 1
where an alert did not fire or resolve, where it was sent more than once, or where one fired that nothing was done for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.prove_alerts import scaling
from benchmarks.prove_alerts.injections import ALL, WATCHDOG, WAVES
from benchmarks.prove_alerts.judge import Judge, Result
from benchmarks.prove_alerts.programs import ProofError
from benchmarks.prove_alerts.stage import RULES, stage
from include.stack.postgres import PostgresError

FACTOR = 720
QUIET_SECONDS = 30


def rule_names() -> set[str]:
    """Every alert of the rule files."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}


def uncovered(rules: set[str], injections: tuple[str, ...]) -> list[str]:
    """What is wrong with the list of injections."""
    found = [f"{name}: no injection" for name in sorted(rules - set(injections))]
    found += [f"{name}: no such alert" for name in sorted(set(injections) - rules)]
    return found + [f"{name}: injected twice" for name in sorted({n for n in injections if injections.count(n) > 1})]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.prove_alerts", description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="ALERT", choices=sorted(ALL), help="these alerts alone")
    parser.add_argument("--factor", type=float, default=FACTOR, help="what waiting times are divided by (%(default)s)")
    parser.add_argument("--keep", type=Path, help="leave logs and configurations in this folder")
    options = parser.parse_args()
    if problems := uncovered(rule_names(), ALL):
        print("\n".join(problems), file=sys.stderr)
        return 1
    try:
        if options.keep:
            options.keep.mkdir(parents=True)
            return prove(options.keep.absolute(), options)
        with tempfile.TemporaryDirectory(prefix="prove-alerts-") as folder:
            Path(folder).chmod(0o755)  # the server runs as another user
            return prove(Path(folder), options)
    except (ProofError, PostgresError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def prove(folder: Path, options: argparse.Namespace) -> int:
    floors = ", ".join(f"{name} {seconds} s" for name, seconds in scaling.FLOORS.items())
    print(f"waiting times divided by {options.factor:g}, to no less than: {floors}", flush=True)
    began = time.monotonic()
    with stage(folder, options.factor) as ground:
        print(
            f"{time.monotonic() - began:.0f} s: everything is up; {QUIET_SECONDS} s in which nothing may fire",
            flush=True,
        )
        judge = Judge(ground.recorder, lambda line: print(line, flush=True))
        time.sleep(QUIET_SECONDS)
        judge.expect_silence()
        for wave in WAVES:
            chosen = [each for each in wave if not options.only or each.alert in options.only]
            judge.play(ground, chosen)
        if not options.only or WATCHDOG.alert in options.only:
            judge.end_of_watchdog(ground, WATCHDOG)
        results, unasked = judge.results(), judge.unasked()
    print_table(results)
    for line in unasked:
        print(f"uninjected: {line}")
    bad = [each for each in results if each.problem]
    took = time.monotonic() - began
    print(f"{len(results) - len(bad)} of {len(results)} alerts fired once and resolved once, in {took:.0f} s")
    return 1 if bad or unasked else 0


def print_table(results: list[Result]) -> None:
    print("| alert | cause injected | s to fire | s to resolve | notifications | |")
    print("| --- | --- | ---: | ---: | --- | --- |")
    for each in results:
        print(
            f"| {each.alert} | {each.cause} | {each.fired} | {each.resolved} | {each.counts} | {each.problem or 'ok'} |"
        )


if __name__ == "__main__":
    sys.exit(main())

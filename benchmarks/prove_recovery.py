"""Kill -9 of scheduler, worker, database, receiver and others in the midst of a backfill: what does it cost?

`python -m benchmarks.prove_recovery [--from 2020-01-01] [--to 2023-01-01] [--executor LocalExecutor]`, or
`make prove-recovery`. With redis-server on PATH, two Celery workers do the work; else LocalExecutor does, and a task's
process dies in a worker's place. The months are loaded with one kill after the other, each while tasks run, and then
undisturbed on a second stack. Per kill, all in seconds from the kill: until the component was healthy again, until a
task that had started after the kill succeeded, and until the tasks that ran at the kill had all succeeded. The exit
status is 1 unless every month succeeded, the table is that of the undisturbed backfill, nothing was revised and no
process was left behind.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks.backfill.months import Backfill, options_parser, own_stack, ready, say
from benchmarks.backfill.outcome import Candles, Task, candles, run_states, shares, tasks
from benchmarks.backfill.victims import Victim, victims, wait_until
from include.stack.executor import NAMES, Executor
from include.stack.launcher import Stack
from include.stack.processes import marked

PATIENCE = 420.0  # a lost task is missed after 90 s, waits up to 80 s for its third try, and may be lost twice
DONE = ("success", "skipped")


@dataclass(slots=True)
class Kill:
    """One kill: when, what was running, and the seconds it took."""

    victim: Victim
    at: datetime
    running: list[Task]
    healthy: float = 0.0
    next_success: float = 0.0

    def last_of_running(self, ended: dict[tuple[str, str], Task]) -> float:
        """Seconds until the last of the tasks that ran at the kill had succeeded."""
        ends = [ended[task.key].ended_at for task in self.running if task.key in ended]
        return max(((end - self.at).total_seconds() for end in ends if end), default=0.0)


def main() -> int:
    parser = options_parser(__doc__, "2020-01-01", "2023-01-01", ["1h", "1d"])
    found = "CeleryExecutor" if shutil.which("redis-server") else "LocalExecutor"
    parser.add_argument("--executor", choices=NAMES, default=found, help=f"default, as found here: {found}")
    options = parser.parse_args()
    executor = Executor.from_environment({**os.environ, "AIRFLOW_EXECUTOR": options.executor})
    backfill = Backfill.from_options(options)
    say("disturbed")
    with tempfile.TemporaryDirectory(prefix="recovery-") as folder:
        with own_stack(executor, Path(folder)) as stack:
            got, disturbed, kills, done = load(stack, backfill, victims(executor.is_celery))
            states = run_states(stack)
        left = marked(Path(folder))
    report(kills, done)
    again = sum(task.try_number - 1 for task in done)
    print(f"\n{os.cpu_count()} cores, {options.executor}, {executor.slots} slots; {shares(done)}")
    print(f"months     {states.count('success')} of {len(states)} succeeded; tries beyond the first: {again}")
    print(f"seconds    {disturbed:.0f} with {len(kills)} kills")
    print(f"rows       {got.rows}, {got.revisions} revisions")
    print(f"processes  {len(left)} left")
    print(f"table      {got.md5}\n", flush=True)
    say("undisturbed")
    with own_stack(executor) as stack:
        expected, seconds, _, _ = load(stack, backfill, [])
    print(f"\nexpected   {expected.md5}, undisturbed in {seconds:.0f} s")
    broken = [f"{states.count('failed')} months failed"] if set(states) != {"success"} else []
    broken += ["the table differs from the undisturbed one"] if got != expected or not got.rows else []
    broken += ["rows were revised"] if got.revisions else []
    broken += ["processes were left behind"] if left else []
    print("\n" + ("\n".join(f"NOT PROVEN: {fault}" for fault in broken) or "recovered from each"))
    return 1 if broken else 0


def load(stack: Stack, backfill: Backfill, doomed: list[Victim]) -> tuple[Candles, float, list[Kill], list[Task]]:
    """The whole backfill with these deaths: table, seconds, kills, tasks. Raises TimeoutError where one is too much."""
    ready(stack)
    began = time.monotonic()
    backfill.create(stack)
    kills = [kill(stack, victim) for victim in doomed]
    backfill.wait(lambda: run_states(stack))
    return candles(stack), time.monotonic() - began, kills, tasks(stack)


def kill(stack: Stack, victim: Victim) -> Kill:
    """Wait until tasks run, kill, and watch it come back."""
    wait_until(lambda: (len(running(stack)) > 1 and victim.is_there(stack)) or is_over(stack), PATIENCE, "two tasks")
    if is_over(stack):
        raise SystemExit(f"the backfill ended before {victim.name} was killed: choose more months")
    done = Kill(victim, datetime.now(UTC), running(stack))
    component, pid = victim.kill(stack)
    say(f"killed {victim.name} while {len(done.running)} tasks ran")
    back = f"{victim.name} to be healthy again"
    done.healthy = wait_until(lambda: victim.is_back(stack, component, pid, done.at), PATIENCE, back)
    wait_until(lambda: bool(successes_since(stack, done.at)), PATIENCE, f"a task to succeed after {victim.name}")
    done.next_success = (min(successes_since(stack, done.at)) - done.at).total_seconds()
    say(f"{victim.name}: healthy after {done.healthy:.1f} s, the next task succeeded after {done.next_success:.1f} s")
    return done


def seen(stack: Stack) -> list[Task]:
    """Every task instance; none while the database is away."""
    try:
        return tasks(stack)
    except psycopg.OperationalError:
        return []


def is_over(stack: Stack) -> bool:
    """Whether no month is left to load, as far as the database can be asked."""
    try:
        states = run_states(stack)
    except psycopg.OperationalError:
        return False
    return bool(states) and all(state in ("success", "failed") for state in states)


def running(stack: Stack) -> list[Task]:
    return [task for task in seen(stack) if task.is_alive]


def successes_since(stack: Stack, instant: datetime) -> list[datetime]:
    """When those tasks succeeded that started after the instant."""
    late = (task for task in seen(stack) if task.state == "success" and task.started_at and task.started_at > instant)
    return [task.ended_at for task in late if task.ended_at]


def report(kills: list[Kill], done: list[Task]) -> None:
    """A line per kill."""
    ended = {task.key: task for task in done if task.state in DONE}
    print("\nseconds after the kill, until it was healthy, until the next task succeeded, until all that ran had:")
    print(f"{'killed':18}{'running':>8}{'healthy':>10}{'next task':>12}{'all that ran':>14}")
    for each in kills:
        last = each.last_of_running(ended)
        figures = f"{each.healthy:>10.1f}{each.next_success:>12.1f}{last:>14.1f}"
        print(f"{each.victim.name:18}{len(each.running):>8}{figures}")


if __name__ == "__main__":
    sys.exit(main())

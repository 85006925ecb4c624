"""The compose files without an engine: every service that has a program on this machine, and a task through them.

    make prove-containers                          (Linux, root, util-linux; minutes)
    make prove-containers ARGS="postgres redis"    (these only, until they are healthy)

Each service gets a room of its own (benchmarks/containers/room.py): read-only root, its user, no rights, its volumes,
its environment and command as `docker-compose config` gives them with production, replay, monitoring and celery. What
this does not show: images, Docker's networks, limits, and versions other than this machine's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.containers.rehearsal import Failure, Rehearsal, Services
from benchmarks.containers.room import image
from benchmarks.containers.service import Place
from include.stack.airflow_api import AirflowApi
from include.stack.layout import ROOT, StackError

INSIDE = "CRYPTO_MARKET_REHEARSAL"
FILES = ("docker-compose.yaml", "deploy/compose/production.yaml", "deploy/compose/replay.yaml")
DAG = "ticker_snapshots"
WAIT_SECONDS = 600


def main() -> int:
    if os.geteuid() != 0:
        print("error: namespaces need root", file=sys.stderr)
        return 2
    if INSIDE not in os.environ:
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
        program = [sys.executable, "-m", "benchmarks.prove_containers", *sys.argv[1:]]
        return subprocess.run([*command, *program], env={**os.environ, INSIDE: "1"}, check=False).returncode
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.umask(0o022)
    work = Path(tempfile.mkdtemp(prefix="containers-", dir=os.environ.get("STACK_VAR")))
    work.chmod(0o755)
    (work / "log").mkdir()
    try:
        return rehearse(work, set(sys.argv[1:]))
    except (Failure, StackError) as failure:
        print(f"FAILED: {failure}", file=sys.stderr)
        return 1


def rehearse(work: Path, only: set[str]) -> int:
    began = time.monotonic()
    services, environment = configuration(work)
    if unknown := only - services.keys():
        raise Failure(f"no service is named {', '.join(sorted(unknown))}; there are {', '.join(sorted(services))}")
    names = set(services) | {f"airflow-worker-{number}" for number in range(2, 10)}
    (work / "hosts").write_text(f"127.0.0.1 localhost {' '.join(sorted(names))}\n")
    services = {name: service for name, service in services.items() if not only or name in only}
    rehearsal = Rehearsal(services, Place(work, image(work), work / "hosts"))
    for name, reason in rehearsal.absent.items():
        print(f"left out: {name}: {reason}")
    rehearsal.start()
    seconds = time.monotonic() - began
    print(f"{len(rehearsal.rooms)} services as they should be after {seconds:.0f} s", flush=True)
    if rehearsal.rooms.keys() >= {"airflow-api-server", "airflow-scheduler", "airflow-worker", "replay"}:
        a_task_runs_in_a_worker(environment)
    if rehearsal.rooms.keys() >= {"prometheus", "alertmanager", "node-exporter", "sql-exporter", "statsd-exporter"}:
        every_target_is_up()
    if "backup" in rehearsal.rooms:
        a_backup_is_made(rehearsal)
    nothing_is_written_to_a_root(rehearsal)
    for name, seconds in rehearsal.stop().items():
        print(f"ended after SIGTERM: {name} {seconds:.1f} s")
    return 0


def configuration(work: Path) -> tuple[Services, dict[str, str]]:
    """What Compose would start, and the .env that make_env.sh wrote for it."""
    (work / "env/deploy").mkdir(parents=True)
    for name in (".env.example", "deploy/make_env.sh"):
        (work / "env" / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(["sh", work / "env/deploy/make_env.sh"], check=True, stdout=subprocess.DEVNULL)
    chosen = {
        "COMPOSE_PROFILES": "monitoring,celery",
        "AIRFLOW_EXECUTOR": "CeleryExecutor",
        "AIRFLOW_DAGS_PAUSED": "True",
        "CRYPTO_MARKET_RELEASE": "rehearsal",
    }
    command = [str(ROOT / ".venv/bin/docker-compose"), "--env-file", str(work / "env/.env")]
    for file in FILES:
        command += ["-f", str(ROOT / file)]
    done = subprocess.run(
        [*command, "config", "--format", "json"], env=os.environ | chosen, capture_output=True, text=True, check=True
    )
    lines = (work / "env/.env").read_text().splitlines()
    environment = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    services: Services = json.loads(done.stdout)["services"]
    return services, environment


def a_task_runs_in_a_worker(environment: dict[str, str]) -> None:
    """A run of a DAG succeeds, in a worker's room, and the API server shows the log the task wrote there."""
    api = AirflowApi("http://127.0.0.1:8080", "admin", environment["AIRFLOW_ADMIN_PASSWORD"])
    give_up = time.monotonic() + WAIT_SECONDS
    while DAG not in api.dags():
        _or_fail(give_up, f"{DAG} was not parsed; import errors: {api.import_errors()}")
    api.set_paused(DAG, False)
    run = api.trigger(DAG)
    while (state := api.run(DAG, run)["state"]) not in ("success", "failed"):
        _or_fail(give_up, f"{DAG} is still {state}")
    path = f"dags/{DAG}/dagRuns/{run}/taskInstances"
    tasks = api.call("GET", path).json()["task_instances"]
    hosts = {task["hostname"] for task in tasks if task["hostname"]}
    logs = [api.call("GET", f"{path}/{task['task_id']}/logs/1").text for task in tasks if task["state"] == "success"]
    if state != "success" or not hosts or not all(host.startswith("airflow-worker") for host in hosts):
        raise Failure(f"{DAG}: {state}, on {hosts or 'no host'}")
    if not logs or not all("/opt/airflow/logs/" in log for log in logs):
        raise Failure(f"the API server found no log of {DAG} in the shared volume")
    print(f"{DAG}: {state}, {len(tasks)} task(s) in {', '.join(sorted(hosts))}; the API server shows their logs")


def every_target_is_up() -> None:
    import requests

    give_up = time.monotonic() + 90
    while True:
        answer = requests.get("http://127.0.0.1:9090/api/v1/targets", timeout=5).json()["data"]["activeTargets"]
        health = {target["labels"]["job"]: target["health"] for target in answer}
        down = {job for job, state in health.items() if state != "up"} - {"containers"}
        if not down:
            break
        _or_fail(give_up, f"Prometheus does not reach {', '.join(sorted(down))}: {answer}")
    facts = requests.get("http://127.0.0.1:9237/metrics", timeout=5).text.count("\nsql_")
    if not facts:
        raise Failure("the SQL exporter shows no fact")
    up = sorted(job for job, state in health.items() if state == "up")
    print(f"Prometheus scrapes {', '.join(up)}; the SQL exporter shows {facts} samples", flush=True)


def a_backup_is_made(rehearsal: Rehearsal) -> None:
    done = rehearsal.only("backup").inside(["python", "-m", "include.cli", "backup", "--verify"], seconds=300)
    if done.returncode:
        raise Failure(f"backup --verify ended with {done.returncode}: {done.stderr[-1500:]}")
    dumps = [path for path in (rehearsal.place.work / "volumes/backup").rglob("*") if path.is_file()]
    print(f"backup --verify: {len(dumps)} files, {sum(path.stat().st_size for path in dumps) / 1e6:.1f} MB")


def nothing_is_written_to_a_root(rehearsal: Rehearsal) -> None:
    """The rooms are what they claim: no file can be made outside volumes and memory, no right is left."""
    for rooms in rehearsal.rooms.values():
        for each in rooms:
            if each.process and each.process.poll() is None:
                if each.inside(["sh", "-c", "echo x > /opt/airflow/x"]).returncode == 0:
                    raise Failure(f"{each.name} may write to its root")
                rights = each.inside(["sh", "-c", "grep CapEff /proc/self/status; id -u"]).stdout.split()
                if rights[1] != "0" * 16 or rights[2] == "0":
                    raise Failure(f"{each.name} has rights: {rights}")
    print("every root is read-only, every user without rights")


def _or_fail(give_up: float, reason: str) -> None:
    if time.monotonic() > give_up:
        raise Failure(reason)
    time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())

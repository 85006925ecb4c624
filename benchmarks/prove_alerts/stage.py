"""Everything the proof plays on: databases, two receivers, Prometheus and Alertmanager with our files, a recorder."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import yaml

from benchmarks.prove_alerts import scaling
from benchmarks.prove_alerts.databases import Databases, prepare
from benchmarks.prove_alerts.packets import HEARTBEATS, NodePage, Pump
from benchmarks.prove_alerts.programs import Program, ProofError, find, free_ports, receiver
from benchmarks.prove_alerts.real_airflow import RealAirflow, copy_metadata
from benchmarks.prove_alerts.recorder import Recorder
from benchmarks.prove_alerts.rows import fill
from include.stack.layout import ROOT

RULES = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
JOBS = ("airflow", "warehouse-facts", "node", "alertmanager", "prometheus")  # of deploy/prometheus/prometheus.yml
READY_SECONDS = 90
READY = f"sum(min_over_time(up[10s])) == {len(JOBS)} and count_over_time(sum(crypto_facts_up)[10s:1s]) > 9"
NAMES = ("postgres", "statsd", *JOBS, "blind", "recorder")


@dataclass
class Stage:
    """What injections may touch."""

    folder: Path
    databases: Databases
    pump: Pump
    node: NodePage
    recorder: Recorder
    airflow: RealAirflow
    receiver: Program
    prometheus: Program
    targets: Path
    ports: dict[str, int]

    def facts_without_warehouse(self) -> None:
        """Prometheus asks an exporter that was given Airflow's database alone."""
        self._facts_from("blind")

    def facts_with_all(self) -> None:
        self._facts_from("warehouse-facts")

    def _facts_from(self, name: str) -> None:
        fresh = self.targets.with_suffix(".new")
        fresh.write_text(yaml.safe_dump([{"targets": [f"127.0.0.1:{self.ports[name]}"]}]))
        fresh.rename(self.targets)

    def stop_database(self) -> None:
        """Airflow does not outlive its database and takes long to be back: its heartbeats are imitated from here on."""
        self.pump.packets |= HEARTBEATS
        self.airflow.stop()
        self.databases.stop()

    def grow(self, size: int) -> None:
        """Make the warehouse that much larger: its files' sizes are what PostgreSQL adds up."""
        self._growth().touch()
        with self._growth().open("r+b") as file:
            file.truncate(size)

    def shrink(self) -> None:
        self._growth().unlink()

    def _growth(self) -> Path:
        with psycopg.connect(self.databases.cluster.dsn("warehouse")) as connection:
            ((oid,),) = connection.execute("select oid from pg_database where datname = current_database()")
        return self.databases.cluster.data / "base" / str(oid) / "growth"

    def miss_deadline(self, dag_id: str) -> None:
        """A row as the scheduler leaves it behind for a run that was late."""
        run = "(select id from dag_run where dag_id = %(dag_id)s limit 1)"
        self.databases.insert("airflow", "deadline", missed=True)
        self.databases.run("airflow", f"update deadline set dagrun_id = {run}", dag_id=dag_id)


def write_rules(folder: Path, factor: float) -> None:
    """Our rule files with divided durations."""
    (folder / "rules").mkdir()
    for path in RULES:
        changed = scaling.rule_file(yaml.safe_load(path.read_text()), factor)
        (folder / "rules" / path.name).write_text(yaml.safe_dump(changed, sort_keys=False))


def write_configurations(folder: Path, ports: dict[str, int], factor: float) -> None:
    """Our configurations with divided waiting times, addresses of this stage, and the recorder beside."""
    settings: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    settings["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    settings["alerting"] = {
        "alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{ports['alertmanager']}"]}]}]
    }
    settings["scrape_configs"] = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{ports[job]}"]}]}
        if job != "warehouse-facts"
        # Three seconds: asking a database that has gone takes two.
        else {"job_name": job, "scrape_interval": "3s", "scrape_timeout": "3s",
              "file_sd_configs": [{"files": ["targets.yml"], "refresh_interval": "1s"}]}
        for job in JOBS
    ]  # fmt: skip
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings, sort_keys=False))
    alertmanager: dict[str, Any] = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())
    alertmanager["templates"] = [str(ROOT / "deploy/alertmanager/templates/*.tmpl")]
    alertmanager["route"] = scaling.routes(alertmanager["route"], factor)
    for each in alertmanager["receivers"]:
        url = f"http://127.0.0.1:{ports['recorder']}"
        (folder / f"{each['name']}_url").write_text(f"{url}/chat/{each['name']}")
        for chat in each["slack_configs"]:
            chat["api_url_file"] = str(folder / f"{each['name']}_url")
        told = {"url": f"{url}/webhook", "send_resolved": each["name"] != "dead_mans_switch"}
        each["webhook_configs"] = [told]
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(alertmanager, sort_keys=False))


@contextmanager
def stage(folder: Path, factor: float) -> Iterator[Stage]:
    """Everything up and well, as long as the block lasts. Raises ProofError where something is missing."""
    prometheus, alertmanager = find("prometheus"), find("prometheus-alertmanager")
    ports = dict(zip(NAMES, free_ports(len(NAMES)), strict=True))
    write_configurations(folder, ports, factor)
    url = "http://127.0.0.1"
    with ExitStack() as closing:
        databases = prepare(folder, ports["postgres"])
        closing.callback(databases.stop)
        closing.callback(databases.let_go)
        metadata = copy_metadata(databases)
        fill(databases)
        blind = {"FACTS_AIRFLOW_DSN": databases.facts["FACTS_AIRFLOW_DSN"]}
        programs = [
            receiver("receiver", folder, ports["statsd"], ports["airflow"], {}),
            receiver("facts", folder, free_ports(1)[0], ports["warehouse-facts"], databases.facts),
            receiver("blind", folder, free_ports(1)[0], ports["blind"], blind),
            Program(
                "alertmanager",
                [
                    alertmanager,
                    f"--config.file={folder}/alertmanager.yml",
                    f"--storage.path={folder}/alertmanager",
                    f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
                    "--cluster.listen-address=",
                ],
                folder,
                f"{url}:{ports['alertmanager']}/-/ready",
                {},
            ),
            Program(
                "prometheus",
                [
                    prometheus,
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/prometheus",
                    f"--web.listen-address=127.0.0.1:{ports['prometheus']}",
                    "--rules.alert.resend-delay=5s",
                ],
                folder,
                f"{url}:{ports['prometheus']}/-/ready",
                {},
            ),
        ]
        recorder = closing.enter_context(Recorder(ports["recorder"], folder / "received.log"))
        node = closing.enter_context(NodePage(ports["node"]))
        pump = closing.enter_context(Pump(ports["statsd"]))
        for program in programs[:3]:
            closing.callback(program.stop)
            program.start()
        airflow = RealAirflow(folder, metadata, ports["statsd"], f"{url}:{ports['airflow']}/metrics")
        closing.callback(airflow.stop)
        airflow.start()
        targets = folder / "targets.yml"
        found = Stage(folder, databases, pump, node, recorder, airflow, programs[0], programs[4], targets, ports)
        found.facts_with_all()
        for program in programs[3:]:
            closing.callback(program.stop)
            program.start()
        _wait_for_samples(f"{url}:{ports['prometheus']}")
        write_rules(folder, factor)
        programs[4].hang_up()
        yield found


def _wait_for_samples(url: str) -> None:
    """Until every target answers and heartbeats fill their window: rules that are read before would miss them."""
    query = urllib.parse.urlencode({"query": READY})
    deadline = time.monotonic() + READY_SECONDS
    while True:
        with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=5) as response:  # noqa: S310 - loopback
            if json.load(response)["data"]["result"]:
                return
        if time.monotonic() > deadline:
            raise ProofError(f"not all targets answer: {url}/targets")
        time.sleep(1)

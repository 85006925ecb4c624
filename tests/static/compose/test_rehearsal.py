"""`make prove-containers` knows what stands in for every service there is, and says which it leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.containers import rehearsal, service
from benchmarks.containers.room import Mount, image

ROOT = Path(__file__).parents[3]


def test_every_service_has_a_stand_in_or_is_left_out(services) -> None:
    commands = {name: service.command(name, each) for name, each in services().items() if name not in service.ABSENT}
    assert services().keys() - commands.keys() == service.ABSENT
    assert commands["airflow-scheduler"] == ["airflow", "scheduler", "--skip-serve-logs"]
    assert commands["airflow-init"][:2] == ["bash", "/opt/airflow/deploy/airflow/initialise.sh"]
    assert commands["mlflow"][:4] == ["python", "-m", "mlflow", "server"]
    assert commands["prometheus"][:2] == ["prometheus", "--config.file=/etc/prometheus/prometheus.yml"]
    assert "requirepass $REDIS_PASSWORD" in commands["redis"][2]


def test_health_checks_are_asked_as_docker_would(services) -> None:
    assert service.health(services()["redis"]) == ["sh", "-c", 'test "$(redis-cli ping)" = PONG']
    assert service.health(services()["postgres"])[0] == "pg_isready"
    assert service.health(services()["statsd-exporter"])[-1] == "http://127.0.0.1:9102/health"


def test_a_room_has_what_the_file_says(services, tmp_path: Path) -> None:
    files = (ROOT / "docker-compose.yaml", ROOT / "deploy/compose/production.yaml")
    production = services(files=files)
    place = service.Place(tmp_path, tmp_path / "image", tmp_path / "hosts")
    worker = service.room("airflow-worker", production["airflow-worker"] | {"volumes": []}, place, replica=2)
    assert worker.name == "airflow-worker-2"
    assert worker.user == "50000:0"
    assert Mount("/tmp") in worker.mounts  # noqa: S108 - in a room
    assert worker.environment["AIRFLOW__CELERY__WORKER_CONCURRENCY"] == "4"
    exporter = service.room("node-exporter", production["node-exporter"], place)
    assert Mount("/host", "/", read_only=True) in exporter.mounts
    assert exporter.user == "65534:65534"


def test_the_stand_in_for_the_image_has_what_the_dockerfile_copies(tmp_path: Path) -> None:
    made = {path.name for path in (image(tmp_path) / "airflow").iterdir()}
    copied = {
        line.split()[2] for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("COPY --chown")
    }
    assert copied <= made
    assert (tmp_path / "image/airflow/airflow.cfg").read_text() == ""


@pytest.mark.parametrize(("text", "seconds"), [("10s", 10), ("1m0s", 60), ("5m0s", 300), ("1m30s", 90)])
def test_grace_periods_are_read(text: str, seconds: float) -> None:
    assert rehearsal._seconds(text) == seconds

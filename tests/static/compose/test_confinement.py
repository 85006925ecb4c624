"""What an unattended server needs of each service: limits, restarts, as few rights as it can do with."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
BASE = (ROOT / "docker-compose.yaml",)
PRODUCTION = (*BASE, ROOT / "deploy/compose/production.yaml")
ONE_OFF = {"databases", "warehouse-migrate", "airflow-init", "airflow-rights", "airflow-settings"}
OURS = "crypto-market-airflow:"
AS_ROOT = {"cadvisor"}
# The host's own folders: only those that measure the host, and never to write.
HOST = {"node-exporter": {"/"}, "cadvisor": {"/", "/var/run", "/sys", "/var/lib/docker"}}


@pytest.fixture(params=[BASE, PRODUCTION], ids=["base", "production"])
def each(request: pytest.FixtureRequest, services) -> dict[str, dict[str, Any]]:
    return services(files=request.param)


def test_services_survive_unattended(each: dict[str, dict[str, Any]]) -> None:
    for name, service in each.items():
        assert {"cpus", "memory", "pids"} <= set(service["deploy"]["resources"]["limits"]), name
        assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}, name
        if name in ONE_OFF:
            assert service["restart"] in ("no", "on-failure:3"), name
        else:
            assert service["healthcheck"]["test"], name


def test_long_running_ones_are_started_again(services) -> None:
    for files, restart in ((BASE, "unless-stopped"), (PRODUCTION, "always")):
        for name, service in services(files=files).items():
            assert service["restart"] == restart or name in ONE_OFF, name


def test_services_are_confined(each: dict[str, dict[str, Any]]) -> None:
    for name, service in each.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service.get("cap_add", []) == (["DAC_READ_SEARCH"] if name == "cadvisor" else []), name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "devices", "container_name"} & service.keys(), name
        for volume in service.get("volumes", []):
            assert volume["type"] == "volume" or volume["read_only"], (name, volume)


def test_nobody_is_root_but_cadvisor(each: dict[str, dict[str, Any]]) -> None:
    assert re.findall(r"^USER (\S+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[-1] == "50000"
    for name, service in each.items():
        if not service["image"].startswith(OURS):
            assert (service.get("user", "0:0").split(":")[0] == "0") == (name in AS_ROOT), name


def test_only_two_see_the_host(each: dict[str, dict[str, Any]]) -> None:
    for name, service in each.items():
        bound = {volume["source"] for volume in service.get("volumes", []) if volume["type"] == "bind"}
        assert {source for source in bound if not source.startswith(str(ROOT))} == HOST.get(name, set()), name


def test_roots_are_read_only_in_production(services) -> None:
    for name, service in services(files=PRODUCTION).items():
        assert service["read_only"], name
        assert any(mount.startswith("/tmp:size=") for mount in service["tmpfs"]), name  # noqa: S108 - in a container
        # Compose cannot put a secret of the environment into a read-only container: secrets are environment variables.
        assert not {"secrets", "configs"} & service.keys(), name


def test_our_image_has_an_init_and_a_release(services) -> None:
    ours = {name: service for name, service in services(files=PRODUCTION).items() if service["image"].startswith(OURS)}
    assert {"airflow-worker", "mlflow", "backup", "warehouse-migrate"} <= ours.keys()
    for name, service in ours.items():
        assert service["init"], name
        assert service["image"] == f"{OURS}2026-11-21", name


def test_images_are_pinned_and_files_exist(each: dict[str, dict[str, Any]]) -> None:
    for name, service in each.items():
        if not service["image"].startswith(OURS):
            assert re.search(r":v?\d+\.\d+\.?\d*(-\w+)?$", service["image"]), name
        for volume in service.get("volumes", []):
            assert (
                volume["type"] == "volume"
                or volume["source"] in HOST.get(name, set())
                or Path(volume["source"]).exists()
            ), volume


def test_what_takes_long_to_end_is_given_time(each: dict[str, dict[str, Any]]) -> None:
    times = {name: service.get("stop_grace_period") for name, service in each.items()}
    assert times["postgres"] == times["airflow-scheduler"] == times["prometheus"] == "1m0s"
    assert times["airflow-worker"] == "5m0s"  # a warm shutdown: its tasks end first

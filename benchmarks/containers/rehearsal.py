"""Start the services in the order Compose would, wait for the health checks it would ask, end them as it would."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import Any

from benchmarks.containers.room import Room
from benchmarks.containers.service import Place, command, health, missing, room

PATIENCE_SECONDS = 900
Services = dict[str, dict[str, Any]]


class Failure(RuntimeError):
    """A service did not do what the compose file says of it."""


class Rehearsal:
    """The services of one project, started."""

    def __init__(self, services: Services, place: Place) -> None:
        self.services = {name: service for name, service in services.items() if not missing(name)}
        self.absent = {name: str(missing(name)) for name in services if missing(name)}
        self.place = place
        self.rooms: dict[str, list[Room]] = {}

    def start(self) -> None:
        """Everything, in order. Raises Failure where a one-off fails, a service dies or is never healthy."""
        waiting = dict(self.services)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while waiting:
            ready = [name for name, service in waiting.items() if self._may_start(service)]
            for name in ready:
                self._enter(name, waiting.pop(name))
            if not ready:
                time.sleep(0.5)
                self._look_for_the_dead()
                if time.monotonic() > give_up:
                    raise Failure(f"never started, for want of what they depend on: {', '.join(waiting)}")
        for name in self.services:
            self._wait(name, give_up)
            print(f"as it should be: {name}", flush=True)

    def only(self, name: str) -> Room:
        return self.rooms[name][0]

    def stop(self) -> dict[str, float]:
        """Seconds each long-running service took to end after SIGTERM. Raises Failure where one exceeds its time."""
        took = {}
        running = [(name, each) for name, rooms in reversed(self.rooms.items()) for each in rooms if _alive(each)]
        for name, each in running:
            began = time.monotonic()
            patience = _seconds(self.services[name].get("stop_grace_period", "10s"))
            each.running.send_signal(signal.SIGTERM)
            try:
                each.running.wait(timeout=patience)
            except subprocess.TimeoutExpired:
                raise Failure(f"{each.name} did not end within its {patience} s") from None
            took[each.name] = time.monotonic() - began
        return took

    def _may_start(self, service: dict[str, Any]) -> bool:
        return all(self._holds(other, wanted) for other, wanted in service.get("depends_on", {}).items())

    def _holds(self, other: str, wanted: dict[str, Any]) -> bool:
        if other not in self.services:
            return True  # absent here, or of a profile that is off
        rooms = self.rooms.get(other)
        if not rooms:
            return False
        match wanted["condition"]:
            case "service_started":
                return True
            case "service_completed_successfully":
                return self._ended(other)
            case _:
                return all(_healthy(each, self.services[other]) for each in rooms)

    def _enter(self, name: str, service: dict[str, Any]) -> None:
        replicas = int(service["deploy"].get("replicas", 1))
        self.rooms[name] = [room(name, service, self.place, number + 1) for number in range(replicas)]
        for each in self.rooms[name]:
            each.enter(command(name, service))

    def _wait(self, name: str, give_up: float) -> None:
        service = self.services[name]
        done = self._ended if "healthcheck" not in service else self._is_healthy
        while not done(name):
            self._look_for_the_dead()
            if time.monotonic() > give_up:
                said = self.only(name).inside(health(service)) if "healthcheck" in service else None
                raise Failure(f"{name} is not healthy: {said}; its log: {self.only(name).log}")
            time.sleep(1)

    def _is_healthy(self, name: str) -> bool:
        return all(_healthy(each, self.services[name]) for each in self.rooms[name])

    def _ended(self, name: str) -> bool:
        ends = [each.process.poll() for each in self.rooms[name] if each.process]
        return all(end == 0 for end in ends)

    def _look_for_the_dead(self) -> None:
        for name, rooms in self.rooms.items():
            for each in rooms:
                end = each.process.poll() if each.process else None
                if end is not None and (end != 0 or "healthcheck" in self.services[name]):
                    last = each.log.read_text(errors="replace")[-2000:]
                    raise Failure(f"{each.name} ended with {end}; the end of {each.log}:\n{last}")


def _alive(each: Room) -> bool:
    return each.process is not None and each.process.poll() is None


def _healthy(each: Room, service: dict[str, Any]) -> bool:
    return _alive(each) and each.inside(health(service)).returncode == 0


def _seconds(text: str) -> float:
    minutes, _, rest = text.rpartition("m")
    return int(minutes or 0) * 60 + int(rest.removesuffix("s") or 0)

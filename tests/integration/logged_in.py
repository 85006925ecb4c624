"""The data API behind a login that answers as Airflow's does, over real HTTP on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

from include.api.access import Access
from include.api.app import create_app
from include.api.warehouse import Warehouse
from include.clock import FixedClock
from tests.conftest import listening

USER, PASSWORD = "viewer", "a password"


class Credentials(BaseModel):
    username: str
    password: str


@dataclass
class Door:
    """Who comes in; tokens are numbered, and only the newest counts."""

    url: str = ""
    logins: int = 0
    asked: list[str] = field(default_factory=list)
    forbidden: bool = False

    @property
    def token(self) -> str:
        return f"token-{self.logins}"

    def open(self, credentials: Credentials) -> dict[str, str]:
        if (credentials.username, credentials.password) != (USER, PASSWORD):
            raise HTTPException(401, "Invalid credentials")
        self.logins += 1
        return {"access_token": self.token}

    def check(self, authorization: Annotated[str, Header()] = "") -> None:
        self.asked.append(authorization)
        if authorization != f"Bearer {self.token}":
            raise HTTPException(401, "Not authenticated")
        if self.forbidden:
            raise HTTPException(403, "Forbidden")


@contextmanager
def logged_in(dsn: str, now: datetime) -> Iterator[Door]:
    """The API under its path of the pages' plugin, at a time that stands still."""
    door = Door()
    warehouse = Warehouse(lambda: dsn, lambda: FixedClock(now))
    api = create_app(warehouse, Access(door.check, door.check, door.check))
    app = FastAPI()
    app.post("/auth/token", status_code=201)(door.open)
    app.mount("/market", api)
    with closing(warehouse), listening(app) as door.url:
        yield door

"""Passwords: made once, readable by the owner alone, never shown by accident."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from cryptography.fernet import Fernet

from include.stack.credentials import Credentials, load_or_create


def test_made_once_and_the_same_ever_after(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    made, fresh = load_or_create(path)
    assert fresh
    assert load_or_create(path) == (made, False)
    assert list(tmp_path.iterdir()) == [path]


def test_an_older_file_keeps_what_it_holds_and_gets_what_it_lacks(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    made, _ = load_or_create(path)
    older = asdict(made)
    del older["redis"]
    path.write_text(json.dumps(older))
    completed, fresh = load_or_create(path)
    assert not fresh
    assert load_or_create(path) == (completed, False)
    assert {name: secret for name, secret in asdict(completed).items() if name != "redis"} == older
    assert completed.redis != made.redis
    assert path.stat().st_mode & 0o777 == 0o600


def test_only_the_owner_may_read_them_whatever_the_umask(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        load_or_create(tmp_path / "credentials.json")
    finally:
        os.umask(previous)
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600


def test_none_is_shown() -> None:
    credentials = Credentials()
    shown = f"{credentials} {credentials!r}"
    assert not [name for name, secret in asdict(credentials).items() if secret in shown]


def test_all_differ_and_are_long_enough() -> None:
    secrets = [*asdict(Credentials()).values(), *asdict(Credentials()).values()]
    assert len(set(secrets)) == len(secrets)
    assert min(map(len, secrets)) >= 20
    Fernet(Credentials().fernet_key)

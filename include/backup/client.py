"""pg_dump and pg_restore: found, run, and kept from ever seeing a password in their arguments."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from include.stack.postgres import candidates

PROGRAMS = ("pg_dump", "pg_restore")


class BackupError(RuntimeError):
    """No backup was made or restored; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Client:
    """A folder with both programs, and their major version."""

    folder: Path
    major: int

    def run(self, program: str, dsn: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run to the end. Raises BackupError with the end of what the program said where it fails."""
        command, environment = self.command(program, dsn, *arguments)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        raise_for(program, done.returncode, done.stderr)
        return done

    def command(self, program: str, dsn: str | None, *arguments: str) -> tuple[list[str], dict[str, str]]:
        """Arguments and environment: a password travels in the environment, which other users cannot read."""
        where, environment = [], dict(os.environ)
        if dsn is not None:
            fields = conninfo_to_dict(dsn)
            password = fields.pop("password", None)
            if password is not None:
                environment["PGPASSWORD"] = str(password)
            where = [f"--dbname={make_conninfo('', **fields)}", "--no-password"]
        return [str(self.folder / program), *where, *arguments], environment


def raise_for(program: str, status: int, said: str) -> None:
    """BackupError for a program that failed."""
    if status:
        raise BackupError(f"{program} failed (status {status}): {said.strip()[-1500:] or 'without a word'}")


def find_client(server_major: int, environ: Mapping[str, str] = os.environ) -> Client:
    """The programs of the server's own major version, else the next newer one: an older one reads it wrongly.

    Looked for beside the embedded server's binaries, then on PATH. Raises BackupError where there is none.
    """
    folders = candidates(environ)
    on_path = shutil.which(PROGRAMS[0], path=environ.get("PATH"))
    if on_path:
        folders.append(Path(on_path).parent)
    found = [Client(folder, major) for folder in folders if (major := client_major(folder)) is not None]
    fitting = [client for client in found if client.major >= server_major]
    if not fitting:
        seen = "; ".join(f"{client.major} in {client.folder}" for client in found) or "none"
        raise BackupError(
            f"the server is PostgreSQL {server_major}, and pg_dump must not be older (found: {seen}): install "
            f"postgresql-client-{server_major}, or set PG_BIN to a folder with its pg_dump and pg_restore"
        )
    return min(fitting, key=lambda client: client.major)


def client_major(folder: Path) -> int | None:
    """Major version of the pg_dump in a folder, or None where the folder lacks one of the programs."""
    if not all(os.access(folder / name, os.X_OK) for name in PROGRAMS):
        return None
    printed = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"\(PostgreSQL\) (\d+)", printed)
    return int(version[1]) if version else None

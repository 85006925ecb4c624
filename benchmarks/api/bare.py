"""The yardstick: FastAPI with one route that returns a constant, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from fastapi import FastAPI

ROOT = Path(__file__).resolve().parents[2]
PATH = "/constant"

app = FastAPI()


@app.get(PATH)
def constant() -> dict[str, str]:
    return {"verdict": "answered"}


@contextmanager
def bare() -> Iterator[int]:
    """Its port, for the length of the block."""
    command = [sys.executable, "-m", "benchmarks.api.bare"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else "")
        finally:
            process.terminate()


def main() -> None:
    """Serve until terminated, on a port that the kernel chooses and that is printed first."""
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off")
    socket = config.bind_socket()
    socket.listen()  # from now on a connection waits, and is not refused
    print(socket.getsockname()[1], flush=True)
    uvicorn.Server(config).run(sockets=[socket])


if __name__ == "__main__":
    main()

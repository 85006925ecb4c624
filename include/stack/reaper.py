"""`python -m include.stack.reaper VAR`: ends the whole stack when its launcher dies without doing so.

The launcher holds the other end of this process's standard input. A clean stop writes a byte; an end of file
without it means that the launcher was killed.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from typing import IO

from include.stack.processes import SessionBook, sweep

LOCK_SECONDS = 3.0  # a killed launcher's lock can outlive its end of the pipe for a moment


def main() -> None:
    var = Path(sys.argv[1])
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    if os.read(sys.stdin.fileno(), 1):
        return
    with (var / "stack.lock").open("a+") as lock:
        if not _taken(lock):
            return  # a new launcher is at work already, and sweeps for itself
        lock.truncate(0)  # the pid in it is dead: who wants the lock must see that nobody runs, and wait
        sweep(var, SessionBook(var / "sessions.json"))


def _taken(lock: IO[str]) -> bool:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        else:
            return True


if __name__ == "__main__":
    main()

"""`python -m include.stack.reaper VAR`: ends the whole stack when its launcher dies without doing so.

The launcher holds the other end of this process's standard input. A clean stop writes a byte; an end of file
without it means that the launcher was killed.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
from pathlib import Path

from include.stack.processes import SessionBook, sweep


def main() -> None:
    var = Path(sys.argv[1])
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    if os.read(sys.stdin.fileno(), 1):
        return
    with (var / "stack.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return  # a new launcher is at work already, and sweeps for itself
        sweep(var, SessionBook(var / "sessions.json"))


if __name__ == "__main__":
    main()

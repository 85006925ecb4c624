"""The `replay` command as its own process: options, restarts, the end by a signal."""

import argparse
import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from include.replay.command import add_arguments, open_clock, open_world, run

ROOT = Path(__file__).parents[2]
PROGRAM = """
import argparse, sys
from include.replay.command import add_arguments, run
parser = argparse.ArgumentParser()
add_arguments(parser)
sys.exit(run(parser.parse_args()))
"""


def parsed(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(options)


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-c", PROGRAM, "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = re.search(r"http://\S+", process.stdout.readline())
        assert url
        yield process, url.group()
        process.kill()


def now(url: str) -> datetime:
    with urllib.request.urlopen(f"{url}/clock", timeout=5) as answer:
        return datetime.fromisoformat(json.load(answer)["now"])


def test_time_goes_on_over_restarts_and_kills(tmp_path: Path) -> None:
    options = ["--synthetic", "--clock", "2024-01-01T00:00:00Z", "--speed", "100", "--state", str(tmp_path / "t.json")]
    with started(*options) as (process, url):
        told = now(url)
        assert datetime.fromisoformat("2024-01-01T00:00:00Z") <= told < datetime.fromisoformat("2024-01-01T01:00:00Z")
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    with started(*options) as (process, url):
        later = now(url)
        assert later >= told
        process.kill()
    with started(*options) as (process, url):
        assert now(url) >= later
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


def test_what_cannot_be_served_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(parsed("--data", str(tmp_path))) == 1
    assert "holds no recorded world" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert run(parsed("--synthetic", "--port", str(port))) == 1
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
    state = tmp_path / "state.json"
    state.write_text('{"world": "another", "now": "2024-01-01T00:00:00+00:00"}')
    assert run(parsed("--synthetic", "--state", str(state))) == 1
    assert "holds the time of world 'another'" in capsys.readouterr().err


def test_a_recorded_world_starts_four_hours_before_its_end(market_data_dir: Path) -> None:
    args = parsed("--data", str(market_data_dir), "--speed", "0")
    assert open_clock(open_world(args), args).now() == datetime.fromisoformat("2025-01-31T20:00:00Z")


def test_a_synthetic_world_begins_where_it_is_told() -> None:
    args = parsed("--synthetic", "--seed", "5", "--from", "2024-02-03", "--clock", "2024-03-01")
    assert open_world(args).identity == "synthetic seed 5 from 2024-02-03"
    assert open_clock(open_world(args), args).now() >= datetime.fromisoformat("2024-03-01T00:00:00Z")

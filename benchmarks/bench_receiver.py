"""Does the StatsD receiver lose packets? `make bench-receiver`.

It is started as in the embedded stack, sent 10,000 packets a second over loopback for 10 seconds, and asked for its
page once a second meanwhile. Printed: packets sent, received and lost (by the kernel, by the receiver), its memory
before and after, and how long a page took. Exit status 1 where one was lost or memory grew by more than 64 MB.
"""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKETS = "statsd_exporter_udp_packets_total"
GROWTH_MB = 64
BURST_SECONDS = 0.005


def packets(number: int) -> list[bytes]:
    """Lines as Airflow and this product send them: some hundred series of each type."""
    kinds = (
        "airflow.ti.finish,dag_id=dag_{0},task_id=load.upsert_{1},state=success:1|c",
        "airflow.pool.open_slots,pool_name=pool_{0}:{1}|g",
        "airflow.task.duration,dag_id=dag_{0},task_id=task_{1}:{1}.5|ms",
        "crypto.venue.request_seconds,venue=venue_{0}:{1}.25|ms",
        "crypto.venue.requests,venue=venue_{0},outcome=ok:1|c",
    )
    return [kinds[n % len(kinds)].format(n % 20, n % 7).encode() for n in range(number)]


def resident_mb(pid: int) -> float:
    (kilobytes,) = re.findall(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes) / 1024


def dropped_by_kernel(port: int) -> int:
    """Packets for this UDP port that found its buffer full."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(row[-1]) for row in rows if int(row[1].rpartition(":")[2], 16) == port)


def page(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as response:
        lines = response.read().decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def send(port: int, rate: int, seconds: float) -> tuple[int, float]:
    """Send evenly, a burst each few milliseconds; how many were sent and how long it took."""
    lines = packets(5000)
    sent, began = 0, time.monotonic()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        while sent < rate * seconds:
            due = min(int((time.monotonic() - began) * rate), int(rate * seconds))
            while sent < due:
                sender.send(lines[sent % len(lines)])
                sent += 1
            time.sleep(BURST_SECONDS)
    return sent, time.monotonic() - began


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=10_000, help="packets a second (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=10, help="how long (default %(default)s)")
    options = parser.parse_args()
    command = [sys.executable, "-m", "include.cli", "statsd-receiver", "--statsd-port=0", "--http-port=0"]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) as receiver:
        try:
            first_line = receiver.stdout.readline() if receiver.stdout else ""
            ((statsd, http),) = re.findall(r"udp [\d.]+:(\d+) -> http://[\d.]+:(\d+)/", first_line)
            statsd, http = int(statsd), int(http)
            born = page(http)[PACKETS]
            before = resident_mb(receiver.pid)
            pages: list[float] = []
            done = threading.Event()

            def look() -> None:
                while not done.wait(1):
                    asked = time.monotonic()
                    page(http)
                    pages.append(time.monotonic() - asked)

            looking = threading.Thread(target=look)
            looking.start()
            sent, took = send(statsd, options.rate, options.seconds)
            done.set()
            looking.join()
            deadline = time.monotonic() + 30
            while (shown := page(http))[PACKETS] - born < sent and time.monotonic() < deadline:
                time.sleep(0.2)
            after = resident_mb(receiver.pid)
            received = int(shown[PACKETS] - born)
            overflowed = dropped_by_kernel(statsd)
        finally:
            receiver.kill()
    print(f"sent      {sent} packets in {took:.1f} s, {sent / took:.0f}/s")
    print(f"received  {received}")
    dropped = int(shown["statsd_exporter_udp_packet_drops_total"])
    print(f"lost      {sent - received} ({overflowed} by the kernel's buffer, {dropped} by the receiver)")
    print(f"memory    {before:.0f} MB before, {after:.0f} MB after")
    print(f"pages     {len(pages)} while it was sent, the slowest in {max(pages) * 1000:.0f} ms")
    return 0 if sent == received and after - before < GROWTH_MB else 1


if __name__ == "__main__":
    sys.exit(main())

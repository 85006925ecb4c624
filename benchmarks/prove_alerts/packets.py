"""Airflow's packets and ours, sent once a second as long as their sender is well; and the page of a node exporter."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Written as Airflow 3.3.2 writes them with statsd_influxdb_enabled.
WELL = {"pool": "airflow.pool.starving_tasks,pool_name=binance:0|g"}
HEARTBEATS = {part: f"airflow.{part}_heartbeat:1|c" for part in ("scheduler", "dag_processor", "triggerer")}
GB = 10**9


class Pump:
    """Sends each of its packets every second to a UDP port, while entered."""

    def __init__(self, port: int) -> None:
        self.packets = dict(WELL)
        self._port = port
        self._stop = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __enter__(self) -> Pump:
        threading.Thread(target=self._run, name="pump", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def send(self, packet: str) -> None:
        self._socket.sendto(packet.encode(), ("127.0.0.1", self._port))

    def _run(self) -> None:
        while not self._stop.wait(1.0):
            for packet in list(self.packets.values()):
                self.send(packet)


class NodePage:
    """A page of node_exporter's two series of file systems; `free` says how many bytes each has, of 100 GB."""

    def __init__(self, port: int) -> None:
        self.free: dict[str, Callable[[], float]] = {"/": lambda: 80.0 * GB, "/data": lambda: 80.0 * GB}
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> NodePage:
        threading.Thread(target=self._server.serve_forever, name="node-page", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(self) -> str:
        lines = []
        for mountpoint, free in list(self.free.items()):
            labels = f'{{device="disk",fstype="ext4",mountpoint="{mountpoint}"}}'
            lines += [f"node_filesystem_avail_bytes{labels} {free()}", f"node_filesystem_size_bytes{labels} {100 * GB}"]
        return "\n".join(lines) + "\n"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        node = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = node.page().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: it is asked every second."""

        return Handler

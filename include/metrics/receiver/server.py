"""The receiver's two sockets: StatsD over UDP in, `/metrics` and `/health` over HTTP out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from types import TracebackType

from include.metrics.receiver.exposition import CONTENT_TYPE, render
from include.metrics.receiver.line import parse_line
from include.metrics.receiver.mapping import Mapping
from include.metrics.receiver.series import Store
from include.metrics.receiver.tally import Tally

# Without the right to force it the kernel grants net.core.rmem_max at most: by default some hundred packets, a
# twentieth of a second of 10,000 a second. So whoever takes them out does nothing else.
RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024
SO_RCVBUFFORCE = 33  # Linux; the socket module does not name it
# What may wait while a page is rendered; beyond it packets are dropped, and counted.
LARGEST_BACKLOG_BYTES = 32 * 1024 * 1024
LARGEST_PACKET_BYTES = 65_535
# How soon the packet loop sees that it shall end.
POLL_SECONDS = 0.5


class Receiver:
    """Listens while entered. `failed` says that a loop over packets broke; its error goes to the thread's excepthook.

    more: further lines of the page, asked for while no packet has to wait.
    Raises OSError from the constructor where a port is taken; a port 0 takes a free one, see `statsd_port`.
    """

    def __init__(
        self,
        mapping: Mapping,
        *,
        host: str,
        statsd_port: int,
        http_port: int,
        max_series: int,
        monotonic: Callable[[], float],
        on_end: Callable[[], None] = lambda: None,
        more: Callable[[], str] = lambda: "",
    ) -> None:
        self._lock = threading.Lock()
        self._tally = Tally()
        self._store = Store(mapping, monotonic, max_series, self._tally)
        self._on_end = on_end
        self._more = more
        self._closing = threading.Event()
        self.failed = False
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            with suppress(OSError):
                self._udp.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES)
            self._udp.settimeout(POLL_SECONDS)
            self._udp.bind((host, statsd_port))
            self._http = ThreadingHTTPServer((host, http_port), self._handler())
        except OSError:
            self._udp.close()
            raise
        self._http.daemon_threads = True
        self._backlog: SimpleQueue[bytes | None] = SimpleQueue()
        # Each is written by one thread alone; what waits is the difference.
        self._bytes_in = self._bytes_out = 0
        self._dropped = self._dropped_told = 0
        self._threads = [
            threading.Thread(target=self._receive, name="statsd-udp"),
            threading.Thread(target=self._read, name="statsd-lines"),
            threading.Thread(target=self._http.serve_forever, name="metrics-http"),
        ]

    @property
    def statsd_port(self) -> int:
        return int(self._udp.getsockname()[1])

    @property
    def http_port(self) -> int:
        return int(self._http.server_address[1])

    def __enter__(self) -> Receiver:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._http.shutdown()
        for thread in self._threads:
            thread.join()
        self._http.server_close()
        self._udp.close()

    def feed(self, packet: bytes) -> None:
        """Take in one packet of newline-separated lines."""
        with self._lock:
            self._tally.add("statsd_exporter_udp_packets_total")
            for line in packet.split(b"\n"):
                for event in parse_line(line.rstrip(b"\r"), self._tally):
                    self._store.record(event)

    def page(self) -> str:
        """The metrics page as it is now."""
        more = self._more()
        with self._lock:
            dropped = self._dropped
            self._tally.add("statsd_exporter_udp_packet_drops_total", by=dropped - self._dropped_told)
            self._dropped_told = dropped
            return render(self._store, self._tally) + more

    def _receive(self) -> None:
        """Take packets from the kernel before its buffer is full."""
        try:
            while not self._closing.is_set():
                try:
                    packet = self._udp.recv(LARGEST_PACKET_BYTES)
                except TimeoutError:
                    continue
                if self._bytes_in - self._bytes_out > LARGEST_BACKLOG_BYTES:
                    self._dropped += 1
                    continue
                self._bytes_in += len(packet)
                self._backlog.put(packet)
        finally:
            self._ended()
            self._backlog.put(None)

    def _read(self) -> None:
        """Work off what waits, to the last packet."""
        try:
            while (packet := self._backlog.get()) is not None:
                self.feed(packet)
                self._bytes_out += len(packet)
        finally:
            self._ended()

    def _ended(self) -> None:
        self.failed = self.failed or not self._closing.is_set()
        self._on_end()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_GET(self) -> None:
                status, kind, text = 404, "text/plain", "try /metrics or /health\n"
                match self.path.partition("?")[0]:
                    case "/metrics":
                        status, kind, text = 200, CONTENT_TYPE, receiver.page()
                    case "/health":
                        status, kind, text = 200, "text/plain", "ok\n"
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: a line per scrape would only fill the disk."""

        return Handler

"""What Alertmanager sends, kept in memory and in a file: a webhook for every receiver, and the message for people."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Story:
    """Of one alert: notifications that name it as firing and as resolved, with its labels, by monotonic seconds."""

    firing: list[tuple[float, str]] = field(default_factory=list)
    resolved: list[tuple[float, str]] = field(default_factory=list)


class Recorder:
    """Listens on a port of the loopback interface while entered; every request is a line of the journal."""

    def __init__(self, port: int, journal: Path) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._stories: dict[str, Story] = {}
        self._messages: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self._server.daemon_threads = True

    def __enter__(self) -> Recorder:
        threading.Thread(target=self._server.serve_forever, name="recorder", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def stories(self) -> dict[str, Story]:
        """A copy of what has been heard, by the alert's name."""
        with self._lock:
            return {name: Story(list(each.firing), list(each.resolved)) for name, each in self._stories.items()}

    def was_messaged(self, *texts: str) -> bool:
        """Whether one of the messages to people holds all texts."""
        with self._lock:
            return any(all(text in message for text in texts) for message in self._messages)

    def take(self, path: str, body: str) -> None:
        """Note one request: Alertmanager's webhook, or the message of a chat."""
        with self._lock:
            with self._journal.open("a") as journal:
                journal.write(f"{time.strftime('%T')} {path} {json.dumps(json.loads(body))}\n")
            if not path.startswith("/webhook"):
                self._messages.append(json.dumps(json.loads(body), ensure_ascii=False))
                return
            for alert in json.loads(body)["alerts"]:
                story = self._stories.setdefault(alert["labels"]["alertname"], Story())
                labels = {name: value for name, value in alert["labels"].items() if name != "alertname"}
                heard = story.firing if alert["status"] == "firing" else story.resolved
                heard.append((time.monotonic(), json.dumps(labels, sort_keys=True)))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                recorder.take(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: object) -> None:
                """Nothing: what was sent is kept."""

        return Handler

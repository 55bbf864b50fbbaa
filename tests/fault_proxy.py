"""A proxy before the test server that lets requests go wrong, as S3 and networks do."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FAULTS = ("500", "503", "slow", "reset", "cut")
"""Internal error, SlowDown, a reply that is late, a connection that breaks, half of a body."""
LATE = 0.05
_ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>on purpose</Message></Error>"
_CODES = {"500": "InternalError", "503": "SlowDown"}
Plan = Callable[[str, str, int], str | None]
"""Fault of a request: its method, its path, and how many of this method and path came before."""


@dataclass
class Proxy:
    """A running proxy; `plan` may be changed at any time."""

    url: str
    plan: Plan = field(default=lambda method, path, number: None)
    done: Counter[str] = field(default_factory=Counter)
    """Faults that happened, by kind."""
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, method: str, path: str) -> str | None:
        """Fault of the next such request."""
        with self.lock:
            number = self.seen[method, path]
            self.seen[method, path] += 1
            found = self.plan(method, path, number)
            if found is not None:
                self.done[found] += 1
            return found


@contextmanager
def serve(target: str) -> Iterator[Proxy]:
    """Run a proxy before a server."""
    host = urlsplit(target).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self._body()
            fault = proxy.fault(self.command, self.path)
            if fault in _CODES:
                return self._reply(int(fault), {}, _ERROR.format(_CODES[fault]).encode())
            if fault == "reset":
                # no linger: the other side gets a reset, not an end
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.close_connection = True
                return self.connection.close()
            if fault == "slow":
                threading.Event().wait(LATE)
            connection = http.client.HTTPConnection(host, timeout=30)
            headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
            connection.request(self.command, self.path, body, headers)
            reply = connection.getresponse()
            content = reply.read()
            return self._reply(reply.status, dict(reply.getheaders()), content, fault == "cut")

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            del self.headers["Transfer-Encoding"]
            return b"".join(parts)

        def _reply(
            self, status: int, headers: dict[str, str], content: bytes, cut: bool = False
        ) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            head = self.command == "HEAD"
            length = next((v for k, v in headers.items() if k.lower() == "content-length"), "0")
            self.send_header("Content-Length", length if head else str(len(content)))
            self.end_headers()
            if not head:
                self.wfile.write(content[: len(content) // 2] if cut else content)
            if cut:
                self.close_connection = True

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: clients that went away are what this is about."""

    server = Server(("127.0.0.1", 0), Handler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

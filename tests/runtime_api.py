"""Lambda without Lambda: a Runtime API server, and AWS's own runtime client driven by it."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = "/2018-06-01/runtime/"


class Answer(NamedTuple):
    """What an invocation came to."""

    ok: bool
    body: Any

    @property
    def message(self) -> str:
        assert not self.ok, self.body
        return str(self.body["errorMessage"])


class Invocation(NamedTuple):
    id: str
    event: bytes
    deadline: float
    answer: Future[Answer]


class FunctionError(Exception):
    """The function did not start; the message is what it gave as a reason."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet: else each call waits 40 ms for an ACK
    function: Function

    def do_GET(self) -> None:
        invocation = self.function.queue.get()
        if invocation is None:
            self.close_connection = True
            return
        self.function.running[invocation.id] = invocation
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.id,
            "Lambda-Runtime-Deadline-Ms": str(int(invocation.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:123456789012:x",
            "Content-Type": "application/json",
        }
        self._reply(200, invocation.event, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == RUNTIME + "init/error":
            self.function.ready.set_exception(FunctionError(json.loads(body)["errorMessage"]))
        else:
            name, outcome = self.path.removeprefix(RUNTIME + "invocation/").split("/")
            answer = Answer(outcome == "response", json.loads(body))
            self.function.running.pop(name).answer.set_result(answer)
        self._reply(202, b"{}", {})

    def _reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class Function:
    """A function in a process of its own, started by awslambdaric, fed over HTTP.

    Use as a context manager. Like Lambda it does one event at a time. The handler is imported
    from `root`, by the interpreter that `python` starts.
    """

    def __init__(
        self,
        handler: str,
        environment: dict[str, str],
        log: Path,
        root: Path = ROOT,
        python: Sequence[str] = (sys.executable,),
    ) -> None:
        self.queue: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self.running: dict[str, Invocation] = {}
        self.ready: Future[None] = Future()
        self._command = [*python, "-m", "awslambdaric", handler]
        self._environment, self._log, self._root = environment, log, root

    def __enter__(self) -> Function:
        bound = type("Bound", (_Handler,), {"function": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
        self._server.daemon_threads = True
        # a function that is ended leaves its connection open
        self._server.handle_error = lambda *_: None
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        port = self._server.server_address[1]
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": "SageMaker-ACS-test",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3008",
            # by this the runtime client knows how to write JSON
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
            **self._environment,
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._root, env=environment, stdout=log, stderr=log
            )
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        self.queue.put(None)
        self._server.shutdown()
        self._server.server_close()

    @property
    def pid(self) -> int:
        """Of the function's process."""
        return self._process.pid

    def send(self, event: Any, seconds: float = 60.0) -> Future[Answer]:
        """Queue an event, whose deadline is so many seconds away."""
        answer: Future[Answer] = Future()
        about = (str(uuid.uuid4()), json.dumps(event).encode(), time.time() + seconds, answer)
        self.queue.put(Invocation(*about))
        return answer

    def invoke(self, event: Any, seconds: float = 60.0) -> Answer:
        """Answer to an event; FunctionError if the function did not start."""
        answer = self.send(event, seconds)
        while True:
            with contextlib.suppress(TimeoutError):
                return answer.result(0.1)
            if self.ready.done():
                self.ready.result()
            code = self._process.poll()
            if code is not None and not self.ready.done():
                raise AssertionError(f"the runtime ended with {code}: {self._log.read_text()}")

    def log(self) -> list[dict[str, Any]]:
        """Lines of JSON that the function has logged so far."""
        lines = self._log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

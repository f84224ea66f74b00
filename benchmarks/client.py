"""A blocking HTTP client that costs little: one kept-alive connection, answers as raw bytes."""

from __future__ import annotations

import http.client
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

MLFLOW = "/api/2.0/mlflow/"
NATIVE = "/api/logbuch/1/"


class Refused(Exception):
    """A server answered with another status than 200."""


class Client:
    """Requests to one server. Times are of the whole exchange, with the answer read but not parsed."""

    def __init__(self, url: str, timeout: float = 900) -> None:
        self._host = urlsplit(url).netloc
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None

    def request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The answer's body; Refused for another status than 200."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        for again in (True, False):
            connection = self._connection or http.client.HTTPConnection(self._host, timeout=self._timeout)
            self._connection = connection
            try:
                connection.request(method, path, body, headers)
                answer = connection.getresponse()
                content = answer.read()
            except (http.client.RemoteDisconnected, ConnectionError):
                self.close()  # the server has let the idle connection go
                if not again:
                    raise
                continue
            if answer.status != 200:
                raise Refused(f"{method} {path[:100]}: {answer.status} {content[:300]!r}")
            return content
        raise AssertionError("unreachable")

    def timed(self, method: str, path: str, body: bytes | None = None) -> tuple[float, bytes]:
        """Seconds, and the answer's body."""
        begun = time.perf_counter()
        content = self.request(method, path, body)
        return time.perf_counter() - begun, content

    def post(self, path: str, body: Any) -> Any:
        """An MLflow call with a JSON body."""
        return msgspec.json.decode(self.request("POST", MLFLOW + path, msgspec.json.encode(body)))

    def get(self, path: str, **query: Any) -> Any:
        """An MLflow call with its arguments in the address."""
        return msgspec.json.decode(self.request("GET", f"{MLFLOW}{path}?{urlencode(query)}"))

    def new_experiment(self, name: str) -> str:
        experiment_id: str = self.post("experiments/create", {"name": f"{name} {time.time_ns()}"})["experiment_id"]
        return experiment_id

    def new_run(self, experiment_id: str, **more: Any) -> str:
        body = {"experiment_id": experiment_id, "start_time": time.time_ns() // 1_000_000, **more}
        run_id: str = self.post("runs/create", body)["run"]["info"]["run_id"]
        return run_id

    def another(self) -> Client:
        """A connection more to the same server."""
        return Client(f"http://{self._host}", self._timeout)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

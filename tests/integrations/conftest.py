"""Every test gets a process state of its own, and leaves the libraries as they were."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import logbuch
from logbuch.integrations import quiet
from support.fresh import fresh
from support.servers import Server

__all__ = ["fresh"]


@pytest.fixture(autouse=True)
def _as_they_were(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(quiet, "_said", set())
    yield
    logbuch.autolog(disable=True)


@pytest.fixture
def server(fresh: object, shared_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A real server that the test logs to. A run's end waits for it for as long as a slow disk may take."""
    monkeypatch.setenv("LOGBUCH_FINISH_TIMEOUT", "60")
    logbuch.set_tracking_uri(shared_server.url)
    return shared_server


@pytest.fixture
def experiment(server: Server, request: pytest.FixtureRequest) -> str:
    """An experiment of the test's own on the server."""
    return logbuch.set_experiment(request.node.nodeid).experiment_id

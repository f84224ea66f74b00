"""The thread that gives signs of life."""

from __future__ import annotations

import threading
import time
import uuid
from pathlib import Path

import pytest

import logbuch
from logbuch.errors import EndpointNotFound, Unavailable
from logbuch.sdk.connection import connect
from logbuch.sdk.heart import Heart


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGBUCH_HEARTBEAT_SECONDS", "0.01")


def threads() -> int:
    return sum(thread.name == "logbuch-heart" for thread in threading.enumerate())


def ends() -> bool:
    end = time.monotonic() + 60
    while threads() and time.monotonic() < end:
        time.sleep(0.005)
    return not threads()


def test_it_beats_as_long_as_a_run_is_held() -> None:
    beaten = threading.Semaphore(0)

    def beat() -> float:
        beaten.release()
        return 0.01

    heart = Heart(beat)
    assert threads() == 0
    heart.hold("a")
    heart.hold("b")
    heart.release("a")
    for _ in range(3):
        assert beaten.acquire(timeout=60)
    assert threads() == 1
    heart.release("b")
    assert ends()
    heart.hold("c")
    assert beaten.acquire(timeout=60)
    heart.stop()
    assert ends()
    heart.hold("d")
    assert threads() == 0


def test_signs_that_do_not_arrive_change_nothing() -> None:
    failures = iter([Unavailable("away"), ValueError("a mistake of ours"), Unavailable("away")])
    beaten = threading.Event()

    def beat() -> float:
        for failure in failures:
            raise failure
        beaten.set()
        return 60.0

    heart = Heart(beat)
    heart.hold("a")
    assert beaten.wait(60)
    heart.stop()
    assert ends()


def test_a_stock_mlflow_server_is_asked_once() -> None:
    asked = []

    def beat() -> float:
        asked.append(1)
        raise EndpointNotFound("no such thing")

    heart = Heart(beat)
    heart.hold("a")
    assert ends()
    heart.hold("b")
    assert threads() == 0
    assert asked == [1]


def test_a_journal_that_gets_another_name_holds_its_runs_under_it(tmp_path: Path) -> None:
    """As after a store was set back to an older copy: the old name gives no more signs."""
    logbuch.set_tracking_uri(str(tmp_path / ".logbuch"))
    with logbuch.start_run() as run:
        connection = connect()
        sender, backend = connection.sender, connection.backend
        assert sender.flush(60)
        old, sender.state.alias = sender.known_as, uuid.uuid4().hex
        sender.state.offset = sender.course.number
        sender.course.seek(sender.course.number, None)
        backend.beat(old)
        connection._beat()
        assert sender.flush(60)
        assert backend.gone(old, 5000) == 0
        assert backend.get_run(run.info.run_id).info.status == "RUNNING"
        assert backend.gone(sender.known_as, 5000) == 1

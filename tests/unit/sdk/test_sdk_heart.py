"""The thread that gives signs of life."""

from __future__ import annotations

import threading
import time

import pytest

from logbuch.errors import EndpointNotFound, Unavailable
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

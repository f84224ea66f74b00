from __future__ import annotations

import threading
import time

import pytest

from logbuch.errors import InvalidInput, Unavailable
from logbuch.sdk.backends.gate import Gate
from logbuch.sdk.backends.limited import Limited, Step


def test_many_are_inside_together_and_a_shut_gate_waits_for_them() -> None:
    gate, entered = Gate(), threading.Event()
    with gate, gate:
        assert not gate.shut(0.01)
        threading.Thread(target=lambda: [gate.__enter__(), entered.set(), gate.__exit__(None, None, None)]).start()
        assert not entered.wait(0.05)  # nobody new while somebody wants to shut it
    assert gate.shut(0.01)
    gate.open()
    assert not entered.wait(0.05)
    gate.open()
    assert entered.wait(60)
    assert gate.shut(60)


def test_a_call_that_has_begun_is_waited_for() -> None:
    def work(begin: Step) -> int:
        begin()
        time.sleep(3.2)
        return 7

    assert Limited(work).result(3.0, "too late") == 7


def test_a_call_that_has_not_begun_in_time_is_never_done() -> None:
    release, done = threading.Event(), list[int]()

    def work(begin: Step) -> None:
        release.wait(60)
        begin()
        done.append(1)

    with pytest.raises(Unavailable, match="too late"):
        Limited(work).result(0.02, "too late")
    release.set()
    time.sleep(0.1)
    assert done == []


def test_errors_go_to_the_caller() -> None:
    def work(begin: Step) -> None:
        raise InvalidInput("no")

    with pytest.raises(InvalidInput):
        Limited(work).result(1, "too late")

"""What the benchmark of checks is made of: means that single turns do not move, and threads told by their names."""

from __future__ import annotations

import os
import threading
import time

import pytest
from benchmarks import threads
from benchmarks.checking import Spent, Used, _interquartile_mean, _interval
from benchmarks.named import Named

BURNT, MOST_SECONDS = 0.05, 60.0


def test_single_turns_do_not_move_the_mean() -> None:
    ratios = [1.02, 1.04] * 10

    assert _interquartile_mean(ratios) == pytest.approx(1.03)
    assert _interquartile_mean([*ratios, 9.0, 0.1]) == pytest.approx(1.03)


def test_the_interval_holds_the_mean_and_grows_with_the_noise() -> None:
    still, noisy = [1.0, 1.01, 1.02, 1.03] * 10, [0.7, 0.9, 1.1, 1.3] * 10

    for ratios in (still, noisy):
        least, most = _interval(ratios)
        assert least <= _interquartile_mean(ratios) <= most
    assert _interval(noisy)[1] - _interval(noisy)[0] > _interval(still)[1] - _interval(still)[0]
    assert _interval([1.5] * 8) == (1.5, 1.5)


def test_what_is_spent_is_told_by_side() -> None:
    spent = Spent([(Used(2.0), Used(2.5, 0.25)), (Used(2.0), Used(2.0, 0.25))], (Used(1.0), Used(1.5, 0.125)))

    assert spent.ratios == [1.25, 1.0]
    assert spent.whole(0) == (4.0, 1.0)
    assert spent.whole(1) == (4.5, 1.5)
    assert spent.judging == (0.5, 0.125)


def test_a_thread_is_told_by_its_name() -> None:
    name, end = "logbuch-some-long-name", threading.Event()

    def burn() -> None:
        begin = time.thread_time()
        while time.thread_time() - begin < BURNT:
            pass
        end.wait()

    thread = Named(target=burn, name=name, daemon=True)
    before, deadline = threads.of_process(os.getpid()), time.monotonic() + MOST_SECONDS
    thread.start()
    while threads.of_thread(os.getpid(), name) < BURNT and time.monotonic() < deadline:
        time.sleep(0.01)

    assert threads.of_thread(os.getpid(), name) >= BURNT
    assert threads.of_process(os.getpid()) - before >= BURNT
    assert threads.of_thread(os.getpid(), "nobody") == 0.0
    end.set()
    thread.join()

"""Work in the background rests until it is a small share of what the server does."""

from __future__ import annotations

import threading

import pytest

from logbuch.server.budget import OF_CORE, OF_IDLE_CORE, OF_WORK, Budget


class Machine(threading.Event):
    """A clock that goes on while somebody waits, and a process that uses a part of a core meanwhile."""

    def __init__(self, busy: float) -> None:
        super().__init__()
        self.busy, self.now = busy, 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()

    def budget(self) -> Budget:
        return Budget(self, lambda: self.busy * self.now, lambda: self.now)


@pytest.mark.parametrize(
    ("busy", "share"),
    [(0.0, OF_IDLE_CORE), (1.0, OF_WORK + OF_CORE), (2.0, 2 * OF_WORK + OF_CORE), (0.02, 0.02 * OF_WORK + OF_CORE)],
)
def test_it_rests_until_the_work_is_earned(busy: float, share: float) -> None:
    machine = Machine(busy)
    machine.budget().rest(0.01)
    assert machine.now == pytest.approx(0.01 / share, rel=0.01)


def test_a_server_that_ends_does_not_wait() -> None:
    machine = Machine(1.0)
    machine.set()
    machine.budget().rest(100.0)
    assert machine.now <= 1.0

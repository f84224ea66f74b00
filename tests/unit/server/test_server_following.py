"""How often runs that change are looked at: soon, then now and then, seldomer with their age, and when they end."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, cast

import pytest

from logbuch.server.following import Follower, Pace

PACE = Pace(settle=2, again=10, turn=1, most=120)


class Followed(Follower):
    """Follows runs that the test changes, by the test's clock."""

    def __init__(self, pace: Pace = PACE) -> None:
        self.now, self.changed, self.over = 0.0, set[int](), set[int]()
        self.looks: list[tuple[float, int]] = []
        super().__init__(cast(Any, None), "followed", "looking", pace, lambda: self.now)

    def _news(self) -> Sequence[int]:
        found, self.changed = sorted(self.changed), set()
        return found

    def _look_at(self, runs: Sequence[int]) -> None:
        self.looks += [(self.now, run) for run in runs]

    def _hurried(self, runs: Sequence[int]) -> Sequence[int]:
        return [run for run in runs if run in self.over]

    def go_on(self, seconds: float, *runs: int) -> list[float]:
        """Changes runs every second for so long; when run 1 was looked at."""
        before, end = len(self.looks), self.now + seconds
        while self.now < end:
            self.now += 1
            self.changed |= set(runs)
            self.turn()
        return [when for when, run in self.looks[before:] if run == 1]

    def apart(self, seconds: float) -> list[float]:
        found = self.go_on(seconds, 1)
        return [later - earlier for earlier, later in pairwise(found)]


def test_a_run_is_looked_at_a_moment_after_its_change_and_then_now_and_then() -> None:
    followed = Followed()
    assert followed.go_on(40, 1) == [3, 13, 23, 33]


def test_a_run_that_rests_is_looked_at_once_more_and_no_more() -> None:
    followed = Followed()
    followed.go_on(5, 1)
    followed.go_on(60)
    assert [when for when, _ in followed.looks] == [3, 13]
    assert not followed._last
    assert not followed._first


def test_a_run_that_goes_on_is_looked_at_less_often_and_never_too_seldom() -> None:
    followed = Followed()
    assert max(followed.apart(200)) == 10
    assert 15 <= max(followed.apart(200)) <= 21
    followed.apart(3000)
    assert set(followed.apart(1000)) <= {119, 120, 121}
    young = len(followed.looks)
    followed.go_on(30, 1, 2)
    assert [run for _, run in followed.looks[young:]].count(2) == 3, "each run has an age of its own"


def test_without_a_most_all_runs_are_looked_at_equally_often() -> None:
    followed = Followed(Pace(2, 10, 1))
    followed.go_on(3000, 1)
    assert set(followed.apart(100)) == {10}


def test_an_old_run_that_ends_is_looked_at_at_once() -> None:
    followed = Followed()
    followed.go_on(4000, 1)
    followed.go_on(121 - (followed.now - followed.looks[-1][0]), 1)  # it has just been looked at
    followed.over.add(1)
    assert followed.go_on(4, 1)[0] <= followed.now


@pytest.mark.parametrize(("age", "apart"), [(0, 10), (200, 10), (400, 20), (1e6, 120)])
def test_a_pace(age: float, apart: float) -> None:
    assert PACE.apart(age) == pytest.approx(apart)

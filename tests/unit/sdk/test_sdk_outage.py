"""How long an end waits for a server that does not answer."""

from __future__ import annotations

import pytest

from logbuch.sdk.shipping.outage import LEAST_SECONDS, STRANGER_SECONDS, Outage


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outage(clock: Clock) -> Outage:
    return Outage(clock)


def test_without_an_outage_the_whole_time_is_granted(outage: Outage) -> None:
    assert outage.patience(30) == 30
    outage.asked()
    outage.answered()
    assert outage.patience(30) == 30


def test_a_server_that_was_there_is_waited_for_less_the_longer_it_is_away(outage: Outage, clock: Clock) -> None:
    outage.asked()
    outage.answered()
    outage.asked()
    clock.now += 10
    outage.asked()
    assert outage.patience(30) == 20
    clock.now += 3600
    assert outage.patience(30) == LEAST_SECONDS


def test_a_server_that_was_never_there_is_hardly_waited_for(outage: Outage, clock: Clock) -> None:
    outage.asked()
    assert outage.patience(30) == STRANGER_SECONDS
    assert outage.patience(2) == 2
    assert outage.patience(30, stranger=30) == 30
    clock.now += 60
    assert outage.patience(30) == LEAST_SECONDS
    assert outage.patience(0.5) == 0.5

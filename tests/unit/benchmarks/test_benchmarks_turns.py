"""Processes that work in turns."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks.turns import Portion, Round, Worker, middle, rounds, slower

ANSWERS = """
import sys, time
slow = float(sys.argv[1])
for line in sys.stdin:
    if line == "begin\\n":
        slow *= 2
        print(0, 0, flush=True)
    else:
        print(int(line) * slow, 1, flush=True)
"""


def worker(folder: Path, slow: float) -> Worker:
    return Worker([sys.executable, "-c", ANSWERS, str(slow)], folder)


def test_a_process_is_compared_with_what_it_was_before(tmp_path: Path) -> None:
    """The tracked one is thrice as slow from its start, and twice as slow once it is tracked."""
    with worker(tmp_path, 1.0) as bare, worker(tmp_path, 3.0) as tracked:
        before = rounds(bare, tracked, 3, 10)
        assert before == [Round(Portion(10.0, 1.0), Portion(30.0, 1.0))] * 3
        tracked.do("begin")
        assert slower(before, rounds(bare, tracked, 4, 10)) == Portion(2.0, 1.0)


def test_a_process_is_stopped_while_it_is_not_its_turn(tmp_path: Path) -> None:
    with worker(tmp_path, 1.0) as one:
        one.do("1")
        state = Path(f"/proc/{one.pid}/stat")
        while (found := state.read_text().rpartition(")")[2].split()[0]) != "T":  # the signal may take a moment
            assert found in "RSD"


def test_a_process_that_ends_is_told(tmp_path: Path) -> None:
    with worker(tmp_path, 1.0) as one, pytest.raises(RuntimeError, match="ended instead of 'nonsense'"):
        one.do("nonsense")


def test_a_stall_does_not_count_and_what_comes_back_in_each_portion_does() -> None:
    assert middle([1.0, 1.0, 1.0, 9.0]) == 1.0
    assert middle([1.1] * 8) == pytest.approx(1.1)
    assert middle([1.0, 2.0, 3.0]) == 2.0

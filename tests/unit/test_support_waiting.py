"""A test that waits in vain says what it saw."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.servers import Server
from support.waiting import wait_until


def test_what_comes_is_given_back() -> None:
    values = iter([[], [1]])
    assert wait_until(lambda: next(values), lambda found: len(found) == 1) == [1]


def test_who_was_stopped_beyond_the_time_looks_once_more() -> None:
    values = iter([0, 1])
    assert wait_until(lambda: next(values), seconds=0.001) == 1


def test_a_wait_in_vain_tells_all_that_is_known(tmp_path: Path) -> None:
    folder = tmp_path / "journals"
    (folder / "one").mkdir(parents=True)
    (folder / "one" / "state.json").write_text('{"needs": []}')
    (folder / "one" / "1.segment").write_bytes(bytes(7))
    (tmp_path / "server.log").write_text("began\nstumbled over x")
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"])
    process.wait()
    server = Server(tmp_path, "sqlite://")
    with pytest.raises(AssertionError) as failure:
        wait_until(
            lambda: "RUNNING",
            lambda found: found == "KILLED",
            server,
            folder,
            tmp_path / "none",
            process,
            lambda: 7,
            seconds=0.05,
        )
    said = str(failure.value)
    assert said.startswith("after 0.05 s it is still 'RUNNING'\n")
    assert "(not started, or ended by the test) says:\nbegan\nstumbled over x" in said
    assert 'one/state.json 13 bytes: {"needs": []}' in said
    assert "one/1.segment 7 bytes" in said
    assert "none:\n  (not there)" in said
    assert "ended with 3" in said
    assert said.endswith("7")

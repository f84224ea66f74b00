"""Progress bars: shown to who looks, of what takes longer than a second, and nowhere else."""

from __future__ import annotations

import io
import sys
import threading

import pytest

from logbuch.sdk.backends import progress
from logbuch.sdk.backends.progress import Bar, tracked


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def looked_at(monkeypatch: pytest.MonkeyPatch, seconds: float = -1.0) -> Terminal:
    """A terminal at standard error, where bars show after so long. Not a fixture: pytest sets the stream anew for each
    test."""
    made = Terminal()
    monkeypatch.setattr(progress, "SHOWN_SECONDS", seconds)
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return made


def move(label: str = "weights.bin") -> None:
    bar = Bar(label, 300)
    assert b"".join(tracked([b"a" * 100, b"b" * 200], bar)) == b"a" * 100 + b"b" * 200
    bar.close()


def test_what_takes_long_is_shown_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = looked_at(monkeypatch)
    move()
    assert "weights.bin" in terminal.getvalue()
    assert "300" in terminal.getvalue()


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = looked_at(monkeypatch, 3600.0)
    move()
    assert terminal.getvalue() == ""


def test_the_setting_switches_them_off(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = looked_at(monkeypatch)
    monkeypatch.setenv("LOGBUCH_PROGRESS_BARS", "false")
    move()
    assert terminal.getvalue() == ""


def test_what_is_sent_in_the_background_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = looked_at(monkeypatch)
    thread = threading.Thread(target=move)
    thread.start()
    thread.join()
    assert terminal.getvalue() == ""


def test_nobody_looks_at_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(progress, "SHOWN_SECONDS", -1.0)
    monkeypatch.setattr(sys, "stderr", written)
    move()
    assert written.getvalue() == ""

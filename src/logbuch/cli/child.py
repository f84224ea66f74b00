"""A program that is run: its output copied as it comes, signals passed on, its exit code as shells say it."""

from __future__ import annotations

import codecs
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import FrameType

from logbuch.cli import standin

Hear = Callable[[str, str], None]
"""Takes the name of a stream and a piece of text."""

_TO_PASS_ON = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_BY_TERMINAL = ("SIGINT", "SIGQUIT")
_FAREWELL_SECONDS = 0.5
_REST_SECONDS = 5.0
"""How long output is awaited from what the program has left running behind it."""


class Child:
    """A program to be run. Signals that arrive before it has begun are passed on when it has."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def run(self, environment: Mapping[str, str], hear: Hear | None) -> int:
        """Runs it to its end. Its output is also handed to ``hear``; without that it has our own streams.

        Returns the exit code, or the negative number of the signal that killed it.
        """
        channels = _channels() if hear is not None else None
        ours = dict.fromkeys(channels or ())
        with _sizes(ours):
            self._process = subprocess.Popen(  # noqa: S603  (what the user wants to be run)
                self._command,
                env=dict(environment),
                stdout=channels[0].theirs if channels else None,
                stderr=channels[1].theirs if channels else None,
            )
            with _StandIn(list(ours)) as stand_in:
                for channel in ours:
                    channel.copy(hear, stand_in.release)
                for number in self._early:
                    self._process.send_signal(number)
                code = self._process.wait()
                for channel in ours:
                    channel.finish(_REST_SECONDS)
        return code

    @contextlib.contextmanager
    def passing_signals(self) -> Iterator[None]:
        """Passes on the signals that ask a program for something. One that is ignored stays so."""
        before = {}
        for name in _TO_PASS_ON:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, self._on_signal)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if signal.Signals(number).name in _BY_TERMINAL and _at_terminal():
            return  # the terminal has sent it to the program as well
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)


class _Channel:
    """One of our streams, which a program writes to through us. ``ours`` and ``theirs`` are the two ends, ``target``
    is where it goes."""

    def __init__(self, name: str, target: int) -> None:
        self._name, self.target = name, target
        self.terminal = os.isatty(target)
        self.ours, self.theirs = _terminal_like(target) if self.terminal else os.pipe()
        self._thread: threading.Thread | None = None

    def copy(self, hear: Hear | None, done: Callable[[_Channel], None]) -> None:
        """Begins to copy, once the program has its end; ``done`` is called when there is no more."""
        os.close(self.theirs)
        self._thread = threading.Thread(target=self._copy, args=(hear, done), name=f"copy-{self._name}", daemon=True)
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Waits for the end of the output."""
        if self._thread is not None:
            self._thread.join(seconds)

    def resize(self) -> None:
        """Tells the program the size of our terminal."""
        if self.terminal:
            _copy_size(self.target, self.ours)

    def _copy(self, hear: Hear | None, done: Callable[[_Channel], None]) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while piece := standin.read(self.ours):
            try:
                standin.write_all(self.target, piece)
            except OSError:  # nobody reads any more: so it is for the program too
                break
            if hear is not None:
                hear(self._name, decoder.decode(piece))
        os.close(self.ours)
        done(self)


class _StandIn:
    """A process that holds our ends of channels too, and passes output on when we are killed: else the program would
    end with us, at its next ``print``. Until then it sleeps; without it, all else goes on."""

    def __init__(self, channels: Sequence[_Channel]) -> None:
        self._channels = channels
        self._process: subprocess.Popen[bytes] | None = None
        self._tell = -1

    def __enter__(self) -> _StandIn:
        if self._channels:
            heard, self._tell = os.pipe()
            with contextlib.suppress(OSError):
                self._process = self._started(heard)
            os.close(heard)
        return self

    def _started(self, heard: int) -> subprocess.Popen[bytes]:
        ends = [channel.ours for channel in self._channels]
        command = [sys.executable, "-I", "-S", standin.__file__, *map(str, (heard, *ends))]
        # It has the streams that the channels lead to; in a session of its own no Ctrl-C reaches it.
        return subprocess.Popen(  # noqa: S603  (our own file)
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._channels[0].target,
            stderr=self._channels[-1].target,
            pass_fds=(heard, *ends),
            start_new_session=True,
        )

    def release(self, channel: _Channel) -> None:
        """It lets go of its end of a channel: that of a reader who is gone must not stay open."""
        with contextlib.suppress(OSError):
            os.write(self._tell, bytes((self._channels.index(channel),)))

    def __exit__(self, *_error: object) -> None:
        if self._tell >= 0:
            os.close(self._tell)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):  # it serves what the program has left running
                self._process.wait(_FAREWELL_SECONDS)


def found(program: str) -> bool:
    """Whether there is such a program."""
    return shutil.which(program) is not None


def shells_code(code: int) -> int:
    """An exit code as shells say it: 128 and the number of the signal for a program that was killed."""
    return 128 - code if code < 0 else code


def _channels() -> tuple[_Channel, _Channel]:
    """Channels for stdout and stderr; one for both where they are the same, so that their order stays."""
    out, err = _number(sys.stdout, 1), _number(sys.stderr, 2)
    first = _Channel("stdout", out)
    return first, first if os.path.sameopenfile(out, err) else _Channel("stderr", err)


def _number(stream: object, usual: int) -> int:
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return usual


def _terminal_like(target: int) -> tuple[int, int]:
    """Both ends of a new terminal of the same size that passes every byte on as it is."""
    import pty
    import tty

    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    _copy_size(target, theirs)
    return ours, theirs


def _copy_size(source: int, target: int) -> None:
    import fcntl
    import termios

    with contextlib.suppress(OSError):
        fcntl.ioctl(target, termios.TIOCSWINSZ, fcntl.ioctl(source, termios.TIOCGWINSZ, b"\0" * 8))


@contextlib.contextmanager
def _sizes(channels: Iterable[_Channel]) -> Iterator[None]:
    """Follows the size of our terminal."""
    if not any(channel.terminal for channel in channels):
        yield
        return

    def on_change(_number: int, _frame: FrameType | None) -> None:
        for channel in channels:
            channel.resize()

    before = signal.signal(signal.SIGWINCH, on_change)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)


def _at_terminal() -> bool:
    """Whether we are what a terminal sends its signals to."""
    for stream in (0, 1, 2):
        with contextlib.suppress(OSError, AttributeError):
            return os.tcgetpgrp(stream) == os.getpgrp()
    return False

"""How a training is stopped from outside, and how its time is taken."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator

import torch

from storyteller.errors import TrainingError

_COMPILER = ("torch._dynamo", "torch._inductor")
"""Where the errors of torch.compile come from; they have no public name."""


class Terminated(SystemExit):
    """SIGTERM came: the checkpoint is written, the program ends as the signal wanted."""


@contextlib.contextmanager
def on_sigterm() -> Iterator[threading.Event]:
    """An event that SIGTERM sets: the loop saves and ends at the next step."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def hints() -> Iterator[None]:
    """Says what helps when the memory does not suffice, or torch cannot compile the model."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise TrainingError(
            "Out of memory: halve training.batch_size and double training.gradient_accumulation_steps, or shorten "
            "training.sequence_length; storyteller-train --dry-run estimates what is needed."
        ) from None
    except RuntimeError as error:
        if not type(error).__module__.startswith(_COMPILER):
            raise
        raise TrainingError(
            f"The model cannot be compiled: {str(error).splitlines()[0]}. On a processor that takes a C++ compiler; "
            "training.compile=false does without."
        ) from error


class Clock:
    """Tokens a second since the last time somebody asked, without what is no training."""

    def __init__(self) -> None:
        self._tokens, self._begun = 0, 0.0

    def start(self) -> None:
        self._tokens, self._begun = 0, time.perf_counter()

    def count(self, tokens: int) -> None:
        self._tokens += tokens

    def rate(self) -> float:
        passed = time.perf_counter() - self._begun
        rate = self._tokens / passed if passed > 0 else 0.0
        self.start()
        return rate

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        at = time.perf_counter()
        try:
            yield
        finally:
            self._begun += time.perf_counter() - at

"""What happens beside the steps: speed is measured, samples are written, signals and broken losses end the training."""

from __future__ import annotations

import contextlib
import json
import math
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import tracking
from answering import answer, side_by_side
from problems import Problem
from rows import Row
from transformers import TrainerCallback

_TAKEN = "taken.json"


@dataclass(frozen=True)
class Taken:
    """What a training has taken: seconds by the clock, and rows of all processes."""

    seconds: float = 0.0
    rows: int = 0


class Meter(TrainerCallback):  # type: ignore[misc]
    """Tokens and rows per second of the steps alone, without evaluations and checkpoints; and the highest memory.

    Of several ``processes`` one is measured, and the others are taken to do as much. Each checkpoint keeps what the
    training has taken so far, all in all, for one that goes on from there.
    """

    def __init__(self) -> None:
        self.processes = 1
        self.tokens = self.rows = 0
        self.seconds = 0.0
        self._marked = (0, 0, 0.0)
        self._begun = 0.0
        self._started = time.perf_counter()
        self._earlier = Taken()

    def start(self, checkpoint: Path | None) -> None:
        """The training begins, or goes on from a checkpoint. (One without the file counts from here.)"""
        self._started = time.perf_counter()
        if checkpoint is not None:
            with contextlib.suppress(OSError, ValueError, TypeError):
                self._earlier = Taken(**json.loads((checkpoint / _TAKEN).read_text(encoding="utf-8")))

    def taken(self) -> Taken:
        """Seconds and rows of the training, with those up to the checkpoint that it goes on from."""
        seconds = self._earlier.seconds + time.perf_counter() - self._started
        return Taken(seconds, self._earlier.rows + self.processes * self.rows)

    def keep(self, checkpoint: Path) -> None:
        checkpoint.mkdir(parents=True, exist_ok=True)
        (checkpoint / _TAKEN).write_text(json.dumps(asdict(self.taken())) + "\n", encoding="utf-8")

    def count(self, batch: dict[str, torch.Tensor]) -> None:
        """Takes note of a batch; padding does not count."""
        mask = batch.get("attention_mask")
        self.tokens += int(mask.sum()) if mask is not None else batch["input_ids"].numel()
        self.rows += len(batch["input_ids"])

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._begun = time.perf_counter()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.seconds += time.perf_counter() - self._begun

    def lap(self) -> dict[str, float]:
        """Values since the last call."""
        tokens, rows, seconds = self._marked
        self._marked = (self.tokens, self.rows, self.seconds)
        passed = self.seconds - seconds
        found = {"train/peak_memory_megabytes": peak_memory()}
        if passed > 0:
            found["train/tokens_per_second"] = self.processes * (self.tokens - tokens) / passed
            found["train/samples_per_second"] = self.processes * (self.rows - rows) / passed
        return found


def peak_memory() -> float:
    """The most memory so far, in 10⁶ bytes: the GPU's where there is one, else the process's resident memory."""
    if torch.cuda.is_available():
        return float(torch.cuda.max_memory_allocated() / 1e6)
    if sys.platform == "win32":
        return math.nan
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


class Samples(TrainerCallback):  # type: ignore[misc]
    """Answers the same rows after every evaluation and logs them as text, ``samples/step-000020.md``."""

    def __init__(self, tokenizer: Any, rows: Sequence[Row], tokens: int) -> None:
        self._tokenizer, self._rows, self._tokens = tokenizer, rows, tokens

    def on_evaluate(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        if not self._rows or model is None or not state.is_world_process_zero:
            return
        given = answer(model, self._tokenizer, self._rows, self._tokens)
        tracking.log_text(side_by_side(self._rows, {"answer": given}), f"samples/step-{state.global_step:06d}.md")


class Watch(TrainerCallback):  # type: ignore[misc]
    """Ends a training whose loss is no number any more."""

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **kwargs: Any) -> None:
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            raise Problem(f"the loss is {loss} at step {state.global_step}: try a lower --learning_rate")


class Stopper(TrainerCallback):  # type: ignore[misc]
    """SIGTERM lets the step end, saves a checkpoint and ends the training; a second one ends the program."""

    def __init__(self) -> None:
        self.asked = False

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.asked:
            control.should_save = True
            control.should_training_stop = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGTERM, self._hear)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise tracking.Terminated
        self.asked = True
        print("SIGTERM: a checkpoint is saved after this step.", flush=True)

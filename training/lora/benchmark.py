"""What does the tracker cost a fine-tuning? ``python benchmark.py``, which logs to LOGBUCH_TRACKING_URI.

A model is fine-tuned by ``train_lora.py`` itself, with a log at every step and system metrics. The tracker's share is
the processor time of its calls, and of all threads but the training's own, of that of all steps. The model is a small
one of Mistral's architecture; with ``--model_name`` it is a real one, whose steps take longer.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aws_questions
import smoke
import torch
import train_lora
from config import Parser, number
from mlflow_callback import MLflowCallback


class Timed(MLflowCallback):
    """The callback, with processor seconds of the process, of its main thread and of the callback's own calls."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0
        self._calls = 0.0
        self._begun = self._ended = (0.0, 0.0, 0.0)

    def on_log(self, *given: Any, **named: Any) -> None:
        begun = time.thread_time()
        super().on_log(*given, **named)
        self._calls += time.thread_time() - begun

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """The first step warms up, and does not count."""
        self._ended = (time.process_time(), time.thread_time(), self._calls)
        if state.global_step == 1:
            self._begun = self._ended
        self.steps = state.global_step - 1

    def told(self) -> None:
        total, own, calls = (end - begun for begun, end in zip(self._begun, self._ended, strict=True))
        others = max(0.0, total - own)
        print(f"{self.steps} steps of {1000 * total / self.steps:.1f} ms of processor time")
        print(f"tracker: {(calls + others) / total:.2%} (calls {calls / total:.2%}, threads {others / total:.2%})")


def main() -> int:
    given = _parser().parse_args()
    torch.set_num_threads(1)
    timed = Timed()
    train_lora.create_mlflow_callback = lambda **_: timed
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data, model = folder / "data", given.model_name or folder / "mistral"
        aws_questions.write(aws_questions.split(aws_questions.build(("s3", "lambda", "sqs"), 200, 300)), data, 42)
        if not given.model_name:
            smoke.make_model(folder / "mistral", smoke.texts(data / "train.jsonl"), steps=5, width=given.width)
        options = [
            "--model_name", model, "--data_dir", data, "--output_dir", folder / "models", "--max_steps", given.steps,
            "--num_epochs", 999, "--eval_steps", 10**6, "--save_steps", 10**6, "--max_seq_length", smoke.CONTEXT,
            "--max_validation_rows", 1, "--sample_count", 0, "--log_model", "false", "--mlflow_run_name", "benchmark",
        ]  # fmt: skip
        code = train_lora.main([str(option) for option in options])
    if not code:
        timed.told()
    return code


def _parser() -> argparse.ArgumentParser:
    parser = Parser(description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    parser.add_argument("--steps", type=number(int, 2), default=40)
    parser.add_argument("--width", type=number(int, 8), default=256, help="of the small model")
    parser.add_argument("--model_name", help="a folder or a name on the hub, in place of the small model")
    return parser


if __name__ == "__main__":
    if not os.environ.get("LOGBUCH_TRACKING_URI") and not os.environ.get("MLFLOW_TRACKING_URI"):
        os.environ["LOGBUCH_TRACKING_URI"] = str(Path(".logbuch").resolve())
    sys.exit(main())

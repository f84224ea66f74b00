"""Trains both programs well and badly, and keeps the curves: ``cd tests && python -m support.recording``.

It takes some minutes of one core, and writes ``tests/data/trainings.npz`` (see :mod:`support.recorded`). What is done
to a training is done to its data, its learning rate or its gradients, by replacing one function of the program.
"""

from __future__ import annotations

import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import torch

from logbuch.stability.findings import Kind
from storyteller import optim, smoke
from storyteller import train as storyteller
from storyteller.config import TrainingConfig
from storyteller.data.windows import Deal
from storyteller.errors import StorytellerError
from storyteller.tracking import Tracker
from support.recorded import FILE, Training, trainings, write
from support.storytelling import config

KEPT = ("train/loss", "train/grad_norm", "train/learning_rate", "val/loss", "eval/loss")
LORA = Path(__file__).parents[2] / "training" / "lora"
Curves = dict[str, list[tuple[int, float]]]
Trouble = Callable[[ExitStack, int], None]
"""Replaces a function for as long as the stack is open; of a training of so many steps."""


class Kept(Tracker):
    """A tracker that keeps curves."""

    def __init__(self) -> None:
        super().__init__()
        self.curves: Curves = {}

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        for key in KEPT:
            if key in values:
                self.curves.setdefault(key, []).append((step, values[key]))


class Plan(NamedTuple):
    """A training: options, and what is done to it."""

    name: str
    options: list[str]
    label: Kind | None = None
    why: str = ""
    trouble: Trouble | None = None
    tiny: bool = False
    """Whether it has a handful of stories or rows only."""


# -- what is done ------------------------------------------------------------------------------------------------------


def schedule_again(place: float) -> Trouble:
    """The schedule starts anew, as after a resume that has forgotten the step."""

    def trouble(stack: ExitStack, steps: int) -> None:
        right, begin = optim.scale, int(place * steps)

        def wrong(settings: TrainingConfig, step: int, count: int) -> float:
            return right(settings, step if step < begin else step - begin + settings.warmup_steps, count)

        stack.enter_context(patch.object(optim, "scale", wrong))

    return trouble


def broken_batches(*places: float) -> Trouble:
    """The targets of single steps are drawn by chance."""

    def trouble(stack: ExitStack, steps: int) -> None:
        right, taken = Deal.step, [0]
        broken = {int(place * steps) for place in places}

        def wrong(self: Deal) -> Any:
            batches = right(self)
            taken[0] += 1
            if taken[0] in broken:
                for batch in batches:
                    batch.targets_bt.random_(200, 300)
            return batches

        stack.enter_context(patch.object(Deal, "step", wrong))

    return trouble


def wild_gradients(factor: float, *places: float) -> Trouble:
    """The gradients of single steps are multiplied, as a lost loss scale does; clipping keeps the weights."""

    def trouble(stack: ExitStack, steps: int) -> None:
        right, wild = storyteller.clipped, {int(place * steps) for place in places}

        def wrong(training: Any) -> torch.Tensor:
            if training.progress.step in wild:
                for weight in training.model.parameters():
                    if weight.grad is not None:
                        weight.grad.mul_(factor)
            return right(training)

        stack.enter_context(patch.object(storyteller, "clipped", wrong))

    return trouble


# -- Storyteller -------------------------------------------------------------------------------------------------------


def good_options(number: int) -> tuple[list[str], dict[str, Any]]:
    """Options of a training that goes well, of many kinds; and those of its model."""
    steps = (100, 140, 200, 280)[number % 4]
    rate = (1e-3, 3e-3, 6e-3)[number % 3]
    overrides = [
        f"training.max_steps={steps}", f"training.learning_rate={rate}", f"training.seed={number}",
        f"training.schedule={('cosine', 'wsd', 'constant')[(number // 4) % 3]}",
        f"training.warmup_steps={(5, 20)[(number // 2) % 2]}", f"training.batch_size={(4, 8, 24)[(number // 3) % 3]}",
        f"training.optimizer={'muon' if number % 7 == 6 else 'adamw'}",
    ]  # fmt: skip
    model = {"use_moe": number % 5 == 4, "num_experts": 4, "dropout": 0.1 * (number % 3 == 2)}
    return overrides, model


def storyteller_plans() -> Iterator[tuple[Plan, dict[str, Any]]]:
    for number in range(30):
        overrides, model = good_options(number)
        yield Plan(f"clean {number}", overrides), model
    for number in range(4):
        overrides, model = good_options(number + 1)
        free = [*overrides, "training.max_grad_norm=0"]
        place = (0.35, 0.5, 0.65, 0.8)[number]
        high = [*free, f"training.learning_rate={(0.3, 0.6, 1.0, 2.0)[number]}", "training.schedule=constant"]
        high += ["training.max_steps=200", f"training.warmup_steps={(120, 150, 180, 100)[number]}"]
        high += ["training.optimizer=adamw"]
        yield Plan(f"diverged {number}", high, Kind.DIVERGED, "a learning rate that rises too far"), model
        yield Plan(f"not_finite {number}", [*free, "training.learning_rate=1e30"], Kind.NOT_FINITE, "1e30"), model
        spoiled = broken_batches(*(place, 0.95)[: 1 + number % 2])
        yield Plan(f"spike {number}", overrides, Kind.SPIKE, "a batch with targets by chance", spoiled), model
        wild = wild_gradients(300, *(place, 0.9)[: 1 + number % 2])
        yield Plan(f"gradient {number}", overrides, Kind.GRADIENT, "gradients times 300", wild), model
        slow = [*overrides, "training.learning_rate=1e-9", "training.muon_learning_rate=1e-9"]
        yield Plan(f"plateau {number}", slow, Kind.PLATEAU, "learning rate 1e-9"), model
        again = [*overrides, "training.schedule=cosine"]
        forgot = schedule_again(place)
        yield Plan(f"learning_rate {number}", again, Kind.LEARNING_RATE, "the schedule begins anew", forgot), model
        much = [*overrides, "training.max_steps=240", "training.learning_rate=3e-3", "training.schedule=constant"]
        much += ["training.optimizer=adamw", "training.batch_size=8"]
        large = model | {"hidden_size": 96, "dropout": 0.0}
        yield Plan(f"gap {number}", much, Kind.GAP, "a handful of stories, many times", tiny=True), large


def run_storyteller(folder: Path, plan: Plan, model: dict[str, Any]) -> Curves:
    data = folder / ("few" if plan.tiny else "stories")
    more = ["training.num_epochs=0", "training.log_every=1", "training.evaluation.every=10", "generation.prompts=[]"]
    more += ["training.evaluation.batches=4"]
    chosen = config(data, folder / plan.name.replace(" ", "_"), *more, "training.save_every=0", *plan.options, **model)
    tracker = Kept()
    with ExitStack() as stack:
        stack.enter_context(patch.object(storyteller, "tracker_of", lambda *_, **__: tracker))
        stack.enter_context(patch("storyteller.report.Report.metrics", lambda *_: None))
        stack.enter_context(patch("storyteller.checkpoints.save", lambda *_: None))
        stack.enter_context(patch("storyteller.checkpoints.save_best", lambda *_: None))
        if plan.trouble is not None:
            plan.trouble(stack, chosen.training.max_steps)
        try:
            storyteller.train(chosen)
        except StorytellerError:
            assert plan.label is Kind.NOT_FINITE
    return tracker.curves


# -- LoRA --------------------------------------------------------------------------------------------------------------


def lora_plans() -> Iterator[Plan]:
    for number in range(6):
        rate, steps = (5e-3, 1e-2, 2e-2)[number % 3], (80, 120)[number % 2]
        which = ("minimal", "standard", "aggressive", "high_capacity")[number % 4]
        options = f"--lora_config {which} --learning_rate {rate} --max_steps {steps} --seed {number}".split()
        shape = ("cosine", "linear", "constant_with_warmup")[(number // 4) % 3]
        yield Plan(f"clean {number}", [*options, "--lr_scheduler_type", shape])
    for number in range(2):
        seed = ["--seed", str(number), "--max_steps", "80"]
        which = ["--lora_config", ("minimal", "standard", "aggressive")[number]]
        frozen = [*seed, *which, "--learning_rate", "1e-12"]
        yield Plan(f"plateau {number}", frozen, Kind.PLATEAU, "learning rate 1e-12")
        broken = [*seed, *which, "--learning_rate", "1e30", "--max_grad_norm", "0"]
        yield Plan(f"not_finite {number}", broken, Kind.NOT_FINITE, "1e30")
        few = [
            *seed,
            "--lora_config",
            "high_capacity",
            "--lora_rank",
            "64",
            "--lora_alpha",
            "256",
            "--max_steps",
            "150",
        ]
        few += ["--learning_rate", ("1e-2", "2e-2")[number], "--max_train_rows", "8", "--weight_decay", "0"]
        yield Plan(f"gap {number}", few, Kind.GAP, "eight rows, many times")
        wild = [*seed, *which, "--learning_rate", "3e-3", "--lr_scheduler_type", "constant"]
        yield Plan(f"diverged {number}", wild, Kind.DIVERGED, "learning rate times 300", lora_rate_times(300, 0.5))


def lora_rate_times(factor: float, begin: float) -> Trouble:
    def trouble(stack: ExitStack, steps: int) -> None:
        from trainer import LoraTrainer

        right = LoraTrainer.training_step

        def wrong(self: Any, *more: Any) -> Any:
            if self.state.global_step >= begin * steps:
                self.args.max_grad_norm = 0.0
                for group in self.optimizer.param_groups:
                    group["lr"] = self.args.learning_rate * factor
            return right(self, *more)

        stack.enter_context(patch.object(LoraTrainer, "training_step", wrong))

    return trouble


def run_lora(folder: Path, plan: Plan, model: dict[str, Any]) -> Curves:
    import mlflow_callback
    import train_lora

    tracker = Kept()
    given = [
        "--no_mlflow", "--model_name", folder / "mistral", "--data_dir", folder / "rows", "--precision", "fp32",
        "--output_dir", folder / plan.name.replace(" ", "_"), "--num_epochs", 999, "--max_seq_length", 512,
        "--eval_steps", 10, "--save_steps", 1000, "--sample_count", 0, "--warmup_steps", 5,
        "--per_device_train_batch_size", 8, "--gradient_accumulation_steps", 1, "--max_validation_rows", 16,
        "--use_gradient_checkpointing", "false", *plan.options,
    ]  # fmt: skip
    with ExitStack() as stack:
        log = patch.object(mlflow_callback.tracking, "log_metrics", tracker.metrics)
        stack.enter_context(log)
        if plan.trouble is not None:
            plan.trouble(stack, int(plan.options[plan.options.index("--max_steps") + 1]))
        code = train_lora.main([str(one) for one in given])
        assert code == 0 or plan.label in (Kind.NOT_FINITE, Kind.DIVERGED), code
    return tracker.curves


def plans() -> Iterator[tuple[str, Plan, dict[str, Any]]]:
    """All trainings: the program, the training, and options of the model where they are given."""
    for plan, model in storyteller_plans():
        yield "storyteller", plan, model
    for plan in lora_plans():
        yield "lora", plan, {}


# -- all of it ---------------------------------------------------------------------------------------------------------


def unlike(count: int) -> list[str]:
    """Stories of words in any order: what is learned of some is of no use for others."""
    source = random.Random(5)
    words = "".join(smoke.made_up(40)).split()
    return [" ".join(source.choices(words, k=90)) for _ in range(count)]


@contextmanager
def material() -> Iterator[Path]:
    """A folder with stories, a handful of stories, rows, and a small Mistral."""
    import aws_questions
    from smoke import make_model, texts  # of training/lora

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        smoke.write(folder / "stories", smoke.made_up(300), 300)
        smoke.write(folder / "few", unlike(12), 300)
        aws_questions.write(
            aws_questions.split(aws_questions.build(("s3", "sqs", "lambda"), 400, 220)), folder / "rows", 42
        )
        others = aws_questions.build(("ec2", "iam", "rds"), 200, 220)
        aws_questions.write(aws_questions.split(others), folder / "known", 42)
        make_model(folder / "mistral", texts(folder / "known" / "train.jsonl"), steps=100)
        yield folder


def trained(plan: Plan, program: str, curves: Curves) -> Training:
    points = {
        key: (np.array([step for step, _ in one]), np.array([value for _, value in one])) for key, one in curves.items()
    }
    print(f"{program} {plan.name}: {len(points['train/loss'][0])} steps", file=sys.stderr)
    return Training(plan.name, program, plan.label, plan.why, points)


def main() -> None:
    """Records all, or those whose names begin so: ``python -m support.recording "lora clean"``."""
    words = tuple(sys.argv[1:])
    sys.path.append(str(LORA))
    os.environ["LOGBUCH_QUIET"] = "1"
    torch.set_num_threads(1)
    kept = {f"{one.program} {one.name}": one for one in (trainings() if words else ())}
    found: list[Training] = []
    with material() as folder:
        for program, plan, model in plans():
            name = f"{program} {plan.name}"
            if name not in kept or name.startswith(words):
                run = run_storyteller if program == "storyteller" else run_lora
                kept[name] = trained(plan, program, run(folder, plan, model))
            found.append(kept[name])
    write(found)
    print(f"{len(found)} trainings are in {FILE}")


if __name__ == "__main__":
    main()

"""The configurations: what is trained by which LoRA, on which data, and how. Every field is an option of the same name
on the command line."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, NoReturn, get_args, get_type_hints

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
ALL = (*ATTENTION, "gate_proj", "up_proj", "down_proj")


@dataclass(frozen=True)
class LoraSettings:
    """One LoRA. ``effective_scaling`` is the factor of its product of matrices, alpha / rank."""

    name: str
    rank: int
    alpha: int
    target_modules: tuple[str, ...]
    dropout: float = 0.05

    @property
    def effective_scaling(self) -> float:
        return self.alpha / self.rank

    @property
    def folder(self) -> str:
        """Such as ``standard_r8_qkvo``: what a folder of models is called."""
        if self.target_modules == ALL:
            modules = "all"
        elif all(len(module.removesuffix("_proj")) == 1 for module in self.target_modules):
            modules = "".join(module.removesuffix("_proj") for module in self.target_modules)
        else:
            modules = "-".join(module.removesuffix("_proj") for module in self.target_modules)
        return f"{self.name}_r{self.rank}_{modules}"


LORA_CONFIGS = {
    lora.name: lora
    for lora in (
        LoraSettings("minimal", 4, 8, ("q_proj", "v_proj")),
        LoraSettings("standard", 8, 16, ATTENTION),
        LoraSettings("aggressive", 16, 32, ALL),
        LoraSettings("high_capacity", 32, 64, ALL, dropout=0.1),
    )
}


def _tracking_uri() -> str:
    named = os.environ.get("LOGBUCH_TRACKING_URI") or os.environ.get("MLFLOW_TRACKING_URI")
    return named or "http://localhost:5000"


def _option(default: Any, explained: str, **more: Any) -> Any:
    return field(default=default, metadata={"help": explained, **more})


@dataclass(frozen=True)
class TrainingConfig:
    """Everything about a training but its LoRA."""

    model_name: str = _option("mistralai/Mistral-7B-v0.1", "a folder, or a name on the hub, of a causal language model")
    data_dir: str = _option("data", "folder with train.jsonl and validation.jsonl")
    train_file: str | None = _option(None, "rows to train on; else DATA_DIR/train.jsonl")
    validation_file: str | None = _option(None, "rows to validate with; else DATA_DIR/validation.jsonl")
    max_train_rows: int | None = _option(None, "train on the first rows only", least=1)
    max_validation_rows: int | None = _option(None, "validate with the first rows only", least=1)
    output_dir: str = _option("models", "folder that gets a folder for every trained adapter")

    max_seq_length: int = _option(1024, "tokens of a row, answer included", least=8)
    too_long: str = _option("error", "what happens to rows that are longer", choices=("error", "drop"))
    packing: bool = _option(False, "put several rows into one sequence; they do not see each other")

    num_epochs: float = _option(1.0, "times that every row is seen", above=0)
    max_steps: int = _option(-1, "steps of the optimizer, whatever NUM_EPOCHS says; -1 for no limit", least=-1)
    per_device_train_batch_size: int = _option(4, "rows in a forward pass", least=1)
    per_device_eval_batch_size: int = _option(4, "rows in a forward pass of an evaluation", least=1)
    gradient_accumulation_steps: int = _option(4, "forward passes in a step", least=1)
    learning_rate: float = _option(2e-4, "the highest learning rate", above=0)
    lr_scheduler_type: str = _option(
        "cosine", "course of the learning rate", choices=("cosine", "linear", "constant", "constant_with_warmup")
    )
    warmup_steps: int = _option(20, "steps until the highest learning rate", least=0)
    weight_decay: float = _option(0.01, "of AdamW", least=0)
    max_grad_norm: float = _option(1.0, "gradients are clipped to this norm; 0 for no clipping", least=0)
    seed: int = _option(42, "of data order, adapter and dropout", least=0)

    use_4bit: bool | None = _option(None, "nf4 with double quantisation; by default where a GPU and bitsandbytes are")
    precision: str = _option("auto", "of the computation", choices=("auto", "bf16", "fp16", "fp32"))
    use_gradient_checkpointing: bool = _option(True, "compute activations again instead of keeping them")
    optimizer: str = _option("auto", "by default paged_adamw_8bit with 4-bit weights, else adamw_torch")

    logging_steps: int = _option(1, "steps between two logged values", least=1)
    eval_steps: int = _option(20, "steps between two evaluations", least=1)
    save_steps: int = _option(20, "steps between two checkpoints; a multiple of EVAL_STEPS", least=1)
    save_total_limit: int = _option(3, "checkpoints that are kept, the best among them", least=1)
    sample_count: int = _option(2, "validation rows that are answered after every evaluation", least=0)
    sample_tokens: int = _option(64, "tokens of such an answer", least=1)

    mlflow_tracking_uri: str = field(
        default_factory=_tracking_uri,
        metadata={"help": "the tracker; else LOGBUCH_TRACKING_URI, MLFLOW_TRACKING_URI, http://localhost:5000"},
    )
    mlflow_experiment_name: str = _option("aws-rag-qa-mistral-lora", "experiment of the runs")
    mlflow_run_name: str | None = _option(None, "name of the run; else that of the LoRA configuration")
    log_model: bool = _option(True, "keep the adapter with the run, as a model that can be served")
    log_base_model: bool | None = _option(None, "with the base model's weights; by default if they are under 2 GB")
    log_model_checkpoints: bool = _option(False, "keep every checkpoint with the run")

    @property
    def effective_batch_size(self) -> int:
        """Rows in a step of one process."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps

    @property
    def train_path(self) -> Path:
        return Path(self.train_file or Path(self.data_dir) / "train.jsonl")

    @property
    def validation_path(self) -> Path:
        return Path(self.validation_file or Path(self.data_dir) / "validation.jsonl")


TEST_MODE: dict[str, Any] = {
    "max_train_rows": 16, "max_validation_rows": 4, "max_steps": 4, "warmup_steps": 1, "eval_steps": 2, "save_steps": 2,
    "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2, "sample_count": 1, "sample_tokens": 8,
}  # fmt: skip
"""``--test_mode``: a training of seconds that does all that a long one does."""


@dataclass(frozen=True)
class Job:
    """What the command line asks for."""

    config: TrainingConfig
    lora: LoraSettings
    resume: str | None
    tracking: bool
    test_mode: bool

    @property
    def run_name(self) -> str:
        return self.config.mlflow_run_name or self.lora.name

    @property
    def folder(self) -> Path:
        """Where the adapter and its checkpoints go."""
        return Path(self.config.output_dir) / (self.lora.folder + ("_test" if self.test_mode else ""))


class Parser(argparse.ArgumentParser):
    """Refuses in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n")


def parse(arguments: Sequence[str] | None = None) -> Job:
    """Reads the command line; ends the program with one line where it is wrong."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    base = LORA_CONFIGS[given["lora_config"]]
    lora_given = {name: given[f"lora_{name}"] for name in ("rank", "alpha", "dropout", "target_modules")}
    lora = dataclasses.replace(base, **{key: value for key, value in lora_given.items() if value is not None})
    chosen = {item.name: given[item.name] for item in fields(TrainingConfig) if item.name in given}
    config = TrainingConfig(**(TEST_MODE if given["test_mode"] else {}) | chosen)
    problem = _contradiction(config)
    if problem:
        parser.error(problem)
    return Job(config, lora, given["resume"], not given["no_mlflow"], given["test_mode"])


def _contradiction(config: TrainingConfig) -> str | None:
    if config.save_steps % config.eval_steps:
        return f"--save_steps {config.save_steps} is no multiple of --eval_steps {config.eval_steps}"
    if config.precision == "fp16" and config.use_4bit is False:
        return "--precision fp16 is for 4-bit weights; use bf16 or fp32"
    return None


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog=Path(sys.argv[0]).name or "train_lora.py",
        description="Fine-tune a causal language model with LoRA.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--lora_config", choices=list(LORA_CONFIGS), default="standard", help="which LoRA")
    parser.add_argument("--no_mlflow", action="store_true", help="train without a tracker")
    parser.add_argument("--test_mode", action="store_true", help="a few steps on a few rows, to see that all works")
    parser.add_argument("--resume", nargs="?", const="newest", metavar="CHECKPOINT", help="go on from a checkpoint")
    lora = parser.add_argument_group("LoRA, where it is not that of the configuration")
    lora.add_argument("--lora_rank", type=number(int, 1), metavar="N", help="rank of the matrices")
    lora.add_argument("--lora_alpha", type=number(int, 1), metavar="N", help="scaling times rank")
    lora.add_argument("--lora_dropout", type=number(float, 0, below=1), metavar="X", help="share of inputs left out")
    lora.add_argument("--lora_target_modules", type=_names, metavar="NAME,NAME", help="layers that get an adapter")
    group = parser.add_argument_group("everything else")
    hints = get_type_hints(TrainingConfig)
    for item in fields(TrainingConfig):
        default = item.default if item.default is not dataclasses.MISSING else TrainingConfig().mlflow_tracking_uri
        about = dict(item.metadata)
        shown = f"{about['help']} (default: {default})".replace("%", "%%")
        kind = _kind(hints[item.name], about)
        group.add_argument(
            f"--{item.name}", type=kind, choices=about.get("choices"), default=argparse.SUPPRESS, help=shown
        )
    return parser


def _kind(hint: Any, about: dict[str, Any]) -> Any:
    """What reads a value of the command line."""
    plain = next(kind for kind in get_args(hint) if kind is not type(None)) if isinstance(hint, UnionType) else hint
    if plain is bool:
        return _yes_or_no
    if plain in (int, float):
        return number(plain, about.get("least"), above=about.get("above"))
    return str


def number(kind: type, least: float | None, *, above: float | None = None, below: float | None = None) -> Any:
    """What reads a number of the command line within bounds."""

    def read(text: str) -> Any:
        value = kind(text)
        if value != value or value in (float("inf"), float("-inf")):
            raise argparse.ArgumentTypeError(f"{text} is no number to work with")
        if least is not None and value < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        if above is not None and value <= above:
            raise argparse.ArgumentTypeError(f"{text} is not above {above}")
        if below is not None and value >= below:
            raise argparse.ArgumentTypeError(f"{text} is not below {below}")
        return value

    read.__name__ = kind.__name__
    return read


def _yes_or_no(text: str) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if text.lower() not in known:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return known[text.lower()]


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("no name of a layer is given")
    return names

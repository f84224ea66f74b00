"""What a training is told: sections ``model``, ``data``, ``training`` (with ``evaluation``) and ``generation``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from storyteller.errors import ConfigError


@dataclass
class ModelConfig:
    """The network. Zero for a size means: the usual one for the others."""

    vocab_size: int = 4096
    hidden_size: int = 512
    num_layers: int = 8
    num_heads: int = 8
    num_kv_heads: int = 0
    intermediate_size: int = 0
    max_sequence_length: int = 512
    position: Literal["rotary", "learned", "alibi"] = "rotary"
    rope_theta: float = 10000.0
    activation: Literal["gelu", "swiglu", "relu"] = "swiglu"
    norm: Literal["layernorm", "rmsnorm"] = "rmsnorm"
    norm_position: Literal["pre", "post"] = "pre"
    norm_eps: float = 1e-5
    bias: bool = False
    dropout: float = 0.0
    tie_embeddings: bool = True
    init_std: float = 0.02
    use_moe: bool = False
    moe_every: int = 2
    num_experts: int = 8
    experts_per_token: int = 2
    expert_intermediate_size: int = 0
    moe_load_balance_weight: float = 0.01
    moe_z_loss_weight: float = 0.001
    moe_capacity_factor: float = 1.25
    moe_implementation: Literal["grouped", "loop"] = "grouped"

    def __post_init__(self) -> None:
        counts = "vocab_size hidden_size num_layers num_heads max_sequence_length moe_every num_experts"
        _at_least("model", self, 1, [*counts.split(), "experts_per_token"])
        sizes = "num_kv_heads intermediate_size expert_intermediate_size moe_load_balance_weight moe_z_loss_weight"
        _at_least("model", self, 0, [*sizes.split(), "moe_capacity_factor", "dropout"])
        _above("model", self, 0, ["rope_theta", "norm_eps", "init_std"])
        _below("model", self, 1, ["dropout"])
        if self.hidden_size % self.num_heads:
            raise _wrong("model.hidden_size", self.hidden_size, f"it must divide by num_heads, {self.num_heads}")
        if self.num_heads % self.kv_heads:
            raise _wrong("model.num_kv_heads", self.num_kv_heads, f"it must divide num_heads, {self.num_heads}")
        if self.position == "rotary" and self.head_size % 2:
            raise _wrong("model.num_heads", self.num_heads, "rotary positions want heads of an even size")
        if self.experts_per_token > self.num_experts:
            raise _wrong("model.experts_per_token", self.experts_per_token, f"there are {self.num_experts} experts")

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.num_heads

    @property
    def kv_heads(self) -> int:
        return self.num_kv_heads or self.num_heads

    @property
    def feedforward_size(self) -> int:
        """Width of a dense feed-forward: 4 × hidden, or 8/3 in steps of 8 with swiglu, whose gate is a third matrix."""
        if self.intermediate_size:
            return self.intermediate_size
        return -(-8 * self.hidden_size // 24) * 8 if self.activation == "swiglu" else 4 * self.hidden_size

    @property
    def expert_size(self) -> int:
        """Width of one expert: a dense feed-forward's share, so that the active ones of a token are as large."""
        return self.expert_intermediate_size or max(8, self.feedforward_size // self.experts_per_token // 8 * 8)

    def is_moe_layer(self, layer: int) -> bool:
        """Every ``moe_every``-th layer, the last of each group: with 2 the layers 1, 3, 5, …"""
        return self.use_moe and (layer + 1) % self.moe_every == 0


@dataclass
class DataConfig:
    """Files of stories, JSON lines with a ``text`` each, and the tokenizer."""

    train_file: str = "data/train.jsonl"
    val_file: str = "data/val.jsonl"
    tokenizer: str = "data/tokenizer.json"
    cache_dir: str = ""

    def __post_init__(self) -> None:
        for name in ("train_file", "val_file", "tokenizer"):
            if not getattr(self, name):
                raise _wrong(f"data.{name}", "''", "it must name a file")


@dataclass
class EvaluationConfig:
    """When and on how much the validation loss is measured; ``batches`` of 0 is all of it."""

    every: int = 200
    batches: int = 0
    early_stop_patience: int = 0

    def __post_init__(self) -> None:
        _at_least("training.evaluation", self, 0, ["every", "batches", "early_stop_patience"])


@dataclass
class TrainingConfig:
    """The training. Either ``max_steps`` or ``num_epochs`` ends it, whichever comes first; 0 is no limit."""

    output_dir: str = "checkpoints"
    max_steps: int = 0
    num_epochs: int = 1
    batch_size: int = 16
    gradient_accumulation_steps: int = 1
    sequence_length: int = 0
    learning_rate: float = 3e-4
    min_learning_rate_ratio: float = 0.1
    schedule: Literal["cosine", "wsd", "constant"] = "cosine"
    warmup_steps: int = 100
    decay_fraction: float = 0.2
    optimizer: Literal["adamw", "muon"] = "adamw"
    muon_learning_rate: float = 0.02
    weight_decay: float = 0.1
    beta1: float = 0.9
    beta2: float = 0.95
    max_grad_norm: float = 1.0
    device: str = "auto"
    use_amp: Literal["auto", "true", "false"] = "auto"
    amp_dtype: Literal["bfloat16", "float16"] = "bfloat16"
    compile: Literal["auto", "true", "false"] = "auto"
    parallel: Literal["ddp", "fsdp"] = "ddp"
    deterministic: bool = False
    num_threads: int = 0
    seed: int = 42
    peak_tflops: float = 0.0
    log_every: int = 10
    save_every: int = 500
    keep_checkpoints: int = 3
    sample_every: int = 500
    use_mlflow: bool = True
    mlflow_experiment_name: str = "storyteller"
    mlflow_run_name: str = ""
    mlflow_tracking_uri: str = ""
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)

    def __post_init__(self) -> None:
        _at_least("training", self, 1, "batch_size gradient_accumulation_steps log_every keep_checkpoints".split())
        counts = "max_steps num_epochs sequence_length warmup_steps num_threads seed save_every sample_every"
        amounts = "weight_decay max_grad_norm min_learning_rate_ratio peak_tflops beta1 beta2"
        _at_least("training", self, 0, (counts + " " + amounts).split())
        _above("training", self, 0, ["learning_rate", "muon_learning_rate", "decay_fraction"])
        _below("training", self, 1, ["beta1", "beta2"])
        for name in ("min_learning_rate_ratio", "decay_fraction"):
            if getattr(self, name) > 1:
                raise _wrong(f"training.{name}", getattr(self, name), "it must be at most 1")
        for name, value in (("optimizer", "muon"), ("amp_dtype", "float16"), ("compile", "true")):
            if self.parallel == "fsdp" and getattr(self, name) == value:
                raise _wrong(f"training.{name}", value, "it does not go with training.parallel fsdp")
        if not self.output_dir:
            raise _wrong("training.output_dir", "''", "it must name a folder")
        if not self.max_steps and not self.num_epochs:
            raise _wrong("training.max_steps", 0, "without num_epochs nothing would end the training")


@dataclass
class GenerationConfig:
    """How texts are generated, and from which beginnings a training shows samples."""

    prompts: list[str] = field(default_factory=lambda: ["It was", "She said"])
    max_new_tokens: int = 120
    temperature: float = 0.8
    top_k: int = 50
    top_p: float = 0.95
    repetition_penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        _at_least("generation", self, 1, ["max_new_tokens"])
        _at_least("generation", self, 0, ["temperature", "top_k", "seed"])
        _above("generation", self, 0, ["top_p", "repetition_penalty"])
        if self.top_p > 1:
            raise _wrong("generation.top_p", self.top_p, "it must be at most 1")


@dataclass
class Config:
    """All sections."""

    model: ModelConfig = field(default_factory=ModelConfig)
    data: DataConfig = field(default_factory=DataConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    generation: GenerationConfig = field(default_factory=GenerationConfig)

    @property
    def sequence_length(self) -> int:
        """Tokens of one training sequence."""
        return self.training.sequence_length or self.model.max_sequence_length


def _wrong(key: str, value: Any, reason: str) -> ConfigError:
    return ConfigError(f"Invalid {key} {value}: {reason}.")


def _at_least(section: str, config: Any, least: float, names: Sequence[str]) -> None:
    for name in names:
        if not getattr(config, name) >= least:
            raise _wrong(f"{section}.{name}", getattr(config, name), f"it must be at least {least}")


def _above(section: str, config: Any, bound: float, names: Sequence[str]) -> None:
    for name in names:
        if not getattr(config, name) > bound:
            raise _wrong(f"{section}.{name}", getattr(config, name), f"it must be more than {bound}")


def _below(section: str, config: Any, bound: float, names: Sequence[str]) -> None:
    for name in names:
        if not getattr(config, name) < bound:
            raise _wrong(f"{section}.{name}", getattr(config, name), f"it must be less than {bound}")

"""The tokenizer, the base model in the precision that the machine is good at, and LoRA on top."""

from __future__ import annotations

import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from config import LoraSettings, TrainingConfig
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from problems import Problem
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedTokenizerBase

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


@dataclass(frozen=True)
class Numbers:
    """How weights and computation are represented, and on what."""

    device: str
    use_4bit: bool
    precision: str
    optimizer: str

    @property
    def dtype(self) -> torch.dtype:
        return _DTYPES[self.precision]


def choose_numbers(config: TrainingConfig) -> Numbers:
    """What the configuration says and, where it says nothing, what is there: 4-bit weights on a GPU with bitsandbytes;
    bf16 on hardware that computes with it, else fp32."""
    gpu = torch.cuda.is_available()
    quantizer = importlib.util.find_spec("bitsandbytes") is not None
    if config.use_4bit and not quantizer:
        raise Problem("--use_4bit true needs the package bitsandbytes")
    use_4bit = gpu and quantizer if config.use_4bit is None else config.use_4bit
    precision = config.precision
    if precision == "auto":
        good = torch.cuda.is_bf16_supported(including_emulation=False) if gpu else _cpu_has_bf16()
        precision = "bf16" if good else "fp16" if gpu and use_4bit else "fp32"
    optimizer = config.optimizer
    if optimizer == "auto":
        optimizer = "paged_adamw_8bit" if gpu and use_4bit else "adamw_torch"
    return Numbers("cuda" if gpu else "cpu", bool(use_4bit), precision, optimizer)


def _cpu_has_bf16() -> bool:
    """Whether the processor multiplies bf16 itself; without it bf16 is slower than fp32."""
    if platform.system() == "Darwin":
        return False
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags or " bf16" in flags


def load_tokenizer(name: str) -> Any:
    """A fast tokenizer with a padding token that is not the end-of-sequence token: else no end would be learned."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, KeyError) as error:
        raise Problem(_missing(name, error)) from None
    if not tokenizer.is_fast:
        raise Problem(f"{name} has no fast tokenizer, which the offsets of answers need")
    set_padding(tokenizer)
    return tokenizer


def set_padding(tokenizer: PreTrainedTokenizerBase) -> None:
    """Padding is never attended to nor learned, so any token but the end's will do: the unknown one, else a new one."""
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is not None and tokenizer.pad_token_id != tokenizer.eos_token_id:
        return
    if tokenizer.unk_token is not None and tokenizer.unk_token_id != tokenizer.eos_token_id:
        tokenizer.pad_token = tokenizer.unk_token
    else:
        tokenizer.add_special_tokens({"pad_token": "<|pad|>"})


def load_base(config: TrainingConfig, numbers: Numbers, tokenizer: Any) -> Any:
    """The model that is to be adapted, from a folder or the hub."""
    more: dict[str, Any] = {}
    if numbers.use_4bit:
        more["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=numbers.dtype,
        )
        more["device_map"] = {"": int(os.environ.get("LOCAL_RANK", "0")) if numbers.device == "cuda" else "cpu"}
    try:
        model = AutoModelForCausalLM.from_pretrained(config.model_name, dtype=numbers.dtype, **more)
    except (OSError, ValueError, KeyError) as error:
        raise Problem(_missing(config.model_name, error)) from None
    longest = getattr(model.config, "max_position_embeddings", None)
    if longest is not None and config.max_seq_length > longest:
        raise Problem(f"--max_seq_length {config.max_seq_length} is more than the model's context of {longest} tokens")
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        model.resize_token_embeddings(len(tokenizer))
    model.config.use_cache = False
    return model


def _missing(name: str, error: Exception) -> str:
    said = str(error).strip().splitlines()
    return f"cannot load the model {name!r}: {said[0] if said else type(error).__name__}"


def add_lora(model: Any, lora: LoraSettings, config: TrainingConfig, numbers: Numbers) -> Any:
    """The model with its adapter, whose weights are fp32."""
    if numbers.use_4bit:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    settings = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),
        bias="none",
        task_type="CAUSAL_LM",
    )
    try:
        adapted = get_peft_model(model, settings)
    except ValueError as error:
        raise Problem(f"LoRA {lora.name} does not fit {config.model_name}: {str(error).splitlines()[0]}") from None
    return adapted


def count_parameters(model: Any) -> dict[str, Any]:
    """``total``, ``trainable`` and ``percentage``. Weights of 4 bits count as what they stand for, not as the bytes
    into which they are packed."""
    total = trainable = 0
    for parameter in model.parameters():
        state = getattr(parameter, "quant_state", None)
        count = state.shape.numel() if state is not None else parameter.numel()
        total += count
        trainable += count if parameter.requires_grad else 0
    return {"total": total, "trainable": trainable, "percentage": 100 * trainable / total}

"""A model in the files that transformers, vLLM and others read: ``config.json``, weights under their names, tokenizer.

Each architecture below computes what Storyteller computes, with other names:

========================  ===============================================================
``LlamaForCausalLM``      rotary, rmsnorm, swiglu
``Qwen2MoeForCausalLM``   the same with experts; its shared expert is there, and is zero
``GPTNeoXForCausalLM``    rotary, layernorm, gelu or relu; biases that are missing are zero
``GPT2LMHeadModel``       learned positions, layernorm, gelu or relu; biases likewise
========================  ===============================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from storyteller import tokenizer as tokenizers
from storyteller.config import ModelConfig
from storyteller.errors import ConfigError
from storyteller.files import written
from storyteller.weights import TOKENIZER, WEIGHTS, Loaded

Weights = dict[str, Tensor]
_SHARED_EXPERT = 1
"""Width of the shared expert that Storyteller does not have."""


def export(loaded: Loaded, folder: Path) -> str:
    """Writes the files to ``folder``, which must not be there yet; returns the name of the architecture.

    ``ConfigError`` names the key for which there is none.
    """
    if folder.exists():
        raise ConfigError(f"{folder} is there already: name another --output.")
    config = loaded.model.config
    architecture = architecture_of(config)
    described, convert = _ARCHITECTURES[architecture]
    state = {name: weight.detach().cpu() for name, weight in loaded.model.state_dict().items()}
    found = {name: weight.contiguous().clone() for name, weight in convert(config, state).items()}
    if not config.tie_embeddings:
        found["embed_out.weight" if architecture == "GPTNeoXForCausalLM" else "lm_head.weight"] = state["head.weight"]
    with written(folder) as place:
        place.mkdir()
        save_file(found, place / WEIGHTS, metadata={"format": "pt"})
        end = tokenizers.end_of(loaded.tokenizer)
        _write(place / "config.json", _common(config, architecture, end) | described(config))
        _write(place / "generation_config.json", _generation(loaded, end))
        (place / TOKENIZER).write_text(loaded.tokenizer.to_str(), encoding="utf-8")
        _write(place / "tokenizer_config.json", _tokenizer(config))
    return architecture


def architecture_of(config: ModelConfig) -> str:
    """The architecture that computes the same; ``ConfigError`` if none does."""
    if config.norm_position != "pre":
        raise _without("norm_position", config.norm_position)
    if config.position == "alibi":
        raise _without("position", config.position)
    if config.norm == "rmsnorm" and config.activation == "swiglu" and config.position == "rotary":
        if config.use_moe and config.bias:
            raise _without("bias", "true with experts")
        return "Qwen2MoeForCausalLM" if config.use_moe else "LlamaForCausalLM"
    for key, wrong in (
        ("use_moe", config.use_moe),
        ("norm", config.norm == "rmsnorm"),
        ("activation", config.activation == "swiglu"),
        ("num_kv_heads", config.kv_heads != config.num_heads),
    ):
        if wrong:
            raise _without(key, getattr(config, key))
    return "GPTNeoXForCausalLM" if config.position == "rotary" else "GPT2LMHeadModel"


def _without(key: str, value: object) -> ConfigError:
    return ConfigError(
        f"Invalid model.{key} {value} for this export: no architecture of transformers computes such a model."
    )


# -- what belongs to all ---------------------------------------------------------------------------------------------


def _common(config: ModelConfig, architecture: str, end: int) -> dict[str, Any]:
    return {
        "architectures": [architecture],
        "dtype": "float32",
        "vocab_size": config.vocab_size,
        "hidden_size": config.hidden_size,
        "num_hidden_layers": config.num_layers,
        "num_attention_heads": config.num_heads,
        "intermediate_size": config.feedforward_size,
        "max_position_embeddings": config.max_sequence_length,
        "initializer_range": config.init_std,
        "tie_word_embeddings": config.tie_embeddings,
        "bos_token_id": None,
        "eos_token_id": end,
        "pad_token_id": None,
    }


def _generation(loaded: Loaded, end: int) -> dict[str, Any]:
    how = loaded.generation
    sampled = {"do_sample": True, "temperature": how.temperature, "top_k": how.top_k, "top_p": how.top_p}
    return {
        "eos_token_id": end,
        "max_new_tokens": how.max_new_tokens,
        "repetition_penalty": how.repetition_penalty,
        **(sampled if how.temperature else {"do_sample": False}),
    }


def _tokenizer(config: ModelConfig) -> dict[str, Any]:
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": tokenizers.END,
        "clean_up_tokenization_spaces": False,
        "model_max_length": config.max_sequence_length,
    }


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _renamed(state: Weights, names: dict[str, str], begin: str = "") -> Weights:
    """Weights and, where they are there, biases of modules under other names."""
    return {
        f"{other}.{kind}": state[f"{begin}{name}.{kind}"]
        for name, other in names.items()
        for kind in ("weight", "bias")
        if f"{begin}{name}.{kind}" in state
    }


# -- rotary, rmsnorm, swiglu -----------------------------------------------------------------------------------------


def _llama(config: ModelConfig) -> dict[str, Any]:
    return {
        "model_type": "llama",
        "num_key_value_heads": config.kv_heads,
        "head_dim": config.head_size,
        "hidden_act": "silu",
        "rms_norm_eps": config.norm_eps,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "attention_bias": config.bias,
        "mlp_bias": config.bias,
    }


def _qwen(config: ModelConfig) -> dict[str, Any]:
    plain = {key: value for key, value in _llama(config).items() if not key.endswith("_bias")}
    return {
        **plain,
        "model_type": "qwen2_moe",
        "qkv_bias": False,
        "decoder_sparse_step": config.moe_every,
        "num_experts": config.num_experts,
        "num_experts_per_tok": config.experts_per_token,
        "norm_topk_prob": config.experts_per_token > 1,
        "moe_intermediate_size": config.expert_size,
        "shared_expert_intermediate_size": _SHARED_EXPERT,
        "router_aux_loss_coef": config.moe_load_balance_weight,
    }


def _to_llama(config: ModelConfig, state: Weights) -> Weights:
    found = _renamed(state, {"embedding": "model.embed_tokens", "norm": "model.norm"})
    for layer in range(config.num_layers):
        ours, theirs = f"blocks.{layer}.", f"model.layers.{layer}."
        names = {
            "attention.queries": f"{theirs}self_attn.q_proj",
            "attention.keys": f"{theirs}self_attn.k_proj",
            "attention.values": f"{theirs}self_attn.v_proj",
            "attention.output": f"{theirs}self_attn.o_proj",
            "attention_norm": f"{theirs}input_layernorm",
            "feedforward_norm": f"{theirs}post_attention_layernorm",
            "feedforward.down": f"{theirs}mlp.down_proj",
            "feedforward.router": f"{theirs}mlp.gate",
        }
        found |= _renamed(state, names, ours)
        feed = _experts if config.is_moe_layer(layer) else _gated
        found |= feed(state, f"{ours}feedforward.", f"{theirs}mlp.")
    return found


def _gated(state: Weights, ours: str, theirs: str) -> Weights:
    """The gate is the first half of what goes up."""
    found: Weights = {}
    for kind in ("weight", "bias"):
        if f"{ours}up.{kind}" in state:
            halves = state[f"{ours}up.{kind}"].chunk(2)
            found |= {
                f"{theirs}{name}.{kind}": half for name, half in zip(("gate_proj", "up_proj"), halves, strict=True)
            }
    return found


def _experts(state: Weights, ours: str, theirs: str) -> Weights:
    """One matrix an expert, turned; and a shared expert that adds nothing."""
    up_xcf, down_xfc = state[f"{ours}up_xcf"], state[f"{ours}down_xfc"]
    found: Weights = {}
    for number, (up_cf, down_fc) in enumerate(zip(up_xcf, down_xfc, strict=True)):
        gate_fc, value_fc = up_cf.t().chunk(2)
        expert = {"gate_proj": gate_fc, "up_proj": value_fc, "down_proj": down_fc.t()}
        found |= {f"{theirs}experts.{number}.{name}.weight": weight for name, weight in expert.items()}
    width = up_xcf.shape[1]
    for name, shape in {
        "shared_expert.gate_proj": (_SHARED_EXPERT, width),
        "shared_expert.up_proj": (_SHARED_EXPERT, width),
        "shared_expert.down_proj": (width, _SHARED_EXPERT),
        "shared_expert_gate": (1, width),
    }.items():
        found[f"{theirs}{name}.weight"] = torch.zeros(shape)
    return found


# -- layernorm -------------------------------------------------------------------------------------------------------


def _neox(config: ModelConfig) -> dict[str, Any]:
    return {
        "model_type": "gpt_neox",
        "hidden_act": config.activation,
        "layer_norm_eps": config.norm_eps,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": config.rope_theta,
            "partial_rotary_factor": 1.0,
        },
        "use_parallel_residual": False,
        "attention_bias": True,
    }


def _gpt2(config: ModelConfig) -> dict[str, Any]:
    return {
        "model_type": "gpt2",
        "n_embd": config.hidden_size,
        "n_layer": config.num_layers,
        "n_head": config.num_heads,
        "n_positions": config.max_sequence_length,
        "n_inner": config.feedforward_size,
        "activation_function": config.activation,
        "layer_norm_epsilon": config.norm_eps,
    }


def _to_neox(config: ModelConfig, state: Weights) -> Weights:
    found = _renamed(state, {"embedding": "gpt_neox.embed_in", "norm": "gpt_neox.final_layer_norm"})
    found.setdefault("gpt_neox.final_layer_norm.bias", torch.zeros(config.hidden_size))
    for layer in range(config.num_layers):
        linear, norms = _layer(state, layer)
        theirs = f"gpt_neox.layers.{layer}."
        # Query, key and value of a head lie together.
        together = [one.unflatten(0, (config.num_heads, config.head_size)) for one in linear.pop("qkv").chunk(3)]
        linear["attention.query_key_value.weight"] = torch.cat(together, dim=1).flatten(0, 1)
        biases = [one.view(config.num_heads, config.head_size) for one in linear.pop("qkv_bias").chunk(3)]
        linear["attention.query_key_value.bias"] = torch.cat(biases, dim=1).flatten()
        names = {"output": "attention.dense", "up": "mlp.dense_h_to_4h", "down": "mlp.dense_4h_to_h"}
        for name, other in names.items():
            linear[f"{other}.weight"], linear[f"{other}.bias"] = linear.pop(name), linear.pop(f"{name}_bias")
        found |= {f"{theirs}{name}": weight for name, weight in linear.items()}
        found |= {f"{theirs}input_layernorm.{kind}": one for kind, one in norms[0].items()}
        found |= {f"{theirs}post_attention_layernorm.{kind}": one for kind, one in norms[1].items()}
    return found


def _to_gpt2(config: ModelConfig, state: Weights) -> Weights:
    names = {"embedding": "transformer.wte", "position": "transformer.wpe", "norm": "transformer.ln_f"}
    found = _renamed(state, names)
    found.setdefault("transformer.ln_f.bias", torch.zeros(config.hidden_size))
    for layer in range(config.num_layers):
        linear, norms = _layer(state, layer)
        theirs = f"transformer.h.{layer}."
        names = {"qkv": "attn.c_attn", "output": "attn.c_proj", "up": "mlp.c_fc", "down": "mlp.c_proj"}
        for name, other in names.items():  # their matrices are turned
            found[f"{theirs}{other}.weight"] = linear[name].t()
            found[f"{theirs}{other}.bias"] = linear[f"{name}_bias"]
        found |= {
            f"{theirs}ln_{number}.{kind}": one for number, norm in enumerate(norms, 1) for kind, one in norm.items()
        }
    return found


def _layer(state: Weights, layer: int) -> tuple[Weights, tuple[Weights, Weights]]:
    """The matrices of a layer (``qkv``, ``output``, ``up``, ``down``), each with its bias, and its two norms."""
    begin = f"blocks.{layer}."

    def of(name: str) -> tuple[Tensor, Tensor]:
        weight = state[f"{begin}{name}.weight"]
        return weight, state.get(f"{begin}{name}.bias", torch.zeros(len(weight)))

    parts = [of(f"attention.{name}") for name in ("queries", "keys", "values")]
    linear = {"qkv": torch.cat([one[0] for one in parts]), "qkv_bias": torch.cat([one[1] for one in parts])}
    for name, ours in {"output": "attention.output", "up": "feedforward.up", "down": "feedforward.down"}.items():
        linear[name], linear[f"{name}_bias"] = of(ours)
    first, second = (
        dict(zip(("weight", "bias"), of(name), strict=True)) for name in ("attention_norm", "feedforward_norm")
    )
    return linear, (first, second)


_ARCHITECTURES: dict[str, tuple[Callable[[ModelConfig], dict[str, Any]], Callable[[ModelConfig, Weights], Weights]]] = {
    "LlamaForCausalLM": (_llama, _to_llama),
    "Qwen2MoeForCausalLM": (_qwen, _to_llama),
    "GPTNeoXForCausalLM": (_neox, _to_neox),
    "GPT2LMHeadModel": (_gpt2, _to_gpt2),
}

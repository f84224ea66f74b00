"""A language model that is small enough for a test: one layer, a dozen words."""

from __future__ import annotations

from typing import Any

WORDS = "<pad> <eos> <unk> once upon a time there was cat dog the end".split()


def language_model(*, adapted: bool) -> dict[str, Any]:
    """A GPT-2 and its tokenizer, as ``logbuch.transformers`` takes them; with a LoRA adapter that is not zero."""
    import torch
    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers

    known = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=known, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )
    torch.manual_seed(0)
    size = {"vocab_size": len(WORDS), "n_positions": 96, "n_embd": 32, "n_layer": 1, "n_head": 2}
    config = transformers.GPT2Config(**size, bos_token_id=1, eos_token_id=1, pad_token_id=0)
    network: Any = transformers.GPT2LMHeadModel(config).eval()
    return {"model": _with_adapter(network) if adapted else network, "tokenizer": tokenizer}


def _with_adapter(network: Any) -> Any:
    import peft

    adapter = peft.LoraConfig(
        r=4, target_modules=["c_attn"], init_lora_weights=False, task_type="CAUSAL_LM", fan_in_fan_out=True
    )
    return peft.get_peft_model(network, adapter).eval()

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers

import logbuch
from logbuch.errors import InvalidInput, PermissionDenied

# peft reads a name that transformers has given up.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
WORDS = {word: number for number, word in enumerate(["<pad>", "<unk>", "once", "upon", "a", "time", "there", "was"])}
TEXTS = ["once upon", "there was a"]


def tokenizer() -> Any:
    made = Tokenizer(models.WordLevel(WORDS, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", unk_token="<unk>")


def network() -> Any:
    transformers.set_seed(1)
    config = transformers.LlamaConfig(
        vocab_size=len(WORDS), hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2,
        pad_token_id=0, bos_token_id=None, eos_token_id=None,
    )  # fmt: skip
    return transformers.LlamaForCausalLM(config).eval()


def adapted() -> Any:
    config = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    return peft.get_peft_model(network(), config).eval()


def direct(model: Any, text: str, length: int = 4) -> str:
    pipeline = transformers.pipeline("text-generation", model=model, tokenizer=tokenizer())
    return str(pipeline(text, max_new_tokens=length, do_sample=False)[0]["generated_text"])


@pytest.mark.parametrize("make", [network, adapted], ids=["plain", "adapter"])
def test_a_language_model_generates_as_before(make: Any) -> None:
    model = make()
    logbuch.transformers.save_model({"model": model, "tokenizer": tokenizer()}, "saved")
    assert logbuch.models.needs_pickle("saved") is None
    loaded = logbuch.models.load_model("saved")
    assert loaded.predict(TEXTS, {"max_new_tokens": 4}) == [direct(model, text) for text in TEXTS]
    assert loaded.predict(TEXTS[0], {"max_new_tokens": 2}) == [direct(model, TEXTS[0], 2)]
    signature = loaded.metadata.signature
    assert signature is not None
    assert [param.name for param in signature.params or ()][:2] == ["max_new_tokens", "do_sample"]
    assert Path("saved/peft/adapter_model.safetensors").exists() == (make is adapted)
    assert not [file for file in Path("saved").rglob("*") if file.suffix in (".bin", ".pt", ".pkl")]


def test_the_adapter_can_be_told_from_its_base() -> None:
    model = adapted()
    logbuch.transformers.save_model({"model": model, "tokenizer": tokenizer()}, "saved")
    base = transformers.LlamaForCausalLM.from_pretrained("saved/model")
    for key, tensor in network().state_dict().items():
        assert torch.equal(base.state_dict()[key], tensor)
    again = logbuch.transformers.load_model("saved").model
    ids = torch.tensor([[2, 3]])
    assert torch.equal(again(ids).logits, model(ids).logits)
    assert not torch.equal(base(ids).logits, model(ids).logits)


def test_weights_that_are_no_safetensors_are_refused() -> None:
    logbuch.transformers.save_model({"model": network(), "tokenizer": tokenizer()}, "saved")
    Path("saved/model/model.safetensors").rename("saved/model/pytorch_model.bin")
    with pytest.raises(PermissionDenied, match="no safetensors"):
        logbuch.models.load_model("saved")


def test_wrong_use_is_named() -> None:
    with pytest.raises(InvalidInput, match="Invalid transformers_model of type int"):
        logbuch.transformers.save_model(3, "saved")
    with pytest.raises(InvalidInput, match="Linear is no model of transformers"):
        logbuch.transformers.save_model({"model": torch.nn.Linear(1, 1)}, "saved")
    with pytest.raises(InvalidInput, match="task of a LlamaModel is not known"):
        logbuch.transformers.save_model({"model": network().model}, "saved")
    assert not Path("saved").exists()


def test_a_seed_gives_a_text_the_same_answer_again() -> None:
    logbuch.transformers.save_model({"model": network(), "tokenizer": tokenizer()}, "saved")
    loaded = logbuch.models.load_model("saved")
    drawn = {"max_new_tokens": 12, "do_sample": True}
    before = torch.random.get_rng_state()
    first = loaded.predict(TEXTS, {**drawn, "seed": 7})
    assert loaded.predict(TEXTS[::-1], {**drawn, "seed": 7}) == first[::-1]
    assert loaded.predict(TEXTS[1:], {**drawn, "seed": 7}) == first[1:]
    assert torch.equal(torch.random.get_rng_state(), before)
    assert any(loaded.predict(TEXTS, {**drawn, "seed": seed}) != first for seed in range(8, 12))


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        (
            "peft/adapter_config.json",
            {"megatron_config": {"a": 1}},
            "names a module to import",
        ),
        ("model/config.json", {"attn_implementation": "somebody/kernel"}, "names a kernel of a hub"),
        ("model/config.json", {"text_config": {"_attn_implementation": "a/b:c"}}, "names a kernel of a hub"),
    ],
)
def test_what_would_import_or_fetch_code_is_refused(file: str, change: Any, told: str) -> None:
    logbuch.transformers.save_model({"model": adapted(), "tokenizer": tokenizer()}, "saved")
    config = Path("saved") / file
    config.write_text(json.dumps(json.loads(config.read_text()) | change))
    with pytest.raises(PermissionDenied, match=told):
        logbuch.models.load_model("saved")


def test_an_adapter_is_safetensors_by_its_own_name() -> None:
    logbuch.transformers.save_model({"model": adapted(), "tokenizer": tokenizer()}, "saved")
    Path("saved/peft/adapter_model.safetensors").rename("saved/peft/other.safetensors")
    Path("saved/peft/adapter_model.bin").write_bytes(pickle.dumps({}))
    with pytest.raises(PermissionDenied, match="the weights in peft/ are no safetensors"):
        logbuch.models.load_model("saved")

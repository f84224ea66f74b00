"""A model that was exported computes the same in transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from storyteller import configfile, huggingface, tokenizer, weights
from storyteller.commands.export import main
from storyteller.config import Config, ModelConfig
from storyteller.errors import ConfigError
from storyteller.generation import Sampling, generate
from storyteller.model import Storyteller
from support.storytelling import small

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning", "ignore::UserWarning")
KINDS: dict[str, dict[str, Any]] = {
    "Llama": {"num_kv_heads": 2},
    "Llama, biases, own head": {"bias": True, "tie_embeddings": False, "rope_theta": 500.0},
    "Qwen2Moe": {"use_moe": True, "num_experts": 4, "num_layers": 4, "num_kv_heads": 2},
    "Qwen2Moe, one expert a token in every layer": {
        "use_moe": True, "num_experts": 4, "experts_per_token": 1, "moe_every": 1, "tie_embeddings": False,
    },
    "GPTNeoX": {"norm": "layernorm", "activation": "gelu"},
    "GPTNeoX, own head": {"norm": "layernorm", "activation": "relu", "bias": True, "tie_embeddings": False},
    "GPT2": {"position": "learned", "norm": "layernorm", "activation": "gelu", "bias": True},
    "GPT2, no biases": {"position": "learned", "norm": "layernorm", "activation": "relu"},
}  # fmt: skip


def saved(folder: Path, stories: Path, config: ModelConfig) -> Path:
    """A model on disk whose weights are random, its norms and biases too."""
    torch.manual_seed(3)
    model = Storyteller(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    folder.mkdir()
    weights.save(folder, model, tokenizer.load(stories / "tokenizer.json"), Config(model=config))
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_transformers_computes_the_same(kind: str, stories: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    loaded = weights.load(saved(tmp_path / "ours", stories, small(**KINDS[kind])))
    architecture = huggingface.export(loaded, tmp_path / "theirs")
    assert architecture.startswith(kind.partition(",")[0])
    model, told = AutoModelForCausalLM.from_pretrained(tmp_path / "theirs", output_loading_info=True)
    assert type(model).__name__ == architecture
    assert not told["missing_keys"] and not told["unexpected_keys"] and not told["mismatched_keys"], told
    tokens_bt = torch.randint(0, 300, (3, 32), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(tokens_bt).logits, loaded.model(tokens_bt)[0], atol=2e-5, rtol=1e-4)

    words = AutoTokenizer.from_pretrained(tmp_path / "theirs")
    text = "Then a cat loved – “the old king” 🐈 by the sea.\n"
    assert words(text)["input_ids"] == loaded.tokenizer.encode(text).ids
    assert words.decode(words(text)["input_ids"]) == text
    asked = words("a cat", return_tensors="pt")
    made = model.generate(**asked, max_new_tokens=8, do_sample=False, pad_token_id=0)
    said = generate(loaded.model, loaded.tokenizer, "a cat", Sampling(max_new_tokens=8, temperature=0.0))
    assert words.decode(made[0], skip_special_tokens=True) == said


@pytest.mark.parametrize("name", configfile.shipped())
def test_every_shipped_configuration_has_an_architecture(name: str) -> None:
    assert huggingface.architecture_of(configfile.load(name).model)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"position": "alibi"}, "model.position alibi"),
        ({"norm_position": "post"}, "model.norm_position post"),
        ({"norm": "layernorm"}, "model.activation swiglu"),
        ({"activation": "gelu"}, "model.norm rmsnorm"),
        ({"position": "learned"}, "model.norm rmsnorm"),
        ({"norm": "layernorm", "activation": "gelu", "num_kv_heads": 2}, "model.num_kv_heads 2"),
        ({"norm": "layernorm", "activation": "gelu", "use_moe": True}, "model.use_moe True"),
        ({"use_moe": True, "bias": True}, "model.bias true with experts"),
    ],
)
def test_what_transformers_cannot_compute_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=f"Invalid {said} for this export: no architecture"):
        huggingface.architecture_of(small(**changes))


def test_the_command(stories: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = saved(tmp_path / "ours", stories, small())
    arguments = ["--model", str(place), "--output", str(tmp_path / "theirs")]
    main(arguments, standalone_mode=False)
    assert capsys.readouterr().out == f"LlamaForCausalLM is in {tmp_path / 'theirs'}.\n"
    files = {path.name for path in (tmp_path / "theirs").iterdir()}
    assert files == {
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    with pytest.raises(SystemExit) as ended:
        main(arguments, standalone_mode=False)
    assert ended.value.code == 1 and "is there already: name another --output." in capsys.readouterr().err

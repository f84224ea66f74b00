"""A merged model answers as base model and adapter do together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import merge
import pytest
import torch
from config import LORA_CONFIGS, TrainingConfig
from loading import Numbers, add_lora, load_base, load_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture
def adapter(material: Any, tmp_path: Path) -> tuple[Path, Any]:
    """The folder of an adapter that does something, and the adapted model."""
    config = TrainingConfig(model_name=str(material.model), max_seq_length=64)
    numbers = Numbers("cpu", use_4bit=False, precision="fp32", optimizer="")
    tokenizer = load_tokenizer(str(material.model))
    torch.manual_seed(2)
    model = add_lora(load_base(config, numbers, tokenizer), LORA_CONFIGS["aggressive"], config, numbers)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.normal_(std=0.05)
    folder = tmp_path / "adapter"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "training_config.json").write_text(json.dumps({"precision": "fp32", "max_seq_length": 64}))
    return folder, model.eval()


def test_the_merged_model_is_the_adapted_one(adapter: tuple[Path, Any], material: Any, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, adapted = adapter
    assert merge.main([str(folder), "--output", str(tmp_path / "merged")]) == 0
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged", dtype=torch.float32).eval()
    base = AutoModelForCausalLM.from_pretrained(material.model, dtype=torch.float32).eval()
    asked = AutoTokenizer.from_pretrained(tmp_path / "merged")("[INST] What is S3? [/INST]", return_tensors="pt")
    with torch.no_grad():
        expected, found, plain = (model(**asked).logits for model in (adapted, merged, base))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert (plain - expected).abs().max() > 0.1
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_cannot_be_merged_is_one_line(
    adapter: tuple[Path, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(*arguments: object) -> str:
        capsys.readouterr()
        assert merge.main([str(one) for one in arguments]) == 2
        return capsys.readouterr().err.splitlines()[-1]

    folder = adapter[0]
    assert said(tmp_path / "nowhere", "--output", tmp_path / "x").startswith("merge.py: ")
    assert said(folder, "--output", folder) == f"merge.py: {folder} is there already; give another --output"

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("transformers.PreTrainedModel.save_pretrained", full)
    assert (
        said(folder, "--output", tmp_path / "y") == f"merge.py: cannot write {tmp_path / 'y'}: No space left on device"
    )
    assert not (tmp_path / "y").exists() and not (tmp_path / ".y.writing").exists()

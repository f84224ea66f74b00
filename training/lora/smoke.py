"""The whole path with a small model of Mistral's architecture, which is trained here for a moment first:
``python smoke.py``, or ``make train-smoke``. It logs to LOGBUCH_TRACKING_URI, or to ./.logbuch."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aws_questions
import evaluate
import rows
import torch
import train_lora
from tokenizers import ByteLevelBPETokenizer
from transformers import MistralConfig, MistralForCausalLM, PreTrainedTokenizerFast, set_seed

EOS = "</s>"
CONTEXT = 512


def main() -> int:
    """Trains, evaluates and reads back; 0 if the adapter is better than its base and the tracker has it all."""
    if not os.environ.get("LOGBUCH_TRACKING_URI") and not os.environ.get("MLFLOW_TRACKING_URI"):
        os.environ["LOGBUCH_TRACKING_URI"] = str(Path(".logbuch").resolve())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        data, model = folder / "data", folder / "mistral"
        aws_questions.write(aws_questions.split(aws_questions.build(("s3", "lambda", "sqs"), 200, 300)), data, 42)
        begun, ended = make_model(model, texts(data / "train.jsonl"), steps=300)
        print(f"small Mistral: loss {begun:.2f} → {ended:.2f}")
        options = [
            "--model_name", model, "--data_dir", data, "--output_dir", folder / "models", "--max_seq_length", CONTEXT,
            "--learning_rate", 5e-3, "--num_epochs", 2, "--eval_steps", 5, "--save_steps", 5, "--warmup_steps", 2,
            "--sample_count", 1, "--sample_tokens", 16,
        ]  # fmt: skip
        code = train_lora.main([str(option) for option in options])
        adapter = folder / "models" / "standard_r8_qkvo"
        code = code or evaluate.main([str(adapter), "--data", str(data / "test.jsonl"), "--answers", "2"])
        return code or read_back(adapter)


def read_back(adapter: Path) -> int:
    """Whether the tracker has the run with its curves and its model, and the loss has fallen."""
    from tracking import noted_run

    import logbuch

    run_id = noted_run(adapter)
    if run_id is None:
        print("smoke.py: no run was noted: is Logbuch installed?", file=sys.stderr)
        return 1
    run = logbuch.get_run(run_id)
    wanted = {"train/loss", "eval/loss", "final_eval_loss", "train/tokens_per_second", "test/loss", "test/base_loss"}
    missing = sorted(wanted - set(run.data.metrics))
    metrics = run.data.metrics
    better = not missing and metrics["final_eval_loss"] < metrics["base_eval_loss"]
    print(f"run {run_id}: {run.info.status}, missing {missing}, better than its base: {better}")
    return 0 if better and run.info.status == "FINISHED" else 1


def texts(path: Path) -> list[str]:
    return [row.text for row in rows.read(path)]


def make_model(folder: Path, known: Iterable[str], steps: int = 120, width: int = 64) -> tuple[float, float]:
    """Writes a Mistral of two layers with a tokenizer of its own, trained on texts; returns its first and last loss."""
    set_seed(1)
    tokenizer = _tokenizer(list(known))
    config = MistralConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=2 * width, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=CONTEXT, sliding_window=None,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=None,
    )  # fmt: skip
    model = MistralForCausalLM(config)
    losses = _pretrain(model, tokenizer(EOS.join(known))["input_ids"], steps)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return losses[0], sum(losses[-10:]) / len(losses[-10:])


def _tokenizer(known: list[str]) -> Any:
    """Byte-level BPE of 512 tokens; like Mistral's it has no padding token."""
    trained = ByteLevelBPETokenizer()
    trained.train_from_iterator(known, vocab_size=512, special_tokens=["<unk>", EOS], show_progress=False)
    return PreTrainedTokenizerFast(tokenizer_object=trained._tokenizer, unk_token="<unk>", eos_token=EOS)  # noqa: S106


def _pretrain(model: Any, ids: list[int], steps: int, rows_each: int = 8, length: int = 96) -> list[float]:
    stream = torch.tensor(ids)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    found = []
    for _ in range(steps):
        starts = torch.randint(len(stream) - length, (rows_each,)).tolist()
        batch = torch.stack([stream[start : start + length] for start in starts])
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        found.append(loss.item())
    return found


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    sys.exit(main())

"""The whole path in a minute: stories that are made up here, a dense model and one with experts, and a look at what
has arrived. ``python -m storyteller.smoke``, or ``make train-smoke``; it logs to LOGBUCH_TRACKING_URI."""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

import torch

from storyteller import configfile, tokenizer
from storyteller.config import Config
from storyteller.data import stories
from storyteller.train import Result, train

_WHO = "a cat,the old king,my sister,a small dog,the captain".split(",")
_DID = "saw,loved,followed,never forgot,told us of".split(",")
_WHERE = "by the sea,in the dark wood,at the gate,on a grey morning".split(",")
_WANTED = ("train/loss", "train/learning_rate", "val/loss", "val/perplexity", "story/distinct_1")
_WANTED_OF_MOE = ("moe/layer_1_balance", "moe/layer_1_entropy", "val/moe_loss")


def made_up(count: int, seed: int = 7) -> list[str]:
    """Stories whose next word is easily learnt."""
    source = random.Random(seed)
    return [_story(source) for _ in range(count)]


def _story(source: random.Random) -> str:
    parts = [f"{source.choice(_WHO)} {source.choice(_DID)} {source.choice(_WHO)} {source.choice(_WHERE)}."]
    parts += [f"Then {source.choice(_WHO)} {source.choice(_DID)} {source.choice(_WHO)}." for _ in range(12)]
    return " ".join(parts)


def write(folder: Path, told: list[str], vocab_size: int) -> None:
    """``train.jsonl``, ``val.jsonl`` and ``tokenizer.json`` of stories, a sixth of them for validation."""
    kept = len(told) * 5 // 6
    stories.write(folder / "train.jsonl", told[:kept])
    stories.write(folder / "val.jsonl", told[kept:])
    tokenizer.save(tokenizer.train(told[:kept], vocab_size), folder / "tokenizer.json")


def on(data: Path, overrides: Iterable[str]) -> Config:
    """The configuration ``ultra_tiny`` on the files of a folder."""
    files = {"train_file": "train.jsonl", "val_file": "val.jsonl", "tokenizer": "tokenizer.json"}
    places = [f"data.{key}={data / name}" for key, name in files.items()]
    return configfile.load("ultra_tiny", [*places, "training.num_threads=1", *overrides])


def main() -> int:
    """0 if both models learnt and the tracker has all of it."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write(folder, made_up(120), 300)
        good = True
        for name in ("dense", "moe"):
            overrides = [f"training.output_dir={folder / name}", f"training.mlflow_run_name=smoke_{name}"]
            result = train(on(folder, [*overrides, f"model.use_moe={str(name == 'moe').lower()}"]))
            good = arrived(result, _WANTED + (_WANTED_OF_MOE if name == "moe" else ())) and good
    return 0 if good else 1


def arrived(result: Result, wanted: tuple[str, ...]) -> bool:
    """Whether the tracker has the run with its curves and its model, and the loss has fallen."""
    import logbuch

    run = logbuch.get_run(result.run_id)
    missing = [key for key in wanted if key not in run.data.metrics]
    losses = [one.value for one in logbuch.LogbuchClient().get_metric_history(result.run_id, "train/loss")]
    answer = logbuch.pyfunc.load_model(f"runs:/{result.run_id}/model").predict(["a cat"], {"max_new_tokens": 8})
    print(
        f"run {result.run_id}: {run.info.status}, missing {missing}, loss {losses[0]:.2f} → {losses[-1]:.2f}: {answer}"
    )
    return run.info.status == "FINISHED" and not missing and losses[-1] < 0.6 * losses[0]


if __name__ == "__main__":
    sys.exit(main())

"""An adapter and its base model as one model, for programs that know no adapters.

    python merge.py models/standard_r8_qkvo --output merged

The base model is loaded in the precision of the training, without 4 bits: merged weights of 4 bits would be rounded.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config import Parser, TrainingConfig
from loading import Numbers, load_base, load_tokenizer
from peft import PeftModel
from problems import Problem
from safetensors import SafetensorError
from trainer import reason


def main(arguments: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(arguments)
    try:
        merge(Path(given.adapter), Path(given.output))
    except Problem as problem:
        print(f"merge.py: {problem}", file=sys.stderr)
        return 2
    print(f"The merged model is in {given.output}")
    return 0


def merge(adapter: Path, output: Path) -> None:
    """Writes model and tokenizer to ``output``, which must not be there yet; whole or not at all."""
    if output.exists():
        raise Problem(f"{output} is there already; give another --output")
    config = _config(adapter)
    tokenizer = load_tokenizer(str(adapter))
    base = load_base(config, Numbers("cpu", use_4bit=False, precision=config.precision, optimizer=""), tokenizer)
    merged: Any = PeftModel.from_pretrained(base, str(adapter)).merge_and_unload()
    merged.config.use_cache = True
    place = output.with_name(f".{output.name}.writing")
    try:
        merged.save_pretrained(place)
        tokenizer.save_pretrained(place)
        place.replace(output)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise Problem(f"cannot write {output}: {reason(error)}") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _config(adapter: Path) -> TrainingConfig:
    """The base model's name and the precision of the training."""
    try:
        name = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))["base_model_name_or_path"]
        begun = json.loads((adapter / "training_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError) as error:
        raise Problem(f"{adapter} is no folder of train_lora.py: {error}") from None
    precision = "fp32" if begun["precision"] == "auto" else begun["precision"]
    return TrainingConfig(model_name=name, precision=precision, max_seq_length=begun["max_seq_length"])


def _parser() -> argparse.ArgumentParser:
    parser = Parser(description=(__doc__ or "").splitlines()[0], allow_abbrev=False)
    parser.add_argument("adapter", help="folder that train_lora.py has written")
    parser.add_argument("--output", required=True, help="a folder that is not there yet")
    return parser


if __name__ == "__main__":
    sys.exit(main())

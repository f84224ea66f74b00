"""A model as a folder: ``model.safetensors``, ``config.yaml``, ``tokenizer.json``."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from storyteller import configfile, tokenizer
from storyteller.config import Config, GenerationConfig, ModelConfig
from storyteller.errors import ConfigError, DataError
from storyteller.model import Storyteller

WEIGHTS = "model.safetensors"
CONFIG = "config.yaml"
TOKENIZER = "tokenizer.json"


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A model in the mode for use, with what belongs to it."""

    model: Storyteller
    tokenizer: Tokenizer
    generation: GenerationConfig


def save(folder: Path, model: Storyteller, tokens: Tokenizer, config: Config) -> None:
    """Writes the three files to a folder that exists."""
    state = {name: weight.contiguous() for name, weight in model.state_dict().items()}
    if config.model.tie_embeddings:
        del state["head.weight"]
    save_file(state, folder / WEIGHTS, metadata={"format": "pt"})
    (folder / CONFIG).write_text(configfile.dumped(config), encoding="utf-8")
    (folder / TOKENIZER).write_text(tokens.to_str(), encoding="utf-8")


def read_config(folder: Path) -> Config:
    file = folder / CONFIG
    if not file.is_file():
        raise DataError(f"{folder} is no model of Storyteller: it has no {CONFIG}.")
    return configfile.build(configfile.parsed(file.read_text(encoding="utf-8"), str(file)))


def fill(model: Storyteller, folder: Path) -> None:
    """Gives a model the weights of a folder."""
    try:
        state = load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise DataError(f"{folder / WEIGHTS} cannot be read: {error}") from None
    if model.config.tie_embeddings and "embedding.weight" in state:
        state["head.weight"] = state["embedding.weight"]
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{folder / WEIGHTS} does not fit the configuration: {reason}") from None


def load(folder: str | Path, device: str = "cpu") -> Loaded:
    """The model of a folder: a checkpoint, or what a training has logged as its model."""
    place = Path(folder)
    config = read_config(place)
    model = Storyteller(config.model)
    fill(model, place)
    return Loaded(model.to(torch.device(device)).eval(), tokenizer.load(place / TOKENIZER), config.generation)


def same_model(wanted: ModelConfig, folder: Path) -> None:
    """``ConfigError`` names what differs between a configuration's model and that of a checkpoint."""
    known = dataclasses.asdict(read_config(folder).model)
    for key, value in dataclasses.asdict(wanted).items():
        if known[key] != value:
            raise ConfigError(f"Invalid model.{key} {value!r}: checkpoint {folder} has {known[key]!r}.")

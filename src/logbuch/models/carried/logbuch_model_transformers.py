"""Loads a pipeline of transformers, with its PEFT adapter, from safetensors; nothing is fetched, no code is run.

Stands alone: it needs PyYAML, PyTorch, transformers, and peft for an adapter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
_BARE = {r"\.(base_layer|original_module)\.": "."}
"""The real client saves the base model of an adapter while the adapter is in it, which renames the layers it is in."""


def load(folder: str | Path, entry: dict[str, Any]) -> Any:
    """The pipeline."""
    import transformers

    root = Path(folder)
    adapted = bool(entry.get("peft_adaptor"))
    model = _model_class(entry["pipeline_model_type"]).from_pretrained(
        root / entry["model_binary"], use_safetensors=True, key_mapping=_BARE if adapted else None, **_LOCAL
    )
    if adapted:
        import peft

        model = peft.PeftModel.from_pretrained(model, str(root / entry["peft_adaptor"]), use_safetensors=True)
    parts = {name: _part(root, name) for name in entry.get("components") or ()}
    return transformers.pipeline(entry["task"], model=model.eval(), **parts)


def _model_class(name: str) -> Any:
    import transformers

    found = getattr(transformers, name, None)
    if not isinstance(found, type) or not issubclass(found, transformers.PreTrainedModel):
        raise ValueError(f"{name} is no model of transformers")
    return found


def _part(root: Path, name: str) -> Any:
    import transformers

    kinds = {
        "tokenizer": "AutoTokenizer",
        "feature_extractor": "AutoFeatureExtractor",
        "image_processor": "AutoImageProcessor",
    }
    return getattr(transformers, kinds[name]).from_pretrained(root / "components" / name, **_LOCAL)


class Model:
    """Gives the pipeline texts (or what it takes); of generated text it returns the text.

    With the param ``seed`` what is drawn at random is drawn for each text anew from that seed: a text gets the same
    answer whichever others are asked beside it, and the process's own random numbers stay as they were.
    """

    def __init__(self, native: Any) -> None:
        self.native = native

    def predict(self, data: Any, params: dict[str, Any] | None = None) -> Any:
        options = dict(params or {})
        seed = options.pop("seed", None)
        inputs = _inputs(data)
        if seed is not None and isinstance(inputs, list):
            answers: Any = [self._seeded(one, seed, options) for one in inputs]
        else:
            answers = self.native(inputs, **options)
        return [_text(answer) for answer in answers] if isinstance(answers, list) else answers

    def _seeded(self, one: Any, seed: int, options: dict[str, Any]) -> Any:
        import torch

        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return self.native([one], **options)[0]


def _inputs(data: Any) -> Any:
    """A text is a list of one; a DataFrame or dict of one column its values, one of several a dict a row."""
    if hasattr(data, "to_dict"):
        rows = data.to_dict(orient="records")
        return [next(iter(row.values())) for row in rows] if len(data.columns) == 1 else rows
    if isinstance(data, dict) and len(data) == 1:
        return _inputs(next(iter(data.values())))
    if hasattr(data, "tolist"):
        data = data.tolist()
    return [data] if isinstance(data, str) else data


def _text(answer: Any) -> Any:
    if isinstance(answer, list) and len(answer) == 1:
        answer = answer[0]
    return answer["generated_text"] if isinstance(answer, dict) and list(answer) == ["generated_text"] else answer


def wrap(native: Any, flavors: dict[str, Any]) -> Model:
    del flavors
    return Model(native)


def _load_pyfunc(path: str) -> Model:
    flavors = yaml.safe_load((Path(path) / "MLmodel").read_text(encoding="utf-8"))["flavors"]
    return wrap(load(path, flavors["transformers"]), flavors)

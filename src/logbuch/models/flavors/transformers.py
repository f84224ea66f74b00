"""transformers: pipelines, or a model with its tokenizer, with PEFT adapters; all weights as safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.models.carried import logbuch_model_transformers as loader
from logbuch.models.flavors import calls
from logbuch.models.flavors.flavor import Flavor, Saved
from logbuch.models.recording import LoggedModelInfo
from logbuch.models.schema import ColumnSpec, ModelSignature, ParamSpec

_PARTS = ("tokenizer", "feature_extractor", "image_processor")
_TASKS = {
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForMaskedLM": "fill-mask",
}
_TEXT = (ColumnSpec("string"),)
GENERATE = ModelSignature(
    _TEXT,
    _TEXT,
    (
        ParamSpec("max_new_tokens", "long", 64),
        ParamSpec("do_sample", "boolean", False),
        ParamSpec("temperature", "double", 1.0),
        ParamSpec("top_p", "double", 1.0),
        ParamSpec("seed", "long", None),
    ),
)
"""The signature of a language model: texts in, texts out, and how to generate."""


class Transformers(Flavor):
    name = "transformers"
    loader = loader
    packages = ("transformers", "torch", "safetensors", "accelerate")

    def __init__(self, task: str | None = None) -> None:
        self._task = task

    def write(self, model: Any, folder: Path) -> Saved:
        import transformers

        parts = _parts(model)
        network = parts.pop("model")
        base = _base(network)
        if not isinstance(base, transformers.PreTrainedModel):
            raise InvalidInput(f"{type(base).__name__} is no model of transformers.")
        if not hasattr(transformers, type(base).__name__):
            raise InvalidInput(f"{type(base).__name__} is not a class of transformers itself.")
        task = self._task or getattr(model, "task", None) or _task(base)
        adapted = base is not network
        base.save_pretrained(folder / "model", state_dict=_bare(base) if adapted else None)
        if adapted:
            network.save_pretrained(folder / "peft", safe_serialization=True)
        for name, part in parts.items():
            part.save_pretrained(folder / "components" / name)
        return Saved(
            _entry(task, base, parts, adapted),
            packages=("peft",) if adapted else (),
            signature=GENERATE if task == "text-generation" else None,
        )


def _entry(task: str, base: Any, parts: Mapping[str, Any], adapted: bool) -> dict[str, Any]:
    """MLflow's own keys, so that its transformers flavor loads the model too."""
    import transformers

    entry: dict[str, Any] = {
        "task": task,
        "instance_type": _pipeline_class(task),
        "framework": "pt",
        "torch_dtype": str(base.dtype),
        "pipeline_model_type": type(base).__name__,
        "source_model_name": str(base.name_or_path or ""),
        "model_binary": "model",
        "components": list(parts),
        "transformers_version": str(transformers.__version__),
        "code": None,
    }
    entry |= {f"{name}_type": type(part).__name__ for name, part in parts.items()}
    return entry | ({"peft_adaptor": "peft"} if adapted else {})


def _pipeline_class(task: str) -> str:
    import transformers

    try:
        found = transformers.pipelines.check_task(task)[1]["impl"]
    except KeyError:
        raise InvalidInput(f"Invalid task {task!r}: transformers does not know it.") from None
    return found if isinstance(found, str) else str(found.__name__)


def _parts(model: Any) -> dict[str, Any]:
    """The model, and the tokenizer and the like, of a pipeline or a dict of them."""
    if isinstance(model, Mapping):
        unknown = [name for name in model if name not in ("model", *_PARTS)]
        if unknown or "model" not in model:
            raise InvalidInput(f"Invalid transformers_model: keys are 'model' and {', '.join(_PARTS)}, not {unknown}.")
        return {name: part for name, part in model.items() if part is not None}
    if not hasattr(model, "model") or not hasattr(model, "task"):
        raise InvalidInput(
            f"Invalid transformers_model of type {type(model).__name__}: a pipeline, or a dict with 'model' and "
            "'tokenizer', is wanted."
        )
    found = {name: getattr(model, name, None) for name in _PARTS}
    return {"model": model.model, **{name: part for name, part in found.items() if part is not None}}


def _base(network: Any) -> Any:
    return (
        network.get_base_model() if hasattr(network, "peft_config") and hasattr(network, "get_base_model") else network
    )


def _bare(base: Any) -> dict[str, Any]:
    """The weights of a base model as they were before an adapter was put into it."""
    kept: dict[str, Any] = {}
    held = {name for name, module in base.named_modules() if hasattr(module, "base_layer")}
    copies = {name for name, module in base.named_modules() if hasattr(module, "original_module")}
    for key, tensor in base.state_dict().items():
        owner = next((name for name in held | copies if key.startswith(f"{name}.")), None)
        if owner is None:
            kept[key] = tensor
            continue
        inner = f"{owner}.base_layer." if owner in held else f"{owner}.original_module."
        if key.startswith(inner):
            kept[f"{owner}.{key.removeprefix(inner)}"] = tensor
    return kept


def _task(base: Any) -> str:
    kind = type(base).__name__
    found = next((task for ending, task in _TASKS.items() if kind.endswith(ending)), None)
    if found is None:
        raise InvalidInput(f"The task of a {kind} is not known: give task=….")
    return found


def save_model(transformers_model: Any, path: str | Path, *, task: str | None = None, **options: Any) -> None:
    """Saves a pipeline, or a dict of ``model`` and ``tokenizer``, to a folder: the model of a PEFT adapter below
    ``model``, the adapter below ``peft``."""
    calls.save(Transformers(task), transformers_model, path, options)


def log_model(
    transformers_model: Any,
    artifact_path: str | None = None,
    *,
    name: str | None = None,
    task: str | None = None,
    **options: Any,
) -> LoggedModelInfo:
    """Logs a pipeline, or a model with its tokenizer, to the active run, as :func:`save_model` saves it."""
    return calls.log(Transformers(task), transformers_model, artifact_path, name, options)


def load_model(model_uri: str | Path, *, allow_pickle: bool = False) -> Any:
    """The pipeline of a model."""
    return calls.native("transformers", model_uri, allow_pickle)

"""The adapter as a model of the run, with its base model's weights or with their address."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import tracking
from config import Job
from loading import Numbers

MOST_BYTES = 2e9
"""Base models of more are not kept with every run unless ``--log_base_model true`` says so."""
_KEPT = ("adapter_*", "tokenizer*", "special_tokens_map.json", "chat_template.jinja", "README.md", "training_args.bin")


class AdaptedModel:
    """A language model whose adapter is kept with it, and whose base model is loaded from where it lies: texts in,
    texts with their continuation out."""

    def __init__(self, base: str, precision: str, use_4bit: bool) -> None:
        self.base, self.precision, self.use_4bit = base, precision, use_4bit

    def load_context(self, context: Any) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

        dtype = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[self.precision]
        more: dict[str, Any] = {}
        if self.use_4bit:
            more["quantization_config"] = BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=dtype,
            )
        adapter = context.artifacts["adapter"]
        self._tokenizer = AutoTokenizer.from_pretrained(adapter)
        base = AutoModelForCausalLM.from_pretrained(self.base, dtype=dtype, **more)
        if len(self._tokenizer) > base.get_input_embeddings().num_embeddings:
            base.resize_token_embeddings(len(self._tokenizer))
        if torch.cuda.is_available() and not self.use_4bit:
            base = base.to("cuda")
        self._model = PeftModel.from_pretrained(base, adapter).eval()

    def predict(self, context: Any, model_input: Any, params: dict[str, Any] | None = None) -> list[str]:
        asked = model_input
        if hasattr(asked, "to_dict"):
            asked = [next(iter(row.values())) for row in asked.to_dict(orient="records")]
        elif hasattr(asked, "tolist"):
            asked = asked.tolist()
        texts = [asked] if isinstance(asked, str) else list(asked)
        answers = []
        for text in texts:
            ids = self._tokenizer(text, return_tensors="pt").to(self._model.device)
            ids.pop("token_type_ids", None)
            made = self._model.generate(**ids, **(params or {}), pad_token_id=self._tokenizer.pad_token_id)
            new = made[0, ids["input_ids"].shape[1] :]
            answers.append(text + self._tokenizer.decode(new, skip_special_tokens=True))
        return answers


def log_adapter(job: Job, numbers: Numbers, model: Any, tokenizer: Any) -> None:
    """Keeps the adapter's files as ``lora_adapter``, as vLLM takes them, and the model as ``model``, which
    ``logbuch models serve`` serves."""
    if not job.config.log_model or not tracking.active():
        return
    for path in adapter_files(job.folder):
        with tracking.quietly(path.name):
            tracking.mlflow.log_artifact(str(path), artifact_path="lora_adapter")
    with tracking.quietly("the model"):
        if keeps_base(job, numbers, model):
            tracking.mlflow.transformers.log_model({"model": model, "tokenizer": tokenizer}, name="model")
        else:
            _log_with_address(job, numbers)


def adapter_files(folder: Path) -> list[Path]:
    return sorted(path for pattern in _KEPT for path in folder.glob(pattern))


def keeps_base(job: Job, numbers: Numbers, model: Any) -> bool:
    """Whether the base model's weights go with the run: not those of 4 bits, which are not the model's own, and by
    default none of more than 2 GB."""
    if numbers.use_4bit:
        return False
    if job.config.log_base_model is not None:
        return job.config.log_base_model
    size = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    return bool(size <= MOST_BYTES)


def _log_with_address(job: Job, numbers: Numbers) -> None:
    mlflow = tracking.mlflow
    named = Path(job.config.model_name)
    base = str(named.resolve()) if named.exists() else job.config.model_name
    with tempfile.TemporaryDirectory() as place:
        adapter = Path(place) / "adapter"
        adapter.mkdir()
        for path in adapter_files(job.folder):
            shutil.copyfile(path, adapter / path.name)
        text = (mlflow.models.ColumnSpec("string"),)
        knobs = (
            mlflow.models.ParamSpec("max_new_tokens", "long", 64),
            mlflow.models.ParamSpec("do_sample", "boolean", False),
            mlflow.models.ParamSpec("temperature", "double", 1.0),
            mlflow.models.ParamSpec("top_p", "double", 1.0),
        )
        mlflow.pyfunc.log_model(
            name="model",
            python_model=AdaptedModel(base, numbers.precision, numbers.use_4bit),
            artifacts={"adapter": str(adapter)},
            signature=mlflow.models.ModelSignature(text, text, knobs),
            extra_pip_requirements=["torch", "transformers", "peft", *(["bitsandbytes"] if numbers.use_4bit else [])],
        )

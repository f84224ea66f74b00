"""The model card that is saved beside an adapter."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config import Job


def write(path: Path, job: Job, facts: Mapping[str, Any], results: Mapping[str, float], run_id: str | None) -> None:
    """Writes ``README.md``: what was trained on what, how well it does, how it is used."""
    path.write_text(text(job, facts, results, run_id), encoding="utf-8")


def text(job: Job, facts: Mapping[str, Any], results: Mapping[str, float], run_id: str | None) -> str:
    base, folder = job.config.model_name, job.folder.name
    run = f"Tracked as run `{run_id}` of the experiment `{job.config.mlflow_experiment_name}`.\n" if run_id else ""
    return f"""---
base_model: {base}
library_name: peft
pipeline_tag: text-generation
tags:
- lora
---

# {folder}

A LoRA adapter for `{base}`, configuration `{job.lora.name}`. It was trained on answers to questions with their context;
the prompt is `[INST] context, empty line, Question: question [/INST]`, and the loss covers the answer alone.

{run}
## Results

{_table("metric", results)}
`final_eval_loss` is the mean over the learned tokens of the validation rows, in nats; `base_eval_loss` is that of the
base model.

## Settings

{_table("setting", facts)}
## Use

```python
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

model = AutoPeftModelForCausalLM.from_pretrained("{folder}")
tokenizer = AutoTokenizer.from_pretrained("{folder}")
```

```bash
vllm serve {base} --enable-lora --max-lora-rank {job.lora.rank} --lora-modules {job.lora.name}={folder}
```
"""


def _table(name: str, values: Mapping[str, Any]) -> str:
    lines = [f"| {name} | value |", "|-|-|"]
    shown = ((key, f"{value:.6g}" if isinstance(value, float) else str(value)) for key, value in values.items())
    return "\n".join([*lines, *(f"| {key} | {value} |" for key, value in shown)]) + "\n"

"""The LoRA seed's training on a model of a few thousand weights: its ``setup_mlflow``, callback and order of calls.

Run from a folder that holds the seed's ``utils.py`` and ``mlflow_callback.py``. Then the same model is trained again
with the callback that transformers brings along.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, str(Path.cwd()))

import mlflow
import torch
from common import run, tell
from mlflow_callback import MLflowCallback
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments
from utils import setup_mlflow

STEPS = 12
client = mlflow.MlflowClient()
config = SimpleNamespace(
    mlflow_tracking_uri=os.environ["MLFLOW_TRACKING_URI"], mlflow_experiment_name="aws-rag-qa-mistral-lora"
)


class Tokens(torch.utils.data.Dataset):
    """Thirty-two rows of sixteen random tokens."""

    def __init__(self, seed: int) -> None:
        self.rows = torch.randint(0, 64, (32, 16), generator=torch.Generator().manual_seed(seed))

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.rows[index], "labels": self.rows[index]}


def trainer(report_to: list[str], callbacks: list[object], run_name: str) -> Trainer:
    torch.manual_seed(0)
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=64, n_positions=16, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=1)
    )
    arguments = TrainingArguments(
        output_dir=tempfile.mkdtemp(),
        max_steps=STEPS,
        per_device_train_batch_size=4,
        logging_steps=1,
        eval_strategy="steps",
        eval_steps=4,
        save_strategy="no",
        report_to=report_to,
        run_name=run_name,
        use_cpu=True,
        disable_tqdm=True,
    )
    data = {"train_dataset": Tokens(0), "eval_dataset": Tokens(1)}
    return Trainer(model=model, args=arguments, callbacks=callbacks, **data)


def points(run_id: str, keys: list[str]) -> dict[str, list[int]]:
    return {key: [point.step for point in client.get_metric_history(run_id, key)] for key in keys}


# -- the seed --------------------------------------------------------------------------------------------------------
experiment_id = setup_mlflow(config)
again = setup_mlflow(config)
mlflow.start_run(experiment_id=experiment_id, run_name="standard")
seed_run = mlflow.active_run().info.run_id
try:
    training = trainer([], [MLflowCallback(log_model_checkpoints=False)], "standard")
    mlflow.log_params(
        {
            "model_name": "tiny",
            "lora_rank": 16,
            "lora_alpha": 32,
            "lora_target_modules": ",".join(["q_proj", "k_proj"]),
            "learning_rate": 1e-4,
            "use_4bit": True,
        }
    )
    total = sum(weights.numel() for weights in training.model.parameters())
    mlflow.log_params({"total_parameters": total, "trainable_percentage": f"{100.0:.2f}"})
    result = training.train()
    evaluated = training.evaluate()
    mlflow.log_metrics(
        {
            "final_train_loss": result.training_loss,
            "final_eval_loss": evaluated["eval_loss"],
            "final_perplexity": torch.exp(torch.tensor(evaluated["eval_loss"])).item(),
            "train_runtime_seconds": result.metrics["train_runtime"],
            "samples_per_second": result.metrics["train_samples_per_second"],
        }
    )
finally:
    mlflow.end_run()
seen = {
    "experiment": experiment_id,
    "experiment_again": again,
    "seed": run(client.get_run(seed_run)),
    "seed_points": points(seed_run, ["train/loss", "train/learning_rate", "train/grad_norm", "eval/loss", "epoch"]),
    "logged": {"train": result.training_loss, "eval": evaluated["eval_loss"], "total": total},
}

# -- the callback of transformers ------------------------------------------------------------------------------------
os.environ["MLFLOW_EXPERIMENT_NAME"] = "built in"
os.environ["MLFLOW_FLATTEN_PARAMS"] = "1"
training = trainer(["mlflow"], [], "by transformers")
training.train()
mlflow.end_run()
built_in = client.search_runs([client.get_experiment_by_name("built in").experiment_id])
seen["built_in_runs"] = len(built_in)
seen["built_in"] = run(built_in[0])
seen["built_in_points"] = points(built_in[0].info.run_id, ["loss", "eval_loss", "learning_rate"])
tell(seen)

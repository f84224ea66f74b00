"""One small training with each library, on the CPU, in a second or two."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def data() -> tuple[Any, Any]:
    """120 samples of four features, and a class of 0 or 1 that follows from them."""
    source = np.random.default_rng(3)
    x = source.normal(size=(120, 4))
    return x, (x[:, 0] + 0.3 * x[:, 1] > 0).astype(int)


def with_sklearn() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=0.5).fit(*data()).coef_.tolist()


def with_xgboost() -> Any:
    import xgboost

    table = xgboost.DMatrix(*map(np.asarray, data()))
    params = {"objective": "binary:logistic", "eval_metric": ["auc", "logloss"], "max_depth": 2, "nthread": 1}
    booster = xgboost.train(params, table, 4, evals=[(table, "train")], verbose_eval=False)
    return booster.predict(table).tolist()


def with_lightgbm() -> Any:
    import lightgbm

    x, y = data()
    table = lightgbm.Dataset(x, y)
    params = {"objective": "binary", "metric": ["auc", "binary_logloss"], "verbose": -1, "num_threads": 1}
    booster = lightgbm.train(params, table, 4, valid_sets=[table], valid_names=["train"])
    return booster.predict(x).tolist()


def with_transformers() -> Any:
    return trainer().train().training_loss


def with_lightning() -> Any:
    module = lightning_module()
    lightning_trainer().fit(module, torch_data())
    return [value.tolist() for value in module.parameters()]


def with_keras() -> Any:
    model = keras_model()
    return model.fit(*data(), epochs=2, batch_size=30, verbose=0).history["loss"]


ALL: dict[str, Callable[[], Any]] = {
    "sklearn": with_sklearn,
    "xgboost": with_xgboost,
    "lightgbm": with_lightgbm,
    "transformers": with_transformers,
    "lightning": with_lightning,
    "keras": with_keras,
}
"""Each returns a result by which two trainings can be compared."""


def trainer(callbacks: Any = None, **arguments: Any) -> Any:
    """A Trainer of a tiny causal language model: four steps, an evaluation every second."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments, set_seed

    set_seed(1)
    config = LlamaConfig(
        vocab_size=16, hidden_size=8, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, pad_token_id=0
    )
    rows = [{"input_ids": torch.arange(8) % 16, "labels": torch.arange(8) % 16} for _ in range(8)]
    usual: dict[str, Any] = {
        "output_dir": str(Path.cwd() / "output"),
        "max_steps": 4,
        "logging_steps": 1,
        "eval_strategy": "steps",
        "eval_steps": 2,
        "save_strategy": "no",
        "per_device_train_batch_size": 2,
        "use_cpu": True,
        "disable_tqdm": True,
        "report_to": "none",
        "dataloader_pin_memory": False,
    }
    return Trainer(
        model=LlamaForCausalLM(config),
        args=TrainingArguments(**usual | arguments),
        train_dataset=rows,
        eval_dataset=rows,
        callbacks=callbacks,
    )


def keras_model() -> Any:
    """A linear classifier, on torch."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="binary_crossentropy", metrics=["accuracy"])
    return model


def torch_data() -> Any:
    import torch

    x, y = data()
    rows = torch.utils.data.TensorDataset(torch.tensor(x).float(), torch.tensor(y).float())
    return torch.utils.data.DataLoader(rows, batch_size=30)


def lightning_module() -> Any:
    """A linear classifier with two hyperparameters, which logs ``train_loss`` and ``val_loss``."""
    import torch
    from lightning.pytorch import LightningModule, seed_everything

    seed_everything(1, verbose=False)

    class Classifier(LightningModule):
        def __init__(self, learning_rate: float = 0.1, depth: int = 1) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(4, depth)

        def loss(self, batch: Any) -> Any:
            x, y = batch
            return torch.nn.functional.binary_cross_entropy_with_logits(self.layer(x).squeeze(1), y)

        def training_step(self, batch: Any, _number: int) -> Any:
            loss = self.loss(batch)
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch: Any, _number: int) -> None:
            self.log("val_loss", self.loss(batch))

        def test_step(self, batch: Any, _number: int) -> None:
            self.log("test_loss", self.loss(batch))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    return Classifier()


def lightning_trainer(**arguments: Any) -> Any:
    from lightning.pytorch import Trainer

    usual: dict[str, Any] = {
        "max_epochs": 2,
        "accelerator": "cpu",
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "enable_checkpointing": False,
        "log_every_n_steps": 1,
        "default_root_dir": str(Path.cwd()),
    }
    return Trainer(**usual | arguments)

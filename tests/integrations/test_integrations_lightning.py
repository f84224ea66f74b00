"""Lightning's logger: metrics, hyperparameters, checkpoints, the whole interface of a logger, several processes."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import Logger

import logbuch
from logbuch.pytorch import LogbuchLogger
from support.readback import only, steps
from support.servers import Server
from support.trainings import lightning_module, lightning_trainer, torch_data

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def files(run: Any, path: str) -> list[str]:
    return [Path(item.path).name for item in logbuch.LogbuchClient().list_artifacts(run.info.run_id, path)]


def test_a_training_and_a_test_after_it(experiment: str) -> None:
    logger = LogbuchLogger(run_name="base", tags={"a": 1})
    made = lightning_trainer(logger=logger)
    module = lightning_module()
    made.fit(module, torch_data(), torch_data())
    run = only(experiment)
    assert (run.info.run_name, run.info.status, run.data.tags["a"]) == ("base", "FINISHED", "1")
    assert run.info.run_id == logger.run_id == logger.version
    assert steps(run, "train_loss") == list(range(8))
    assert steps(run, "val_loss") == [3, 7]
    assert steps(run, "epoch") != []
    assert run.data.params == {"learning_rate": "0.1", "depth": "1"}
    assert "Linear(in_features=4, out_features=1" in logbuch.load_text(f"runs:/{run.info.run_id}/model.txt")
    made.test(module, torch_data(), verbose=False)
    assert "test_loss" in only(experiment).data.metrics
    assert only(experiment).info.status == "FINISHED"


def test_an_experiment_and_a_server_of_its_own(server: Server) -> None:
    logbuch.set_tracking_uri("")
    logger = LogbuchLogger(experiment_name="mnist", tracking_uri=server.url, prefix="first")
    lightning_trainer(logger=logger).fit(lightning_module(), torch_data())
    logbuch.set_tracking_uri(server.url)
    run = logbuch.get_run(str(logger.run_id))
    experiment = logbuch.get_experiment_by_name("mnist")
    assert experiment is not None and run.info.experiment_id == experiment.experiment_id
    assert logger.name == "mnist"
    assert "first/train_loss" in run.data.metrics


@pytest.mark.parametrize(("log_model", "expected"), [(True, {"last.ckpt", "one.ckpt"}), (False, set())])
def test_checkpoints_that_are_left(experiment: str, tmp_path: Path, log_model: bool, expected: set[str]) -> None:
    keeps = ModelCheckpoint(tmp_path / "kept", "one", monitor="val_loss", save_last=True)
    made = lightning_trainer(logger=LogbuchLogger(log_model=log_model), enable_checkpointing=True, callbacks=[keeps])
    made.fit(lightning_module(), torch_data(), torch_data())
    assert set(files(only(experiment), "checkpoints")) == expected


def test_every_checkpoint_as_it_is_saved(experiment: str, tmp_path: Path) -> None:
    keeps = ModelCheckpoint(
        tmp_path / "kept", "{step}", every_n_train_steps=3, save_top_k=1, monitor="step", mode="max"
    )
    made = lightning_trainer(logger=LogbuchLogger(log_model="all"), enable_checkpointing=True, callbacks=[keeps])
    made.fit(lightning_module(), torch_data())
    assert set(files(only(experiment), "checkpoints")) == {"step=3.ckpt", "step=6.ckpt"}
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["step=6.ckpt"]


def test_checkpoints_lie_below_the_experiments_name_and_the_run(experiment: str, tmp_path: Path) -> None:
    logger = LogbuchLogger(save_dir=str(tmp_path / "saved"))
    lightning_trainer(logger=logger, enable_checkpointing=True).fit(lightning_module(), torch_data())
    assert [path.name for path in (tmp_path / "saved" / "logbuch" / str(logger.run_id) / "checkpoints").iterdir()]


def test_the_whole_interface_of_a_logger(experiment: str) -> None:
    logger = LogbuchLogger()
    public = [name for name in dir(Logger) if not name.startswith("_")]
    assert all(hasattr(logger, name) for name in public)
    logger.log_hyperparams({"nested": {"lr": 0.1}, "list": [1, 2]})
    logger.log_metrics({"a b/c": 1.0, "text": "no number", "f1@5": np.float32(0.5)}, step=3)
    logger.log_image("seen", [np.zeros((4, 4, 3), dtype=np.uint8)], step=1)
    logger.log_table("rows", {"a": [1, 2]})
    logger.save()
    assert isinstance(logger.experiment, logbuch.LogbuchClient)
    assert pickle.loads(pickle.dumps(logger)).run_id == logger.run_id
    logger.finalize("success")
    logger.finalize("success")
    run = only(experiment)
    assert run.data.metrics == {"a b/c": 1.0, "f1_at_5": 0.5}
    assert run.data.params == {"nested/lr": "0.1", "list": "[1, 2]"}
    assert "rows.json" in files(run, "")
    assert len(files(run, "images")) == 2


def test_a_run_goes_on(experiment: str) -> None:
    with logbuch.start_run() as begun:
        pass
    lightning_trainer(logger=LogbuchLogger(run_id=begun.info.run_id)).fit(lightning_module(), torch_data())
    assert "train_loss" in only(experiment).data.metrics


@pytest.mark.parametrize(("error", "status"), [(ValueError("boom"), "FAILED"), (KeyboardInterrupt(), "KILLED")])
def test_what_ends_a_training_early(experiment: str, error: BaseException, status: str) -> None:
    module = lightning_module()

    def broken(*_: object) -> None:
        raise error

    module.training_step = broken
    with pytest.raises((ValueError, KeyboardInterrupt, SystemExit)):
        lightning_trainer(logger=LogbuchLogger()).fit(module, torch_data())
    assert only(experiment).info.status == status


def test_autolog_adds_one_logger_and_settings(experiment: str) -> None:
    logbuch.pytorch.autolog()
    made = lightning_trainer()
    made.fit(lightning_module(), torch_data())
    made.fit_loop.max_epochs = 3
    made.fit(made.lightning_module, torch_data())
    assert [type(logger) for logger in made.loggers] == [LogbuchLogger]
    params = only(experiment).data.params
    assert (params["optimizer_name"], params["optimizer_lr"], params["max_epochs"]) == ("SGD", "0.1", "2")
    lightning_trainer(logger=LogbuchLogger()).fit(lightning_module(), torch_data())
    lightning_trainer(fast_dev_run=True).fit(lightning_module(), torch_data())
    assert len(logbuch.search_runs([experiment], output_format="list")) == 2


PROCESSES = """
import os, sys
sys.path.insert(0, os.environ["TESTS"])
import logbuch
from logbuch.pytorch import LogbuchLogger
from support.trainings import lightning_module, lightning_trainer, torch_data
made = lightning_trainer(logger=LogbuchLogger("pair"), devices=2, strategy="ddp", enable_checkpointing=True)
made.fit(lightning_module(), torch_data())
made.logger.experiment.whatever if made.global_rank else None
assert (made.logger.run_id is None) == (made.global_rank > 0)
"""


@pytest.mark.slow
def test_of_several_processes_the_first_logs(server: Server, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROCESSES)
    places = {"TESTS": str(ROOT / "tests"), "LOGBUCH_TRACKING_URI": server.url, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "train.py"], capture_output=True, text=True, env=os.environ | places, cwd=tmp_path, timeout=200
    )
    assert done.returncode == 0, done.stderr[-3000:]
    experiment = logbuch.get_experiment_by_name("pair")
    assert experiment is not None
    assert steps(only(experiment.experiment_id), "train_loss") == list(range(4))


@pytest.mark.slow
def test_the_older_name_of_the_package(server: Server, tmp_path: Path) -> None:
    code = """
import pytorch_lightning
from logbuch.pytorch import LogbuchLogger
from pytorch_lightning.loggers import Logger
assert isinstance(LogbuchLogger(), Logger)
"""
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path).returncode == 0

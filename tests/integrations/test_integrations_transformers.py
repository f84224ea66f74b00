"""The Trainer's callback: names, steps, params, checkpoints; several processes; beside MLflow's own callback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import logbuch
from logbuch.transformers import LogbuchCallback
from support.readback import only, steps
from support.servers import Server
from support.trainings import trainer

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")


def test_names_steps_and_params(experiment: str) -> None:
    made = trainer([LogbuchCallback()], run_name="base")
    made.train()
    run = only(experiment)
    assert (run.info.run_name, run.info.status) == ("base", "FINISHED")
    for name in ("loss", "grad_norm", "learning_rate"):
        assert steps(run, f"train/{name}") == [1, 2, 3, 4]
        assert name not in run.data.metrics
    assert steps(run, "eval/loss") == steps(run, "eval/runtime") == [2, 4]
    assert set(steps(run, "epoch")) == {1, 2, 3, 4}
    assert steps(run, "train_runtime") == [4]
    logged = [entry["loss"] for entry in made.state.log_history if "loss" in entry]
    points = logbuch.LogbuchClient().get_metric_history(run.info.run_id, "train/loss")
    assert [point.value for point in points] == logged
    assert run.data.params["learning_rate"] == str(made.args.learning_rate)
    assert run.data.params["max_steps"] == "4"
    assert run.data.params["model/hidden_size"] == "8"
    total = sum(parameter.numel() for parameter in made.model.parameters())
    assert run.data.params["total_parameters"] == run.data.params["trainable_parameters"] == str(total)
    assert not any(key.endswith("_token") for key in run.data.params)


def test_the_seeds_way_an_active_run_with_params_of_its_own(experiment: str, caplog: pytest.LogCaptureFixture) -> None:
    def create_mlflow_callback(log_model_checkpoints: bool = False) -> LogbuchCallback:
        return LogbuchCallback(log_model_checkpoints, log_args=False, log_config=False)

    with logbuch.start_run(run_name="standard"):
        logbuch.log_params({"learning_rate": 0.0002, "lora_rank": 8, "total_parameters": 7})
        made = trainer([create_mlflow_callback(log_model_checkpoints=False)])
        made.train()
        logbuch.log_metrics({"final_eval_loss": made.evaluate()["eval_loss"]})
    run = only(experiment)
    assert run.data.params["learning_rate"] == "0.0002"
    assert run.data.params["total_parameters"] == "7"
    assert set(run.data.params) == {"learning_rate", "lora_rank", "total_parameters", "trainable_parameters"}
    assert {"train/loss", "eval/loss", "final_eval_loss"} <= set(run.data.metrics)
    assert "total_parameters" in caplog.text


def test_an_evaluation_after_the_training_belongs_to_its_run(experiment: str) -> None:
    made = trainer([LogbuchCallback()], eval_strategy="no")
    made.train()
    assert "eval/loss" not in only(experiment).data.metrics
    made.evaluate()
    run = only(experiment)
    assert steps(run, "eval/loss") == [4]
    assert run.info.status == "FINISHED"


def test_every_training_of_a_trainer_is_a_run_of_its_own(experiment: str) -> None:
    made = trainer([LogbuchCallback()])
    made.train()
    made.train()
    assert len(logbuch.search_runs([experiment], output_format="list")) == 2


def test_a_training_that_broke_off_is_failed_when_the_next_begins(experiment: str) -> None:
    class Stop(Exception):
        pass

    callback = LogbuchCallback()
    made = trainer([callback])
    training_step = made.training_step

    def broken(*_: Any, **__: Any) -> Any:
        raise Stop

    made.training_step = broken
    with pytest.raises(Stop):
        made.train()
    made.training_step = training_step
    made.train()
    states = [run.info.status for run in logbuch.search_runs([experiment], output_format="list")]
    assert sorted(states) == ["FAILED", "FINISHED"]


def test_checkpoints_are_kept_if_wanted(experiment: str) -> None:
    trainer([LogbuchCallback(log_model_checkpoints=True)], save_strategy="steps", save_steps=2).train()
    client, run = logbuch.LogbuchClient(), only(experiment)
    found = [item.path for item in client.list_artifacts(run.info.run_id, "checkpoints")]
    assert found == ["checkpoints/checkpoint-2", "checkpoints/checkpoint-4"]
    names = {Path(item.path).name for item in client.list_artifacts(run.info.run_id, found[0])}
    assert {"model.safetensors", "config.json", "trainer_state.json"} <= names


def test_an_adapters_configuration(experiment: str) -> None:
    from peft import LoraConfig, get_peft_model

    made = trainer([LogbuchCallback()])
    made.model = get_peft_model(made.model, LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj", "v_proj"]))
    made.model_wrapped = made.model
    made.create_optimizer()
    made.train()
    params = only(experiment).data.params
    assert (params["peft/r"], params["peft/lora_alpha"]) == ("2", "4")
    assert params["peft/target_modules"] == '["q_proj", "v_proj"]'
    trainable, total = made.model.get_nb_trainable_parameters()
    assert (params["trainable_parameters"], params["total_parameters"]) == (str(trainable), str(total))
    assert 0 < trainable < total


def test_autolog_adds_none_to_a_trainer_that_has_one(experiment: str) -> None:
    logbuch.autolog()
    made = trainer([LogbuchCallback()])
    made.train()
    kinds = [type(callback) for callback in made.callback_handler.callbacks]
    assert kinds.count(LogbuchCallback) == 1
    assert steps(only(experiment), "train/loss") == [1, 2, 3, 4]


def test_turned_off_transformers_is_as_it_was() -> None:
    from transformers import Trainer
    from transformers.trainer_callback import CallbackHandler

    before = Trainer.__init__, Trainer.train, CallbackHandler.add_callback
    logbuch.autolog()
    LogbuchCallback()
    during = Trainer.__init__, Trainer.train, CallbackHandler.add_callback
    assert all(hasattr(function, "__logbuch_patch__") for function in during)
    logbuch.autolog(disable=True)
    assert (Trainer.__init__, Trainer.train, CallbackHandler.add_callback) == before


PROCESSES = """
import os, sys
sys.path.insert(0, os.environ["TESTS"])
import logbuch, torch.distributed
from logbuch.transformers import LogbuchCallback
from support.trainings import trainer
logbuch.set_experiment("ddp")
made = trainer([LogbuchCallback()], ddp_backend="gloo")
try:
    made.train()
    assert made.args.world_size == 2
    print("rank", os.environ["RANK"], logbuch.last_active_run() is None)
    torch.distributed.barrier()  # no thread of gloo has work left that holds Python's objects
finally:
    torch.distributed.destroy_process_group()  # else the end of the interpreter may abort the process
"""


@pytest.mark.slow
def test_of_several_processes_the_first_logs(server: Server, tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(PROCESSES)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    places = {"TESTS": str(ROOT / "tests"), "LOGBUCH_TRACKING_URI": server.url, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | places, cwd=tmp_path, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "rank 0 False" in done.stdout and "rank 1 True" in done.stdout
    experiment = logbuch.get_experiment_by_name("ddp")
    assert experiment is not None
    run = only(experiment.experiment_id)
    assert run.info.status == "FINISHED"
    assert steps(run, "train/loss") == [1, 2, 3, 4]


BESIDE = """
import os, sys
sys.path.insert(0, os.environ["TESTS"])
sys.path.append(os.environ["MLFLOW_PACKAGES"])  # mlflow, and what this environment lacks for it
import logbuch, mlflow
from logbuch.transformers import LogbuchCallback
from support.trainings import trainer
mlflow.set_experiment("beside")
logbuch.set_experiment("beside")
if sys.argv[1] == "callback":
    made = trainer([LogbuchCallback()], report_to=sys.argv[2])
else:
    logbuch.autolog()
    made = trainer(report_to=sys.argv[2])
made.train()
print("callbacks", *(type(one).__name__ for one in made.callback_handler.callbacks))
print("seen", *sorted(logbuch.search_runs(experiment_names=["beside"], output_format="list")[0].data.metrics))
print("runs", len(logbuch.search_runs(experiment_names=["beside"], output_format="list")))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "report_to", "named"),
    [("callback", "mlflow", "train/loss"), ("callback", "all", "train/loss"), ("autolog", "mlflow", "loss")],
)
def test_nothing_is_logged_twice_beside_mlflow(
    make_server: Any, tmp_path: Path, way: str, report_to: str, named: str
) -> None:
    mlflow = ROOT / ".venv-mlflow3" / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert mlflow.is_dir(), "run: make compat-envs"
    server = make_server()
    (tmp_path / "train.py").write_text(BESIDE)
    places = {
        "TESTS": str(ROOT / "tests"),
        "MLFLOW_TRACKING_URI": server.url,
        "LOGBUCH_FINISH_TIMEOUT": "60",
        "MLFLOW_PACKAGES": str(mlflow / "site-packages"),
    }
    done = subprocess.run(
        [sys.executable, "train.py", way, report_to],
        capture_output=True,
        text=True,
        env=os.environ | places,
        cwd=tmp_path,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = dict(
        line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("callbacks", "seen", "runs"))
    )
    assert said["runs"] == "1"
    assert named in said["seen"].split()
    assert ("MLflowCallback" in said["callbacks"].split()) == (way == "autolog")
    assert ("LogbuchCallback" in said["callbacks"].split()) == (way == "callback")

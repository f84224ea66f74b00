"""The scripts that the project's users already have, unchanged, against Logbuch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from support.servers import Server

SCRIPTS = Path(__file__).parent / "clients" / "scripts"
STEPS = 12
Seen = dict[str, Any]


def test_hello_mlflow(client: Any, server: Server) -> None:
    shutil.copyfile(SCRIPTS / "hello_mlflow.py", client.home / "hello_mlflow.py")
    output = client.run("hello_mlflow.py")
    assert "✓ Run completed!" in output
    experiment = server.get("experiments/get-by-name", experiment_name="hello-mlflow").json()["experiment"]
    newest = server.post("runs/search", {"experiment_ids": [experiment["experiment_id"]]}).json()["runs"][0]
    assert newest["info"]["status"] == "FINISHED"
    assert newest["data"]["params"] == [{"key": "batch_size", "value": "32"}, {"key": "learning_rate", "value": "0.01"}]
    history = server.get("metrics/get-history", run_id=newest["info"]["run_id"], metric_key="loss").json()["metrics"]
    assert [(point["step"], point["value"]) for point in history] == [(step, 1.0 / (step + 1)) for step in range(10)]


@pytest.fixture(scope="module")
def seen(newest: Any) -> Seen:
    for name in ("utils", "mlflow_callback"):
        shutil.copyfile(SCRIPTS / f"{name}.py", newest.home / f"{name}.py")
    told: Seen = newest.seen("lora.py")
    return told


def test_the_lora_seed_finds_its_experiment_again(seen: Seen) -> None:
    assert seen["experiment"] == seen["experiment_again"] == seen["seed"]["experiment"]


def test_the_lora_seed_logs_all_it_trains(seen: Seen) -> None:
    logged, run = seen["logged"], seen["seed"]
    assert (run["name"], run["status"]) == ("standard", "FINISHED")
    assert run["params"]["total_parameters"] == str(logged["total"])
    assert run["params"]["lora_target_modules"] == "q_proj,k_proj"
    assert float(run["metrics"]["final_train_loss"]) == logged["train"]
    assert float(run["metrics"]["final_eval_loss"]) == logged["eval"]
    # With report_to=[] nothing logs beside the seed's callback, which renames what the trainer calls "loss".
    assert "loss" not in run["metrics"]


def test_the_lora_seeds_curves_are_whole(seen: Seen) -> None:
    points = seen["seed_points"]
    for key in ("train/loss", "train/learning_rate", "train/grad_norm"):
        assert points[key] == list(range(1, STEPS + 1)), key
    # The evaluation after the training comes at the last step once more.
    assert points["eval/loss"] in ([4, 8, 12], [4, 8, 12, 12])
    assert set(points["epoch"]) == set(range(1, STEPS + 1))


def test_the_callback_that_transformers_brings_along(seen: Seen) -> None:
    run = seen["built_in"]
    assert seen["built_in_runs"] == 1
    assert (run["name"], run["status"]) == ("by transformers", "FINISHED")
    assert run["params"]["max_steps"] == str(STEPS)
    assert run["params"]["model_type"] == "gpt2"
    assert len(run["params"]) > 100
    assert seen["built_in_points"]["loss"] == list(range(1, STEPS + 1))
    assert seen["built_in_points"]["eval_loss"] == [4, 8, 12]

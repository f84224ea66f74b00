"""The users' week in a minute: start the server, train two configurations, compare them, register the best, promote it,
serve it, ask it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import evaluate
import httpx
import pytest
import torch
import train_lora

import logbuch
from support.fresh import fresh
from support.ports import free_port
from support.readback import text
from support.servers import Server

__all__ = ["fresh"]
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
    pytest.mark.slow,
]
EXPERIMENT = "aws-rag-qa-mistral-lora"


def command(*arguments: str) -> Any:
    """What a ``logbuch`` command answers, as JSON."""
    done = subprocess.run([sys.executable, "-m", "logbuch", *arguments, "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def served(address: str) -> Iterator[str]:
    """The scoring server of a model, and its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "logbuch", "models", "serve", "-m", address, "-p", str(port), "--timeout", "120"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 150
    try:
        while True:
            try:
                if httpx.get(f"{url}/ping").status_code == 200:
                    break
            except httpx.TransportError:
                assert process.poll() is None and process.stdout is not None, process.communicate()[0]
                assert time.monotonic() < deadline, "the model is not served"
                time.sleep(0.1)
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def ask(url: str, prompt: str) -> str:
    body = {"inputs": [prompt], "params": {"max_new_tokens": 12}}
    answer = httpx.post(f"{url}/invocations", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    (said,) = answer.json()["predictions"]
    return str(said)


def direct(folder: str, prompt: str) -> str:
    """The same from the files on disk, by peft alone."""
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoTokenizer

    model = AutoPeftModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    made = model.generate(**tokenizer(prompt, return_tensors="pt"), max_new_tokens=12, do_sample=False)
    return str(tokenizer.decode(made[0], skip_special_tokens=True))


@pytest.fixture
def server(make_server: Callable[..., Server], monkeypatch: pytest.MonkeyPatch) -> Server:
    started = make_server()
    monkeypatch.setenv("LOGBUCH_TRACKING_URI", started.url)
    monkeypatch.setenv("LOGBUCH_QUIET", "true")
    return started


def train(material: Any, *more: object) -> None:
    options = (
        "--precision fp32 --max_steps 8 --eval_steps 4 --save_steps 4 --warmup_steps 1 --max_seq_length 512 "
        "--per_device_train_batch_size 2 --gradient_accumulation_steps 2 --learning_rate 5e-3 --sample_count 0"
    ).split()
    given = ["--model_name", material.model, "--data_dir", material.data, *options, *more]
    assert train_lora.main([str(one) for one in given]) == 0


def test_from_the_first_training_to_an_answer(server: Server, material: Any) -> None:
    train(material, "--lora_config", "standard")
    train(material, "--lora_config", "aggressive")

    best = command("best", EXPERIMENT, "--metric", "final_eval_loss")
    runs = logbuch.search_runs(experiment_names=[EXPERIMENT], output_format="list")
    losses = {run.info.run_id: run.data.metrics["final_eval_loss"] for run in runs}
    winner = best["best"]["run_ids"][0]
    assert len(losses) == 2 and losses[winner] == min(losses.values())
    differences = command("diff", *losses)
    assert {"lora_rank", "lora_target_modules", "trainable_parameters"} <= {
        one["name"] for one in differences["differences"]
    }
    run = next(run for run in runs if run.info.run_id == winner)
    folder = {"standard": "models/standard_r8_qkvo", "aggressive": "models/aggressive_r16_all"}[run.info.run_name]

    assert evaluate.main([folder, "--data", str(material.data / "test.jsonl"), "--answers", "2"]) == 0
    again = logbuch.get_run(winner)
    assert again.info.status == "FINISHED"
    assert again.data.metrics["test/loss"] < again.data.metrics["test/base_loss"]
    assert {key for key in again.data.metrics if key.startswith("test/purpose/")} == {
        "test/purpose/loss", "test/purpose/perplexity", "test/purpose/base_loss", "test/purpose/base_perplexity",
    }  # fmt: skip
    report = text(again, "evaluation/test.md")
    assert "**base:**" in report and "**adapter:**" in report and "| all |" in report

    version = logbuch.register_model(f"runs:/{winner}/model", "aws-rag-qa")
    client = logbuch.LogbuchClient()
    client.transition_model_version_stage("aws-rag-qa", version.version, "Staging")
    client.transition_model_version_stage("aws-rag-qa", version.version, "Production", archive_existing_versions=True)
    client.set_registered_model_alias("aws-rag-qa", "champion", version.version)

    prompt = "[INST] Amazon S3 stores objects.\n\nQuestion: What does Amazon S3 store? [/INST]"
    with served("models:/aws-rag-qa@champion") as url:
        assert ask(url, prompt) == direct(folder, prompt)


def test_a_base_model_that_is_not_kept_with_every_run(server: Server, material: Any) -> None:
    train(material, "--log_base_model", "false", "--max_steps", "4")
    (run,) = logbuch.search_runs(experiment_names=[EXPERIMENT], output_format="list")
    place = Path(logbuch.artifacts.download_artifacts(f"runs:/{run.info.run_id}/model"))
    assert not [path for path in place.rglob("*.safetensors") if path.name != "adapter_model.safetensors"]
    loaded = logbuch.models.load_model(f"runs:/{run.info.run_id}/model")
    prompt = "[INST] Amazon S3 stores objects. [/INST]"
    (said,) = loaded.predict([prompt], {"max_new_tokens": 12, "do_sample": False})
    assert said == direct("models/standard_r8_qkvo", prompt)


def test_a_base_model_alone_is_a_run_of_its_own(server: Server, material: Any) -> None:
    data = str(material.data / "validation.jsonl")
    assert evaluate.main(["--base", str(material.model), "--data", data, "--max_seq_length", "512"]) == 0
    (run,) = logbuch.search_runs(experiment_names=[EXPERIMENT], output_format="list")
    assert (run.info.run_name, run.data.params["model_name"]) == ("base", str(material.model))
    assert 0 < run.data.metrics["validation/loss"] < 10
    assert "validation/base_loss" not in run.data.metrics


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([], "either the folder of an adapter or --base"),
        (["nowhere"], "nowhere is no folder of train_lora.py"),
        (["--base", "no/such/model"], "cannot load the model"),
    ],
)
def test_wrong_evaluations_are_one_line(
    given: list[str], reason: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert evaluate.main([*given, "--no_mlflow"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("evaluate.py: ") and reason in said[-1]

"""Runs worth looking at: a LoRA sweep, one of whose runs diverges, and a run with a million points."""

from __future__ import annotations

import math
import random
import uuid
from dataclasses import dataclass
from typing import Any

import httpx

from logbuch.wire import ingest
from support.servers import PLAIN, Server

MILLION = 1_000_000
PART = 50_000
SPIKE_STEP = 654_321


@dataclass
class Seeded:
    """What the server holds."""

    server: Server
    experiment_id: str
    runs: dict[str, str]
    million: str


def names() -> list[str]:
    return [
        f"{config}_lr{rate}"
        for config in ("standard", "aggressive", "minimal")
        for rate in ("5e-5", "1e-4", "2e-4", "1e-3")
    ]


def train(server: Server, experiment_id: str, number: int, name: str) -> str:
    config, _, rate = name.partition("_lr")
    noise = random.Random(number)
    start = 1_795_000_000_000 + number * 3_600_000
    run_id = server.new_run(experiment_id, run_name=name, start_time=start, user_id="ada")
    params = {
        "learning_rate": rate,
        "lora_rank": {"standard": "16", "aggressive": "32", "minimal": "8"}[config],
        "seed": "1",
    }
    params |= {"batch_size": "4", "num_epochs": "1", "lr_scheduler": "cosine", "use_4bit": "True"}
    tags = {
        "phase": "sweep",
        "mlflow.source.name": "train_lora.py",
        "mlflow.source.git.commit": "8d41f02a7c0e4a51b1f0d3c2e4a6b8901d2e3f45",
        "mlflow.note.content": "Second seed of the **standard** config.",
    }
    diverges = name == "aggressive_lr1e-3"
    floor = 0.35 + 0.01 * (number % 5)
    points = []
    for step in range(400):
        loss: Any = 1.2 * math.exp(-step / 60) + floor + noise.gauss(0, 0.02)
        if diverges and step > 200:
            loss = "NaN" if step > 240 else loss + (step - 200) * 0.05
        stamp = start + step * 900
        points.append({"key": "train/loss", "value": loss, "timestamp": stamp, "step": step})
        points.append(
            {"key": "train/grad_norm", "value": 1 + abs(noise.gauss(0, 0.1)), "timestamp": stamp, "step": step}
        )
        if step % 20 == 0:
            points.append({"key": "eval/loss", "value": loss, "timestamp": stamp, "step": step})
    for part in range(0, len(points), 1000):
        send(server, run_id, metrics=points[part : part + 1000])
    send(
        server,
        run_id,
        params=[{"key": key, "value": value} for key, value in params.items()],
        tags=[{"key": key, "value": value} for key, value in tags.items()],
    )
    artifact(server, f"{experiment_id}/{run_id}/artifacts/report.md", b"# Report\n\nAll is well.\n")
    artifact(server, f"{experiment_id}/{run_id}/artifacts/adapter/adapter_config.json", b'{"r": 16}')
    status = "FAILED" if diverges else "FINISHED"
    server.post("runs/update", {"run_id": run_id, "status": status, "end_time": start + 400 * 900})
    return run_id


def million(server: Server) -> str:
    run_id = server.new_run("0", run_name="million", start_time=1_795_000_000_000)
    noise = random.Random(1)
    journal, chain = uuid.uuid4().hex, b""
    for number, start in enumerate(range(0, MILLION, PART), start=1):
        points = ingest.Points(run_id)
        for step in range(start, start + PART):
            value = 25.0 if step == SPIKE_STEP else 1 + math.exp(-step / 3e5) + noise.random() / 50
            points.add("train/loss", step, 1_795_000_000_000 + step, value)
        record = ingest.encode_record(points.record())
        before, chain = chain, ingest.link(chain, record)
        body = ingest.encode_batch(journal, number, before, [(1, chain, record)])
        headers = {"content-type": ingest.CONTENT_TYPE}
        url = f"{server.url}/api/logbuch/1/ingest"
        answer = httpx.post(url, content=body, headers=headers, timeout=180, verify=PLAIN)
        assert (answer.status_code, answer.json().get("refused")) == (200, []), answer.text
    return run_id


def send(server: Server, run_id: str, **more: Any) -> None:
    answer = server.post("runs/log-batch", {"run_id": run_id, **more})
    assert answer.status_code == 200, answer.text


def artifact(server: Server, path: str, content: bytes) -> None:
    answer = httpx.put(f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{path}", content=content, verify=PLAIN)
    assert answer.status_code == 200

"""The logged model behind the scoring server: texts in, texts out, without the package being there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

import logbuch
from logbuch.serving import folder as folders
from storyteller import weights
from storyteller.generation import Sampling, generate
from storyteller.train import train
from support.scoring import client
from support.servers import Server
from support.storytelling import config


@pytest.mark.slow
def test_a_logged_model_is_served(stories: Path, tmp_path: Path, shared_server: Server) -> None:
    logbuch.set_tracking_uri(shared_server.url)
    tracker = [f"training.mlflow_tracking_uri={shared_server.url}", f"training.mlflow_experiment_name={tmp_path}"]
    result = train(config(stories, tmp_path / "out", *tracker, "training.max_steps=2", use_moe=True, num_experts=4))
    ours = weights.load(result.folder)
    params = {"max_new_tokens": 6, "temperature": 0.9, "seed": 4}
    expected = generate(ours.model, ours.tokenizer, "a cat", Sampling(max_new_tokens=6, temperature=0.9, seed=4))

    place = f"runs:/{result.run_id}/model"
    with folders.fetched(place) as found:
        served = folders.load(found, place, allow_pickle=False)

        async def ask(*bodies: Any) -> list[httpx.Response]:
            async with client(served) as http:
                return [await http.post("/invocations", json=body) for body in bodies]

        many, one, wrong = asyncio.run(
            ask(
                {"inputs": ["a cat", "a cat"], "params": params},
                {"prompt": "a cat", **params},
                {"inputs": ["a cat"], "params": {"max_new_tokens": "many"}},
            )
        )
        assert many.json() == {"predictions": [expected, expected]}
        assert one.json() == [expected]
        assert (wrong.status_code, wrong.json()["message"]) == (400, "Param 'max_new_tokens': 'many' is no long.")
        assert own_code(found.folder) == "code/storyteller"


def own_code(folder: Path) -> str:
    """Loads the model by the code that it carries, and gives where that lies."""
    program = (
        "import pathlib, sys\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "sys.path.insert(0, str(folder / 'code'))\n"
        "import storyteller.weights\n"
        "storyteller.weights.load(next((folder / 'artifacts').iterdir()))\n"
        "print(pathlib.Path(storyteller.__file__).parent.relative_to(folder).as_posix())\n"
    )
    ran = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True)
    return ran.stdout.strip()

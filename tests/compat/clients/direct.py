"""Large files to and from a bucket past the server; arguments: experiment, whether the variables are set."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
import requests
from common import tell

asked: list[tuple[str, str]] = []
send = requests.Session.send


def noting(self: requests.Session, request: requests.PreparedRequest, **options: object) -> requests.Response:
    asked.append((request.method or "", f"{urlsplit(request.url).port} {urlsplit(request.url).path}"))
    return send(self, request, **options)  # type: ignore[arg-type]


requests.Session.send = noting  # type: ignore[method-assign,assignment]
mlflow.set_experiment(sys.argv[1])
here = Path(tempfile.mkdtemp())
content = os.urandom(11 * 1024 * 1024 + 7)
(here / "big file.bin").write_bytes(content)
(here / "small.txt").write_text("small")
with mlflow.start_run() as run:
    mlflow.log_artifact(str(here / "big file.bin"), "folder")
    mlflow.log_artifact(str(here / "small.txt"))
back = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, dst_path=str(here / "back")))
client = mlflow.MlflowClient()
tell(
    {
        "run": run.info.run_id,
        "experiment": run.info.experiment_id,
        "same": (back / "folder/big file.bin").read_bytes() == content,
        "small": (back / "small.txt").read_text(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "listed": [(info.path, info.file_size) for info in client.list_artifacts(run.info.run_id, "folder")],
        "asked": asked,
    }
)

"""Artifacts of MLflow that lie in S3, read from a real S3 server."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from logbuch.cli.main import cli
from support.mlflow_tables import TABLES, made
from support.s3 import S3

RUNS = [f"{number:032x}" for number in range(1, 7)]
MODEL = "m-" + "0123456789abcdef" * 2


def database(folder: Path, root: str) -> str:
    """Runs whose artifacts lie below a root, all of which say that they have some."""
    rows = "INSERT INTO experiments VALUES (7, 'moved', '', 'active', 1, 2);\n"
    for run_id in RUNS:
        rows += f"INSERT INTO runs VALUES ('{run_id}', 'one', 'me', 'FINISHED', 5, 9, 'active', "
        rows += f"'{root}/7/{run_id}/artifacts', 7, NULL);\n"
        rows += f"INSERT INTO tags VALUES ('mlflow.loggedArtifacts', '[]', '{run_id}');\n"
    return made(folder / "mlflow.db", TABLES + rows)


def bring(source: str, folder: Path) -> tuple[int, dict[str, Any]]:
    report = folder / "report.json"
    arguments = ["import", "mlflow", source, "--backend-store-uri", f"sqlite:///{folder}/store/logbuch.db"]
    done = CliRunner().invoke(cli, [*arguments, "--report", str(report)])
    assert done.exit_code in (0, 1), (done.output, done.exception)
    found: dict[str, Any] = json.loads(report.read_text())
    return done.exit_code, found


@pytest.mark.slow
def test_artifacts_in_a_bucket_move_in_and_one_that_is_not_there_ends_nothing(
    s3: S3, bucket: str, tmp_path: Path
) -> None:
    client = s3.client()
    for run_id in RUNS[1:]:
        for path in ("plot.txt", "deep/er/ünï.bin"):
            client.put_object(
                Bucket=bucket, Key=f"mlflow/7/{run_id}/artifacts/{path}", Body=f"{run_id} {path}".encode()
            )
    source = database(tmp_path, f"s3://{bucket}/mlflow")
    code, counts = bring(source, tmp_path)
    assert code == 1
    assert counts["missing"] == [
        f"artifacts of run {RUNS[0]}: nothing lies at s3://{bucket}/mlflow/7/{RUNS[0]}/artifacts"
    ]
    assert counts["target"]["files"] == 10
    kept = tmp_path / "store" / "artifacts" / "7" / RUNS[3] / "artifacts"
    assert (kept / "plot.txt").read_text() == f"{RUNS[3]} plot.txt"
    assert (kept / "deep" / "er" / "ünï.bin").read_text() == f"{RUNS[3]} deep/er/ünï.bin"
    assert bring(source, tmp_path)[1]["already_there"]["files"] == 10


def test_a_bucket_that_does_not_answer_is_asked_a_few_times_and_the_rest_moves_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.setattr("logbuch.files.s3.ATTEMPTS", 1)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # nobody else can listen there, and it does not
        monkeypatch.setenv("LOGBUCH_S3_ENDPOINT_URL", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        code, counts = bring(database(tmp_path, "s3://gone/mlflow"), tmp_path)
    assert code == 1
    assert len(counts["missing"]) == len(RUNS)
    assert sum("was not asked any more" in text for text in counts["missing"]) == len(RUNS) - 3
    assert counts["target"]["runs"] == len(RUNS)

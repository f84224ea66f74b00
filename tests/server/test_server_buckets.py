"""Large and many files in a bucket, through the server and past it: whole both ways, with a server that stays small.

LOGBUCH_TEST_LONG=1 takes 1 GiB and 1,000 files.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from server.test_server_artifacts import resident
from support.s3 import S3
from support.servers import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
MIB = 1024 * 1024
LONG = bool(os.environ.get("LOGBUCH_TEST_LONG"))
LARGE, SMALL = (1024, 1000) if LONG else (48, 30)
"""MiB of the large file, and how many small ones."""
GROWTH = 64 * MIB


@dataclass
class Bucket(Server):
    """A server whose files lie in a bucket. It has sent and taken some, so that all libraries are there."""

    at_first: int = 0

    def check(self) -> None:
        """It has never held more than a little of what came and went."""
        assert resident(self) - self.at_first < GROWTH


@pytest.fixture(scope="module", params=["proxied", "public"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, s3: S3) -> Iterator[Bucket]:
    folder, settings = tmp_path_factory.mktemp("server"), s3.environment()
    if request.param == "public":
        settings["LOGBUCH_S3_PUBLIC_ENDPOINT_URL"] = s3.url
    arguments = ("--default-artifact-root", f"s3://{s3.new_bucket()}/root")
    started = Bucket(folder, f"sqlite:///{folder}/logbuch.db", arguments, settings=settings)
    started.start()
    place = f"{address(started)}/0/{started.new_run()}/artifacts/first"
    assert httpx.put(place, content=b"x" * 10 * MIB, timeout=120).status_code == 200
    assert len(httpx.get(place, timeout=120).content) == 10 * MIB
    started.at_first = resident(started)
    yield started
    started.stop()


def address(server: Server) -> str:
    return f"{server.url}/api/2.0/mlflow-artifacts/artifacts"


def written(place: Path, size: int) -> str:
    """Writes a file of so many MiB; its digest."""
    digest = hashlib.sha256()
    with place.open("wb") as file:
        for _ in range(size):
            block = os.urandom(MIB)
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def sha256(place: Path) -> str:
    with place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_large_file_both_ways(server: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from logbuch import LogbuchClient
    from logbuch.sdk.artifacts import files

    monkeypatch.setattr(files, "SPOOL_BYTES", 0)
    digest = written(tmp_path / "large.bin", LARGE)
    client, run_id = LogbuchClient(server.url), server.new_run()
    client.log_artifact(run_id, str(tmp_path / "large.bin"))
    (tmp_path / "large.bin").unlink()
    back = client.download_artifacts(run_id, "large.bin", str(tmp_path / "back"))
    assert sha256(Path(back)) == digest
    server.check()


def test_one_request_carries_a_large_file(server: Bucket, tmp_path: Path) -> None:
    """As MLflow's client sends what it does not send in parts."""
    digest = written(tmp_path / "large.bin", LARGE)
    place = f"{address(server)}/0/{server.new_run()}/artifacts/large.bin"
    with (tmp_path / "large.bin").open("rb") as file:
        assert httpx.put(place, content=file, timeout=600).status_code == 200
    back = hashlib.sha256()
    with httpx.stream("GET", place, timeout=600) as answer:
        for chunk in answer.iter_raw():
            back.update(chunk)
    assert back.hexdigest() == digest
    server.check()


def contents() -> Iterator[tuple[str, bytes]]:
    for number in range(SMALL):
        yield f"folder {number % 7}/{number}.bin", number.to_bytes(4, "big") * 2560


def test_many_small_files_both_ways(server: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from logbuch import LogbuchClient

    monkeypatch.setenv("LOGBUCH_FINISH_TIMEOUT", "900")
    for name, content in contents():
        place = tmp_path / "many" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    client, run_id = LogbuchClient(server.url), server.new_run()
    client.log_artifacts(run_id, str(tmp_path / "many"))
    client.set_terminated(run_id)  # returns when all of them have arrived
    back = Path(client.download_artifacts(run_id, "", str(tmp_path / "back")))
    assert {name: (back / name).read_bytes() for name, _ in contents()} == dict(contents())
    server.check()


def test_many_small_files_past_the_server(server: Bucket, request: pytest.FixtureRequest) -> None:
    run_id = server.new_run()
    with httpx.Client(timeout=60) as client:

        def signed(way: str, path: str) -> httpx.Response:
            place = f"{server.url}/api/2.0/mlflow/artifacts/presigned-{way}-url"
            return client.post(place, json={"run_id": run_id, "path": path})

        if "proxied" in request.node.name:
            assert signed("upload", "x").status_code == 501
            return
        for name, content in contents():
            assert client.put(signed("upload", name).json()["presigned_url"], content=content).status_code == 200
        for name, content in contents():
            answer = signed("download", name).json()
            assert answer["file_size"] == len(content)
            assert client.get(answer["presigned_url"]).content == content
    server.check()

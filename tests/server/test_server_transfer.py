"""Ranges, digests and conditions of files, from a local disk and from a real bucket."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

import logbuch
from support.s3 import S3
from support.servers import Server

SIZE = 3_000_000


@pytest.fixture(params=["disk", "bucket"])
def server(request: pytest.FixtureRequest, make_server: Callable[..., Server]) -> Server:
    if request.param == "disk":
        return make_server()
    s3: S3 = request.getfixturevalue("s3")
    return make_server(None, "--default-artifact-root", f"s3://{s3.new_bucket()}/root", settings=s3.environment())


def place(server: Server, path: str = "x.bin") -> str:
    return f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/{server.new_run()}/artifacts/{path}"


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


def test_ranges_conditions_and_digests(server: Server) -> None:
    where, content = place(server), os.urandom(SIZE)
    put = httpx.put(where, content=content, headers={"content-digest": digest(content)})
    assert (put.status_code, put.json()) == (200, {})
    assert put.headers["repr-digest"] == digest(content)
    whole = httpx.get(where)
    assert (whole.content, whole.headers["accept-ranges"]) == (content, "bytes")
    assert whole.headers["etag"] == put.headers["etag"]
    head = httpx.head(where)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(SIZE))

    for asked, start, end in (
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=-5", SIZE - 5, SIZE),
        (f"bytes=-{2 * SIZE}", 0, SIZE),
        ("bytes=2999990-", 2_999_990, SIZE),
        ("bytes=1-99999999", 1, SIZE),
    ):
        part = httpx.get(where, headers={"range": asked})
        assert (part.status_code, part.content) == (206, content[start:end])
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    for passed_over in ("bytes=", "bytes=x-1", "bytes=5-2", "items=0-1", "bytes=--1", "bytes=1-²"):
        headers = {"range": passed_over.encode()}
        assert httpx.get(where, headers=headers).status_code == 200  # type: ignore[arg-type]
    for outside in (f"bytes={SIZE}-", "bytes=-0", "bytes=0-1,5-6"):
        refused = httpx.get(where, headers={"range": outside})
        assert (refused.status_code, refused.headers["content-range"]) == (416, f"bytes */{SIZE}")

    tag, date = whole.headers["etag"], whole.headers["last-modified"]
    for condition, status in ((tag, 206), (date, 206), ('"other"', 200), ("Mon, 01 Jan 1990 00:00:00 GMT", 200)):
        assert httpx.get(where, headers={"range": "bytes=0-1", "if-range": condition}).status_code == status
    assert httpx.get(where, headers={"if-none-match": tag}).status_code == 304
    httpx.put(where, content=content[::-1])
    changed = httpx.get(where, headers={"range": "bytes=0-1", "if-range": tag, "if-none-match": tag})
    assert (changed.status_code, changed.content) == (200, content[::-1])


def test_small_and_empty_files(server: Server) -> None:
    for content in (b"", b"abc"):
        where = place(server, "note.txt")
        assert httpx.put(where, content=content).status_code == 200
        assert httpx.get(where).content == content
        assert httpx.head(where).headers["content-length"] == str(len(content))
    assert httpx.get(where, headers={"range": "bytes=1-"}).content == b"bc"
    assert httpx.get(where, headers={"range": "bytes=3-"}).status_code == 416


def test_the_page_gets_ranges_too(server: Server) -> None:
    where = place(server, "clip.mp4")
    run_id = where.split("/artifacts/0/")[1].split("/")[0]
    httpx.put(where, content=b"0123456789")
    query = {"run_id": run_id, "path": "clip.mp4"}
    part = httpx.get(f"{server.url}/get-artifact", params=query, headers={"range": "bytes=2-4"})
    assert (part.status_code, part.content, part.headers["content-type"]) == (206, b"234", "video/mp4")
    assert httpx.head(f"{server.url}/get-artifact", params=query).headers["content-length"] == "10"


@pytest.mark.parametrize("size", [10, SIZE])
def test_a_file_that_was_damaged_or_cut_on_its_way_is_not_there(server: Server, size: int) -> None:
    where = place(server)
    wrong = httpx.put(where, content=b"a" * size, headers={"content-digest": digest(b"b" * size)})
    assert wrong.status_code == 400
    assert "damaged on its way" in wrong.json()["message"]
    nonsense = httpx.put(where, content=b"a" * size, headers={"content-digest": "sha-256=:YQ==:"})
    assert nonsense.status_code == 400
    path = where.removeprefix(server.url)
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {size + 1}\r\n\r\n".encode())
        raw.sendall(b"a" * size)
    assert httpx.get(where).status_code == 404
    folder = path.split("/mlflow-artifacts/artifacts/")[1].rpartition("/")[0]
    listing = httpx.get(f"{server.url}/api/2.0/mlflow-artifacts/artifacts", params={"path": folder})
    assert listing.json() == {}


def test_experiments_choose_a_configured_root(make_server: Callable[..., Server], s3: S3) -> None:
    bucket = s3.new_bucket()
    server = make_server(None, "--artifact-roots", f"s3://{bucket}/big", settings=s3.environment())
    made = server.post("experiments/create", {"name": "big", "artifact_location": f"s3://{bucket}/big/vision"})
    experiment_id = made.json()["experiment_id"]
    for outside in (f"s3://{bucket}", f"s3://{bucket}/bigger", "s3://other/big", f"s3://{bucket}/big/../x"):
        refused = server.post("experiments/create", {"name": outside, "artifact_location": outside})
        assert refused.status_code == 400, outside
    run_id = server.new_run(experiment_id)
    run = server.get("runs/get", run_id=run_id).json()["run"]["info"]
    assert run["artifact_uri"] == f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts"
    where = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{experiment_id}/{run_id}/artifacts/a/b.txt"
    assert httpx.put(where, content=b"in the bucket").status_code == 200
    kept = s3.client().get_object(Bucket=bucket, Key=f"big/vision/{run_id}/artifacts/a/b.txt")
    assert kept["Body"].read() == b"in the bucket"
    assert server.get("artifacts/list", run_id=run_id, path="a").json()["files"] == [
        {"path": "a/b.txt", "is_dir": False, "file_size": 13}
    ]


def test_an_adapter_lies_in_the_bucket_where_vllm_looks_for_it(
    make_server: Callable[..., Server], s3: S3, tmp_path: Path
) -> None:
    bucket = s3.new_bucket()
    server = make_server(None, "--default-artifact-root", f"s3://{bucket}/logbuch", settings=s3.environment())
    saved = tmp_path / "standard_r8_qkvo"
    (saved / "checkpoint-20").mkdir(parents=True)
    files = {"adapter_model.safetensors": b"weights", "adapter_config.json": b"{}", "checkpoint-20/state.json": b""}
    for name, content in files.items():
        (saved / name).write_bytes(content)
    client = logbuch.LogbuchClient(server.url)
    run_id = server.new_run()
    client.log_artifacts(run_id, str(saved), "lora_adapter")
    client.set_terminated(run_id)  # which waits until all is there
    prefix = f"logbuch/0/{run_id}/artifacts/lora_adapter/"
    listed = s3.client().list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
    assert {entry["Key"].removeprefix(prefix): entry["Size"] for entry in listed} == {
        name: len(content) for name, content in files.items()
    }
    fetched = Path(client.download_artifacts(run_id, "lora_adapter", str(tmp_path / "adapters")))
    assert {name: (fetched / name).read_bytes() for name in files} == files


def test_several_workers_share_a_bucket(make_server: Callable[..., Server], s3: S3) -> None:
    root = f"s3://{s3.new_bucket()}"
    server = make_server(None, "--workers", "2", "--default-artifact-root", root, settings=s3.environment())
    where = place(server)
    for number in range(12):  # each on a connection of its own, so that both take part
        assert httpx.put(f"{where}{number}", content=b"x" * 300_000).status_code == 200
        assert len(httpx.get(f"{where}{number}").content) == 300_000


def test_a_bucket_that_is_not_there_is_refused_in_one_line(make_server: Callable[..., Server], s3: S3) -> None:
    with pytest.raises(RuntimeError, match="There is no bucket at s3://no-such-bucket"):
        make_server(None, "--default-artifact-root", "s3://no-such-bucket", settings=s3.environment())

"""Uploads in parts: resumed after a kill, checked when they are whole, straight to the store where that is offered."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.s3 import S3
from support.servers import Server

MIB = 1024 * 1024
CONTENT = os.urandom(17 * MIB + 3)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["disk", "bucket", "public"])
def server(request: pytest.FixtureRequest, make_server: Callable[..., Server]) -> Server:
    if request.param == "disk":
        return make_server()
    s3: S3 = request.getfixturevalue("s3")
    settings = s3.environment()
    if request.param == "public":
        settings["LOGBUCH_S3_PUBLIC_ENDPOINT_URL"] = s3.url
    return make_server(None, "--default-artifact-root", f"s3://{s3.new_bucket()}/root", settings=settings)


def begin(server: Server, path: str, **more: Any) -> httpx.Response:
    return server.native("uploads/begin", {"path": path, "size": len(CONTENT), "sha256": SHA256, **more})


def send(server: Server, begun: dict[str, Any], number: int, content: bytes | None = None) -> httpx.Response:
    size = begun["part_bytes"]
    content = CONTENT[number * size : (number + 1) * size] if content is None else content
    return httpx.put(f"{server.url}/api/logbuch/1/uploads/{begun['upload_id']}/{number}", content=content, timeout=60)


def get(server: Server, path: str) -> httpx.Response:
    return httpx.get(f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{path}", timeout=60)


def test_an_upload_goes_on_after_kills_of_the_server(server: Server) -> None:
    path = f"0/{server.new_run()}/artifacts/weights.bin"
    begun = begin(server, path).json()
    assert (begun["parts"], begun["part_bytes"], begun["whole"]) == (0, 8 * MIB, False)
    assert send(server, begun, 0).status_code == 200
    server.kill()
    server.start()
    again = begin(server, path).json()
    assert (again["upload_id"], again["parts"]) == (begun["upload_id"], 1)
    assert get(server, path).status_code == 404
    for number in (1, 1, 2):  # a part may come again
        assert send(server, begun, number).status_code == 200
    server.kill()
    server.start()
    assert begin(server, path).json()["parts"] == 3
    done = server.native("uploads/complete", {"upload_id": begun["upload_id"]})
    assert done.status_code == 200, done.text
    assert get(server, path).content == CONTENT
    assert begin(server, path).json()["whole"] is True
    assert server.native("uploads/complete", {"upload_id": begun["upload_id"]}).status_code == 404


def test_what_is_not_what_was_meant_is_refused_and_gone(server: Server) -> None:
    run_id = server.new_run()
    path = f"0/{run_id}/artifacts/weights.bin"
    begun = begin(server, path).json()
    assert send(server, begun, 0, b"short").status_code == 400
    assert send(server, begun, 3).status_code == 400
    wrong = httpx.put(
        f"{server.url}/api/logbuch/1/uploads/{begun['upload_id']}/0",
        content=CONTENT[: 8 * MIB],
        headers={"content-digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"},
    )
    assert wrong.status_code == 400
    assert begin(server, path).json()["parts"] == 0
    assert server.native("uploads/complete", {"upload_id": begun["upload_id"]}).status_code == 400
    assert send(server, begun, 0).status_code == 404
    for bad in ({"size": -1}, {"size": 2**60}, {"sha256": "x"}, {"path": "0/../x"}, {"path": "99/x/artifacts/y"}):
        assert begin(server, **({"path": path} | bad)).status_code in (400, 404)
    assert server.get("artifacts/list", run_id=run_id).json().get("files", []) == []


def test_an_empty_file(server: Server) -> None:
    path = f"0/{server.new_run()}/artifacts/empty"
    begun = begin(server, path, size=0, sha256=hashlib.sha256(b"").hexdigest()).json()
    assert server.native("uploads/complete", {"upload_id": begun["upload_id"]}).status_code == 200
    assert get(server, path).content == b""


def test_the_sdk_sends_large_files_in_parts(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from logbuch import LogbuchClient
    from logbuch.sdk.artifacts import files
    from logbuch.sdk.backends import sending

    monkeypatch.setattr(sending, "PARTED_BYTES", 1 * MIB)
    monkeypatch.setattr(files, "SPOOL_BYTES", 0)
    (tmp_path / "weights.bin").write_bytes(CONTENT)
    client = LogbuchClient(server.url)
    run_id = server.new_run()
    client.log_artifact(run_id, str(tmp_path / "weights.bin"), "model dir")
    back = client.download_artifacts(run_id, "model dir/weights.bin", str(tmp_path / "back"))
    assert Path(back).read_bytes() == CONTENT
    assert begin(server, f"0/{run_id}/artifacts/model dir/weights.bin").json()["whole"] is True


HOSTILE = ("../x", "a/../../x", "%2e%2e/x", "a/..;/x", "..\\x", "a\0b", "/etc/passwd", "a//b", "", "x" * 2000)


def test_hostile_paths_get_no_way_past_the_server_either(server: Server) -> None:
    run_id = server.new_run()
    proxy = f"{server.url}/api/2.0/mlflow-artifacts"
    for path in HOSTILE:
        whole = f"0/{run_id}/artifacts/{path}"
        assert begin(server, whole).status_code == 400, path
        for way in ("upload", "download"):
            refused = server.post(f"artifacts/presigned-{way}-url", {"run_id": run_id, "path": path})
            assert refused.status_code in (400, 404, 501), path
    for name in ("..", ".", "", "a/..", "x/\0", ".logbuch-upload-1"):
        made = httpx.post(f"{proxy}/mpu/create/0/{run_id}/artifacts", json={"path": name, "num_parts": 1})
        assert made.status_code in (400, 501), name
    assert server.get("artifacts/list", run_id=run_id).json().get("files", []) == []


def test_two_that_send_the_same_file_at_once_both_end_well(make_server: Callable[..., Server]) -> None:
    server = make_server()
    path = f"0/{server.new_run()}/artifacts/weights.bin"

    def upload(_: int) -> bool:
        for _ in range(4):
            begun = begin(server, path).json()
            if begun["whole"]:
                return True
            sent = [send(server, begun, number).status_code for number in range(begun["parts"], 3)]
            done = server.native("uploads/complete", {"upload_id": begun["upload_id"]})
            if done.status_code == 200 and set(sent) <= {200}:
                return True
            assert done.status_code in (200, 404), done.text
        return False

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(upload, range(4)))
    assert get(server, path).content == CONTENT


def test_a_part_that_comes_again_late_cuts_nothing(make_server: Callable[..., Server]) -> None:
    server = make_server()
    path = f"0/{server.new_run()}/artifacts/weights.bin"
    begun = begin(server, path).json()
    for number in (0, 1, 2, 0, 1):
        assert send(server, begun, number).status_code == 200
    assert server.native("uploads/complete", {"upload_id": begun["upload_id"]}).status_code == 200
    assert send(server, begun, 0).status_code == 404
    assert get(server, path).content == CONTENT


def test_numbers_and_folders_beyond_all_measure_are_refused(make_server: Callable[..., Server]) -> None:
    server = make_server()
    run_id = server.new_run()
    path = f"0/{run_id}/artifacts/x.bin"
    begun = begin(server, path).json()
    address = f"{server.url}/api/logbuch/1/uploads/{begun['upload_id']}/{'9' * 5000}"
    assert httpx.put(address, content=b"x").status_code == 400
    marks = {"9" * 5000: "x"}
    assert server.native("uploads/complete", {"upload_id": begun["upload_id"], "marks": marks}).status_code == 400
    whole = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{path}"
    assert httpx.put(whole, content=b"content").status_code == 200
    for wanted in (f"bytes={'9' * 5000}-", f"bytes=0-{'9' * 5000}", f"bytes=-{'9' * 5000}"):
        assert httpx.get(whole, headers={"range": wanted}).content == b"content"
    deep = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{'d/' * 300}x"
    assert httpx.put(deep, content=b"x").status_code == 400


def test_an_upload_that_nobody_goes_on_with_leaves_no_file(make_server: Callable[..., Server]) -> None:
    server = make_server()
    path = f"0/{server.new_run()}/artifacts/weights.bin"
    begin(server, path)
    assert [file.name for file in (server.folder / "artifacts").iterdir()] == [".logbuch-upload-owner"]


def erase(server: Server, run_id: str) -> None:
    server.post("runs/delete", {"run_id": run_id})
    assert server.native("runs/purge", {"run_ids": [run_id]}).status_code == 200


def test_nothing_is_taken_for_a_run_that_is_gone(make_server: Callable[..., Server]) -> None:
    server = make_server()
    run_id = server.new_run()
    path = f"0/{run_id}/artifacts/weights.bin"
    begun = begin(server, path).json()
    for number in range(3):
        assert send(server, begun, number).status_code == 200
    erase(server, run_id)
    whole = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{path}"
    for content in (b"small", b"large" * 1_000_000):
        answer = httpx.put(whole, content=content)
        assert (answer.status_code, answer.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert begin(server, path).status_code == 404
    assert server.native("uploads/complete", {"upload_id": begun["upload_id"]}).status_code == 404
    assert not [
        file for file in (server.folder / "artifacts").rglob("*") if file.is_file() and "owner" not in file.name
    ]


def test_a_run_that_is_erased_while_its_file_arrives_takes_it_along(make_server: Callable[..., Server]) -> None:
    server = make_server()
    run_id = server.new_run()

    def content() -> Iterator[bytes]:
        yield b"x" * 3_000_000
        erase(server, run_id)
        yield b"x" * 3_000_000

    whole = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/weights.bin"
    assert httpx.put(whole, content=content(), timeout=60).status_code == 404
    assert not [file for file in (server.folder / "artifacts/0").rglob("*") if file.is_file()]

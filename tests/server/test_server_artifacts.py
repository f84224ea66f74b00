"""Artifacts: streamed, checked, visible only when whole, never outside their root."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from logbuch.files import redo
from support.servers import Server
from support.waiting import wait_until


def address(server: Server, path: str) -> str:
    return f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{path}"


@pytest.mark.parametrize(
    "name",
    [
        "a.txt",
        "model/weights.bin",
        "with space.txt",
        "100%.txt",
        "step%3%timestamp%17.png",
        "ünï/😀.txt",
        "a#b?c&d.txt",
        "a;b",
        "x" * 255,
    ],
)
def test_a_file_comes_back_as_it_was(shared_server: Server, name: str) -> None:
    run_id = shared_server.new_run()
    content = os.urandom(3_000_000)
    place = address(shared_server, f"0/{run_id}/artifacts/{quote(name)}")
    assert httpx.put(place, content=content).status_code == 200
    answer = httpx.get(place)
    assert answer.content == content
    assert answer.headers["content-disposition"].startswith("attachment")
    top = shared_server.get("artifacts/list", run_id=run_id).json()["files"]
    first = name.split("/")[0]
    assert top == [
        {"path": first, "is_dir": True} if "/" in name else {"path": first, "is_dir": False, "file_size": 3_000_000}
    ]
    assert httpx.delete(place).status_code == 200
    assert httpx.get(place).status_code == 404


def test_listing_folders(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    for name in ("b/c/d.txt", "b/a.txt", "top.txt"):
        httpx.put(address(shared_server, f"0/{run_id}/artifacts/{name}"), content=b"x")

    def listed(path: str) -> list[str]:
        answer = shared_server.get("artifacts/list", run_id=run_id, path=path).json()
        return [file["path"] for file in answer.get("files", [])]

    assert (listed(""), listed("b"), listed("b/c"), listed("none")) == (
        ["b", "top.txt"],
        ["b/a.txt", "b/c"],
        ["b/c/d.txt"],
        [],
    )
    proxied = httpx.get(
        f"{shared_server.url}/api/2.0/mlflow-artifacts/artifacts", params={"path": f"0/{run_id}/artifacts/b"}
    )
    assert [file["path"] for file in proxied.json()["files"]] == ["a.txt", "c"]
    assert httpx.get(address(shared_server, f"0/{run_id}/artifacts/b")).status_code == 400


OUTSIDE = [
    "..", "../x", "a/../../x", "%2e%2e/x", "%252e%252e/x", "%252e%252e%252fetc/passwd", "a/..;/..;/x", "..%5c..%5cx",
    "a%00b", "a//b", "./a", "%2fetc/passwd", "x" * 2000, "a%0ab", ".logbuch-upload-1", "..%c0%af..%c0%afx",
    "%25252e%25252e/x",
]  # fmt: skip


OWN = re.compile(rf"-wal$|-shm$|/{re.escape(redo.FOLDER)}\b")


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_leads_outside(shared_server: Server, path: str) -> None:
    run_id = shared_server.new_run()
    before = sorted(map(str, shared_server.folder.rglob("*")))
    for method in ("GET", "PUT", "DELETE"):
        raw = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{path}"
        status = request_raw(shared_server.port, method, raw)
        assert status in (400, 404), (method, path, status)
    for listing in ("artifacts/list", "../mlflow-artifacts/artifacts"):
        query = f"run_id={run_id}&path={path}" if listing == "artifacts/list" else f"path=0/{run_id}/artifacts/{path}"
        status = request_raw(shared_server.port, "GET", f"/api/2.0/mlflow/{listing}?{query}".replace("mlflow/../", ""))
        assert status in (200, 400)
    after = sorted(map(str, shared_server.folder.rglob("*")))
    # The database's own files, and the log of files that other tests have sent, come when they come.
    assert [name for name in after if name not in before and not OWN.search(name)] == []


def request_raw(port: int, method: str, target: str) -> int:
    """A request whose path no client library has tidied up."""
    body = "Content-Length: 1\r\n\r\nx" if method == "PUT" else "\r\n"
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{body}".encode())
        answer = connection.makefile("rb").readline()
    return int(answer.split()[1])


def test_links_are_neither_followed_nor_listed(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    folder = shared_server.folder / "artifacts" / "0" / run_id / "artifacts"
    folder.mkdir(parents=True)
    secret = shared_server.folder / "secret.txt"
    secret.write_text("secret")
    (folder / "link.txt").symlink_to(secret)
    (folder / "folder").symlink_to(shared_server.folder)
    os.mkfifo(folder / "pipe")
    assert shared_server.get("artifacts/list", run_id=run_id).json()["files"] == [
        {"path": "pipe", "is_dir": False, "file_size": 0}
    ]
    for path in ("link.txt", "folder/secret.txt", "pipe"):
        answer = httpx.get(address(shared_server, f"0/{run_id}/artifacts/{path}"))
        assert answer.status_code == 400
    assert httpx.put(address(shared_server, f"0/{run_id}/artifacts/folder/x"), content=b"x").status_code == 400
    httpx.put(address(shared_server, f"0/{run_id}/artifacts/link.txt"), content=b"new")
    assert secret.read_text() == "secret"


def test_an_upload_that_breaks_off_leaves_nothing(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    target = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/half.bin"
    folder = shared_server.folder / "artifacts" / "0" / run_id / "artifacts"

    def there() -> list[Path]:
        return list(folder.glob("*"))

    with socket.create_connection(("127.0.0.1", shared_server.port), 60) as connection:
        head = f"PUT {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n"
        connection.sendall(head.encode() + b"x" * 5_000_000)
        wait_until(there, bool, shared_server)  # the server has begun to write
    wait_until(there, lambda found: found == [], shared_server)
    assert "files" not in shared_server.get("artifacts/list", run_id=run_id).json()


def test_memory_stays_constant_whatever_the_size(shared_server: Server) -> None:
    run_id = shared_server.new_run()
    place = address(shared_server, f"0/{run_id}/artifacts/big.bin")
    block = os.urandom(2**20)
    before = resident(shared_server)
    size = 300
    assert httpx.put(place, content=(block for _ in range(size)), timeout=120).status_code == 200
    received = 0
    with httpx.stream("GET", place, timeout=120) as answer:
        for chunk in answer.iter_raw():
            received += len(chunk)
    assert received == size * 2**20
    assert resident(shared_server) - before < 60 * 2**20


def resident(server: Server) -> int:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    found: Any = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) * 1024


@pytest.mark.parametrize(
    ("name", "shown", "type_"),
    [
        ("a.png", "inline", "image/png"),
        ("a.svg", "inline", "image/svg+xml"),
        ("a.html", "inline", "text/plain"),
        ("a.yaml", "inline", "text/plain"),
        ("a.json", "inline", "application/json"),
        ("a.pkl", "attachment", "application/octet-stream"),
        ("a.js", "inline", "text/plain"),
    ],
)
def test_files_are_shown_in_a_sandbox(shared_server: Server, name: str, shown: str, type_: str) -> None:
    run_id = shared_server.new_run()
    httpx.put(address(shared_server, f"0/{run_id}/artifacts/{name}"), content=b"<script>alert(1)</script>")
    answer = httpx.get(f"{shared_server.url}/get-artifact", params={"run_id": run_id, "path": name})
    assert answer.headers["content-disposition"].startswith(shown)
    assert answer.headers["content-type"].split(";")[0] == type_
    assert answer.headers["content-security-policy"].startswith("sandbox;")
    query = {"run_id": run_id, "path": name, "download": "1"}
    forced = httpx.get(f"{shared_server.url}/get-artifact", params=query)
    assert forced.headers["content-disposition"].startswith("attachment")


def test_an_experiments_own_folder_inside_the_root(shared_server: Server) -> None:
    root = shared_server.folder / "artifacts"
    created = shared_server.post(
        "experiments/create", {"name": "own folder", "artifact_location": f"file://{root}/team/x"}
    )
    experiment_id = created.json()["experiment_id"]
    run_id = shared_server.new_run(experiment_id)
    assert (
        httpx.put(address(shared_server, f"{experiment_id}/{run_id}/artifacts/a.txt"), content=b"x").status_code == 200
    )
    assert (root / "team" / "x" / run_id / "artifacts" / "a.txt").read_bytes() == b"x"


def test_multipart_and_presigned_are_declined(shared_server: Server) -> None:
    """With the words on which MLflow's client falls back to sending through the server."""
    body = {"path": "x", "upload_id": "u", "num_parts": 1}
    for path in ("mpu/create/0/x", "mpu/complete/0/x", "mpu/abort/0/x"):
        answer = httpx.post(f"{shared_server.url}/api/2.0/mlflow-artifacts/{path}", json=body)
        assert answer.status_code == 501
        assert answer.json()["message"].startswith("Multipart upload is not supported")
    assert httpx.get(f"{shared_server.url}/api/2.0/mlflow-artifacts/presigned/0/x/y").status_code == 501
    for way in ("upload", "download"):
        run_id = shared_server.new_run()
        answer = shared_server.post(f"artifacts/presigned-{way}-url", {"run_id": run_id, "path": "x"})
        assert answer.status_code == 501
    unknown = httpx.put(address(shared_server, "99999/x/artifacts/a"), content=b"x")
    assert unknown.status_code == 404

"""Files under faults: an object store that refuses and cuts, a server that is killed, a disk that is full or fails."""

from __future__ import annotations

import errno
import hashlib
import itertools
import os
import random
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from logbuch.errors import Unavailable
from logbuch.files.disk import LocalFiles
from support.flaky import Flaky
from support.s3 import S3
from support.servers import Server

pytestmark = pytest.mark.slow
MIB = 1024 * 1024


def address(server: Server, path: str) -> str:
    return f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{path}"


def listed(server: Server, run_id: str, path: str = "") -> dict[str, int]:
    files = server.get("artifacts/list", run_id=run_id, path=path).json().get("files", [])
    return {file["path"]: file.get("file_size", -1) for file in files}


@pytest.fixture
def flaky(s3: S3) -> Iterator[Flaky]:
    made = Flaky(s3.port)
    yield made
    made.close()


def test_a_store_that_refuses_and_cuts_is_asked_until_all_is_right(
    make_server: Callable[..., Server], s3: S3, flaky: Flaky, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from logbuch import LogbuchClient
    from logbuch.sdk.artifacts import files
    from logbuch.sdk.backends import sending

    root = f"s3://{s3.new_bucket()}/root"
    server = make_server(None, "--default-artifact-root", root, settings=s3.environment(flaky.url))
    monkeypatch.setattr(sending, "PARTED_BYTES", MIB)
    monkeypatch.setattr(files, "SPOOL_BYTES", 0)
    run_id = server.new_run()
    content = os.urandom(17 * MIB)
    (tmp_path / "parts.bin").write_bytes(content)
    flaky.faulty = True
    place = address(server, f"0/{run_id}/artifacts/whole.bin")
    assert httpx.put(place, content=content, timeout=120).status_code == 200
    LogbuchClient(server.url).log_artifact(run_id, str(tmp_path / "parts.bin"))
    for number in range(6):
        assert httpx.put(f"{place}{number}", content=content[:100_000], timeout=120).status_code == 200
        assert httpx.get(f"{place}{number}", timeout=120).content == content[:100_000]
    assert httpx.get(place, timeout=120).content == content
    back = LogbuchClient(server.url).download_artifacts(run_id, "parts.bin", str(tmp_path / "back"))
    assert Path(back).read_bytes() == content
    assert flaky.spoilt >= 1  # connections are kept, so that few are made
    sizes = {"parts.bin": len(content), "whole.bin": len(content)}
    assert listed(server, run_id) == sizes | {f"whole.bin{number}": 100_000 for number in range(6)}


def test_a_download_of_the_sdk_goes_on_where_it_was_cut(make_server: Callable[..., Server], tmp_path: Path) -> None:
    from logbuch import LogbuchClient

    server = make_server()
    run_id = server.new_run()
    content = os.urandom(9 * MIB)
    assert httpx.put(address(server, f"0/{run_id}/artifacts/x.bin"), content=content).status_code == 200
    flaky = Flaky(server.port, cut_after=5 * MIB)
    try:
        flaky.faulty = True
        flaky._numbers = itertools.count(2)  # the first connection is cut, the second refused, the third is good
        back = LogbuchClient(flaky.url).download_artifacts(run_id, "x.bin", str(tmp_path))
    finally:
        flaky.close()
    assert Path(back).read_bytes() == content
    assert flaky.spoilt >= 1


def test_killed_servers_leave_no_torn_file(make_server: Callable[..., Server]) -> None:
    server = make_server()
    run_id = server.new_run()
    acknowledged: dict[str, str] = {}
    sent: dict[str, str] = {}
    stop = threading.Event()

    def load(lane: int) -> None:
        number = 0
        while not stop.is_set():
            name, content = f"{lane}-{number}.bin", os.urandom(random.choice((5000, 3 * MIB)))
            sent[name] = hashlib.sha256(content).hexdigest()
            try:
                answer = httpx.put(address(server, f"0/{run_id}/artifacts/{name}"), content=content)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                if answer.status_code == 200:
                    acknowledged[name] = sent[name]
            number += 1

    lanes = [threading.Thread(target=load, args=(lane,)) for lane in range(3)]
    for lane in lanes:
        lane.start()
    for _ in range(4):
        time.sleep(random.uniform(0.3, 0.8))
        server.kill()
        server.start()
    stop.set()
    for lane in lanes:
        lane.join()
    there = listed(server, run_id)
    assert set(acknowledged) <= set(there)
    for name in there:
        content = httpx.get(address(server, f"0/{run_id}/artifacts/{name}")).content
        assert hashlib.sha256(content).hexdigest() == sent[name]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk_refuses_the_file_and_recovers(make_server: Callable[..., Server], small_disk: Path) -> None:
    server = make_server(None, "--default-artifact-root", str(small_disk))
    run_id = server.new_run()
    big = httpx.put(address(server, f"0/{run_id}/artifacts/big"), content=b"a" * 20 * MIB, timeout=60)
    assert big.status_code == 503
    assert "full" in big.json()["message"]
    assert listed(server, run_id) == {}
    for name in ("a", "b"):
        assert httpx.put(address(server, f"0/{run_id}/artifacts/{name}"), content=b"b" * MIB).status_code == 200
    wanted = {"path": f"0/{run_id}/artifacts/parts", "size": 16 * MIB, "sha256": "0" * 64}
    begun = server.native("uploads/begin", wanted).json()
    part = f"{server.url}/api/logbuch/1/uploads/{begun['upload_id']}/0"
    assert httpx.put(part, content=b"c" * 8 * MIB, timeout=60).status_code == 503
    assert server.native("uploads/begin", wanted).json()["parts"] == 0
    assert listed(server, run_id) == {"a": MIB, "b": MIB}


@pytest.mark.parametrize("call", ["fsync", "writev", "replace"])
@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    files = LocalFiles(tmp_path / "artifacts")
    files.put("0/r/artifacts/old", [b"old"])

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        for name in ("old", "new"):
            with pytest.raises(Unavailable):
                files.put(f"0/r/artifacts/{name}", [b"new"])
    assert [found.key for found in files.walk("")] == ["0/r/artifacts/old"]
    assert files.open("0/r/artifacts/old").read(0, 3) == b"old"


def test_an_error_while_a_large_file_is_brought_to_the_disk_is_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from logbuch.files import disk

    def fail(file: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(disk, "FLUSH_BYTES", 10)
    monkeypatch.setattr(os, "fdatasync", fail)
    files = LocalFiles(tmp_path / "artifacts")
    with pytest.raises(Unavailable, match="failed"):
        files.put("0/r/artifacts/x", [b"a" * 100])
    assert list(files.walk("")) == []

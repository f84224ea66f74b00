"""Artifacts: logged, listed, downloaded, over a real store and over a scripted server."""

from __future__ import annotations

import errno
import io
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest

import logbuch
from logbuch.errors import InvalidInput, NotFound, Unavailable
from logbuch.sdk import connection
from logbuch.sdk.artifacts import files
from logbuch.sdk.backends.http import HttpBackend
from logbuch.sdk.connection import Connection
from logbuch.sdk.content import pictures
from logbuch.sdk.shipping import spool
from logbuch.sdk.shipping.delivery import Files
from support.waiting import wait_until


@pytest.fixture
def run_id() -> str:
    return logbuch.start_run().info.run_id


def tree(run_id: str, path: str | None = None) -> list[str]:
    client, found = logbuch.LogbuchClient(), []
    for info in client.list_artifacts(run_id, path):
        found += tree(run_id, info.path) if info.is_dir else [info.path]
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "out"
    (root / "sub").mkdir(parents=True)
    (root / "a.txt").write_text("a")
    (root / "sub" / "b.bin").write_bytes(b"\0\1")
    return root


def test_files_and_folders(run_id: str, folder: Path) -> None:
    logbuch.log_artifact(folder / "a.txt")
    logbuch.log_artifact(str(folder), artifact_path="x")
    logbuch.log_artifacts(folder, artifact_path="lora_adapter")
    assert tree(run_id) == [
        "a.txt",
        "lora_adapter/a.txt",
        "lora_adapter/sub/b.bin",
        "x/out/a.txt",
        "x/out/sub/b.bin",
    ]
    target = Path(logbuch.download_artifacts(run_id=run_id, artifact_path="lora_adapter"))
    assert (target / "sub" / "b.bin").read_bytes() == b"\0\1"
    one = logbuch.download_artifacts(f"runs:/{run_id}/x/out/a.txt", dst_path=str(folder / "new"))
    assert Path(one) == folder / "new" / "x" / "out" / "a.txt"
    assert Path(logbuch.LogbuchClient().download_artifacts(run_id, "")).is_dir()
    with pytest.raises(NotFound, match="nope"):
        logbuch.download_artifacts(run_id=run_id, artifact_path="nope")


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", "a/./b", "a\\b", "", "a\0"])
def test_paths_that_lead_elsewhere(run_id: str, path: str) -> None:
    with pytest.raises(InvalidInput):
        logbuch.log_text("x", path)


def test_files_that_do_not_exist(run_id: str, folder: Path) -> None:
    with pytest.raises(InvalidInput, match="No such"):
        logbuch.log_artifact(folder / "nope")
    with pytest.raises(InvalidInput, match="No such folder"):
        logbuch.log_artifacts(folder / "a.txt")


def test_text_dicts_streams(run_id: str) -> None:
    logbuch.log_text("grüße", "t.txt")
    value = {"a": [1, 2.5, None], "b": {"c": "ü"}, "n": np.float32(0.5)}
    logbuch.log_dict(value, "d.json")
    logbuch.log_dict(value, "d.yaml")
    logbuch.log_stream(io.BytesIO(b"xyz"), "s.bin")
    plain = {"a": [1, 2.5, None], "b": {"c": "ü"}, "n": 0.5}
    assert logbuch.load_text(f"runs:/{run_id}/t.txt") == "grüße"
    assert logbuch.load_dict(f"runs:/{run_id}/d.json") == plain
    assert logbuch.load_dict(f"runs:/{run_id}/d.yaml") == plain
    with pytest.raises(InvalidInput, match="cannot be read"):
        logbuch.load_dict(f"runs:/{run_id}/s.bin")
    assert logbuch.get_artifact_uri("t.txt").startswith("file:///")
    assert logbuch.load_text(logbuch.get_artifact_uri("t.txt")) == "grüße"


def test_pictures(run_id: str) -> None:
    logbuch.log_image(np.zeros((4, 6, 3), dtype=np.uint8), "a.png")
    logbuch.log_image(np.ones((4, 6)), "b.jpg")
    logbuch.log_image(logbuch.Image(np.zeros((4, 6, 4), dtype=bool)), key="gen/x", step=3, timestamp=9)
    assert logbuch.load_image(f"runs:/{run_id}/a.png").size == (6, 4)
    series = tree(run_id, "images")
    assert [name.rpartition("+")[0] for name in series if name.endswith(".png")] == ["images/gen~x+step+3+timestamp+9"]
    assert any(name.endswith("+compressed.webp") for name in series)
    assert logbuch.get_run(run_id).data.tags[pictures.LOGGED_TAG] == "True"
    for wrong in (np.zeros((2, 2, 5)), np.full((2, 2), 300), np.full((2, 2), 1.5), "nope.png"):
        with pytest.raises((InvalidInput, FileNotFoundError)):
            logbuch.log_image(wrong, "c.png")
    for arguments in ({}, {"artifact_file": "a.png", "key": "k"}, {"artifact_file": "a.png", "step": 1}):
        with pytest.raises(InvalidInput):
            logbuch.log_image(np.zeros((2, 2)), **arguments)


def test_figures(run_id: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().plot([1, 2])
    logbuch.log_figure(figure, "f.png", save_kwargs={"dpi": 30})
    logbuch.log_figure(figure, "f.svg")
    assert logbuch.load_text(f"runs:/{run_id}/f.svg").startswith("<?xml")
    with pytest.raises(InvalidInput, match="matplotlib or plotly"):
        logbuch.log_figure(3, "x.png")


def test_tables_grow_and_are_read_together() -> None:
    with logbuch.start_run() as first:
        logbuch.log_table({"q": ["a", "b"], "score": [1, 2]}, "t.json")
        logbuch.log_table(pd.DataFrame({"q": ["c"], "extra": [0.5]}), "t.json")
        logbuch.log_table({"q": "one", "score": float("nan")}, "other.json")
    with logbuch.start_run() as second:
        logbuch.log_table({"q": ["d"], "score": [4]}, "t.json")
    table = logbuch.load_table("t.json", extra_columns=["run_id"])
    assert sorted(table["q"]) == ["a", "b", "c", "d"]
    assert set(table["run_id"]) == {first.info.run_id, second.info.run_id}
    assert list(logbuch.load_table("t.json", run_ids=[second.info.run_id])["q"]) == ["d"]
    tag = json.loads(logbuch.get_run(first.info.run_id).data.tags["mlflow.loggedArtifacts"])
    assert tag == [{"path": "t.json", "type": "table"}, {"path": "other.json", "type": "table"}]
    with pytest.raises(NotFound):
        logbuch.load_table("none.json")


def test_tables_keep_pictures(run_id: str) -> None:
    logbuch.log_table({"im": [logbuch.Image(np.zeros((2, 2)))], "n": [1]}, "t.json")
    logbuch.flush()
    cell = logbuch.load_dict(f"runs:/{run_id}/t.json")["data"][0][0]
    assert cell["type"] == "image"
    assert cell["filepath"] in tree(run_id)


@pytest.mark.parametrize("data", [3, {"a": [1, 2], "b": [1]}])
def test_what_is_no_table(run_id: str, data: object) -> None:
    with pytest.raises(InvalidInput):
        logbuch.log_table(data, "t.json")


def test_a_full_disk_does_not_end_a_training(
    run_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise Unavailable("The disk that holds the artifacts is full.")

    with monkeypatch.context() as trouble:
        trouble.setattr(connection.connect().backend, "upload", full)
        logbuch.log_text("x", "t.txt")
        wait_until(lambda: caplog.text, lambda text: "cannot be sent now and is kept until it can" in text)
        assert logbuch.delivery().files >= 1  # what the machine is may be among them
    assert logbuch.flush(120)  # there is room again
    assert ("t.txt" in tree(run_id), logbuch.delivery().refused) == (True, 0)


def test_a_disk_without_room_for_a_copy_does_not_end_a_training(
    run_id: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(connection.connect().spool, "keep", full)
    logbuch.log_text("x", "t.txt")
    assert logbuch.delivery().refused == 1
    assert "was not kept" in caplog.text


# -- over a server -----------------------------------------------------------------------------------------------------


class Keeper:
    """A server that keeps PUT bodies, while it is up."""

    def __init__(self) -> None:
        self.up, self.kept, self.slow = True, dict[str, bytes](), 0.0
        self.ready = threading.Event()
        self.ready.set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if not self.up:
            raise httpx.ConnectError("refused")
        if request.method == "PUT":
            time.sleep(self.slow)
            self.ready.wait(60)
            self.kept[request.url.path.rpartition("/artifacts/")[2]] = request.content
            return httpx.Response(200, json={})
        info = {"run_id": "r1", "experiment_id": "1", "artifact_uri": "mlflow-artifacts:/1/r1/artifacts"}
        return httpx.Response(200, json={"run": {"info": info}})


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch) -> Any:
    keeper = Keeper()
    monkeypatch.setattr("logbuch.sdk.backends.transport.ANSWER_SECONDS", 0.2)
    backend = HttpBackend("http://host", httpx.Client(transport=httpx.MockTransport(keeper)))
    backend.gather_seconds = 0.0
    found = Connection("http://host", backend)
    found.sender.trouble._first_pause = 0.01
    connection._open["http://host"] = found
    logbuch.set_tracking_uri("http://host")
    return keeper


def test_who_reads_files_waits_while_they_arrive_and_is_told_if_some_have_not(
    remote: Keeper, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(connection, "READ_SECONDS", 0.05)
    found = connection.connect()
    remote.slow = 0.1
    for number in range(4):
        logbuch.log_text("text", f"{number}.txt", run_id="r1")
    found.settle(Files.DUE)
    assert len(remote.kept) == 4
    assert "arrived yet" not in capsys.readouterr().err
    remote.ready.clear()
    monkeypatch.setattr(connection, "READ_FILES_SECONDS", 0.1)
    logbuch.log_text("text", "late.txt", run_id="r1")
    found.settle(Files.DUE)
    assert "Not all files" in capsys.readouterr().err
    remote.ready.set()


def test_a_file_is_sent_as_it_was_when_it_was_logged(
    remote: Keeper, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logbuch.LogbuchClient().get_run("r1")
    logbuch.log_text("warm", "w.txt", run_id="r1")
    logbuch.flush()
    remote.up = False
    begin = time.monotonic()
    with monkeypatch.context() as patched:
        patched.setattr("logbuch.sdk.backends.transport.ANSWER_SECONDS", 60.0)
        logbuch.log_artifact(folder / "a.txt", run_id="r1")
        logbuch.log_text("later", "t.txt", run_id="r1")
    assert time.monotonic() - begin < 30  # no answer is waited for
    (folder / "a.txt").write_text("changed")
    copies = list(Path(connection.connect().spool._make()).iterdir())
    assert len(copies) == 4  # each with a note of where it shall go
    remote.up = True
    assert logbuch.flush(60)
    assert (remote.kept["a.txt"], remote.kept["t.txt"]) == (b"a", b"later")
    assert not any(copy.exists() for copy in copies)


def test_large_files_are_sent_from_where_they_are(
    remote: Keeper, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SPOOL_BYTES", 0)
    logbuch.log_artifact(folder / "a.txt", run_id="r1")
    assert remote.kept["a.txt"] == b"a"
    remote.up = False
    logbuch.log_artifact(folder / "a.txt", "second", run_id="r1")
    remote.up = True
    assert logbuch.flush(60)
    assert remote.kept["second/a.txt"] == b"a"


def test_without_room_for_a_copy_the_loss_is_counted(
    remote: Keeper, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_has_room", lambda folder, size: False)
    logbuch.log_artifact(folder / "a.txt", run_id="r1")
    logbuch.log_text("x", "b.txt", run_id="r1")
    assert logbuch.delivery().refused == 2


@pytest.mark.parametrize(
    ("total", "free", "room"),
    [(10**13, 2 * 10**9, True), (10**13, 10**9, False), (10**9, 10**8, True), (10**9, 5 * 10**7, False)],
)
def test_copies_leave_room_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, total: int, free: int, room: bool
) -> None:
    monkeypatch.setattr(spool.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(total, total - free, free))  # type: ignore[attr-defined]
    assert spool._has_room(tmp_path, 1000) is room


def test_a_copy_that_fails_leaves_nothing(remote: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, content: bytes) -> None:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    logbuch.log_text("x", "b.txt", run_id="r1")
    assert logbuch.delivery().refused == 1
    assert list(connection.connect().spool._make().iterdir()) == []


def test_names_from_a_server_do_not_lead_out_of_the_folder(remote: Keeper, tmp_path: Path) -> None:
    backend = connection.connect().backend
    evil = [type("F", (), {"path": "../evil", "is_dir": False})()]
    backend.list_artifacts = lambda run, path: evil  # type: ignore[method-assign]
    with pytest.raises(InvalidInput):
        files.fetch(backend, "r1", "", str(tmp_path / "down"))
    assert list(tmp_path.iterdir()) == []


def test_the_spool_is_private_and_removed(remote: Keeper) -> None:
    place = connection.connect().spool
    copy = place.keep(b"x")
    assert copy.parent.stat().st_mode & 0o077 == 0
    place.close()
    assert not copy.parent.exists()

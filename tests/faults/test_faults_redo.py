"""Small files and their log: a power cut, torn entries, what was changed or deleted since, a disk that fails."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from logbuch.errors import NotFound, Unavailable
from logbuch.files import redo
from logbuch.files.disk import LocalFiles
from support.servers import Server
from support.waiting import wait_until

MIB = 1024 * 1024
SECONDS = 120
PLACE = "0/r/artifacts"


def content(number: int) -> bytes:
    return number.to_bytes(4, "big") * 2560


def read(files: LocalFiles, key: str) -> bytes:
    opened = files.open(key)
    try:
        return opened.read(0, opened.stat.size)
    finally:
        opened.close()


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalFiles]:
    """With a log that is ready, and whose entries are left in it until something asks otherwise."""
    monkeypatch.setattr(redo, "AGE_SECONDS", 3600.0)
    made = LocalFiles(tmp_path / "artifacts")
    made.hasten()
    ready(made)
    yield made
    made.close()


def ready(files: LocalFiles) -> None:
    """Writes until a file is taken by the log."""

    def tried() -> list[str]:
        files.put("0/r/artifacts/first", [b"x"])
        return pending(files.root)

    wait_until(tried, bool, files.root)


def logs(root: Path) -> list[Path]:
    folder = root / redo.FOLDER
    return list(folder.iterdir()) if folder.exists() else []


def pending(root: Path) -> list[str]:
    """The keys of a log's valid entries."""
    found = []
    for path in logs(root):
        with path.open("rb") as file:
            found += [entry.key for entry in redo.read(file.fileno())]
    return found


def cut_off(files: LocalFiles, tmp_path: Path) -> Path:
    """The root as it may be after a power cut: files that were not brought to the disk are empty or not there."""
    root = tmp_path / "after"
    shutil.copytree(files.root, root)
    places = sorted((root / PLACE).glob("*.bin"))
    for place in places[::2]:
        place.unlink()
    for place in places[1::2]:
        changed = place.stat().st_mtime_ns
        place.write_bytes(b"")
        os.utime(place, ns=(changed, changed))
    return root


def test_what_was_acknowledged_is_there_after_a_power_cut(files: LocalFiles, tmp_path: Path) -> None:
    for number in range(50):
        files.put(f"{PLACE}/{number}.bin", [content(number)])
    root = cut_off(files, tmp_path)
    after = LocalFiles(root)
    for number in range(50):
        assert read(after, f"{PLACE}/{number}.bin") == content(number)
    assert logs(root) == []
    assert [entry.key for entry in after.walk("") if entry.pending] == []


def test_folders_that_the_power_cut_took_are_made_again(files: LocalFiles, tmp_path: Path) -> None:
    files.put("1/s/artifacts/a/b/c.bin", [b"deep"])
    root = tmp_path / "after"
    shutil.copytree(files.root, root)
    shutil.rmtree(root / "1")
    assert read(LocalFiles(root), "1/s/artifacts/a/b/c.bin") == b"deep"


def test_the_last_of_a_key_wins_and_a_later_change_stays(files: LocalFiles, tmp_path: Path) -> None:
    for number in range(3):
        files.put(f"{PLACE}/again.bin", [content(number)])
    files.put(f"{PLACE}/later.bin", [content(7)])
    root = cut_off(files, tmp_path)
    (root / PLACE / "later.bin").write_bytes(b"by somebody else, later")
    after = LocalFiles(root)
    assert read(after, f"{PLACE}/again.bin") == content(2)
    assert read(after, f"{PLACE}/later.bin") == b"by somebody else, later"


def test_what_is_deleted_or_replaced_by_a_large_file_does_not_come_back(files: LocalFiles, tmp_path: Path) -> None:
    for name in ("one.bin", "folder/two.bin", "large.bin"):
        files.put(f"{PLACE}/{name}", [b"old"])
    files.delete(f"{PLACE}/one.bin")
    files.delete(f"{PLACE}/folder")
    files.put(f"{PLACE}/large.bin", [b"n" * redo.ENTRY_BYTES, b"n"])
    assert pending(files.root) == []
    root = tmp_path / "after"
    shutil.copytree(files.root, root)
    after = LocalFiles(root)
    for name in ("one.bin", "folder/two.bin"):
        with pytest.raises(NotFound):
            after.open(f"{PLACE}/{name}")
    assert after.stat(f"{PLACE}/large.bin").size == redo.ENTRY_BYTES + 1


def test_a_torn_entry_costs_no_other(files: LocalFiles, tmp_path: Path) -> None:
    for number in range(20):
        files.put(f"{PLACE}/{number}.bin", [content(number)])
    root = tmp_path / "after"
    shutil.copytree(files.root, root)
    shutil.rmtree(root / PLACE)
    (path,) = logs(root)
    whole = path.read_bytes()
    torn = whole.index(content(9)) + 5000
    path.write_bytes(whole[:torn] + b"?" + whole[torn + 1 :])
    after = LocalFiles(root)
    names = {Path(found.key).name for found in after.walk(PLACE)}
    assert names == {"first", *(f"{number}.bin" for number in range(20) if number != 9)}


def test_a_log_in_use_is_left_alone(files: LocalFiles) -> None:
    files.put(f"{PLACE}/a.bin", [b"a"])
    other = LocalFiles(files.root)
    assert len(logs(files.root)) == 1
    assert f"{PLACE}/a.bin" in pending(files.root)
    other.hasten()
    ready(other)
    assert len(logs(files.root)) == 2
    other.close()
    assert len(logs(files.root)) == 1


def test_entries_end_when_their_files_are_on_the_disk(files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redo, "AGE_SECONDS", 0.01)
    for number in range(2 * redo.HALF_BYTES // redo.ENTRY_BYTES + 10):  # more than both halves hold
        files.put(f"{PLACE}/{number}.bin", [bytes(redo.ENTRY_BYTES - 1000)])

    def settled() -> list[str]:
        files.put(f"{PLACE}/wake.bin", [b"x"])
        files.settle(PLACE)
        return pending(files.root)

    wait_until(settled, lambda found: found == [])
    files.close()
    assert logs(files.root) == []


@pytest.mark.parametrize("count", [3, redo.FEW + 40])
def test_few_and_many_files_come_to_the_disk(files: LocalFiles, count: int) -> None:
    for number in range(count):
        files.put(f"{PLACE}/{number}.bin", [content(number)])
    (files.root / PLACE / "1.bin").unlink()  # by another process
    files.close()
    assert logs(files.root) == []
    assert read(files, f"{PLACE}/2.bin") == content(2)


def test_an_error_while_they_come_to_the_disk_keeps_the_log(files: LocalFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.put(f"{PLACE}/a.bin", [b"a"])

    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        files.close()
    assert f"{PLACE}/a.bin" in pending(files.root)
    (files.root / PLACE / "a.bin").unlink()
    assert read(LocalFiles(files.root), f"{PLACE}/a.bin") == b"a"


def test_many_threads_at_once(files: LocalFiles, tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: files.put(f"{PLACE}/{number}.bin", [content(number)]), range(200)))
    after = LocalFiles(cut_off(files, tmp_path))
    for number in range(200):
        assert read(after, f"{PLACE}/{number}.bin") == content(number)


def test_without_room_for_a_log_files_go_to_the_disk_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redo, "ROOM", 10**9)
    files = LocalFiles(tmp_path / "artifacts")
    files.hasten()
    for number in range(3):
        files.put(f"{PLACE}/{number}.bin", [content(number)])
    files.close()
    assert logs(files.root) == []
    assert read(files, f"{PLACE}/2.bin") == content(2)


@pytest.mark.parametrize("call", ["fdatasync", "pwrite", "replace", "writev"])
def test_a_disk_that_fails_acknowledges_nothing(files: LocalFiles, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    files.put(f"{PLACE}/old", [b"old"])

    def fail(*arguments: object, **options: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        for name in ("old", "new"):
            with pytest.raises(Unavailable):
                files.put(f"{PLACE}/{name}", [b"new"])
    assert read(files, f"{PLACE}/old") == b"old"
    with pytest.raises(NotFound):
        files.open(f"{PLACE}/new")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, which writes by itself only after minutes."""
    image, place = tmp_path / "disk.img", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(1024 * MIB)
    subprocess.run(["mkfs.ext4", "-q", "-E", "lazy_itable_init=1", str(image)], check=True)
    place.mkdir()
    subprocess.run(["mount", "-o", "loop,commit=300", str(image), str(place)], check=True)
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_power_cut_of_a_real_disk(make_server: Callable[..., Server], disk: Path, tmp_path: Path) -> None:
    server = make_server(None, "--default-artifact-root", str(disk / "artifacts"))
    run_id = server.new_run()
    place = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts"
    taken = 0
    deadline = time.monotonic() + SECONDS
    with httpx.Client() as client:
        while time.monotonic() < deadline and (taken < 40 or not pending(disk / "artifacts")):
            assert client.put(f"{place}/{taken}.bin", content=content(taken)).status_code == 200
            taken += 1
    # What the disk has been told, at one moment: nobody writes while it is copied.
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    process.suspend()
    try:
        wait_until(process.status, lambda found: found == psutil.STATUS_STOPPED, server)
        subprocess.run(["cp", "--sparse=always", str(tmp_path / "disk.img"), str(tmp_path / "cut.img")], check=True)
    finally:
        process.resume()
    again = tmp_path / "again"
    again.mkdir()
    subprocess.run(["mount", "-o", "loop", str(tmp_path / "cut.img"), str(again)], check=True)
    try:
        files = LocalFiles(again / "artifacts")
        for number in range(taken):
            assert read(files, f"0/{run_id}/artifacts/{number}.bin") == content(number)
    finally:
        with suppress(subprocess.CalledProcessError):
            subprocess.run(["umount", "-l", str(again)], check=True)

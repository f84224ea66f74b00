"""Folders opened in one call: what a walk finds and nothing else; without the call the walk finds the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from logbuch.errors import InvalidInput, NotFound
from logbuch.files import beneath
from logbuch.files.disk import LocalFiles


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "root"
    (place / "a/b").mkdir(parents=True)
    (place / "file").write_text("x")
    (place / "a/up").symlink_to("..")
    (place / "out").symlink_to(tmp_path, target_is_directory=True)
    return place


def reached(root: Path, *names: str) -> str | None:
    descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        found = beneath.folder(descriptor, names)
    finally:
        os.close(descriptor)
    if found is None:
        return None
    assert not os.get_inheritable(found)
    place = str(Path(f"/proc/self/fd/{found}").readlink())
    os.close(found)
    return place


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="looks at descriptors as Linux shows them")  # noqa: PTH110
def test_it_leads_to_folders_below_and_nowhere_else(root: Path) -> None:
    assert reached(root, "a", "b") in (str(root / "a/b"), None)  # None in a sandbox that knows no such call
    for names in (("..",), ("a", "..", ".."), ("out",), ("a", "up"), ("file",), ("nothing",), ("/etc",), ()):
        assert reached(root, *names) is None


@pytest.mark.parametrize("offered", [True, False])
def test_files_are_the_same_with_and_without_it(root: Path, offered: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not offered:
        monkeypatch.setattr(beneath, "_call", None)
    files = LocalFiles(root)
    files.put("new/deep/er/name.bin", [b"content"])
    opened = files.open("new/deep/er/name.bin")
    assert opened.read(0, 7) == b"content"
    opened.close()
    for key in ("out/name.bin", "a/up/name.bin", "file/name.bin"):
        with pytest.raises(InvalidInput):
            files.put(key, [b"no"])
    with pytest.raises(NotFound):
        files.open("nothing/name.bin")
    assert sorted(path.name for path in root.iterdir()) == ["a", "file", "new", "out"]

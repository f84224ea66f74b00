"""Folders packed and unpacked; archives that would harm are refused, and nothing of them is left."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from logbuch.errors import InvalidInput
from logbuch.sdk.artifacts import archives, files


@pytest.mark.parametrize("kind", archives.KINDS)
def test_a_folder_comes_back_as_it_was(tmp_path: Path, kind: archives.Kind) -> None:
    folder = tmp_path / "check points"
    content = {"a.txt": b"a" * 3_000_000, "deep/ü/b.bin": os.urandom(100_000), "empty": b"", "x" * 150: b"long"}
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    packed = tmp_path / archives.name_of(folder, kind)
    archives.pack(files.local_files(folder), kind, packed)
    assert packed.name == f"check points.{kind}"
    assert packed.stat().st_size < 500_000
    back = archives.unpack(packed, tmp_path / "back")
    assert {name: (back / name).read_bytes() for name, _ in ((n, 0) for n in content)} == content
    assert sum(len(found) for _, _, found in os.walk(back)) == len(content)
    with pytest.raises(InvalidInput, match="not empty"):
        archives.unpack(packed, tmp_path / "back")


def hostile(tmp_path: Path, **member: object) -> Path:
    path = tmp_path / "bad.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, data in (("good.txt", b"fine"), (str(member.pop("name")), b"bad")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if data == b"bad":
                for key, value in member.items():
                    setattr(info, key, value)
                if not info.isreg():
                    info.size = 0
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    "member",
    [
        {"name": "../outside"},
        {"name": "a/../../outside"},
        {"name": "/tmp/logbuch-outside"},
        {"name": "link", "type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"name": "link", "type": tarfile.SYMTYPE, "linkname": "good.txt"},
        {"name": "hard", "type": tarfile.LNKTYPE, "linkname": "../../etc/passwd"},
        {"name": "pipe", "type": tarfile.FIFOTYPE},
        {"name": "device", "type": tarfile.CHRTYPE},
    ],
    ids=str,
)
def test_members_that_lead_elsewhere_are_refused(tmp_path: Path, member: dict[str, object]) -> None:
    packed = hostile(tmp_path, **dict(member))
    inside = tmp_path / "inside"
    if member["name"] == "/tmp/logbuch-outside":
        assert (archives.unpack(packed, inside / "target") / "tmp/logbuch-outside").read_bytes() == b"bad"
        assert not Path("/tmp/logbuch-outside").exists()
        return
    with pytest.raises(InvalidInput, match="is refused"):
        archives.unpack(packed, inside / "target")
    assert list(inside.iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_bombs_are_refused_before_they_fill_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "bomb.tar.gz"
    with tarfile.open(bomb, "w:gz") as archive:
        info = tarfile.TarInfo("zeros")
        info.size = 50_000_000
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    with pytest.raises(InvalidInput, match="more than 1000000 bytes"):
        archives.unpack(bomb, tmp_path / "target", most_bytes=1_000_000)
    assert not (tmp_path / "target").exists()
    monkeypatch.setattr(archives, "FREE_BYTES", 1_000_000)
    with pytest.raises(InvalidInput, match="would unpack to more"):
        archives.unpack(bomb, tmp_path / "target")
    monkeypatch.setattr(archives, "MOST_MEMBERS", 1)
    with pytest.raises(InvalidInput, match="more than 1 files"):
        archives.unpack(hostile(tmp_path, name="second"), tmp_path / "target")


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for name, data in (("x.tar.gz", b"no"), ("x.tar.zst", b"no"), ("y.tar.gz", gzip.compress(b"no tar" * 999))):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InvalidInput):
            archives.unpack(tmp_path / name, tmp_path / "target")
    cut = hostile(tmp_path, name="second").read_bytes()[:-20]
    (tmp_path / "cut.tar.gz").write_bytes(cut)
    with pytest.raises(InvalidInput):
        archives.unpack(tmp_path / "cut.tar.gz", tmp_path / "target")
    with pytest.raises(InvalidInput, match="no archive"):
        archives.unpack(tmp_path / "x.zip", tmp_path / "target")
    with pytest.raises(InvalidInput, match="compress"):
        archives.check_kind("zip")


def member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, content: bytes = b"") -> bytes:
    """A member as it lies in an archive; the size may be another than that of its content."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512)


def described(name: str, **records: str) -> bytes:
    """An empty file with records of pax before it."""
    lines = b""
    for key, value in records.items():
        line = f" {key.replace('__', '.')}={value}\n".encode()
        size = len(line) + len(str(len(line) + 3))
        lines += str(size).encode() + line if size == len(str(size)) + len(line) else b"%d" % (size + 1) + line
    return member("described", len(lines), b"x", lines) + member(name)


STRANGE = {
    "a long description": member("x", 3 << 20, b"x", bytes(3 << 20)),
    "a long name": member("x", 3 << 20, b"L", b"n" * (3 << 20)),
    "a long description after a file": member("a", 3, content=b"abc") + member("x", 3 << 20, b"x", bytes(3 << 20)),
    "descriptions of descriptions": member("x", 0, b"x") * 5000 + member("a"),
    "names of names": member("x", 1, b"L", b"n") * 5000 + member("a"),
    "less than nothing": described("a", size="-5") + member("b", 3, content=b"abc"),
    "a name that is too long": member("n", 300, b"L", b"n" * 300) + member("a"),
    "a file in a file": member("a", 1, content=b"a") + member("a/b", 1, content=b"b"),
    "a folder and a file": member("a", 0, tarfile.DIRTYPE) + member("a", 1, content=b"a"),
    "a name that ends early": described("a", path="b\0c"),
    "folders without end": member("n", 60_000, b"L", b"d/" * 30_000) + member("a"),
    "a time that no clock shows": described("a", mtime="1e30"),
}


@pytest.mark.parametrize("kind", archives.KINDS)
@pytest.mark.parametrize("what", STRANGE)
def test_strange_archives_are_refused_in_one_line_and_take_no_memory(tmp_path: Path, what: str, kind: str) -> None:
    import tracemalloc

    import zstandard

    content = member("first") + STRANGE[what] + bytes(1024)
    packed = tmp_path / f"strange.{kind}"
    packed.write_bytes(gzip.compress(content, 1) if kind == "tar.gz" else zstandard.compress(content))
    (tmp_path / "inside").mkdir()
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match="is refused") as caught:
            archives.unpack(packed, tmp_path / "inside/target")
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert "\n" not in caught.value.message
    assert list((tmp_path / "inside").iterdir()) == []


def test_a_damaged_archive_is_refused_wherever_the_damage_is(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "weights.bin").write_bytes(os.urandom(3000))
    for kind in archives.KINDS:
        whole = tmp_path / f"whole.{kind}"
        archives.pack(files.local_files(folder), kind, whole)
        content = whole.read_bytes()
        for at in range(0, len(content), 97):
            damaged = tmp_path / f"damaged.{kind}"
            damaged.write_bytes(content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :])
            try:
                back = archives.unpack(damaged, tmp_path / f"back-{kind}-{at}")
            except InvalidInput as refused:
                assert "\n" not in refused.message
            else:  # in what nobody checks, such as a time
                assert [path.name for path in back.iterdir()]

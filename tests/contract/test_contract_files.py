"""Files on a local disk and in a real bucket: the same behaviour on both."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from logbuch.errors import InvalidInput, NotFound, StoreRefused, Unavailable
from logbuch.files import bucket as buckets
from logbuch.files.bucket import BucketFiles, part_bytes
from logbuch.files.roots import Files
from logbuch.files.storage import Expected, Stored
from support.s3 import S3


@pytest.fixture(params=["disk", "bucket"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "disk":
        return str(tmp_path / "artifacts")
    name = request.getfixturevalue("bucket")
    return f"s3://{name}/some/prefix"


@pytest.fixture
def files(root: str) -> Files:
    return Files.at(root)


def put(files: Files, key: str, *blocks: bytes, expected: Expected = Expected()) -> Stored:  # noqa: B008
    with files.receive(key, expected) as receiving:
        for block in blocks:
            receiving.write((block,))
        return receiving.finish()


def content(files: Files, key: str) -> bytes:
    opened = files.open(key)
    try:
        return opened.read(0, opened.stat.size) if opened.stat.size else b""
    finally:
        opened.close()


@pytest.mark.parametrize("size", [0, 1, 10_240, buckets.PART_BYTES, 2 * buckets.PART_BYTES + 5])
def test_a_file_comes_back_with_its_size_and_digest(files: Files, size: int) -> None:
    block = os.urandom(size)
    stored = put(files, "0/run/artifacts/a b/ü.bin", block[: size // 2], block[size // 2 :])
    assert (stored.stat.size, stored.sha256) == (size, hashlib.sha256(block).hexdigest())
    assert content(files, "0/run/artifacts/a b/ü.bin") == block
    assert files.stat("0/run/artifacts/a b/ü.bin") == stored.stat
    opened = files.open("0/run/artifacts/a b/ü.bin")
    if size > 100:
        assert opened.read(7, 90) == block[7:97]
    opened.close()


def test_a_file_is_visible_only_when_it_is_whole_and_right(files: Files) -> None:
    with files.receive("0/r/artifacts/x") as receiving:
        receiving.write((b"a" * (buckets.PART_BYTES + 1),))
        assert files.list("0/r/artifacts") == []
    with pytest.raises(InvalidInput, match="1 of 2 bytes"):
        put(files, "0/r/artifacts/x", b"a", expected=Expected(size=2))
    with pytest.raises(InvalidInput, match="damaged on its way"):
        put(files, "0/r/artifacts/x", b"a", expected=Expected(sha256="0" * 64))
    assert files.list("0/r/artifacts") == []
    with pytest.raises(NotFound):
        files.stat("0/r/artifacts/x")
    assert list(files.walk("")) == []  # nothing is left of any of them, finished or not


def test_a_new_file_takes_the_place_of_the_old_one_at_once(files: Files) -> None:
    first = put(files, "0/r/artifacts/x", b"old")
    opened = files.open("0/r/artifacts/x")
    second = put(files, "0/r/artifacts/x", b"newer")
    assert first.stat.mark != second.stat.mark
    assert content(files, "0/r/artifacts/x") == b"newer"
    try:  # a reader that began before has the old content, or is told; it never gets a mixture
        assert opened.read(0, 3) == b"old"
    except Unavailable as error:
        assert "replaced" in error.message
    opened.close()


def test_listing_walking_and_deleting_folders(files: Files) -> None:
    for name in ("b/c/d", "b/a", "top", "b.txt"):
        put(files, f"0/r/artifacts/{name}", b"12")
    assert [(info.path, info.is_dir, info.file_size) for info in files.list("0/r/artifacts", "")] == [
        ("b", True, None),
        ("b.txt", False, 2),
        ("top", False, 2),
    ]
    assert [info.path for info in files.list("0/r/artifacts/b", "b")] == ["b/a", "b/c"]
    assert files.list("0/r/artifacts/top") == files.list("0/none") == []
    assert sorted(found.key for found in files.walk("0/r")) == [
        f"0/r/artifacts/{name}" for name in ("b.txt", "b/a", "b/c/d", "top")
    ]
    files.delete("0/r/artifacts/b")
    # SeaweedFS shows an empty folder a little longer, as other stores do not.
    assert [info.path for info in files.list("0/r/artifacts", "") if not info.is_dir] == ["b.txt", "top"]
    assert [found.key for found in files.walk("0/r/artifacts/b")] == []
    files.delete("0/r/artifacts/top")
    for key in ("0/r/artifacts/b", "0/r/artifacts/top", "none"):
        with pytest.raises(NotFound):
            files.delete(key)


def test_unfinished_uploads_are_met_on_a_walk_and_can_be_discarded(files: Files) -> None:
    receiving = files.receive("0/r/artifacts/x")
    receiving.write((b"a" * (buckets.PART_BYTES + 1),))
    (found,) = files.walk("0")
    assert found.pending
    files.default.discard(found)
    files.default.discard(found)
    assert list(files.walk("0")) == []
    receiving.abort()


def test_clients_choose_among_the_roots_of_the_administrator(
    files: Files, root: str, tmp_path: Path, bucket: str
) -> None:
    both = Files.at(root, [str(tmp_path / "second"), f"s3://{bucket}/third"])
    assert both.location("") == ""
    assert both.location(f"{root}/team/vision") == "team/vision"
    second, third = both.location(str(tmp_path / "second" / "a")), both.location(f"s3://{bucket}/third")
    for location in (second, third, "team/vision"):
        put(both, f"{location}/run/artifacts/x", location.encode())
        assert content(both, f"{location}/run/artifacts/x") == location.encode()
    assert (tmp_path / "second/a/run/artifacts/x").read_bytes() == second.encode()
    assert [found.key for found in Files.at(f"s3://{bucket}/third").walk("")] == ["run/artifacts/x"]
    with pytest.raises(Unavailable, match="not configured"):
        files.open(f"{second}/run/artifacts/x")
    for wanted in (
        "/etc",
        "file:///etc/",
        f"{root}/../x",
        f"{root}2",
        "http:///#/../../../../etc/",
        "s3://other",
        f"s3://{bucket}/thirdling",
        f"s3://{bucket}/third/a?b",
        f"s3://{bucket}/third/../x",
    ):
        with pytest.raises(InvalidInput):
            both.location(wanted)


def test_places_that_cannot_be_used_are_refused_in_one_line(bucket: str, tmp_path: Path) -> None:
    for where in ("s3://", "s3://user@bucket", f"s3://{bucket}/?x", "http://x/y", "gs://x", "s3://no-such-bucket-1"):
        with pytest.raises(StoreRefused):
            Files.at(where)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreRefused):
        Files.at(str(tmp_path / "file"))


def test_parts_grow_so_that_the_largest_file_fits() -> None:
    assert sum(part_bytes(number) for number in range(buckets.MOST_PARTS)) > 5 * 2**40
    assert part_bytes(0) == part_bytes(999) == buckets.PART_BYTES


@pytest.fixture
def public(bucket: str, s3: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[BucketFiles]:
    monkeypatch.setenv("LOGBUCH_S3_PUBLIC_ENDPOINT_URL", s3.url)
    found = Files.at(f"s3://{bucket}").default
    assert isinstance(found, BucketFiles) and found.signs
    yield found


def test_parts_that_others_send_to_signed_addresses(public: BucketFiles) -> None:
    import httpx

    parts = [os.urandom(5 * 1024 * 1024), os.urandom(1000)]
    upload = public.begin("0/r/artifacts/x")
    marks = {}
    for number, part in enumerate(parts, 1):
        answer = httpx.put(public.sign_part("0/r/artifacts/x", upload, number), content=part)
        assert answer.status_code == 200, answer.text
        marks[number] = answer.headers["etag"].strip('"')
    assert public.parts("0/r/artifacts/x", upload) == {
        number: (marks[number], len(part)) for number, part in enumerate(parts, 1)
    }
    with pytest.raises(InvalidInput):
        public.complete("0/r/artifacts/x", upload, {1: marks[1], 2: "0" * 32})
    assert public.complete("0/r/artifacts/x", upload, marks).size == sum(map(len, parts))
    assert httpx.get(public.sign_get("0/r/artifacts/x")).content == b"".join(parts)
    assert httpx.put(public.sign_get("0/r/artifacts/x"), content=b"other").status_code == 403
    public.abort("0/r/artifacts/x", upload)

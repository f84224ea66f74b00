"""The files of the web page as the server gives them away."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from logbuch.server.page import Page

SCRIPT = b"export const words = '" + b"run " * 1000 + b"';"


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "page.js").write_bytes(SCRIPT)
    (tmp_path / "assets" / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "index.html").write_text("<!doctype html><html><head></head></html>")

    async def cursor() -> int:
        return 7

    return TestClient(Page(tmp_path, "/base", cursor), base_url="http://page/base/")


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP ; q=0.5", True),
        ("gzip;q=0", False),
        ("br, gzip; q=0.0", False),
        ("identity", False),
        ("", False),
    ],
)
def test_scripts_are_compressed_for_who_takes_that(client: TestClient, accepted: str, packed: bool) -> None:
    for _ in range(2):  # compressed once, given away twice
        with client.stream("GET", "assets/page.js", headers={"accept-encoding": accepted}) as answer:
            raw = b"".join(answer.iter_raw())
        assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
        assert answer.headers["vary"] == "accept-encoding"
        assert int(answer.headers["content-length"]) == len(raw)
        assert (gzip.decompress(raw) if packed else raw) == SCRIPT
    assert len(raw) < 200 or not packed


def test_what_is_compressed_already_is_left_alone(client: TestClient) -> None:
    answer = client.get("assets/picture.png", headers={"accept-encoding": "gzip"})
    assert (answer.content, "content-encoding" in answer.headers) == (b"\x89PNG", False)
    frame = client.get("e/1", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in frame.headers
    assert '<base href="/base/"><meta name="logbuch-cursor" content="7">' in frame.text
    assert client.get("assets/gone.js").status_code == 404
    assert client.post("e/1").status_code == 405

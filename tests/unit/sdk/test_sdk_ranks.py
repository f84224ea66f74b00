"""Where ranks of one machine meet: a folder that nobody else can prepare."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from logbuch.sdk import ranks


@pytest.fixture
def rank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ranks.Rank:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    found = ranks.mine("x", False)
    assert found is not None
    return found


def left(rank: ranks.Rank) -> str | None:
    return ranks._read(ranks._meeting_place(rank, None), ended=False)


def test_what_rank_0_has_left_is_found(rank: ranks.Rank) -> None:
    ranks.publish(rank, "a" * 32, None)
    assert left(rank) == "a" * 32


@pytest.mark.parametrize("mode", [0o777, 0o720])
def test_a_folder_that_others_may_write_to_is_not_used(rank: ranks.Rank, mode: int) -> None:
    place = ranks._meeting_place(rank, None)
    ranks.publish(rank, "a" * 32, None)
    place.parent.chmod(mode)
    assert left(rank) is None
    ranks.publish(rank, "b" * 32, None)
    place.parent.chmod(0o700)
    assert left(rank) == "a" * 32


def test_a_link_in_its_place_is_not_followed(rank: ranks.Rank, tmp_path: Path) -> None:
    place, elsewhere = ranks._meeting_place(rank, None), tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    place.parent.symlink_to(elsewhere)
    ranks.publish(rank, "a" * 32, None)
    assert list(elsewhere.iterdir()) == []
    assert left(rank) is None

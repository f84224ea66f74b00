"""Keys of files: what a path may be made of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logbuch.errors import InvalidInput
from logbuch.files import keys
from logbuch.limits import ARTIFACT_SEGMENT_BYTES

PLAIN = st.text("abcXYZ019_.-%;/\\ äß", min_size=1, max_size=12)


@given(PLAIN)
def test_what_most_names_are_made_of_is_judged_like_every_other(path: str) -> None:
    """A quick look lets names pass; it must let none pass that the long look refuses."""
    if all(keys._harmless(segment) for segment in path.rstrip("/").split("/")):
        assert keys.segments(path) == path.rstrip("/").split("/")
    else:
        with pytest.raises(InvalidInput):
            keys.segments(path)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".logbuch-upload-1", "a\nb", "a\n", "%2e%2e", "a" * 2 * ARTIFACT_SEGMENT_BYTES]
)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        keys.segments(f"a/{name}/b")


def test_a_key_below_a_folder() -> None:
    assert keys.below("0/r/artifacts", ["a", "b"]) == "0/r/artifacts/a/b"
    assert keys.below("", ["a", "b"]) == "a/b"

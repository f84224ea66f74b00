"""The checks against real trainings with both programs, well and badly done."""

from __future__ import annotations

import pytest

from support import recorded
from support.matrix import DOCUMENT, OF_CURVES, Matrix, matrix, table


@pytest.fixture(scope="module")
def found() -> Matrix:
    return matrix(recorded.labelled())


def test_both_programs_are_in_it() -> None:
    kept = list(recorded.trainings())
    assert len(kept) >= 70 and len({(one.program, one.name) for one in kept}) == len(kept)
    assert {one.program for one in kept} == {"storyteller", "lora"}
    for one in kept:
        assert all(len(steps) == len(values) for steps, values in one.curves.values()), one.name
        assert {"train/loss", "train/learning_rate"} <= one.curves.keys()


def test_trouble_is_found_and_clean_trainings_are_left_alone(found: Matrix) -> None:
    """Of so few a single miss is more than a share that could be promised: what is missed stands in the document."""
    troubles = [kind for kind in OF_CURVES if found[kind]["all"]]
    assert sum(found[kind][kind] for kind in troubles) >= 0.9 * sum(found[kind]["all"] for kind in troubles)
    assert found["clean"]["none"] >= found["clean"]["all"] - 1


def test_the_document_shows_this_matrix(found: Matrix) -> None:
    assert table(found) in DOCUMENT.read_text(encoding="utf-8")

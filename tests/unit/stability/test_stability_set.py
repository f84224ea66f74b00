"""The checks against 752 labelled trainings, 72 of them real: what they must find, and what they must not."""

from __future__ import annotations

import pytest

from support import curves, recorded
from support.matrix import DOCUMENT, OF_CURVES, Matrix, matrix, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> Matrix:
    return matrix(curves.labelled())


@pytest.fixture(scope="module")
def real() -> Matrix:
    """Of trainings of both programs."""
    return matrix(recorded.labelled())


def test_what_is_there_is_found(found: Matrix) -> None:
    recall = {kind: found[kind][kind] / found[kind]["all"] for kind in OF_CURVES}
    assert sum(found[kind]["all"] for kind in OF_CURVES) >= 300
    assert min(recall.values()) >= 0.95, recall


def test_of_clean_trainings_hardly_any_is_blamed(found: Matrix) -> None:
    clean = found["clean"]
    assert clean["all"] >= 300
    assert clean["none"] / clean["all"] >= 0.98, clean


def test_real_trainings_are_judged_as_well(real: Matrix) -> None:
    troubled = [kind for kind in OF_CURVES if real[kind]["all"]]
    right, all_ = (sum(real[kind][name or kind] for kind in troubled) for name in ("", "all"))
    assert all_ >= 30
    assert right / all_ >= 0.95, real
    assert real["clean"]["none"] == real["clean"]["all"] >= 30


def test_the_document_shows_these_matrices(found: Matrix, real: Matrix) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert table(found) in text
    assert table(real) in text

"""The checks against 680 labelled trainings: what they must find, and what they must not."""

from __future__ import annotations

import pytest

from logbuch.stability.findings import Kind
from support.curves import labelled
from support.matrix import DOCUMENT, Matrix, matrix, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found() -> Matrix:
    return matrix(labelled())


def test_what_is_there_is_found(found: Matrix) -> None:
    recall = {kind: found[kind][kind] / found[kind]["all"] for kind in Kind}
    assert sum(found[kind]["all"] for kind in Kind) >= 300
    assert min(recall.values()) >= 0.95, recall


def test_of_clean_trainings_hardly_any_is_blamed(found: Matrix) -> None:
    clean = found["clean"]
    assert clean["all"] >= 300
    assert clean["none"] / clean["all"] >= 0.98, clean


def test_the_document_shows_this_matrix(found: Matrix) -> None:
    assert table(found) in DOCUMENT.read_text(encoding="utf-8")

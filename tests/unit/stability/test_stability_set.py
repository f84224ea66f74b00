"""The checks against 680 labelled trainings: what they must find, and what they must not."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from logbuch.stability.findings import Kind
from logbuch.stability.verdict import judge
from support.curves import labelled

pytestmark = pytest.mark.slow
DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "stability.md"
Matrix = Mapping[str, Counter[str]]


@pytest.fixture(scope="module")
def matrix() -> Matrix:
    """How many trainings of each label there are ("all"), and in how many each kind was found ("none": none)."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for training in labelled():
        kinds = {str(finding.kind) for finding in judge(training.watch).findings}
        found[training.label or "clean"].update([*(kinds or {"none"}), "all"])
    return found


def test_what_is_there_is_found(matrix: Matrix) -> None:
    found = {kind: matrix[kind][kind] / matrix[kind]["all"] for kind in Kind}
    assert sum(matrix[kind]["all"] for kind in Kind) >= 300
    assert min(found.values()) >= 0.95, found


def test_of_clean_trainings_hardly_any_is_blamed(matrix: Matrix) -> None:
    clean = matrix["clean"]
    assert clean["all"] >= 300
    assert clean["none"] / clean["all"] >= 0.98, clean


def test_the_document_shows_this_matrix(matrix: Matrix) -> None:
    assert table(matrix) in DOCUMENT.read_text(encoding="utf-8")


def table(matrix: Matrix) -> str:
    """The matrix as the document shows it."""
    columns = [*(str(kind) for kind in Kind), "none"]
    lines = ["| in it | trainings | " + " | ".join(columns) + " |", "|-|-|" + "-|" * len(columns)]
    for label in ("clean", *Kind):
        row = matrix[label]
        lines.append(f"| {label} | {row['all']} | " + " | ".join(str(row[name] or "") for name in columns) + " |")
    return "\n".join(lines)

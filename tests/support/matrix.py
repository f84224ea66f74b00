"""What the checks of stability find in the labelled trainings, as the tables of docs/reference/stability.md.

``python -m support.matrix`` in the folder ``tests`` prints them and writes them into the document.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from logbuch.stability.findings import Kind, Verdict
from logbuch.stability.parts import Parts
from logbuch.stability.verdict import Watched, judge
from logbuch.store.examining import COARSE, FINE, closer
from support import curves, recorded
from support.curves import Labelled

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "stability.md"
OF_CURVES = tuple(kind for kind in Kind if kind is not Kind.LOST)
"""What is found in curves; lost records are counted."""
SETS = (curves.labelled, recorded.labelled)
"""The sets in the order of their tables: curves that are drawn, and those of real trainings with both programs."""
_SINGLE, _SEVERAL = ("loss", "evaluation"), ("gradients", "rates", "throughputs", "gpus")
Matrix = Mapping[str, Counter[str]]
_TABLE = re.compile(r"^\| in it \|.*?(?=\n\n)", re.DOTALL | re.MULTILINE)


def matrix(trainings: Iterable[Labelled]) -> Matrix:
    """How many trainings of each label there are ("all"), and in how many each kind was found ("none": none)."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for training in trainings:
        kinds = {str(finding.kind) for finding in _judged(training).findings}
        found[training.label or "clean"].update([*(kinds or {"none"}), "all"])
    return found


def _judged(training: Labelled) -> Verdict:
    """As the store does it: what was found is looked at more closely."""
    coarse = training.watch(COARSE)
    found = judge(coarse)
    names = {one.metric: field for field in _SINGLE if (one := getattr(coarse, field)) is not None}
    closely = closer(found, Parts(loss=_named(coarse.loss), evaluation=_named(coarse.evaluation)))
    if not closely:
        return found
    fine = training.watch(FINE)
    single = {field: getattr(fine, field) for metric, field in names.items() if metric in closely}
    several = {field: _mixed(getattr(coarse, field), getattr(fine, field), closely) for field in _SEVERAL}
    return judge(msgspec.structs.replace(coarse, **single, **several))


def _named(watched: Watched | None) -> str | None:
    return None if watched is None else watched.metric


def _mixed(coarse: Sequence[Watched], fine: Sequence[Watched], closely: Container[str]) -> tuple[Watched, ...]:
    return tuple(near if near.metric in closely else far for far, near in zip(coarse, fine, strict=True))


def table(found: Matrix) -> str:
    """The matrix as the document shows it."""
    columns = [*(str(kind) for kind in OF_CURVES), "none"]
    lines = ["| in it | trainings | " + " | ".join(columns) + " |", "|-|-|" + "-|" * len(columns)]
    for label in ("clean", *OF_CURVES):
        row = found[label]
        lines.append(f"| {label} | {row['all']} | " + " | ".join(str(row[name] or "") for name in columns) + " |")
    return "\n".join(lines)


def main() -> None:
    """Writes the tables where they stand in the document."""
    made = [table(matrix(labelled())) for labelled in SETS]
    print("\n\n".join(made))
    text, tables = DOCUMENT.read_text(encoding="utf-8"), iter(made)
    DOCUMENT.write_text(_TABLE.sub(lambda _: next(tables), text), encoding="utf-8")


if __name__ == "__main__":
    main()

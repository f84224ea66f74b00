"""What the checks of stability find in the labelled trainings, as the tables of docs/reference/stability.md.

``python -m support.matrix`` in the folder ``tests`` prints them and writes them into the document.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from logbuch.stability.findings import Kind
from logbuch.stability.verdict import judge
from support import curves, recorded
from support.curves import Labelled

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "stability.md"
SETS = (curves.labelled, recorded.labelled)
"""The sets in the order of their tables: curves that are drawn, and those of real trainings with both programs."""
Matrix = Mapping[str, Counter[str]]
_TABLE = re.compile(r"^\| in it \|.*?(?=\n\n)", re.DOTALL | re.MULTILINE)


def matrix(trainings: Iterable[Labelled]) -> Matrix:
    """How many trainings of each label there are ("all"), and in how many each kind was found ("none": none)."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for training in trainings:
        kinds = {str(finding.kind) for finding in judge(training.watch).findings}
        found[training.label or "clean"].update([*(kinds or {"none"}), "all"])
    return found


def table(found: Matrix) -> str:
    """The matrix as the document shows it."""
    columns = [*(str(kind) for kind in Kind), "none"]
    lines = ["| in it | trainings | " + " | ".join(columns) + " |", "|-|-|" + "-|" * len(columns)]
    for label in ("clean", *Kind):
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

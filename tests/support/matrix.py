"""What the checks of stability find in the labelled trainings, as the table of docs/reference/stability.md.

``python -m support.matrix`` in the folder ``tests`` prints it and writes it into the document.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from logbuch.stability.findings import Kind
from logbuch.stability.verdict import judge
from support.curves import Labelled, labelled

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "stability.md"
Matrix = Mapping[str, Counter[str]]


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
    """Writes the table where it stands in the document."""
    made = table(matrix(labelled()))
    before, rest = DOCUMENT.read_text(encoding="utf-8").split("| in it |", 1)
    after = rest.partition("\n\n")[2]
    DOCUMENT.write_text(f"{before}{made}\n\n{after}", encoding="utf-8")
    print(made)


if __name__ == "__main__":
    main()

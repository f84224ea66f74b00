"""The page of results: targets and whether they are met, all figures, and all ratios, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.figures import Findings, better
from benchmarks.targets import Verdict, verdicts

OURS = ("Logbuch (SQLite)", "Logbuch (PostgreSQL)")
MISSING = "–"


def number(value: float | None) -> str:
    """Three significant digits, and no exponent: ``0.0123``, ``14.5``, ``9,760``, ``1,230,000``."""
    if value is None:
        return MISSING
    return f"{value:,.0f}" if abs(value) >= 100 else f"{float(f'{value:.3g}'):g}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'-|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def targets(findings: Findings) -> str:
    """Every target that this run can judge, for each of Logbuch's databases."""
    rows = [_target_row(verdict) for subject in OURS for verdict in verdicts(findings, subject)]
    head = ("", "what", "reached", "beside", "its figure", "ratio", "target", "met")
    return table(head, rows) if rows else "No target can be judged by what was measured."


def _target_row(verdict: Verdict) -> tuple[str, ...]:
    target = verdict.target
    database = verdict.subject.partition("(")[2].rstrip(")")
    if target.is_bound:
        beside, ratio, wanted = MISSING, MISSING, f"at most {number(target.factor)}"
    else:
        beside = target.against or str(target.other)
        ratio, wanted = f"{number(verdict.reached)} ×", f"{number(target.factor)} ×"
    met = "yes" if verdict.met else "**no**"
    return (database, target.figure, number(verdict.ours), beside, number(verdict.theirs), ratio, wanted, met)


def figures(findings: Findings) -> str:
    """All figures, a column for each subject."""
    subjects = list(findings.figures)
    rows = ([name, *(number(findings.get(subject, name)) for subject in subjects)] for name in findings.names())
    return table(["", *subjects], rows)


def ratios(findings: Findings) -> str:
    """How many times better Logbuch on SQLite is than each of the others, in all that both were measured by."""
    ours = OURS[0]
    others = [subject for subject in findings.figures if subject != ours]
    rows = []
    for name, value in findings.figures.get(ours, {}).items():
        found = [findings.get(subject, name) for subject in others]
        cells = [MISSING if their is None else number(better(name, value, their)) for their in found]
        if set(cells) != {MISSING}:
            rows.append([name, *cells])
    return table([f"{ours} beside", *others], rows) if rows else "Nothing to compare with was measured."

"""``logbuch check``: was a training stable?"""

from __future__ import annotations

import sys

import click

from logbuch.cli.asking import asks, knowing_runs, print_json, shown
from logbuch.stability.findings import Finding, Kind, Verdict, Word
from logbuch.terminal.places import place

_BAD = (Word.DIVERGED, Word.UNSTABLE)
_EXIT = 3
_SENTENCES = {
    Word.DIVERGED: "Diverged.",
    Word.UNSTABLE: "Unstable.",
    Word.OVERFITTING: "Overfitting.",
    Word.STALLED: "Stalled: it learns no more.",
    Word.STABLE: "Stable.",
    Word.SHORT: "Too short to say.",
    Word.UNKNOWN: "It logs no loss that is known by its name, such as loss or train/loss: only NaN is looked for.",
}
_WORDS = {
    Kind.NOT_FINITE: "NaN or infinite",
    Kind.DIVERGED: "diverged",
    Kind.SPIKE: "spike",
    Kind.PLATEAU: "plateau",
    Kind.GAP: "gap opens",
    Kind.GRADIENT: "gradients explode",
    Kind.LEARNING_RATE: "rate jumps",
    Kind.THROUGHPUT: "slower",
    Kind.IDLE_GPU: "GPU idle",
    Kind.LOST: "records lost",
}


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--exit-code", is_flag=True, help=f"Exit with {_EXIT} if the run has diverged or is unstable.")
@asks
def check(run_id: str, exit_code: bool, as_json: bool) -> None:
    """Say whether a training was stable, and what was not.

    RUN is the ID of a run.
    """
    from logbuch.sdk.answers import check_run

    with knowing_runs():
        verdict = check_run(run_id)
    if as_json:
        print_json(verdict)
    else:
        _print(verdict)
    sys.exit(_EXIT if exit_code and verdict.word in _BAD else 0)


def _print(verdict: Verdict) -> None:
    points = f" {verdict.points} points of the loss." if verdict.points else ""
    click.echo(_SENTENCES[verdict.word] + points)
    for finding in verdict.findings:
        click.echo(f"  {_WORDS[finding.kind]:<18} {_sentence(finding)}")


def _sentence(finding: Finding) -> str:
    if finding.kind is Kind.LOST:
        return _lost(finding)
    unit = "at" if finding.kind is Kind.IDLE_GPU else "step"
    parts = [f"{finding.metric}, {unit} {place(finding, finding.start)}"]
    if finding.end is not None:
        parts[0] += f" to {place(finding, finding.end)}"
    if finding.value is not None:
        parts.append(f"{shown(finding.value)}" + ("" if finding.usual is None else f" beside {shown(finding.usual)}"))
    if finding.count > 1:
        parts.append(f"{finding.count} times")
    return ": ".join(parts[:2]) + "".join(f", {part}" for part in parts[2:])


def _lost(finding: Finding) -> str:
    """How many records are missing, and where that is seen."""
    records = f"{finding.count} {'record was' if finding.count == 1 else 'records were'} refused or dropped"
    if not finding.metric or finding.end is None:
        return records
    start, end = place(finding, finding.start), place(finding, finding.end)
    return f"{records}; {finding.metric} has a hole from step {start} to {end}"

"""One run in depth as text."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from logbuch.alerts import local_time
from logbuch.stability.findings import Finding, Verdict, Word
from logbuch.terminal.columns import LEVELS, WORDS, count, cut, number
from logbuch.terminal.detail import Curve, Detail
from logbuch.terminal.places import place
from logbuch.terminal.sparkline import sparkline

_LEAST, _MOST = 8, 60
_NARROW, _SHORT, _LONG = 110, 24, 36
_NUMBERS = 40
"""What the columns beside a curve take, with their gaps."""


def described(run: Detail, width: int) -> RenderableType:
    """A run in so many columns of text: curves, verdict, alerts, params."""
    parts: list[RenderableType] = [Text(f"{run.run_id}  {run.status.lower()}  {cut(run.user, 30)}".rstrip(), "dim")]
    parts += _titled("Metrics", [_curves(run.curves, width)] if run.curves else [Text("None yet.", "dim")])
    parts += _titled("Stability", _verdict(run.verdict))
    if run.alerts:
        parts += _titled("Open alerts", (_alert(one.level, one.time, one.title) for one in run.alerts))
    parts += _titled("Params", [_params(run)] if run.params else [Text("None.", "dim")])
    return Group(*parts)


def _titled(title: str, lines: Iterable[RenderableType]) -> list[RenderableType]:
    return [Text(""), Text(title, "bold"), *lines]


def _curves(curves: Iterable[Curve], width: int) -> Table:
    found = list(curves)
    key = min(_SHORT if width < _NARROW else _LONG, max(len(curve.key) for curve in found))
    odd = 16 if any(curve.odd for curve in found) else 0
    room = max(_LEAST, min(_MOST, width - key - _NUMBERS - odd))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for title, justify in (("", "left"), ("", "left"), ("last", "right"), ("min", "right"), ("max", "right"),
                           ("points", "right"), ("", "left")):  # fmt: skip
        table.add_column(title, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for curve in found:
        line = Text(sparkline(curve.values, room, stretched=True), "cyan")
        numbers = [Text(number(value)) for value in (curve.last, curve.low, curve.high)]
        table.add_row(Text(cut(curve.key, key)), line, *numbers, Text(count(curve.points)), _odd(curve))
    return table


def _odd(curve: Curve) -> Text:
    return Text(f"{count(curve.odd)} not finite" if curve.odd else "", "bold red")


def _verdict(verdict: Verdict) -> list[RenderableType]:
    """The word and the findings; ``short`` and ``unknown`` are no verdicts yet."""
    words = {Word.SHORT: "too short to say", Word.UNKNOWN: "it logs no loss"}
    return [
        Text(words.get(verdict.word, str(verdict.word)), WORDS.get(verdict.word, "dim")),
        *(_finding(one) for one in verdict.findings),
    ]


def _finding(finding: Finding) -> Text:
    line = f"{finding.kind.replace('_', ' '):<14} {cut(finding.metric, _LONG)} at {place(finding, finding.start)}"
    if finding.value is not None:
        line += f": {number(finding.value)}"
        line += "" if finding.usual is None else f" beside {number(finding.usual)}"
    return Text(line + (f", {finding.count} times" if finding.count > 1 else ""))


def _alert(level: str, time: int, title: str) -> Text:
    return Text(f"{local_time(time)}  ", "dim") + Text(cut(title, 200), LEVELS.get(level, ""))


def _params(run: Detail) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, show_header=False)
    table.add_column(style="dim", no_wrap=True, max_width=_MOST)
    table.add_column(overflow="fold")
    for key, value in run.params:
        table.add_row(Text(cut(key, _MOST)), Text(cut(value, 500)))
    return table

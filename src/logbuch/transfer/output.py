"""Console output on the move: pages of a log as lines of one origin each, and last what has no line of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from typing import Any

from logbuch.store.logs import Lines, LogHead, LogPage, OpenLine, Origin
from logbuch.store.tx import LogLines

_ANY = "stdout"


def of_pages(page: Callable[[int], LogPage]) -> Iterator[LogLines]:
    """All of a log; ``page`` gives the lines after a number."""
    found = page(0)
    while found.lines.texts:
        yield from _by_origin(found.lines)
        found = page(found.lines.first + len(found.lines.texts) - 1)
    if found.head.dropped:
        yield LogLines("", _ANY, (), (), dropped=found.head.dropped)
    for line in sorted(found.head.open, key=lambda line: (line.source, line.stream)):
        yield LogLines(line.source, line.stream, (), (), line.text, line.time)


def _by_origin(lines: Lines) -> Iterator[LogLines]:
    """Neighbouring lines of one origin together."""
    start = 0
    for index, same in groupby(lines.origin):
        end = start + sum(1 for _ in same)
        origin = lines.origins[index]
        yield LogLines(origin.source, origin.stream, lines.times[start:end], lines.texts[start:end])
        start = end


def head_in(answer: Mapping[str, Any]) -> LogHead:
    """The state of a log, as a server tells it."""
    open_ = [OpenLine(one["source"], one["stream"], one["time"], one["text"]) for one in answer["open"]]
    return LogHead(total=answer["total"], first=answer["kept_from"], dropped=answer["dropped"], open=open_)


def page_in(answer: Mapping[str, Any]) -> LogPage:
    """A page of a log, as a server tells it."""
    origins = [Origin(one["source"], one["stream"]) for one in answer["origins"]]
    lines = Lines(answer["first"], answer["times"], origins, answer["origin"], answer["texts"])
    return LogPage(head_in(answer), lines)

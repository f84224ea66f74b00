"""Rows of CSV files and of JSON lines, as texts by column; what is no row is told."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput
from logbuch.transfer.formats import BROKEN

CSV, JSONL = (".csv", ".tsv", ".txt"), (".jsonl", ".ndjson")
SUFFIXES = CSV + JSONL
_FIELD_BYTES = 16 * 1024 * 1024
_SAMPLE = 64 * 1024
Lost = Callable[[str, str], None]
Row = Mapping[str, str]


def rows(file: Path, lost: Lost) -> Iterator[tuple[int, Row]]:
    """The number of its line and each row; cells that are empty are left out."""
    read = _json_rows if file.suffix.lower() in JSONL else _csv_rows
    return read(file, lost)


class Headless(InvalidInput):
    """A file whose first line does not name its columns."""


def columns(file: Path, sample: int | None = 1000) -> list[str]:
    """The columns of a file, in order: of CSV those of its first line, of JSON those of its first rows, or of all.

    Headless for CSV whose first line names none, or one twice.
    """
    if file.suffix.lower() in JSONL:
        return list(dict.fromkeys(name for _, row in islice(_json_rows(file, _silent), sample) for name in row))
    with file.open(newline="", encoding="utf-8-sig", errors="replace") as content:
        return _header(file, csv.reader(content, _dialect(file)))


def _header(file: Path, lines: Iterator[list[str]]) -> list[str]:
    csv.field_size_limit(_FIELD_BYTES)
    try:
        names = next(lines, [])
    except csv.Error as error:
        raise Headless(f"{file} has no first line with the names of its columns: {error}.") from None
    if not any(names):
        raise Headless(f"{file} has no first line with the names of its columns.")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Headless(f"{file} has two columns {twice[0]!r}.")
    return names


def _csv_rows(file: Path, lost: Lost) -> Iterator[tuple[int, Row]]:
    with file.open(newline="", encoding="utf-8-sig", errors="replace") as content:
        lines = csv.reader(content, _dialect(file))
        names = _header(file, lines)
        while True:
            try:
                cells = next(lines)
            except StopIteration:
                return
            except csv.Error as error:
                lost(f"line {lines.line_num} of {file}", str(error))
                continue
            if not cells:
                continue
            if len(cells) != len(names):
                lost(f"line {lines.line_num} of {file}", f"it has {len(cells)} cells for {len(names)} columns")
                continue
            yield lines.line_num, {name: cell for name, cell in zip(names, cells, strict=True) if cell.strip()}


def _dialect(file: Path) -> type[csv.Dialect]:
    """What separates the cells: the mark among comma, semicolon and tab that the first line has most of."""
    with file.open(encoding="utf-8-sig", errors="replace") as content:
        first = content.readline(_SAMPLE)
    mark = max(",;\t", key=first.count)
    return type("Dialect", (csv.excel,), {"delimiter": mark})


def _json_rows(file: Path, lost: Lost) -> Iterator[tuple[int, Row]]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
                if not isinstance(found, dict):
                    raise ValueError("it is no object")
                row = dict(_flat(found, ""))
            except BROKEN as error:
                lost(f"line {number} of {file}", str(error))
                continue
            yield number, row


def _flat(tree: Mapping[str, Any], before: str) -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{key}.")
        elif isinstance(value, str):
            yield f"{before}{key}", value
        elif value is not None:
            yield f"{before}{key}", json.dumps(value)


def _silent(what: str, why: str) -> None:
    """A look at the first rows: what is torn is told when they are read."""

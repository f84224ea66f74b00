"""Rows of CSV files and of JSON lines, as texts by column; what is no row is told."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Any

from logbuch.errors import InvalidInput
from logbuch.transfer.formats import BROKEN, texts
from logbuch.transfer.formats.texts import Form

CSV, JSONL = (".csv", ".tsv", ".txt"), (".jsonl", ".ndjson")
SUFFIXES = CSV + JSONL
_FIELD_BYTES = 16 * 1024 * 1024
Lost = Callable[[str, str], None]
Row = Mapping[str, str]


def rows(file: Path, lost: Lost) -> Iterator[tuple[int, Row]]:
    """The number of its line and each row; cells that are empty are left out."""
    read = _json_rows if not is_csv(file) else _csv_rows
    return read(file, lost)


@lru_cache(maxsize=1)
def _form(file: Path, stamp: tuple[int, int]) -> Form:  # noqa: ARG001  a file that has changed is looked at again
    return texts.form(file)


def form(file: Path) -> Form:
    """How a file of CSV is written."""
    stat = file.stat()
    return _form(file, (stat.st_size, stat.st_mtime_ns))


def is_csv(file: Path) -> bool:
    """Whether a file is CSV, by its name; else it is lines of JSON."""
    return file.suffix.lower() not in JSONL


class Headless(InvalidInput):
    """A file whose first line does not name its columns."""


def columns(file: Path, sample: int | None = 1000) -> list[str]:
    """The columns of a file, in order: of CSV those of its first line, of JSON those of its first rows, or of all.

    Headless for CSV whose first line names none, or one twice.
    """
    if not is_csv(file):
        return list(dict.fromkeys(name for _, row in islice(_json_rows(file, _silent), sample) for name in row))
    how = form(file)
    with texts.opened(file, how.encoding) as content:
        return _header(file, _lines(content, how))


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
    how = form(file)
    if how.torn:
        lost(f"{how.torn:,} characters of {file}", "they are none; each is a question mark in a lozenge now")
    with texts.opened(file, how.encoding) as content:
        lines = _lines(content, how)
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
            row = {name: cell for name, cell in zip(names, cells, strict=True) if cell.strip()}
            yield lines.line_num, _pointed(row, f"line {lines.line_num} of {file}", lost) if how.comma else row


def _lines(content: IO[str], how: Form) -> Any:
    """The lines of a file as lists of cells, without the one that says what separates them."""
    if how.named:
        content.readline()
    return csv.reader(content, delimiter=how.separator)


def _pointed(row: Row, where: str, lost: Lost) -> Row:
    """A row with decimal points; a number that may be another one is left out."""
    found = {}
    for name, cell in row.items():
        try:
            found[name] = texts.pointed(cell)
        except ValueError as error:
            lost(f"column {name!r} in {where}", str(error))
    return found


def _json_rows(file: Path, lost: Lost) -> Iterator[tuple[int, Row]]:
    with _json_lines(file) as lines:
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


def _json_lines(file: Path) -> IO[Any]:
    """Bytes, of which a line that is torn is none alone; text where the file is marked as UTF-16."""
    encoding = texts.marked(file)
    return texts.opened(file, encoding) if encoding else file.open("rb")


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

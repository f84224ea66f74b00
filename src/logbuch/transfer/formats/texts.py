"""How a table's file is written: its encoding, what separates its cells, and its decimal mark. They are looked for in
the whole file, since it may be the last line that has the first umlaut or the first comma."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

UTF_8, UTF_16, WESTERN = "utf-8-sig", "utf-16", "cp1252"
_MARKS = {codecs.BOM_UTF16_LE: UTF_16, codecs.BOM_UTF16_BE: UTF_16}
_CHUNK, _FIRST_LINE = 1 << 20, 1 << 16
_SEPARATORS = ",;\t|"
_NAMED = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
"""The line by which Excel is told what separates cells."""
_LOST = "\N{REPLACEMENT CHARACTER}"
_BEYOND = re.compile(f"[^\0-\x7f{_LOST}]")
_EXPONENT = r"(?:[eE][+-]?\d+)?"
_COMMA = re.compile(rf"[+-]?(?:\d+|[1-9]\d{{0,2}}(?:\.\d{{3}})+),\d+{_EXPONENT}")
"""A number with a decimal comma: 0,5 or 1.234,5."""
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+")
"""One thousand and more, or one and a bit: 1.234."""
_POINT = re.compile(rf"[+-]?\d*\.\d+{_EXPONENT}")


class Form(NamedTuple):
    """How a file is written."""

    encoding: str
    separator: str
    named: bool
    """Whether its first line says nothing but what separates cells."""
    comma: bool
    """Whether its numbers have a decimal comma."""
    torn: int
    """Characters that are none in its encoding."""

    def said(self) -> str:
        """What is unusual about it; empty where nothing is."""
        encoding = {UTF_16: "UTF-16", WESTERN: "Windows-1252"}.get(self.encoding)
        return ", ".join(filter(None, [encoding, "decimal commas" if self.comma else None]))


def form(file: Path) -> Form:
    """Looks a file through."""
    encoding, torn = _encoding(file)
    with opened(file, encoding) as content:
        first = content.readline(_FIRST_LINE)
    named = _NAMED.fullmatch(first.strip("\r\n "))
    separator = named[1] if named else max(_SEPARATORS, key=first.count)
    return Form(encoding, separator, named is not None, separator != "," and _commas(file, encoding, separator), torn)


def opened(file: Path, encoding: str) -> IO[str]:
    """The text of a file; what is no character in its encoding is replaced."""
    return file.open(newline="", encoding=encoding, errors="replace")


def marked(file: Path) -> str | None:
    """The encoding that the first bytes of a file name; None where they name none but UTF-8."""
    with file.open("rb") as content:
        return _MARKS.get(content.read(2))


def _encoding(file: Path) -> tuple[str, int]:
    """UTF-8, unless the file is marked as another, or nothing in it beyond ASCII is UTF-8; and what is torn."""
    encoding, torn, whole = marked(file) or UTF_8, 0, False
    for text in _chunks(file, encoding):
        if not text.isascii():
            torn += text.count(_LOST)
            whole = whole or _BEYOND.search(text) is not None
    return (WESTERN, 0) if torn and not whole and encoding == UTF_8 else (encoding, torn)


def _chunks(file: Path, encoding: str) -> Iterator[str]:
    with opened(file, encoding) as content:
        while text := content.read(_CHUNK):
            yield text


def _commas(file: Path, encoding: str, separator: str) -> bool:
    """Whether there are numbers with a comma, and none that can only have a point: then the comma is a list's."""
    found = False
    with opened(file, encoding) as content:
        for line in content:
            for cell in map(_bare, line.split(separator)):
                if _POINT.fullmatch(cell) and not _EITHER.fullmatch(cell):
                    return False
                found = found or _COMMA.fullmatch(cell) is not None
    return found


def _bare(cell: str) -> str:
    return cell.strip().strip('"')


def pointed(cell: str) -> str:
    """A cell of a file with decimal commas, numbers with a point. ValueError for one that may be two numbers."""
    bare = cell.strip()
    if _EITHER.fullmatch(bare):
        raise ValueError(
            f"{bare!r} may be {bare.replace('.', '')} or {bare.replace('.', ',', 1)}: save it without points"
        )
    return bare.replace(".", "").replace(",", ".") if _COMMA.fullmatch(bare) else cell

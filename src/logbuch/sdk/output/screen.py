"""What a terminal would show of a stream: lines that are done, and those that are still being drawn.

A progress bar goes back to the beginning of its line with each update, several bars also go up; of all that only the
last state stays. Control sequences (ECMA-48, as xterm takes them) for colours are kept in the text, those that move the
cursor or erase are obeyed as far as they concern the last lines, others are left out.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

LINE_LENGTH = 16_384
"""What a line has beyond this is left out."""
FLAT_ROWS, TALL_ROWS = 2, 32
"""How many lines stay open below each other: usually, and while something goes up to draw."""
_LIVE_MS = 1000
"""For so long after something went up, lines may yet be drawn over."""
_STYLE_LENGTH = 200
_PIECE = re.compile(
    r"\r*\n|\x1b\[[0-9;:?<=>]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^\[\]]|[\r\b]|[^\x1b\n\r\b]+|\x1b"
)
_UNFINISHED = re.compile(r"(?:\x1b(?:\[[0-9;:?<=>]*[ -/]*|\][^\x07\x1b]*\x1b?)?|\r+)\Z")
_PENDING_LENGTH = 500
_STYLES = re.compile(r"\x1b\[[0-9;:]*m")


def without_escapes(line: str) -> str:
    """A line without its colours."""
    return _STYLES.sub("", line) if "\x1b" in line else line


_UNWANTED = re.compile(r"[\x00-\x06\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\ud800-\udfff]")
_PLAIN_STYLE = ("\x1b[m", "\x1b[0m")


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


@dataclass(slots=True)
class Row:
    """A line. While it only grows it is a text; once it is drawn over, cells of (style, character)."""

    text: str = ""
    cells: list[tuple[str, str]] | None = None
    column: int = 0
    drawn: bool = False
    time: int = 0

    def shown(self) -> str:
        if self.cells is None:
            return self.text
        cells = self.cells
        end = len(cells)
        while end and cells[end - 1] == ("", " "):
            end -= 1
        parts, style = [], ""
        for own, character in cells[:end]:
            if own != style:
                parts.append(("\x1b[0m" if style else "") + own)
                style = own
            parts.append(character)
        return "".join(parts) + ("\x1b[0m" if style else "")


@dataclass(slots=True)
class Screen:
    """One stream. ``clock`` gives the time of a line in ms."""

    clock: Callable[[], int] = _milliseconds
    _rows: list[Row] = field(default_factory=lambda: [Row()])
    _at: int = 0
    _style: str = ""
    _climbed: int = -_LIVE_MS
    _pending: str = ""

    def feed(self, text: str) -> list[tuple[int, str]]:
        """Takes what was written; returns the lines that are done, each with its time."""
        now = self.clock()
        if self._pending:
            text, self._pending = self._pending + text, ""
        if text.endswith("\r") or "\x1b" in text[-_PENDING_LENGTH:]:
            unfinished = _UNFINISHED.search(text, max(0, len(text) - _PENDING_LENGTH))
            if unfinished:
                text, self._pending = text[: unfinished.start()], unfinished[0]
        return list(self._lines(text, now))

    def open(self) -> str:
        """The lines that are still being drawn, joined by line feeds; "" if there is nothing."""
        rows = [row.shown() for row in self._rows]
        while rows and not without_escapes(rows[-1]):
            rows.pop()
        return "\n".join(rows)

    def close(self) -> list[tuple[int, str]]:
        """The stream is at its end: what is open counts as done."""
        rows, self._rows, self._at, self._pending = self._rows, [Row()], 0, ""
        if not without_escapes(rows[-1].shown()):
            rows.pop()
        return [(row.time or self.clock(), row.shown()) for row in rows]

    def _lines(self, text: str, now: int) -> Iterator[tuple[int, str]]:
        for piece in _PIECE.findall(text):
            if piece[-1] == "\n":
                yield from self._line_feed(now)
            elif piece == "\r":
                self._move(self._rows[self._at], 0)
            elif piece == "\b":
                row = self._rows[self._at]
                self._move(row, max(0, _column(row) - 1))
            elif piece[0] == "\x1b":
                self._control(piece, now)
            else:
                self._write(piece, now)

    def _line_feed(self, now: int) -> Iterator[tuple[int, str]]:
        row = self._rows[self._at]
        row.time = row.time or now
        if self._at < len(self._rows) - 1:
            self._at += 1
            self._move(self._rows[self._at], 0)
            return
        count, live = len(self._rows), now - self._climbed < _LIVE_MS
        done = max(0, count + 1 - (TALL_ROWS if live else FLAT_ROWS)) if row.drawn or live else count
        for finished in self._rows[:done]:
            yield finished.time or now, finished.shown()
        del self._rows[:done]
        self._rows.append(Row(self._style))
        self._at = len(self._rows) - 1

    def _write(self, piece: str, now: int) -> None:
        row = self._rows[self._at]
        row.time = now
        piece = _UNWANTED.sub("", piece)
        if row.cells is None:
            row.text += piece[: max(0, LINE_LENGTH - len(row.text))]
        else:
            self._draw(row, piece)

    def _draw(self, row: Row, piece: str) -> None:
        cells = _celled(row)
        end = min(row.column + len(piece), LINE_LENGTH)
        if len(cells) < row.column:
            cells.extend([("", " ")] * (row.column - len(cells)))
        style = self._style
        cells[row.column : end] = [(style, character) for character in piece[: end - row.column]]
        row.column = end

    def _move(self, row: Row, column: int) -> None:
        """The cursor goes to a column of a row: what follows is drawn over what is there."""
        row.drawn = True
        if column or row.text or row.cells is not None:
            _celled(row)
            row.column = min(column, LINE_LENGTH)

    def _control(self, piece: str, now: int) -> None:
        if not piece.startswith("\x1b["):
            return
        kind, row = piece[-1], self._rows[self._at]
        if kind == "m":
            self._style = "" if piece in _PLAIN_STYLE else (self._style + piece)[-_STYLE_LENGTH:]
            if row.cells is None and len(row.text) < LINE_LENGTH:
                row.text += piece
            return
        count = int(piece[2:-1]) if piece[2:-1].isdecimal() and len(piece) < 8 else 0
        if kind in "AFBE":
            if kind in "AF":
                self._climbed = now
            self._climb(-max(1, count) if kind in "AF" else max(1, count), home=kind in "FE")
        elif kind == "K":
            row.time = now
            self._erase(row, count)
        elif kind in "GCD":
            column = _column(row)
            moved = {"G": max(1, count) - 1, "C": column + max(1, count), "D": column - max(1, count)}
            self._move(row, max(0, moved[kind]))

    def _climb(self, rows: int, *, home: bool) -> None:
        column = _column(self._rows[self._at])
        self._at = max(0, min(len(self._rows) - 1, self._at + rows))
        self._move(self._rows[self._at], 0 if home else column)

    def _erase(self, row: Row, what: int) -> None:
        column, cells = _column(row), _celled(row)
        row.column, row.drawn = column, True
        if what == 0:
            del cells[column:]
        elif what == 1:
            cells[: column + 1] = [("", " ")] * min(column + 1, len(cells))
        else:
            cells.clear()


def _column(row: Row) -> int:
    return row.column if row.cells is not None else len(_celled(Row(row.text)))


def _celled(row: Row) -> list[tuple[str, str]]:
    """The row's cells; a text is taken apart, and its end is where the cursor is."""
    if row.cells is None:
        cells: list[tuple[str, str]] = []
        style = ""
        for piece in _PIECE.findall(row.text):
            if piece[0] == "\x1b":
                style = "" if piece in _PLAIN_STYLE else style + piece
            else:
                cells.extend((style, character) for character in piece)
        row.cells, row.column = cells, len(cells)
    return row.cells

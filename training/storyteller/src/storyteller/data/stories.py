"""Files of stories: JSON lines, each an object with a ``text``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from storyteller.errors import DataError
from storyteller.files import written


def read(file: Path) -> Iterator[str]:
    """The stories of a file; ``DataError`` names the line that has none."""
    if not file.is_file():
        raise DataError(f"There is no data file {file}: storyteller-preprocess makes it.")
    number = 0
    try:
        with file.open(encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    yield _story(line, file, number)
    except UnicodeDecodeError:
        raise DataError(f"{file} is not UTF-8, soon after line {number}.") from None


def write(file: Path, stories: Iterable[str]) -> None:
    """Writes stories; the file is there whole or not at all."""
    with written(file) as place, place.open("w", encoding="utf-8") as lines:
        for story in stories:
            lines.write(json.dumps({"text": story}, ensure_ascii=False) + "\n")


def _story(line: str, file: Path, number: int) -> str:
    try:
        row = json.loads(line)
    except ValueError:
        raise DataError(f"{file}, line {number}: no JSON.") from None
    text = row.get("text") if isinstance(row, dict) else None
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"{file}, line {number}: a row without a text.")
    return text

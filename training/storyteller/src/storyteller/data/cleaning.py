"""From novels to stories: one chapter each, paragraphs of one line, nothing twice, a part kept for validation."""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_HEADING = re.compile(r"^\s*(?:chapter|volume|book|part|letter)\s+(?:[ivxlc]+|\d+)\b.{0,80}$", re.IGNORECASE)
_SPACES = re.compile(r"[ \t\u00a0]+")


@dataclass
class Stories:
    """The stories of all sources, dealt out."""

    train: list[str] = field(default_factory=list)
    val: list[str] = field(default_factory=list)
    short: int = 0
    doubles: int = 0


def prepared(
    texts: Iterable[tuple[str, str]], *, val_fraction: float = 0.05, min_words: int = 20, seed: int = 42
) -> Stories:
    """Cleans, splits and deals out the chapters of named texts; of each text with two or more, one at least is kept
    for validation."""
    found, seen = Stories(), set()
    for name, text in texts:
        chapters = []
        for story in split(text):
            digest = hashlib.sha256(story.encode()).digest()
            if len(story.split()) < min_words:
                found.short += 1
            elif digest in seen:
                found.doubles += 1
            else:
                seen.add(digest)
                chapters.append(story)
        held = _held(chapters, val_fraction, f"{seed}/{name}")
        found.train += [story for number, story in enumerate(chapters) if number not in held]
        found.val += [story for number, story in enumerate(chapters) if number in held]
    return found


def split(text: str) -> Iterator[str]:
    """The chapters of a text, cleaned; a text without headings is one."""
    lines: list[str] = []
    for line in cleaned(text).split("\n"):
        if _HEADING.match(line):
            yield from _joined(lines)
            lines = []
        else:
            lines.append(line)
    yield from _joined(lines)


def cleaned(text: str) -> str:
    """Composed characters, plain line ends, no control characters, no marks of italics."""
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").replace("_", "")
    return "".join(one for one in text if one in "\n\t" or unicodedata.category(one)[0] != "C")


def _joined(lines: list[str]) -> Iterator[str]:
    """Paragraphs without the breaks at the ends of printed lines."""
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines))
    kept = [_SPACES.sub(" ", " ".join(one.split("\n"))).strip() for one in paragraphs]
    story = "\n\n".join(one for one in kept if one)
    if story:
        yield story


def _held(stories: list[str], fraction: float, seed: str) -> set[int]:
    if not fraction or len(stories) < 2:
        return set()
    count = min(len(stories) - 1, max(1, round(len(stories) * fraction)))
    return set(random.Random(seed).sample(range(len(stories)), count))

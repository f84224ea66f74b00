"""Text to tokens, in one pass over the text.

Names with a prefix are one token (``metrics.val/loss``, ``tags.`a b```), so that ``/``, ``-`` and ``:`` need no quotes
in a key. A string ends where MLflow's ends: at a quote of its own sort that is neither doubled nor behind a backslash.
A doubled quote stands for one quote; a backslash is a character like others and stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from logbuch.errors import InvalidFilter
from logbuch.limits import clip


class Lexeme(Enum):
    NAME = auto()
    TEXT = auto()
    NUMBER = auto()
    OPERATOR = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` as written from character ``start``; ``value`` without prefix and quotes."""

    lexeme: Lexeme
    text: str
    start: int
    value: str
    prefix: str | None = None
    quoted: bool = False

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these keywords, which are written in capitals here and in any case by users."""
        return self.lexeme is Lexeme.NAME and not self.quoted and self.prefix is None and self.value.upper() in words

    @property
    def is_identifier(self) -> bool:
        """Whether it may name a key: names, and what stands in double quotes."""
        return self.lexeme is Lexeme.NAME or (self.lexeme is Lexeme.TEXT and self.text.startswith('"'))

    def describe(self) -> str:
        return "the end" if self.lexeme is Lexeme.END else show(self.text)

    def error(self, problem: str) -> InvalidFilter:
        """The error that this token cannot stand here."""
        return InvalidFilter(problem, position=self.start, length=max(1, len(self.text)))


def show(text: str) -> str:
    """A user's text for a message: short, printable, in quotes."""
    return repr(clip(text))


_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"-?[^\W\d][\w./:\-]*")
_KEY = re.compile(r"[\w./:\-]+")
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_GLUED = re.compile(r"[\w.]+")
_OPERATOR = re.compile(r"[<>=!~]+")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_PUNCTUATION = {"(": Lexeme.OPEN, ")": Lexeme.CLOSE, ",": Lexeme.COMMA}
_QUOTES = "`\"'"


def tokenize(text: str) -> list[Token]:
    """All tokens, an END last. ``InvalidFilter`` names the first character that cannot be read."""
    if bad := _UNSTORABLE.search(text):
        raise InvalidFilter(
            f"the character {bad[0]!r} cannot be stored, so nothing has it; remove it", position=bad.start()
        )
    tokens: list[Token] = []
    position = _skip_space(text, 0)
    while position < len(text):
        token = _read(text, position)
        tokens.append(token)
        position = _skip_space(text, token.start + len(token.text))
    tokens.append(Token(Lexeme.END, "", len(text), ""))
    return tokens


def _skip_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _read(text: str, start: int) -> Token:
    first = text[start]
    if first in _PUNCTUATION:
        return Token(_PUNCTUATION[first], first, start, first)
    if first == "`":
        return _quoted_name(text, start)
    if first in _QUOTES:
        end = _closing(text, start)
        return Token(Lexeme.TEXT, text[start:end], start, _unquote(text[start:end]), quoted=True)
    if match := _WORD.match(text, start):
        return _name(text, start, match.end())
    if match := _NUMBER.match(text, start):
        return _number(text, start, match.end())
    if match := _OPERATOR.match(text, start):
        return Token(Lexeme.OPERATOR, match[0], start, match[0])
    raise InvalidFilter(f"unexpected character {first!r}{_advice(first)}", position=start)


def _advice(character: str) -> str:
    if character in "‘’“”´":
        return "; use straight quotes, ' or \""
    if character == "+":
        return "; a number has no + sign"
    if character == ";":
        return "; write one expression, joined with AND or OR"
    return "; a key with such characters needs backticks, as in tags.`a key`, and a value needs quotes"


def _name(text: str, start: int, end: int) -> Token:
    """A word, with what stands in quotes behind its dot."""
    word = text[start:end]
    prefix, dot, key = word.partition(".")
    if word.endswith(".") and text[end : end + 1] in tuple(_QUOTES):
        closing = _closing(text, end)
        if key:
            raise InvalidFilter(
                f"quotes must enclose the whole key: write {prefix}.`{clip(key + _unquote(text[end:closing]))}`",
                position=start,
                length=closing - start,
            )
        return _prefixed(text, start, prefix, end, closing)
    if not dot:
        return Token(Lexeme.NAME, word, start, word)
    return Token(Lexeme.NAME, word, start, key, prefix=prefix)


def _quoted_name(text: str, start: int) -> Token:
    """A name in backticks, or a prefix in backticks with its key."""
    end = _closing(text, start)
    name = _unquote(text[start:end])
    if not text.startswith(".", end):
        return Token(Lexeme.NAME, text[start:end], start, name, quoted=True)
    key = end + 1
    if text[key : key + 1] in tuple(_QUOTES):
        return _prefixed(text, start, name, key, _closing(text, key))
    match = _KEY.match(text, key)
    stop = match.end() if match else key
    return Token(Lexeme.NAME, text[start:stop], start, text[key:stop], prefix=name)


def _prefixed(text: str, start: int, prefix: str, quote: int, end: int) -> Token:
    return Token(Lexeme.NAME, text[start:end], start, _unquote(text[quote:end]), prefix=prefix, quoted=True)


def _number(text: str, start: int, end: int) -> Token:
    if glued := _GLUED.match(text, end):
        raise InvalidFilter(
            f"{show(text[start : glued.end()])} is no number; a text needs quotes, and words need spaces between them",
            position=start,
            length=glued.end() - start,
        )
    return Token(Lexeme.NUMBER, text[start:end], start, text[start:end])


def _closing(text: str, start: int) -> int:
    """The end of the quoted part that begins at ``start``: one past its closing quote."""
    quote = text[start]
    fallback = 0
    position = text.find(quote, start + 1)
    while position >= 0:
        if quote != "`" and position - 1 > start and text[position - 1] == "\\":
            fallback = position + 1
            position = text.find(quote, position + 1)
        elif text.startswith(quote, position + 1):
            position = text.find(quote, position + 2)
        else:
            return position + 1
    # As in MLflow, a quote behind a backslash closes after all when no other does: 'C:\data\'.
    if fallback:
        return fallback
    raise InvalidFilter(
        f"the quote {quote} that opens here is never closed; add a {quote}", position=start, length=len(text) - start
    )


def _unquote(quoted: str) -> str:
    quote = quoted[0]
    return quoted[1:-1].replace(quote * 2, quote)

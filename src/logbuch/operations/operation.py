"""One call: its address, what it takes, and what it does in a transaction."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

_PART = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Operation:
    """``run(tx, request, caller, **parts)`` does it and returns the answer; ``parts`` are the ``{names}`` of the path.

    A last segment ``{path}`` takes the rest of the address.
    """

    method: str
    path: str
    request: type[msgspec.Struct]
    writes: bool
    run: Callable[..., dict[str, Any]]
    summary: str
    manages: bool = False
    """Whether it is for who looks after the server."""
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_pattern", pattern(self.path))

    def parts(self, method: str, path: str) -> dict[str, str] | None:
        """The parts of an address that is this call's; None for any other."""
        match = self._pattern.fullmatch(path) if method == self.method else None
        return None if match is None else match.groupdict()


def pattern(path: str) -> re.Pattern[str]:
    """A path with ``{names}`` for single segments; ``{path}`` at its end takes the rest."""
    made = [_group(part) if _PART.fullmatch(part) else re.escape(part) for part in re.split(r"(\{\w+\})", path)]
    return re.compile("".join(made), re.DOTALL)


def _group(part: str) -> str:
    return "(?P<path>.+)" if part == "{path}" else f"(?P<{part[1:-1]}>[^/]+)"

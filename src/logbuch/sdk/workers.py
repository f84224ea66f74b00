"""Spawned workers: how they learn what the process that starts them has chosen, and which run it carries on.

A forked worker inherits all of that. One that multiprocessing spawns, by itself, by a fork server or as joblib's loky,
begins with nothing but its ``Process`` object, which is pickled to it and holds a copy of ``_config`` of the process
that made it. There stands a :class:`Word`; it is pickled along, and unpickled by :func:`arrive`. The run is named by a
small file, for a worker may outlive one run and work for the next.

What a worker is told holds credentials only on this way, through memory. Nothing here raises.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from logbuch.model import RunInfo
from logbuch.sdk import cardfolder

if TYPE_CHECKING:
    from logbuch.sdk.output.console import Recorder

_NAME = "logbuch"
_SIZES = 251


class Card(msgspec.Struct, frozen=True):
    """A run as its process tells of it. ``uri`` bears no credentials. ``rank`` is that of its process among others
    (number, of how many, which start), if the run is that of rank 0. ``to_file`` says whether what is printed becomes a
    file; None if it is not noted. A run that is not ``active`` any more remains that of the workers that know it."""

    run: RunInfo
    uri: str
    pid: int
    rank: tuple[int, int, str] | None
    to_file: bool | None
    active: bool


class Word:
    """Tells each process that is spawned what this one has said until then."""

    def __reduce__(self) -> tuple[Callable[..., Word], tuple[Any, ...]]:
        return arrive, ({**_heard, **_inherited, **_said},)


_word = Word()
_said: dict[str, Any] = {}
"""What this process tells."""
_heard: dict[str, Any] = {}
"""What it was told."""
_inherited: dict[str, Any] = {}
"""Which file the process tells by that this one was forked from."""
_count = 0
_seen: tuple[int, int, int] | None = None
_card: Card | None = None
_find: Callable[[], Recorder | None] | None = None


# -- the process that spawns -------------------------------------------------------------------------------------------


def tell(**said: Any) -> None:
    """Tells workers that are spawned from now on."""
    _said.update(said)
    with contextlib.suppress(Exception):  # another Python may keep its processes otherwise
        import_module("multiprocessing.process").current_process()._config[_NAME] = _word


def publish(card: Card | None) -> None:
    """Says which run this process carries on now, also to workers that are there already; None if it has none."""
    if card is None and "path" not in _said:
        return
    with contextlib.suppress(Exception):  # a full disk, say: workers then log to runs of their own
        if card is None:
            card = msgspec.json.decode(Path(_said["path"]).read_bytes(), type=Card)
            _write(msgspec.structs.replace(card, active=False))
        else:
            _write(card)


def _write(card: Card) -> None:
    """Puts the file in its place, each time with another size: by that who reads it sees that it is another one."""
    global _count
    _count = (_count + 1) % _SIZES
    place = Path(_said["path"]) if "path" in _said else None
    if place is None or not place.parent.is_dir():  # it may have been tidied away by hand
        place = cardfolder.make() / "run.json"
    handle, name = tempfile.mkstemp(dir=place.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(card) + b" " * _count)
        Path(name).replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    if _said.get("path") != str(place):
        atexit.register(cardfolder.clear, os.getpid(), place.parent)
        tell(path=str(place))


# -- the process that was spawned --------------------------------------------------------------------------------------


def arrive(told: dict[str, Any]) -> Word:
    """Called in the worker, when its ``Process`` object arrives there."""
    with contextlib.suppress(Exception):
        _heard.update(told)
        card = current()
        if card is not None and card.active and card.to_file is not None:
            from logbuch.sdk.output import console

            console.wrap(_recorder)
    return _word


def told(what: str) -> Any:
    """What the process that spawned this one has told; None if it was another one, or said nothing of it."""
    return _heard.get(what)


def spawned() -> bool:
    """Whether this process was spawned by one that told it something."""
    return bool(_heard)


def current() -> Card | None:
    """The run that the process carries on which spawned this one, as it is now or was at its end."""
    global _seen, _card
    path = _heard.get("path")
    if path is None:
        return None
    try:
        found = os.stat(path)  # noqa: PTH116  for each record
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != _seen:
            _card, _seen = msgspec.json.decode(Path(path).read_bytes(), type=Card), seen
    except (OSError, ValueError, msgspec.MsgspecError):  # its process has gone
        pass
    return _card


def _recorder() -> Recorder | None:
    """Who notes what is printed. What that takes is imported with the first print; what is printed meanwhile is not
    noted."""
    global _find
    if _find is None:
        _find = _nobody
        with contextlib.suppress(Exception):
            _find = import_module("logbuch.sdk.active").recorder
    return _find()


def _nobody() -> None:
    return None


def _after_fork() -> None:
    """A forked child tells of what it begins itself by a file of its own."""
    if "path" in _said:
        _inherited["path"] = _said.pop("path")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

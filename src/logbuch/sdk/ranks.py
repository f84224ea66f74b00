"""The processes of one distributed training: rank 0 begins the run, the others find it and log to it.

What the launcher (torchrun, accelerate, DeepSpeed, Lightning) has put into ``RANK`` and ``WORLD_SIZE`` says who a
process is. The run's ID travels by whatever the ranks share: a file on the same machine, the store of
``torch.distributed`` once that is initialized, or a tag of the run on the server.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import stat
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from logbuch import settings
from logbuch.errors import LogbuchError
from logbuch.model import ViewType

LAUNCH_TAG, RANK_TAG = "logbuch.launch", "logbuch.rank"
WAIT_SECONDS, _BRIEF_SECONDS = 10.0, 3.0
"""How long a rank waits for rank 0's run; then it begins one of its own."""
_LOOK_SECONDS, _ASK_SECONDS = 0.05, 1.0
_EARLY_SECONDS, _SKEW_SECONDS = 5.0, 60.0
"""So much earlier than this process rank 0 may have begun on this machine, and by the clock of another one."""
_LAUNCH = ("MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "TORCHELASTIC_RESTART_COUNT", "SLURM_JOB_ID")
_begun: Counter[str] = Counter()


@dataclass(frozen=True, slots=True)
class Rank:
    """A process of a distributed training. ``start`` names the start of a run that all ranks make alike: the third one
    of a name is the third one everywhere."""

    number: int
    world: int
    start: str

    @property
    def label(self) -> str:
        """What stands before the keys of metrics that this rank logs."""
        return f"rank{self.number}/"

    @property
    def launch(self) -> str:
        """This start, as the ranks on all machines know it."""
        known = [os.environ.get(name, "") for name in _LAUNCH]
        return _digest(*known, str(self.world), self.start)

    @property
    def scattered(self) -> bool:
        """Whether there may be ranks on other machines."""
        return _number("LOCAL_WORLD_SIZE") != self.world


def mine(name: str, nested: bool) -> Rank | None:
    """This process among the ranks, at its next start of a run of this name; None if it trains alone."""
    number, world = _number("RANK"), _number("WORLD_SIZE")
    if number is None or world is None or world < 2 or settings.RANKS.get() == "apart":
        return None
    start = f"{'nested ' if nested else ''}{name}"
    _begun[start] += 1
    return Rank(number, world, f"{start} {_begun[start]}")


def publish(rank: Rank, run_id: str, root: Path | None) -> None:
    """Tells the other ranks which run rank 0 has begun."""
    path = _meeting_place(rank, root)
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_mine(path.parent):
            part = path.with_suffix(f".{os.getpid()}-{os.urandom(8).hex()}")
            with part.open("x") as made:
                made.write(f"{run_id} {os.getpid()} {_begin_of(os.getpid())}")
            part.replace(path)
    store = _torch_store()
    if store is not None:
        with contextlib.suppress(Exception):
            store.set(f"logbuch/{rank.start}", run_id)


def find(rank: Rank, root: Path | None, ask: Callable[[], str | None]) -> str | None:
    """The ID of rank 0's run, waited for; None if it is not to be found in time. ``ask`` looks for it on the server."""
    begin, asked = time.monotonic(), 0.0
    path, end = _meeting_place(rank, root), begin + WAIT_SECONDS
    while True:
        found = _read(path, time.monotonic() - begin > _BRIEF_SECONDS) or _from_store(rank)
        if found is None and rank.scattered and time.monotonic() - asked > _ASK_SECONDS:
            asked = time.monotonic()
            with contextlib.suppress(LogbuchError):
                found = ask()
        if found is not None or time.monotonic() >= end:
            return found
        time.sleep(_LOOK_SECONDS)


def on_server(rank: Rank, backend: Any, experiment_id: str) -> str | None:
    """The run of this launch that a server knows, the youngest if there are several."""
    if backend.silent or not experiment_id:
        return None
    wanted = f"tags.`{LAUNCH_TAG}` = '{rank.launch}' AND attributes.status = 'RUNNING'"
    since = (_begin_of(os.getpid()) - _SKEW_SECONDS) * 1000
    found, _ = backend.search_runs([experiment_id], wanted, ViewType.ACTIVE_ONLY, 1, ["attributes.start_time DESC"], "")
    return found[0].info.run_id if found and found[0].info.start_time > since else None


def _number(name: str) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else None


def _meeting_place(rank: Rank, root: Path | None) -> Path:
    """A file that is the same for all ranks of this machine, and for no other launch: they have one parent."""
    folder = root / "ranks" if root is not None else Path(tempfile.gettempdir()) / f"logbuch-ranks-{_user()}"
    return folder / _digest(str(os.getppid()), str(_begin_of(os.getppid())), rank.launch)


def _is_mine(folder: Path) -> bool:
    """Whether a folder is this user's, and nobody else may write to it: one of a temporary place may be another's."""
    if not hasattr(os, "getuid"):
        return True
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else os.environ.get("USERNAME", "")


@functools.cache
def _begin_of(pid: int) -> float:
    """When a process began (Unix s): numbers of processes come again."""
    try:
        began: float = import_module("psutil").Process(pid).create_time()
    except Exception:  # noqa: BLE001  it may have ended, or be somebody else's
        return 0.0
    return began


def _read(path: Path, ended: bool) -> str | None:
    """What was left at a meeting place by this launch, and not by an earlier one of the same parent: rank 0 is still
    there, or, if it may have ``ended``, was lately."""
    try:
        if not _is_mine(path.parent):
            return None
        run_id, pid, began = path.read_text().split()
        if path.stat().st_mtime < _begin_of(os.getpid()) - _EARLY_SECONDS:
            return None
        return run_id if ended or _begin_of(int(pid)) == float(began) else None
    except (OSError, ValueError):
        return None


def _torch_store() -> Any:
    """The store over which the ranks met; None before that, and without PyTorch."""
    distributed: Any = sys.modules.get("torch.distributed")
    try:
        if distributed is None or not distributed.is_available() or not distributed.is_initialized():
            return None
        return distributed.distributed_c10d._get_default_store()
    except Exception:  # noqa: BLE001  another version: there are other ways
        return None


def _from_store(rank: Rank) -> str | None:
    store, key = _torch_store(), f"logbuch/{rank.start}"
    with contextlib.suppress(Exception):
        if store is not None and store.check([key]):
            return str(store.get(key).decode())
    return None


def _digest(*parts: str) -> str:
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()


def _after_fork() -> None:
    _begun.clear()
    _begin_of.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

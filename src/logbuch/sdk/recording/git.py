"""The state of the code's git repository, read without a shell, without hooks, and with little patience."""

from __future__ import annotations

import os
import subprocess
import threading
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

SECONDS = 2.0
DIFF_BYTES = 5 * 1024 * 1024
UNTRACKED_FILES = 1000
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""The tree without files, which every repository with SHA-1 knows."""


class State(NamedTuple):
    """Commit and branch of a repository. ``commit`` is None before the first one, ``branch`` on none, ``url`` without a
    remote. ``modules`` are submodules with changes of their own."""

    folder: Path
    commit: str | None
    branch: str | None
    dirty: bool
    url: str | None
    modules: tuple[str, ...] = ()


def state(folder: Path) -> State | None:
    """The repository or worktree around a folder; None where there is none, or no git."""
    root = _line(folder, "rev-parse", "--show-toplevel")
    if not root:  # a bare repository has no files either
        return None
    place = Path(root)
    commit = _line(place, "rev-parse", "--verify", "--quiet", "HEAD")
    changes = _git(place, "status", "--porcelain=v2", "-z", "--untracked-files=no", "--ignore-submodules=none")
    if changes is None:  # too slow: without a look into submodules
        changes = _git(place, "status", "--porcelain=v2", "-z", "--untracked-files=no", "--ignore-submodules=dirty")
    branch = _line(place, "symbolic-ref", "--quiet", "--short", "HEAD")
    return State(place, commit, branch, bool(changes), _url(place, branch), _modules(changes or b""))


def tracks(file: Path) -> bool:
    """Whether a repository knows a file."""
    return _git(file.parent, "ls-files", "--error-unmatch", "--", file.name) is not None


def untracked(folder: Path) -> list[str]:
    """Files that the repository neither knows nor ignores, as seen from its root; at most 1,000."""
    found = _git(folder, "ls-files", "--others", "--exclude-standard", "-z") or b""
    return sorted(os.fsdecode(name) for name in found.split(b"\0") if name)[:UNTRACKED_FILES]


def diff(folder: Path, *, commit: bool = True) -> bytes | None:
    """What differs from the last commit (without ``commit``: from nothing), as a patch of at most 5 MB; None if git
    does not tell. Binary files are in it, unless they make it too long or too slow."""
    base = "HEAD" if commit else _EMPTY_TREE
    command = ("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--submodule=short")
    patch = _git(folder, *command, "--binary", base, limit=DIFF_BYTES + 1)
    if patch is not None and len(patch) <= DIFF_BYTES:
        return patch
    patch = _git(folder, *command, base, limit=DIFF_BYTES + 1)
    if patch is None:
        return None
    if len(patch) <= DIFF_BYTES:
        return (
            patch
            + b"\n# Logbuch left out what binary files contain: with it the changes have more than 5 MB, or take long\n"
        )
    return patch[:DIFF_BYTES] + b"\n# cut off by Logbuch: the changes have more than 5 MB\n"


def _modules(changes: bytes) -> tuple[str, ...]:
    """Submodules whose files have changed, from ``git status --porcelain=v2 -z``: ``1 XY S<c><m><u> ... path``."""
    found = []
    for entry in changes.split(b"\0"):
        fields = entry.split(b" ", 8)
        if len(fields) == 9 and fields[0] == b"1" and fields[2][:1] == b"S" and b"M" in fields[2][2:3]:
            found.append(os.fsdecode(fields[8]))
    return tuple(found)


def _url(folder: Path, branch: str | None) -> str | None:
    """The address of the branch's remote, else of ``origin``, else of the first there is."""
    own = _line(folder, "config", "--get", f"branch.{branch}.remote") if branch else None
    remotes = (_git(folder, "remote") or b"").decode(errors="replace").splitlines()
    for name in (own, "origin", *remotes):
        url = _line(folder, "config", "--get", f"remote.{name}.url") if name in remotes else None
        if url:
            return without_credentials(url)
    return None


def without_credentials(url: str) -> str:
    """A repository's address without user name and password. ``git@host:path`` has none to lose."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _line(folder: Path, *arguments: str) -> str | None:
    """The one line that git answers; None if it does not."""
    found = _git(folder, *arguments)
    return (os.fsdecode(found).strip() or None) if found is not None else None


def _git(folder: Path, *arguments: str, limit: int = -1) -> bytes | None:
    """What git answers, ``limit`` bytes at most; None if it fails or takes long."""
    # Settings of the repository could make git run programs of its own; a status needs none of them. Its owner is often
    # another user, in containers: that keeps nobody from running its code, so git may look at it too.
    command = [
        "git",
        "-c",
        "core.fsmonitor=false",
        "-c",
        "core.hooksPath=/dev/null",
        "-c",
        "safe.directory=*",
        *arguments,
    ]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        process = subprocess.Popen(  # noqa: S603  no shell, and every argument is ours
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    late = threading.Timer(SECONDS, process.kill)
    late.start()
    try:
        assert process.stdout is not None
        found = process.stdout.read(limit)
        if 0 <= limit <= len(found):
            process.kill()
            return found
        return found if process.wait() == 0 else None
    finally:
        late.cancel()
        process.stdout.close()  # type: ignore[union-attr]
        process.wait()

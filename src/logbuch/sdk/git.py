"""The state of the code's git repository, read without a shell, without hooks, and with little patience."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

SECONDS = 2.0
DIFF_BYTES = 5 * 1024 * 1024


class State(NamedTuple):
    """Commit and branch of a repository. ``branch`` and ``url`` are None where there is none."""

    folder: Path
    commit: str
    branch: str | None
    dirty: bool
    url: str | None


def state(folder: Path) -> State | None:
    """The repository around a folder; None where there is none, or no git."""
    head = _git(folder, "rev-parse", "--show-toplevel", "HEAD", "--abbrev-ref", "HEAD")
    lines = head.decode(errors="replace").splitlines() if head is not None else []
    if len(lines) != 3:
        return None
    root, commit, branch = Path(lines[0]), lines[1], lines[2]
    changes = _git(root, "status", "--porcelain", "--untracked-files=no", "--ignore-submodules=dirty")
    url = _git(root, "config", "--get", "remote.origin.url")
    return State(
        folder=root,
        commit=commit,
        branch=None if branch == "HEAD" else branch,
        dirty=bool(changes),
        url=without_credentials(url.decode(errors="replace").strip()) if url else None,
    )


def tracks(file: Path) -> bool:
    """Whether a repository knows a file."""
    return _git(file.parent, "ls-files", "--error-unmatch", "--", file.name) is not None


def diff(folder: Path) -> bytes | None:
    """What differs from the last commit, as a patch of at most 5 MB; None if git does not tell."""
    patch = _git(folder, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--binary", "HEAD")
    if patch is None or len(patch) <= DIFF_BYTES:
        return patch
    return patch[:DIFF_BYTES] + b"\n# cut off by Logbuch: the changes have more than 5 MB\n"


def without_credentials(url: str) -> str:
    """A repository's address without user name and password. ``git@host:path`` has none to lose."""
    if "://" not in url:
        return url
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _git(folder: Path, *arguments: str) -> bytes | None:
    # Settings of the repository could make git run programs of its own; a status needs none of them.
    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", *arguments]
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603  no shell, and every argument is ours
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None

"""The steps of a plan: programs that are called, and recorded files that are laid somewhere."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from logbuch.errors import InvalidState

_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "safe.directory=*")
_PROTOCOLS = "file:git:http:https:ssh"
"""Ways to a repository whose address somebody recorded; others start programs."""


@dataclass(frozen=True, slots=True)
class Call:
    """A program with its arguments. ``instead`` are those that are run while ``argv`` is shown."""

    argv: Sequence[str]
    instead: Sequence[str] | None = None

    def lines(self) -> list[str]:
        return [shlex.join(self.argv)]

    def take(self) -> None:
        done = called(self.instead or self.argv)
        if done.returncode:
            raise InvalidState(f"{shlex.join(self.argv)} failed: {last_line(done.stderr or done.stdout)}")


@dataclass(frozen=True, slots=True)
class Lay:
    """A file that is laid at ``place``: a local copy of a run's artifact, or a data file of this machine.

    ``root`` is the folder that ``place`` must not leave, by links neither.
    """

    source: Path
    place: Path
    root: Path
    run_id: str = ""
    artifact: str = ""

    def lines(self) -> list[str]:
        folder = shlex.join(["mkdir", "-p", str(self.place.parent)])
        if not self.artifact:
            return [folder, shlex.join(["cp", str(self.source), str(self.place)])]
        get = ["logbuch", "artifacts", "download", "-r", self.run_id, "-a", self.artifact, "-d", str(self.root.parent)]
        got = self.root.parent / self.artifact
        if got == self.place:
            return [shlex.join(get)]
        return [shlex.join(get), folder, shlex.join(["cp", str(got), str(self.place)])]

    def take(self) -> None:
        if not self.place.resolve().is_relative_to(self.root.resolve()):
            raise InvalidState(f"{self.place} leads out of {self.root} by a link: nothing is laid there.")
        self.place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.source, self.place)


Step = Call | Lay


def git(*arguments: str) -> Sequence[str]:
    """A call of git as it is shown."""
    return ("git", *arguments)


def called(argv: Sequence[str], **variables: str) -> subprocess.CompletedProcess[str]:
    """Calls a program and waits for it. git runs no hooks and asks for no password."""
    program = [*_GIT, *argv[1:]] if argv[0] == "git" else list(argv)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_DIR")}
    own = {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": _PROTOCOLS, "LC_ALL": "C.UTF-8"}
    for name in ("GIT_INDEX_FILE", "GIT_WORK_TREE"):
        kept.pop(name, None)
    try:
        return subprocess.run(  # noqa: S603  no shell; what is run was shown
            program,
            env=kept | own | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        return subprocess.CompletedProcess(program, 127, "", str(error))


def last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if line.lower().startswith(("fatal:", "error:"))]
    return (telling or lines or ["it says nothing"])[-1]

"""Where a run's commit is had from, and whether the recorded changes fit on it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logbuch.sdk.reproducing import submodules
from logbuch.sdk.reproducing.problems import Problem
from logbuch.sdk.reproducing.recorded import Recorded
from logbuch.sdk.reproducing.steps import Call, called, git, last_line

_MARKS = {
    b"# Logbuch has hidden secrets in this patch": "in which secrets were hidden",
    b"# cut off by Logbuch": "which was cut off at 5 MB",
    b"# Logbuch left out what binary files contain": "without the content of binary files",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """A repository with the commit. ``address`` is a folder or a remote's address; ``local`` a folder that has it."""

    address: str
    local: Path
    commit: str

    @property
    def remote(self) -> bool:
        return self.address != str(self.local)

    def has(self, path: str) -> bool:
        """Whether the commit has a file or folder of that path."""
        return (
            called(
                git("-C", str(self.local), "cat-file", "-e", f"{self.commit}:{'' if path == '.' else path}")
            ).returncode
            == 0
        )

    def steps(self, code: Path) -> list[Call]:
        """A worktree at the commit in the folder ``code``; of a remote a clone."""
        if not self.remote:
            adding = git("-C", self.address, "worktree", "add", "--quiet", "--detach", str(code), self.commit)
            return [Call(adding), *self._modules(code)]
        shown = git("clone", "--quiet", "--no-checkout", "--", self.address, str(code))
        near = git("clone", "--quiet", "--no-checkout", "--no-hardlinks", "--", str(self.local), str(code))
        return [
            Call(shown, instead=near),
            Call(git("-C", str(code), "remote", "set-url", "origin", self.address)),
            Call(git("-C", str(code), "checkout", "--quiet", "--detach", self.commit)),
            *self._modules(code),
        ]

    def discard(self, code: Path) -> None:
        """Takes the worktree back out of its repository."""
        if not self.remote:
            called(git("-C", self.address, "worktree", "remove", "--force", "--force", str(code)))
            called(git("-C", self.address, "worktree", "prune"))

    def refusal(self, patch: Path) -> str | None:
        """Why a patch does not apply to the commit; None if it does. An index of its own is used and no file."""
        with tempfile.TemporaryDirectory() as folder:
            index = str(Path(folder) / "index")
            where = ("-C", str(self.local))
            done = called(git(*where, "read-tree", self.commit), GIT_INDEX_FILE=index)
            if not done.returncode:
                check = git(*where, "apply", "--cached", "--check", "--binary", str(patch.absolute()))
                done = called(check, GIT_INDEX_FILE=index)
            return last_line(done.stderr) if done.returncode else None

    def lacking(self, staging: Path) -> Iterator[Problem]:
        """The submodules that can be had from nowhere."""
        remote = called(git("-C", str(self.local), "config", "remote.origin.url")).stdout.strip()
        base = self.address if self.remote else remote or self.address
        return submodules.lacking(self.local, self.commit, base, staging / "submodules")

    def _modules(self, code: Path) -> list[Call]:
        if not self.has(".gitmodules"):
            return []
        near = []
        for module in submodules.of_commit(self.local, self.commit):
            here = submodules.checkout(self.local, module)
            near += [] if here is None else ["-c", f"submodule.{module.name}.url={here}"]
        allowed = ["-c", "protocol.file.allow=always"] if near else []
        update = ("-C", str(code), "submodule", "update", "--quiet", "--init", "--recursive")
        return [Call(git(*allowed, *near, *update))]


def find(recorded: Recorded, given: str | None, staging: Path) -> Origin | Problem:
    """The first place that has the commit: ``given``, the folder where it was, the one around here, its remote.

    Of a remote a bare clone is made in ``staging``: whether a commit was pushed can be told only so.
    """
    commit = recorded.commit
    assert commit is not None
    looked = []
    for address in _folders(recorded, given):
        looked.append(address)
        if submodules.has(Path(address), commit):
            return Origin(_top(address), Path(_top(address)), commit)
    remote = given if given and not Path(given).is_dir() else None if given else recorded.url
    if remote:
        bare = staging / "origin.git"
        done = called(git("clone", "--quiet", "--bare", "--", remote, str(bare)))
        if not done.returncode and submodules.has(bare, commit):
            return Origin(remote, bare, commit)
        looked.append(f"{remote} (which cannot be read: {last_line(done.stderr)})" if done.returncode else remote)
    places = " or ".join(looked) or "any known place: neither a folder nor a remote was recorded"
    return Problem(
        missing=f"Commit {commit[:12]} is not in {places}.",
        help="Push it from where it is, or name a repository that has it: --repository FOLDER_OR_ADDRESS.",
        stops=True,
    )


def marked(patch: bytes) -> str | None:
    """What the patch says that it lacks."""
    tail = patch[-400:]
    return next((words for mark, words in _MARKS.items() if mark in tail), None)


def around(folder: Path) -> Path | None:
    """The checkout around a folder."""
    done = called(git("-C", str(folder), "rev-parse", "--show-toplevel"))
    return Path(done.stdout.strip()) if not done.returncode and done.stdout.strip() else None


def _folders(recorded: Recorded, given: str | None) -> Iterator[str]:
    if given:
        if Path(given).is_dir():
            yield str(Path(given).absolute())
        return
    root = recorded.root
    if root is not None:
        yield str(root)
    elif recorded.source and Path(recorded.source).is_absolute():
        yield str(Path(recorded.source).parent)
    here = around(Path.cwd())
    if here is not None and here != root:
        yield str(here)


def _top(folder: str) -> str:
    top = around(Path(folder))
    return str(top) if top is not None else folder

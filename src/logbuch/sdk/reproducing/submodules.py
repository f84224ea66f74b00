"""The submodules of a commit: where each is had from, and which cannot be had at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from logbuch.sdk.reproducing.problems import Problem
from logbuch.sdk.reproducing.steps import called, git, last_line


@dataclass(frozen=True, slots=True)
class Submodule:
    """A submodule as a commit names it: its name, its place, its address and the commit that is wanted of it."""

    name: str
    path: str
    address: str
    commit: str


def of_commit(local: Path, commit: str) -> Iterator[Submodule]:
    """The submodules of a commit of the repository ``local`` that are fetched with it."""
    asked = ("config", "--null", "--blob", f"{commit}:.gitmodules", "--get-regexp", r"^submodule\.")
    found: dict[str, dict[str, str]] = {}
    for entry in called(git("-C", str(local), *asked)).stdout.split("\0"):
        key, _, value = entry.partition("\n")
        name, _, setting = key.removeprefix("submodule.").rpartition(".")
        found.setdefault(name, {})[setting] = value
    for name, settings in found.items():
        path = settings.get("path", "")
        if not path or Path(path).is_absolute() or ".." in Path(path).parts or settings.get("update") == "none":
            continue
        wanted = called(git("-C", str(local), "rev-parse", "--verify", "--quiet", f"{commit}:{path}"))
        if not wanted.returncode:
            yield Submodule(name, path, settings.get("url", ""), wanted.stdout.strip())


def checkout(local: Path, module: Submodule) -> Path | None:
    """The checkout of a submodule here, if it has the commit: it may never have been pushed, and its remote be away."""
    folder = local / module.path
    return folder if has(folder, module.commit) else None


def lacking(local: Path, commit: str, base: str, staging: Path) -> Iterator[Problem]:
    """Those that neither a checkout here nor their remote has. ``base`` is the address that relative ones start from.

    Of a remote a bare clone is made in ``staging``, without files where the server can leave them out.
    """
    for number, module in enumerate(of_commit(local, commit)):
        here = checkout(local, module)
        if here is not None:
            continue
        address = resolved(base, module.address)
        bare = staging / f"{number}.git"
        done = called(git("clone", "--quiet", "--bare", "--filter=tree:0", "--", address, str(bare)))
        if not done.returncode and (has(bare, module.commit) or _fetched(bare, module.commit)):
            continue
        why = f" (which cannot be read: {last_line(done.stderr)})" if done.returncode else ""
        yield Problem(
            missing=f"Commit {module.commit[:12]} of the submodule {module.path} is not in {address}{why}.",
            help=f"Push it from where it is, or fetch it in {local / module.path}.",
            stops=True,
        )


def resolved(base: str, address: str) -> str:
    """A submodule's address, seen from its repository's where it is relative, as git reads it."""
    if not address.startswith(("./", "../")):
        return address
    base = base.rstrip("/")
    while address.startswith(("./", "../")):
        if address.startswith("../"):
            cut = max(base.rfind("/"), base.rfind(":"))
            base = base[:cut] if base[cut : cut + 1] == "/" else base[: cut + 1]
        address = address.partition("/")[2]
    return f"{base}{address}" if base.endswith(":") else f"{base}/{address}"


def has(folder: Path, commit: str) -> bool:
    """Whether a repository has a commit."""
    return folder.is_dir() and not called(git("-C", str(folder), "cat-file", "-e", f"{commit}^{{commit}}")).returncode


def _fetched(bare: Path, commit: str) -> bool:
    """Whether the remote gives out a commit that no branch of it leads to, as git asks for it too."""
    done = called(git("-C", str(bare), "fetch", "--quiet", "--filter=tree:0", "origin", commit))
    return not done.returncode and has(bare, commit)

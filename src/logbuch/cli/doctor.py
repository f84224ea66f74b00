"""``logbuch doctor``: what this installation is, and what stands in its way."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from logbuch.cli import places
from logbuch.cli.asking import answers, print_json
from logbuch.errors import LogbuchError
from logbuch.version import __version__

if TYPE_CHECKING:
    from logbuch.sdk.backends.transport import Transport

LEAST_FREE = 1_000_000_000
CLOCK_SECONDS = 60.0


class Finding(NamedTuple):
    """One line: whether it is well, what was looked at, and what is there."""

    well: bool
    what: str
    text: str


@click.command()
@places.of_store
@click.option("--tracking-uri", metavar="URI", help="The server to reach. Absent: the one in the environment, if any.")
@answers
def doctor(tracking_uri: str | None, as_json: bool, **options: Any) -> None:
    """Say which versions and places are in use, and what is wrong: the server, the clock, the disk, git.

    The exit code is 1 if something is wrong.
    """
    findings = [*_versions(), *_store(options), *_journals(), *_server(tracking_uri), _git()]
    if as_json:
        print_json([one._asdict() for one in findings])
    else:
        for one in findings:
            click.echo(f"{'ok   ' if one.well else 'WRONG'} {one.what:12} {one.text}")
    sys.exit(0 if all(one.well for one in findings) else 1)


def _versions() -> Iterator[Finding]:
    yield Finding(True, "logbuch", f"{__version__} in {Path(__file__).parents[1]}")
    python = sys.version_info
    yield Finding(python >= (3, 11), "python", f"{platform.python_version()} at {sys.executable}")
    yield Finding(True, "system", platform.platform())


def _store(options: dict[str, Any]) -> Iterator[Finding]:
    where = places.meant(options)
    file = places.file_of(where.uri)
    if file is not None and not file.exists():
        yield Finding(True, "database", f"{where.uri} is not there yet")
        yield _disk("disk", _standing(file))
    else:
        yield _database(where.uri)
        if file is not None:
            yield _disk("disk", file.parent)
    for root in where.roots:
        if "://" not in root:
            yield _folder("artifacts", Path(root))


def _database(uri: str) -> Finding:
    from logbuch.store import check, open_store

    try:
        store = open_store(uri, seal=False)
    except LogbuchError as error:
        return Finding(False, "database", error.message)
    try:
        sums = store.read(check.sums)
    except LogbuchError as error:
        return Finding(False, "database", error.message)
    finally:
        store.close()
    return Finding(True, "database", f"{store.where}: {sums.rows['runs']:,} runs, {sums.points:,} points")


def _folder(what: str, folder: Path) -> Finding:
    place = _standing(folder)
    if not os.access(place, os.W_OK | os.X_OK):
        return Finding(False, what, f"{folder} cannot be written: permission denied")
    return _disk(what, place, f"{folder}, ")


def _disk(what: str, place: Path, before: str = "") -> Finding:
    free = shutil.disk_usage(place).free
    return Finding(free >= LEAST_FREE, what, f"{before}{free / 1e9:,.1f} GB free at {place}")


def _standing(path: Path) -> Path:
    """The nearest folder above that is there."""
    return next(folder for folder in (path.absolute(), *path.absolute().parents) if folder.is_dir())


def _journals() -> Iterator[Finding]:
    from logbuch.sdk.journal.folder import root_of_servers

    try:
        folder = root_of_servers()
    except (OSError, RuntimeError) as error:
        yield Finding(False, "journals", str(error))
    else:
        yield _folder("journals", folder)


def _server(uri: str | None) -> Iterator[Finding]:
    from logbuch import settings
    from logbuch.sdk.backends.transport import Transport

    address = uri or settings.TRACKING_URI.get()
    if not address or not address.startswith(("http://", "https://")):
        return
    try:
        transport = Transport(address)
    except LogbuchError as error:
        yield Finding(False, "server", error.message)
        return
    with closing(transport):
        yield from _asked(transport)


def _asked(transport: Transport) -> Iterator[Finding]:
    """What a server says of itself, asked as a training asks it, and how far its clock is from ours."""
    import httpx

    from logbuch.sdk.backends.transport import credentials_hint

    try:
        answer = transport.health(5.0)
    except httpx.HTTPError as error:
        yield Finding(False, "server", f"{transport.uri} does not answer: {error}")
        return
    told = f"{transport.uri} answers {answer.status_code}{credentials_hint(answer)}"
    yield Finding(answer.status_code == 200, "server", told)
    if "date" in answer.headers:
        apart = parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()
        yield Finding(abs(apart) < CLOCK_SECONDS, "clock", f"the server's is {apart:+.0f} s from this one")


def _git() -> Finding:
    git = shutil.which("git")
    if git is None:
        return Finding(True, "git", "is not installed: runs do not record their commit")
    commit = _said(git, "rev-parse", "--short", "HEAD")
    return Finding(True, "git", f"{_said(git, '--version')}, {f'commit {commit}' if commit else 'no repository here'}")


def _said(git: str, *words: str) -> str:
    done = subprocess.run([git, *words], capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    return done.stdout.strip()

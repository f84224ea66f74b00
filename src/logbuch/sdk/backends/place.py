"""Where runs go: the tracking URI, and what it means."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from logbuch import settings
from logbuch.errors import InvalidInput
from logbuch.sdk import workers
from logbuch.sdk.journal.folder import root_of_servers
from logbuch.sdk.notes import say

FOLDER = ".logbuch"
DATABASE = "logbuch.db"
ARTIFACTS = "artifacts"
JOURNALS = "journals"
"""The folder of journals beside a database."""
_DATABRICKS = frozenset({"databricks", "databricks-uc", "uc"})
"""Names that MLflow reads as services, and nobody means as folders."""
_HOST_AND_PORT = re.compile(r"[\w.-]+:\d+(/.*)?")


class Embedded(NamedTuple):
    """A store in this process: its database file and its folder of artifacts."""

    database: Path
    artifacts: Path

    @property
    def uri(self) -> str:
        return f"sqlite:///{self.database}"


_chosen: str | None = None
_default: str | None = None


def choose(uri: str | Path) -> None:
    """Sets the tracking URI of this process; an empty one returns to the environment or the default."""
    global _chosen
    if isinstance(uri, Path):
        uri = str(uri.absolute())
    if uri:
        uri = _pinned(uri)
    _chosen = uri or None
    workers.tell(uri=_chosen)


def current() -> str:
    """The tracking URI in force: chosen, here or by the process that has spawned this one, else from the environment,
    else ``./.logbuch`` as it was at first use.

    Where that cannot be made, a folder of the user's takes its place, and one line says so: no training ends for it.
    """
    global _default
    found = _chosen or workers.told("uri") or settings.TRACKING_URI.get()
    if found:
        return str(found)
    if _default is None:
        _default = workers.told("default")
    if _default is None:
        _default = in_folder(_usual_folder()).uri
        workers.tell(default=_default)
    return _default


def _usual_folder() -> Path:
    try:
        here = Path.cwd() / FOLDER
    except OSError:  # the working folder was deleted
        here = Path(FOLDER)
    if here.is_dir() or (not here.exists() and os.access(here.parent, os.W_OK | os.X_OK)):
        return here
    found = next(_spare_folders()) / FOLDER
    say(f"logbuch: {here} cannot be made, so runs go to {found}")
    return found


def _spare_folders() -> Iterator[Path]:
    """Folders of the user's own, the best first; the last one is always there."""
    finds: tuple[Callable[[], Path], ...] = (_beside_journals, _in_temporary_folder)
    for find in finds:
        with contextlib.suppress(OSError, RuntimeError):  # a user without a home
            place = find()
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if place.stat().st_uid == _user() and os.access(place, os.W_OK | os.X_OK):
                yield place
    yield Path(tempfile.mkdtemp(prefix="logbuch-"))


def spare_roots() -> Iterator[Path]:
    """Folders for journals where the usual one cannot be written, the best first; the last one is always there."""
    for find in _ROOTS:
        with contextlib.suppress(OSError, RuntimeError):  # a user without a home
            root = find()
            root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_trusted(root):
                root.mkdir(mode=0o700, exist_ok=True)
                if os.access(root, os.W_OK | os.X_OK):
                    yield root
    yield Path(tempfile.mkdtemp(prefix="logbuch-")) / JOURNALS


def used_roots() -> list[Path]:
    """Those of them that may hold journals of earlier processes."""
    found = []
    for find in _ROOTS:
        with contextlib.suppress(OSError, RuntimeError):
            root = find()
            if root.is_dir() and _is_trusted(root):
                found.append(root)
    return found


def _temporary_root() -> Path:
    return _in_temporary_folder() / JOURNALS


def _is_trusted(root: Path) -> bool:
    """Whether it is this user's own, among temporary files, where everybody may make folders."""
    folder = root.parent
    return root != _temporary_root() or (folder.lstat().st_uid == _user() and not folder.is_symlink())


def _beside_journals() -> Path:
    return root_of_servers().parent


def _in_temporary_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"logbuch-{_user()}"


def _user() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0  # where there are none, a file's is 0


_ROOTS: tuple[Callable[[], Path], ...] = (root_of_servers, _temporary_root)


def is_chosen() -> bool:
    """Whether the URI was set, in the program or in the environment."""
    return bool(_chosen or workers.told("uri") or settings.TRACKING_URI.get())


def in_folder(folder: Path) -> Embedded:
    folder = folder.absolute()
    return Embedded(folder / DATABASE, folder / ARTIFACTS)


def way_to_see(kept: Embedded) -> str:
    """Where an embedded store is, and the command that shows it."""
    folder = kept.database.parent
    if kept.database.name != DATABASE or kept.artifacts != folder / ARTIFACTS or folder.name != FOLDER:
        return f"{kept.database}; see it with: logbuch ui --backend-store-uri {shlex.quote(kept.uri)}"
    if folder == Path.cwd() / FOLDER:
        return f"./{FOLDER}; see it with: logbuch ui"
    return f"{folder}; see it with: cd {shlex.quote(str(folder.parent))} && logbuch ui"


def understand(uri: str) -> str | Embedded:
    """A server's address as it is, or the files of an embedded store."""
    scheme = uri.partition(":")[0].lower() if ":" in uri else ""
    if scheme in ("http", "https"):
        return uri
    if scheme == "sqlite":
        return _of_database(uri)
    if scheme == "file":
        return in_folder(_file_path(uri))
    named = scheme and len(scheme) > 1 and "/" not in scheme  # a single letter is a Windows drive
    if named or uri.lower() in _DATABRICKS:
        meant = f" Write http://{uri} for a server." if _HOST_AND_PORT.fullmatch(uri) else ""
        raise InvalidInput(
            f"Runs cannot be sent to {uri!r}.{meant} Allowed are a server's address (http://… or https://…), "
            "sqlite:///FILE, file:FOLDER, and a folder. A PostgreSQL database is reached through 'logbuch server'."
        )
    return in_folder(Path(uri))


def _of_database(uri: str) -> Embedded:
    name = uri.removeprefix("sqlite:///").partition("?")[0]
    if name == uri or not name or name == ":memory:":
        raise InvalidInput(
            f"{uri!r} names no database file: use sqlite:///FILE, or sqlite:////FILE for an absolute path."
        )
    database = Path(name).absolute()
    return Embedded(database, database.parent / ARTIFACTS)


def _file_path(uri: str) -> Path:
    parts = urlsplit(uri)
    if parts.netloc not in ("", "localhost"):
        raise InvalidInput(f"{uri!r} names a file on another machine; use file:///FOLDER or a server's address.")
    return Path(unquote(parts.path))


def _pinned(uri: str) -> str:
    """Relative places are meant as seen from where they were chosen, whatever the program's folder is later."""
    place = understand(uri)
    return uri if isinstance(place, str) or Path(uri).is_absolute() else place.uri if _relative(uri) else uri


def _relative(uri: str) -> bool:
    if uri.startswith("sqlite:///"):
        return not Path(uri.removeprefix("sqlite:///")).is_absolute()
    if uri.startswith("file:"):
        return not urlsplit(uri).path.startswith("/")
    return True

"""What is recorded about where a run came from, so that it can be done again.

What costs microseconds becomes tags of the new run at once. git and the list of packages follow from a thread.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
import platform
import re
import shlex
import socket
import sys
import sysconfig
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from logbuch import settings
from logbuch.sdk.recording import git, machine
from logbuch.sdk.recording.redaction import Redactor, names_secret

logger = logging.getLogger("logbuch")
SOURCE_NAME, SOURCE_TYPE, USER = "mlflow.source.name", "mlflow.source.type", "mlflow.user"
GIT_FOLDER, UNTRACKED = "logbuch.git.folder", "logbuch.source.untracked"
SOURCE_FOLDER, SCRIPT_BYTES = "logbuch/source", 1024 * 1024
PACKAGES_FILE, DIFF_FILE = "logbuch/requirements.txt", "logbuch/diff.patch"
MACHINE_FILE, UNTRACKED_FILE = "logbuch/environment.json", "logbuch/untracked.txt"
SOURCE_FILES = 100
"""How many modules that git does not know are kept at most."""
_DISTRIBUTION = re.compile(r"(?P<name>.+?)-(?P<version>[^-]+?)(-.*)?\.(dist|egg)-info")


def user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "unknown"


def in_notebook() -> bool:
    """Whether this is a Jupyter kernel."""
    shell = sys.modules.get("IPython")
    instance = shell.get_ipython() if shell is not None else None
    return type(instance).__name__ in ("ZMQInteractiveShell", "Shell")


def tags() -> dict[str, str]:
    """The tags of a new run that can be known at once."""
    found = {
        USER: user(),
        SOURCE_NAME: _source(),
        SOURCE_TYPE: "NOTEBOOK" if in_notebook() else "LOCAL",
        "logbuch.python": platform.python_version(),
        "logbuch.host": socket.gethostname(),
        "logbuch.command": _command(_started_as()),
        "logbuch.cwd": _folder(),
    }
    return {key: value for key, value in found.items() if value} | _context()


class Background:
    """Reads git and the packages in a thread, and hands over what it finds. ``finish`` waits for it."""

    def __init__(self, set_tags: Callable[[Mapping[str, str]], None], keep_file: Callable[[str, bytes], None]) -> None:
        self._set_tags, self._keep_file = set_tags, keep_file
        self._redactor = Redactor()
        self._thread = threading.Thread(target=self._run, name="logbuch-capture", daemon=True)
        self._thread.start()

    def finish(self, seconds: float) -> None:
        if self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            if settings.CAPTURE_MACHINE.flag():
                self._read_machine()
            if settings.CAPTURE_GIT.flag():
                self._read_git()
            if settings.CAPTURE_PACKAGES.flag():
                self._keep_file(PACKAGES_FILE, packages().encode())
        except Exception:
            logger.warning("git, the machine or the packages could not be recorded with the run", exc_info=True)

    def _read_machine(self) -> None:
        found = machine.describe(self._redactor)
        self._set_tags(machine.tags(found))
        self._keep_file(MACHINE_FILE, machine.as_json(found))

    def _read_git(self) -> None:
        state = git.state(_code_folder())
        script = _script()
        untracked = script is not None and (state is None or not git.tracks(script))
        found: dict[str, str | None] = {}
        if state is not None:
            found = {
                "mlflow.source.git.commit": state.commit,
                "mlflow.source.git.branch": state.branch,
                "mlflow.source.git.dirty": str(state.dirty or untracked).lower(),
                "mlflow.source.git.repoURL": state.url,
                GIT_FOLDER: _within(state.folder),
            }
        if untracked:
            found[UNTRACKED] = "true"
        self._set_tags({key: value for key, value in found.items() if value is not None})
        if state is not None:
            self._keep_changes(state)
        if untracked and script is not None:
            self._keep_source(script, script.name)

    def _keep_changes(self, state: git.State) -> None:
        """What the commit lacks: changed files as patches, and the untracked modules that the program has loaded."""
        if state.dirty or state.commit is None:
            self._keep_patch(git.diff(state.folder, commit=state.commit is not None), DIFF_FILE)
        for module in state.modules:
            patch = git.diff(state.folder / module)
            self._keep_patch(patch, f"logbuch/diff-{module.replace('/', '~')}.patch")
        names = git.untracked(state.folder)
        if names:
            self._keep_file(UNTRACKED_FILE, "".join(f"{name}\n" for name in names).encode(errors="replace"))
            loaded = _loaded()
            own = [name for name in names if str(state.folder / name) in loaded and state.folder / name != _script()]
            for name in own[:SOURCE_FILES]:
                self._keep_source(state.folder / name, name)

    def _keep_patch(self, patch: bytes | None, path: str) -> None:
        if patch:
            shown = self._redactor.content(patch)
            note = b"" if shown == patch else b"\n# Logbuch has hidden secrets in this patch: *** stands for them\n"
            self._keep_file(path, shown + note)

    def _keep_source(self, file: Path, name: str) -> None:
        if file.stat().st_size <= SCRIPT_BYTES:
            self._keep_file(f"{SOURCE_FOLDER}/{name}", self._redactor.content(file.read_bytes()))


def _loaded() -> set[str]:
    """The files of the modules that the program has imported."""
    return {str(file) for module in list(sys.modules.values()) if (file := getattr(module, "__file__", None))}


def _script() -> Path | None:
    """The file that was started, unless it belongs to an installed package or to Python itself."""
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    file = Path(program).resolve() if program else None
    if file is None or not file.is_file():
        return None
    installed = (Path(path).resolve() for path in {*sysconfig.get_paths().values(), str(Path(sys.executable).parent)})
    return None if any(file.is_relative_to(place) for place in installed if place != place.parent) else file


def _within(root: Path) -> str | None:
    """The working folder as seen from a repository's root, "" for the root itself; None outside of it."""
    folder = Path(_folder() or "/").resolve()
    if not folder.is_relative_to(root.resolve()):
        return None
    return "/".join(folder.relative_to(root.resolve()).parts)


def packages() -> str:
    """Installed packages as ``name==version`` lines, read from the names of their folders: no file is opened."""
    found: dict[str, str] = {}
    for entry in sys.path:
        for name in _names_in(entry or "."):
            match = _DISTRIBUTION.fullmatch(name)
            if match and match["name"] not in found:
                found[match["name"]] = match["version"]
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items(), key=lambda item: item[0].lower()))


def _names_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in entries]
    except OSError:  # a zip file, or not there
        return []


def _source() -> str:
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    return str(program) if program else (sys.argv[0] if sys.argv and sys.argv[0] else "python")


def _started_as() -> list[str]:
    """How the interpreter was called, as one would type it: ``python train.py --lr 0.1``, or a command's own name."""
    given = [Path(part) for part in sys.orig_argv[:2]]
    if len(given) == 2 and given[1].parent == given[0].parent and given[1].parent.name in ("bin", "Scripts"):
        return [given[1].name, *sys.orig_argv[2:]]
    return ["python", *(_near(part) for part in sys.orig_argv[1:])]


def _near(argument: str) -> str:
    """A path below the working folder as seen from there."""
    path, folder = Path(argument), _folder()
    return str(path.relative_to(folder)) if folder and path.is_absolute() and path.is_relative_to(folder) else argument


def _command(argv: list[str]) -> str:
    """The command line as a shell would take it; secrets are left out, and the values of options that name one."""
    shown: list[str] = []
    hide = False
    for argument in argv:
        name, equals, _ = argument.partition("=")
        option = argument.startswith("-") and names_secret(name)
        shown.append("***" if hide else f"{name}=***" if option and equals else argument)
        hide = option and not equals
    redactor = Redactor()
    return shlex.join(map(redactor.text, shown))


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return ""


def _code_folder() -> Path:
    """Where the program lies; of an installed command, whose file is the environment's, where it was started."""
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(program).absolute().parent if program and _script() is not None else Path.cwd()


def _context() -> dict[str, str]:
    text = settings.RUN_CONTEXT.get()
    if not text:
        return {}
    try:
        context = json.loads(text)
        return {str(key): str(value) for key, value in context.items()}
    except (ValueError, AttributeError):
        logger.warning("the run context in the environment is no JSON object and was left out: %.100s", text)
        return {}

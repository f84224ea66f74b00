"""The plan of doing a run again: its steps, and everything that cannot be restored. Making it changes nothing."""

from __future__ import annotations

import os
import platform
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from logbuch.model import RunStatus
from logbuch.sdk.recording import capture
from logbuch.sdk.recording.gpus import Gpus
from logbuch.sdk.recording.redaction import HIDDEN
from logbuch.sdk.reproducing import command, datasets, packages, ranks, repository
from logbuch.sdk.reproducing.problems import Problem
from logbuch.sdk.reproducing.recorded import Recorded, inside
from logbuch.sdk.reproducing.repository import Origin
from logbuch.sdk.reproducing.steps import Call, Lay, Step, git

CODE, ENVIRONMENT, REQUIREMENTS = "code", "environment", "requirements.txt"
_OURS = ("PATH", "HOME", "PWD", "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "LD_PRELOAD", "LD_LIBRARY_PATH")
"""Variables that belong to this machine; those of the recorded one are not taken."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for: the folder, and the places of what the run does not tell."""

    into: Path
    repository: str | None = None
    command: str | None = None
    current: bool = False


@dataclass(slots=True)
class Plan:
    """How a run is done again in ``into``. ``argv`` is run in ``folder`` with ``variables`` added to the environment.

    ``requirements`` are the lines for the environment and ``packages`` what it holds; None where this interpreter is
    used.
    """

    into: Path
    folder: Path
    origin: Origin | None = None
    argv: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    requirements: tuple[str, ...] | None = None
    packages: tuple[str, ...] = ()
    installer: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def code(self) -> Path:
        return self.into / CODE

    def stopping(self, *, anyway: bool) -> list[Problem]:
        """What makes it pointless to begin."""
        return [one for one in self.problems if one.stops or (one.code and not anyway)]

    def lines(self) -> list[str]:
        """The plan as a shell would take it."""
        found = [shlex.join(["mkdir", "-p", str(self.into)])]
        if self.requirements is not None:
            quoted = shlex.join(self.requirements)
            found.append(f"printf '%s\\n' {quoted} > {shlex.quote(str(self.into / REQUIREMENTS))}")
        for step in self.steps:
            found += step.lines()
        found.append(shlex.join(["cd", str(self.folder)]))
        given = [f"{name}={shlex.quote(value)}" for name, value in self.variables.items()]
        return [*found, " ".join([*given, shlex.join(self.argv)])]


def make(recorded: Recorded, wishes: Wishes, staging: Path) -> Plan:
    """Looks at everything that a run needs and says what is missing. ``staging`` is a folder for what must be fetched.

    No file outside of ``staging`` is written and nothing of the run is started.
    """
    plan = Plan(wishes.into, wishes.into / CODE)
    _Maker(recorded, wishes, plan, staging).make()
    return plan


class _Maker:
    def __init__(self, recorded: Recorded, wishes: Wishes, plan: Plan, staging: Path) -> None:
        self._recorded, self._wishes, self._plan, self._staging = recorded, wishes, plan, staging
        self._root = recorded.root

    def make(self) -> None:
        plan, argv = self._plan, command.parsed(self._recorded, self._wishes.command)
        self._code()
        if isinstance(argv, Problem):
            plan.problems.insert(0, argv)
        elif not plan.stopping(anyway=True):
            outside = self._plan.origin is not None and self._recorded.within is None
            plan.argv = command.moved(argv, self._recorded.cwd if outside else None, self._place)
        if plan.stopping(anyway=True):
            return
        plan.problems += self._data()
        plan.problems += _differing(self._recorded)
        self._environment()

    def _code(self) -> None:
        """The commit, the changes on it and the sources that it lacks."""
        recorded, plan = self._recorded, self._plan
        if recorded.commit is not None:
            found = repository.find(recorded, self._wishes.repository, self._staging)
            if isinstance(found, Problem):
                plan.problems.append(found)
                return
            plan.origin = found
            plan.problems += found.lacking(self._staging)
            if self._root is None:
                self._root = repository.around(Path(recorded.source).parent) if recorded.source else None
            plan.steps += found.steps(plan.code)
        elif recorded.patches():
            plan.steps.append(Call(git("init", "--quiet", str(plan.code))))
        elif not recorded.sources():
            plan.problems.append(
                Problem(
                    missing="The run has recorded no commit and no script.",
                    help="Its code was in no git repository, or the setting capture_git was off: there is no way back.",
                    stops=True,
                )
            )
            return
        self._changes()
        self._sources()
        self._working_folder()

    def _changes(self) -> None:
        recorded, plan = self._recorded, self._plan
        patches = recorded.patches()
        if recorded.dirty and not patches and not recorded.sources():
            plan.problems.append(
                Problem(
                    missing="The code had uncommitted changes, and they were not recorded.",
                    help="--anyway runs the commit without them.",
                    code=True,
                )
            )
        for module, path in patches.items():
            local = recorded.fetched(path)
            assert local is not None
            folder = plan.code / inside(module, f"The file {path}")
            refused = plan.origin.refusal(local) if plan.origin is not None and not module else None
            lacks = repository.marked(local.read_bytes())
            if refused is not None:
                kept = f" ({path}, {lacks})" if lacks else f" ({path})"
                plan.problems.append(
                    Problem(
                        missing=f"The recorded changes{kept} do not apply to the commit: {refused}.",
                        help="--anyway runs the commit without them.",
                        code=True,
                    )
                )
                continue
            if lacks:
                plan.problems.append(Problem(missing=f"The recorded changes are kept {lacks}.", code=True))
            place = plan.into / path
            plan.steps.append(Lay(local, place, plan.into / "logbuch", recorded.run_id, path))
            plan.steps.append(Call(git("-C", str(folder), "apply", "--binary", "--whitespace=nowarn", str(place))))

    def _sources(self) -> None:
        recorded, plan = self._recorded, self._plan
        kept = recorded.sources()
        if recorded.untracked and not self._script_name() and recorded.source:
            plan.problems.append(
                Problem(
                    missing=f"git did not know the script {recorded.source}, and it was not kept.",
                    help="Only scripts of up to 1 MiB are.",
                    code=True,
                )
            )
        for name in kept:
            path = f"{capture.SOURCE_FOLDER}/{name}"
            local = recorded.fetched(path)
            if local is not None:
                if HIDDEN.encode() in local.read_bytes():
                    plan.problems.append(Problem(missing=f"In the kept source {name} secrets may be hidden (***)."))
                place = plan.code / (self._script_place() if name == self._script_name() else inside(name, path))
                plan.steps.append(Lay(local, place, plan.code, recorded.run_id, path))
        known = {*kept, str(self._script_place())}
        others = [name for name in self._unknown() if name not in known and "__pycache__" not in name]
        if others:
            shown = ", ".join(others[:5]) + (f" and {len(others) - 5} more" if len(others) > 5 else "")
            plan.problems.append(Problem(missing=f"Files that git did not know were not kept: {shown}."))

    def _unknown(self) -> list[str]:
        local = self._recorded.fetched(capture.UNTRACKED_FILE)
        return local.read_text("utf-8", "replace").splitlines() if local is not None else []

    def _script_name(self) -> str | None:
        """The kept script, among the kept sources."""
        name = Path(self._recorded.source or "").name
        return name if self._recorded.untracked and name in self._recorded.sources() else None

    def _script_place(self) -> Path:
        """Where the script was, as seen from the repository or, without one, from the working folder."""
        source = Path(self._recorded.source or "script.py")
        start = self._root or self._recorded.cwd
        seen = command.below(source, start) if source.is_absolute() else None
        return Path(seen) if seen is not None else Path(source.name)

    def _place(self, path: Path) -> Path | None:
        """The new place of what was at an absolute path, if it is code."""
        plan, recorded = self._plan, self._recorded
        if recorded.untracked and recorded.source and path == Path(recorded.source):
            return plan.code / self._script_place()
        seen = command.below(path, self._root or (recorded.cwd if plan.origin is None else None))
        if seen is None:
            return None
        known = str(seen) in recorded.sources() or (plan.origin is not None and plan.origin.has(str(seen)))
        return plan.code / seen if known else None

    def _working_folder(self) -> None:
        recorded, plan = self._recorded, self._plan
        if recorded.within is not None:
            plan.folder = plan.code / recorded.within
        elif plan.origin is not None and recorded.cwd is not None:
            plan.problems.append(
                Problem(
                    missing=f"It ran in {recorded.cwd}, outside of its repository; what was there is not at hand.",
                    help="It starts in the repository's folder.",
                )
            )

    def _data(self) -> Iterator[Problem]:
        """The checks of the data sets; a file within the repository that git lacks is copied to its new place."""
        recorded, plan = self._recorded, self._plan
        for dataset, path, place in datasets.local_files(recorded.run, recorded.cwd):
            seen = command.below(Path(os.path.normpath(place)), self._root or recorded.cwd)
            if seen is not None and plan.origin is not None and plan.origin.has(str(seen)):
                continue
            wrong = datasets.problem(dataset, place)
            if wrong is not None:
                yield wrong
            if seen is not None and place.is_file():
                plan.steps.append(Lay(place, plan.code / seen, plan.code))
                plan.argv = [str(plan.code / seen) if part == path and part[:1] == "/" else part for part in plan.argv]

    def _environment(self) -> None:
        plan, recorded = self._plan, self._recorded
        local = recorded.fetched(capture.PACKAGES_FILE)
        text = local.read_text("utf-8", "replace") if local is not None else ""
        if not text:
            plan.problems.append(Problem(missing="The run has recorded no packages; this interpreter's are taken."))
        if self._wishes.current or not text:
            plan.problems += packages.differences(text)
            if recorded.python not in (None, platform.python_version()):
                here = platform.python_version()
                plan.problems.append(Problem(missing=f"The run had Python {recorded.python}; {here} is taken."))
        elif not plan.stopping(anyway=True):
            found, problems = packages.chosen(text, recorded.python, self._place)
            plan.requirements, plan.packages = found.lines, found.contents
            plan.installer = "uv" if found.uv else "pip"
            plan.problems += problems
            plan.steps += found.steps(plan.into / ENVIRONMENT, plan.into / REQUIREMENTS)
        kept = {name: value for name, value in recorded.environment.items() if _taken(name) and value != HIDDEN}
        plan.variables = ranks.without(kept)
        if self._wishes.command is None:
            plan.problems += ranks.missing(kept, plan.argv)


def _taken(name: str) -> bool:
    return name not in _OURS and not name.startswith(("LOGBUCH_", "MLFLOW_"))


def _differing(recorded: Recorded) -> Iterator[Problem]:
    """What of the machine is another, and what makes two runs differ."""
    if recorded.run.info.status is RunStatus.RUNNING:
        yield Problem(missing="The run is still running: its last values may change.")
    if recorded.gpu:
        here = [device.get("model", "GPU") for device in Gpus().describe()]
        if not here:
            yield Problem(missing=f"The run had a GPU ({recorded.gpu}); there is none here.")
        elif not all(model in recorded.gpu for model in here):
            yield Problem(missing=f"The run had another GPU ({recorded.gpu}) than {', '.join(sorted(set(here)))}.")
    if not any("seed" in key.lower() or key == "random_state" for key in recorded.run.data.params):
        yield Problem(missing="No param names a seed: if none is fixed in the code, values will differ.")

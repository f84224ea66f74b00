"""The folder in which a run is done again: made by the steps of a plan, and taken away if that fails."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from logbuch.errors import InvalidInput, InvalidState
from logbuch.sdk.reproducing import packages, repository
from logbuch.sdk.reproducing.plan import ENVIRONMENT, REQUIREMENTS, Plan

_NAMES_A_RUN = ("LOGBUCH_RUN_ID", "MLFLOW_RUN_ID", "LOGBUCH_RUN_NAME", "MLFLOW_RUN_NAME")
_MOST_NUMBERS = 1000


def default(name: str) -> Path:
    """A new folder named after a run: in this folder, or beside the checkout around it."""
    plain = re.sub(r"[^\w.-]+", "-", name).strip(".-") or "run"
    around = repository.around(Path.cwd())
    parent = around.parent if around is not None else Path.cwd()
    names = (plain, *(f"{plain}-{number}" for number in range(2, _MOST_NUMBERS)))
    return next(parent / one for one in names if not (parent / one).exists())


def checked(into: Path) -> Path:
    """The absolute folder; ``InvalidInput`` if it holds something or is within a checkout."""
    into = Path(os.path.abspath(into))  # noqa: PTH100  (".." goes, links stay)
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise InvalidInput(f"{into} exists and is not empty: give another folder by --into.")
    nearest = next(folder for folder in (into, *into.parents) if folder.is_dir())
    around = repository.around(nearest)
    if around is not None:
        raise InvalidInput(f"{into} is within the checkout {around}, which stays as it is: give a folder outside.")
    return into


@contextlib.contextmanager
def standing(plan: Plan, keep: Callable[[], bool], say: Callable[[str], None]) -> Iterator[None]:
    """The folder of a plan while it is used; then, and after a failure, it goes unless ``keep`` says otherwise."""
    new = not plan.into.exists()
    try:
        plan.into.mkdir(parents=True, exist_ok=True)
        plan.code.parent.mkdir(exist_ok=True)
        if plan.origin is None:
            plan.code.mkdir()
        if plan.requirements is not None:
            (plan.into / REQUIREMENTS).write_text("".join(f"{line}\n" for line in plan.requirements), "utf-8")
        for step in plan.steps:
            say("; ".join(step.lines()))
            step.take()
        if not plan.folder.is_dir():
            raise InvalidState(
                f"The commit has no folder {plan.folder.relative_to(plan.code)}, where the run was started."
            )
        yield
    finally:
        if not keep():
            discard(plan, whole=new)


def discard(plan: Plan, *, whole: bool) -> None:
    """Takes away all that the plan has made; the folder itself with ``whole``."""
    if plan.origin is not None:
        plan.origin.discard(plan.code)
    for place in [plan.into] if whole else list(plan.into.iterdir()):
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, ignore_errors=True)
        else:
            place.unlink(missing_ok=True)


@contextlib.contextmanager
def entered(plan: Plan, root: Path | None) -> Iterator[None]:
    """This process in the working folder, with the environment that the program is to have."""
    before, folder = dict(os.environ), Path.cwd()
    try:
        os.environ.update(_environment(plan, root))
        for name in _NAMES_A_RUN:
            os.environ.pop(name, None)
        os.chdir(plan.folder)
        yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(before)


def program(plan: Plan) -> list[str]:
    """The command with the interpreter, or the environment's own program, in the first place."""
    own = plan.requirements is not None
    python = packages.interpreter_of(plan.into / ENVIRONMENT) if own else Path(sys.executable)
    if plan.argv[0] == "python":
        return [str(python), *plan.argv[1:]]
    found = shutil.which(plan.argv[0], path=str(python.parent)) or shutil.which(plan.argv[0])
    if found is None:
        raise InvalidInput(f"There is no program {plan.argv[0]!r} here: install it, or give the command by --command.")
    return [found, *plan.argv[1:]]


def _environment(plan: Plan, root: Path | None) -> dict[str, str]:
    """The recorded variables; the environment's programs first; no modules from the checkout of the run."""
    folder = plan.into / ENVIRONMENT
    found = dict(plan.variables)
    scripts = packages.scripts_of(folder) if plan.requirements is not None else Path(sys.executable).parent
    found["PATH"] = os.pathsep.join([str(scripts), os.environ.get("PATH", "")])
    if plan.requirements is not None:
        found["VIRTUAL_ENV"] = str(folder)
    paths = [part for part in os.environ.get("PYTHONPATH", "").split(os.pathsep) if part]
    if paths:
        found["PYTHONPATH"] = os.pathsep.join(_moved(Path(part).absolute(), root, plan.code) for part in paths)
    return found


def _moved(path: Path, root: Path | None, code: Path) -> str:
    return str(code / path.relative_to(root)) if root is not None and path.is_relative_to(root) else str(path)

"""``logbuch run``: a run around any program."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from logbuch import settings
from logbuch.cli.child import Child, found, shells_code

_INTERRUPTED, _KILLED, _TERMINATED = 130, 137, 143
"""What programs that heed SIGINT and SIGTERM exit with, and what shells say of one that was killed."""
_NOT_FOUND = 127
_SCRIPTS = (".py", ".sh", ".bash", ".ipynb")


def _pairs(_context: click.Context, option: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise click.BadParameter(f"{text!r} is not of the form KEY=VALUE.", param=option)
        pairs[key] = value
    return pairs


@click.command(context_settings={"allow_interspersed_args": False})
@click.option("-e", "--experiment", metavar="NAME", help="Experiment of the run; it is created if need be.")
@click.option("-n", "--name", metavar="NAME", help="Name of the run.")
@click.option(
    "-p", "--param", "params", multiple=True, callback=_pairs, metavar="KEY=VALUE", help="A param of the run."
)
@click.option("-t", "--tag", "tags", multiple=True, callback=_pairs, metavar="KEY=VALUE", help="A tag of the run.")
@click.option("--description", metavar="TEXT", help="What the run's page says of it.")
@click.option("--run-id", metavar="ID", help="Go on with this run.")
@click.option("--tracking-uri", metavar="URI", help="Where the run goes: a server's address or a folder.")
@click.option("--system-metrics", is_flag=True, help="Sample CPU, memory, disk, network and GPU.")
@click.option("--no-console", is_flag=True, help="Do not keep what the program prints.")
@click.option("-m", "--module", is_flag=True, help="COMMAND is a Python module.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(
    experiment: str | None,
    name: str | None,
    params: dict[str, str],
    tags: dict[str, str],
    description: str | None,
    run_id: str | None,
    tracking_uri: str | None,
    system_metrics: bool,
    no_console: bool,
    module: bool,
    command: tuple[str, ...],
) -> None:
    """Run any program, with a run around it.

    What the program prints is kept with the run; so are the code's commit and the packages. The run ends as the program
    does: FINISHED, FAILED by its exit code, KILLED by a signal. The exit code is the program's. A program that starts a
    run itself, with logbuch or mlflow, joins this one. COMMAND is a program or a Python file.
    """
    import logbuch

    program = _command(command, module=module)
    if not found(program[0]):
        click.echo(f"logbuch run: there is no program {program[0]!r}", err=True)
        sys.exit(_NOT_FOUND)
    if tracking_uri is not None:
        logbuch.set_tracking_uri(tracking_uri)
    if experiment is not None:
        logbuch.set_experiment(experiment)
    script = _script(command, module=module)

    def begin() -> None:
        logbuch.start_run(
            run_id,
            run_name=name,
            tags={"mlflow.source.name": str(script or command[0])} | tags,
            description=description,
            log_system_metrics=system_metrics or None,
            log_console=False,
        )
        if params:
            logbuch.log_params(params)

    sys.exit(shells_code(around(program, begin, script=script, experiment=experiment, hears=not no_console)))


def around(
    program: Sequence[str], begin: Callable[[], None], *, script: Path | None, experiment: str | None, hears: bool
) -> int:
    """Runs a program to its end with a run around it, which ``begin`` starts. The run ends as the program does.

    Returns the exit code, or the negative number of the signal that killed it.
    """
    import logbuch

    child = Child(program)
    with child.passing_signals(), _standing_for(script or Path.cwd() / "-"):
        begin()
        code = _run(child, experiment, hears=hears)
        logbuch.set_tag("logbuch.exit_code", code)
        logbuch.end_run(_status(code))
    return code


def _command(given: Sequence[str], *, module: bool) -> list[str]:
    if module:
        return [sys.executable, "-m", *given]
    return [sys.executable, *given] if given[0].endswith(".py") and Path(given[0]).is_file() else list(given)


def _script(given: Sequence[str], *, module: bool) -> Path | None:
    """The file that is run: the first argument that is a script, or the module's in the working folder."""
    names = list(given)
    if module:
        below = given[0].replace(".", "/")
        names = [f"{below}.py", f"{below}/__main__.py"]
    scripts = (Path(name).absolute() for name in names if name.endswith(_SCRIPTS) and Path(name).is_file())
    return next(scripts, None)


@contextlib.contextmanager
def _standing_for(script: Path) -> Iterator[None]:
    """What is recorded of the code is that of the program and not of this command, as with debuggers and profilers."""
    main: Any = sys.modules["__main__"]
    before = getattr(main, "__file__", None)
    main.__file__ = str(script)
    try:
        yield
    finally:
        main.__file__ = before


def _run(child: Child, experiment: str | None, *, hears: bool) -> int:
    from logbuch.sdk import stack
    from logbuch.sdk.output import console, consolelog

    current = stack.top()
    assert current is not None
    hears = hears and os.name == "posix" and console.mode() != console.OFF
    if hears:
        current.console = consolelog.begin(*current.attached(), resumed=current.resumed)
    environment = _environment(current.run, experiment, hears=hears, samples=current.monitor is not None)
    try:
        return child.run(environment, current.console.recorder.feed if current.console is not None else None)
    except OSError as error:
        click.echo(f"logbuch run: the program could not be started: {error}", err=True)
        return _NOT_FOUND - 1


def _environment(run: Any, experiment: str | None, *, hears: bool, samples: bool) -> dict[str, str]:
    """The environment by which the program's own ``start_run`` joins the run, and does not do twice what is done."""
    import logbuch

    uri = logbuch.get_tracking_uri()
    found = dict(os.environ) | {"LOGBUCH_TRACKING_URI": uri, "LOGBUCH_RUN_ID": run.info.run_id}
    if experiment is not None:
        found["LOGBUCH_EXPERIMENT_NAME"] = experiment
    if uri.startswith(("http://", "https://")) and run.info.experiment_id:  # mlflow needs a server that answers
        found |= {"MLFLOW_TRACKING_URI": uri, "MLFLOW_RUN_ID": run.info.run_id}
    if hears:
        found["LOGBUCH_CONSOLE"] = "off"
    if samples:
        found[settings.SYSTEM_METRICS.variables[0]] = "false"
    return found


def _status(code: int) -> str:
    if code < 0 or code in (_INTERRUPTED, _KILLED, _TERMINATED):
        return "KILLED"
    return "FAILED" if code else "FINISHED"

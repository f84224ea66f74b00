"""``logbuch reproduce``: a run done again, and compared with the first."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from logbuch.cli.asking import asks, knowing_runs, print_json, shown
from logbuch.cli.run import around, run

if TYPE_CHECKING:
    from logbuch.sdk.reproducing.comparison import Outcome
    from logbuch.sdk.reproducing.plan import Plan
    from logbuch.sdk.reproducing.recorded import Recorded

OTHER, FAILED = 3, 4
"""Exit codes: the metrics are not the same; the program failed, which it had not done before."""
REPRODUCES = "logbuch.reproduces"
"""The tag of the new run that names the first."""


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option(
    "--into", metavar="DIR", type=click.Path(path_type=Path), help="A new folder; by default named after RUN."
)
@click.option("--print", "only_print", is_flag=True, help="Print the plan as shell lines and run nothing.")
@click.option("--env", "env", type=click.Choice(["recorded", "current"]), default="recorded", show_default=True,
              help="The recorded packages in a new environment, or this interpreter.")  # fmt: skip
@click.option("--repository", metavar="WHERE", help="A folder or an address that has the commit.")
@click.option("--command", metavar="TEXT", help="Run this instead of the recorded command.")
@click.option("--tolerance", type=click.FloatRange(0, 1), default=0.0, metavar="SHARE",
              help="Values that differ by no more than this share count as the same.")  # fmt: skip
@click.option("--anyway", is_flag=True, help="Run it although the recorded code is not complete.")
@click.option("--keep", is_flag=True, help="Keep DIR after a failure.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask before the recorded command is run.")
@asks
def reproduce(
    run_id: str,
    into: Path | None,
    only_print: bool,
    env: str,
    repository: str | None,
    command: str | None,
    tolerance: float,
    anyway: bool,
    keep: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Do a run again and compare every final metric.

    RUN is the ID of a run. Its commit, uncommitted changes and packages are restored in DIR, and its command is run
    there as a new run. What cannot be restored is said before. Exit code 0: the same metrics; 1: it could not be done;
    3: metrics differ; 4: the program failed.
    """
    import logbuch
    from logbuch.sdk.reproducing import plan as plans
    from logbuch.sdk.reproducing import workplace
    from logbuch.sdk.reproducing.recorded import Recorded

    logbuch.set_tracking_uri(logbuch.get_tracking_uri())  # it is meant as seen from this folder
    with _leaving_on_signals(), tempfile.TemporaryDirectory(prefix="logbuch-") as staging:
        with knowing_runs():
            recorded = Recorded(run_id, Path(staging))
        folder = workplace.checked(into or workplace.default(recorded.run.info.run_name or run_id))
        wishes = plans.Wishes(folder, repository, command, current=env == "current")
        params = _unwrap(recorded)
        plan = plans.make(recorded, wishes, Path(staging))
        if only_print:
            _print_plan(plan, as_json=as_json, anyway=anyway)
            return
        _stop(plan, anyway=anyway)
        _ask(recorded, plan, yes=yes)
        outcome = _done_again(recorded, plan, params, tolerance, keep=keep, quiet=as_json)
    if as_json:
        print_json(outcome)
    else:
        _print(outcome, kept=plan.into.exists())
    sys.exit(_exit_code(recorded, outcome))


@contextlib.contextmanager
def _leaving_on_signals() -> Iterator[None]:
    """SIGTERM and SIGHUP end this command as Ctrl-C does: what it has made is taken away."""

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, leave) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _unwrap(recorded: Recorded) -> dict[str, str]:
    """The command within ``logbuch run`` takes its place; the params that were given to that are returned."""
    try:
        argv = shlex.split(recorded.command or "")
    except ValueError:
        return {}
    if argv[:2] != ["logbuch", "run"]:
        return {}
    try:
        given: dict[str, Any] = run.make_context("logbuch run", list(argv[2:])).params
    except click.ClickException:
        return {}
    program = list(given["command"])
    if given["module"]:
        program = ["python", "-m", *program]
    elif program[0].endswith(".py"):
        program = ["python", *program]
    recorded.command = shlex.join(program)
    return dict(given["params"])


def _print_plan(plan: Plan, *, as_json: bool, anyway: bool) -> None:
    stopping = plan.stopping(anyway=anyway)
    if as_json:
        lines = [] if stopping else plan.lines()
        print_json({"lines": lines, "command": plan.argv, "folder": str(plan.folder), "problems": plan.problems})
    else:
        for problem in plan.problems:
            click.echo(f"# {' '.join(str(problem).split())}")
        if not stopping:
            click.echo("\n".join(plan.lines()))
    if stopping:
        sys.exit(1)


def _stop(plan: Plan, *, anyway: bool) -> None:
    stopping = plan.stopping(anyway=anyway)
    for problem in stopping:
        click.echo(f"logbuch reproduce: {problem}", err=True)
    if stopping:
        sys.exit(1)


def _ask(recorded: Recorded, plan: Plan, *, yes: bool) -> None:
    """Shows what will happen; somebody else may have recorded the command, so it is run only when that is wanted."""
    origin = plan.origin
    code = f"commit {origin.commit[:12]} of {origin.address}" if origin is not None else "the kept script"
    changes = ", with the recorded changes" if recorded.patches() else ""
    number = len(plan.packages)
    environment = f"{number} packages, by {plan.installer}" if plan.requirements is not None else "this interpreter"
    rows = {
        "run": f"{recorded.run.info.run_name} ({recorded.run_id})",
        "code": code + changes,
        "packages": environment,
        "folder": str(plan.folder),
        "variables": " ".join(f"{name}={shlex.quote(value)}" for name, value in plan.variables.items()),
        "command": shlex.join(plan.argv),
    }
    for name, text in rows.items():
        if text:
            click.echo(f"{name:<10} {text}", err=True)
    for problem in plan.problems:
        click.echo(f"note       {problem}", err=True)
    if yes:
        return
    try:
        wanted = click.confirm("Run this command here?", err=True)
    except click.Abort:
        wanted = False
    if not wanted:
        click.echo("logbuch reproduce: nothing was run; answer y, or give --yes.", err=True)
        sys.exit(1)


def _done_again(
    recorded: Recorded, plan: Plan, params: dict[str, str], tolerance: float, *, keep: bool, quiet: bool
) -> Outcome:
    import logbuch
    from logbuch.sdk.recording.capture import PACKAGES_FILE
    from logbuch.sdk.reproducing import comparison, workplace

    done = False
    started: list[str] = []
    first = recorded.run

    def begin() -> None:
        new = logbuch.start_run(
            experiment_id=first.info.experiment_id,
            run_name=first.info.run_name,
            tags={REPRODUCES: recorded.run_id, "logbuch.command": shlex.join(plan.argv)} | _source(recorded, plan),
            log_console=False,
        )
        started.append(new.info.run_id)
        if params:
            logbuch.log_params(params)

    with workplace.standing(plan, lambda: keep or done, lambda line: click.echo(f"$ {line}", err=True)):
        with workplace.entered(plan, recorded.root), _output(quiet=quiet):
            program = workplace.program(plan)
            code = around(program, begin, script=_script(recorded, plan), experiment=None, hears=True)
        if plan.requirements is not None:
            logbuch.log_text("".join(f"{line}\n" for line in plan.packages), PACKAGES_FILE, run_id=started[0])
        logbuch.flush()
        outcome = comparison.compare(
            recorded.run_id, started[0], tolerance=tolerance, folder=str(plan.folder), exit_code=code
        )
        done = code == 0 or outcome.same
    return outcome


def _source(recorded: Recorded, plan: Plan) -> dict[str, str]:
    script = _script(recorded, plan)
    return {"mlflow.source.name": str(script)} if script is not None else {}


def _script(recorded: Recorded, plan: Plan) -> Path | None:
    """The program's file in its new place."""
    named = (plan.folder / part for part in plan.argv[1:] if part.endswith(".py"))
    found = next((path for path in named if path.is_file()), None)
    return found or plan.folder / Path(recorded.source or "-").name


@contextlib.contextmanager
def _output(*, quiet: bool) -> Iterator[None]:
    """With ``quiet`` what the program prints goes to stderr: stdout is the answer's."""
    if not quiet:
        yield
        return
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def _print(outcome: Outcome, *, kept: bool) -> None:
    rows = [["metric", "first", "again", ""]]
    for one in outcome.metrics:
        parts = f", from step {one.parts_at}" if one.parts_at is not None else ""
        rows.append([one.metric, shown(one.first), shown(one.second), f"{one.verdict}{parts}"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for what, changes in (("param", outcome.params), ("data set", outcome.data)):
        for change in changes:
            click.echo(f"The {what} {change.name} is another: {change.first or '–'}, now {change.second or '–'}.")
    if not outcome.metrics:
        click.echo("The first run has no metrics to compare.")
    same = "the same" if outcome.same else "not the same"
    click.echo(f"Run {outcome.new_run_id} ended {outcome.status}: {same}." + (f" In {outcome.folder}" if kept else ""))


def _exit_code(recorded: Recorded, outcome: Outcome) -> int:
    if outcome.status != recorded.run.info.status and outcome.exit_code:
        return FAILED
    return 0 if outcome.same else OTHER

"""Starting a run: a new one, or one that goes on."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping
from typing import Any

from logbuch import settings
from logbuch.errors import InvalidInput, Unavailable
from logbuch.model import RunInfo
from logbuch.sdk import active, beginning, experiments, ranks, stack, values, workers
from logbuch.sdk.active import ActiveRun
from logbuch.sdk.artifacts import files
from logbuch.sdk.connection import Connection, connect
from logbuch.sdk.experiments import Place
from logbuch.sdk.notes import say
from logbuch.sdk.ranks import Rank
from logbuch.sdk.recording import capture, system_metrics
from logbuch.sdk.stack import Active
from logbuch.sdk.writer import RankWriter, RunWriter

_environment_used = False


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
    log_console: bool | None = None,
) -> ActiveRun:
    """Starts a run and makes it the active one; as a context manager it ends by itself.

    ``run_id`` resumes a run. ``nested`` starts a run within the active one, ``parent_run_id`` within any. Without a
    server the run begins all the same, after five seconds at most; it is sent when one answers. ``log_console`` says
    whether what the program prints is kept with the run; without it the setting ``console`` does. In a notebook, a run
    that an earlier cell has left active is ended first, FAILED or KILLED if that cell was.
    """
    if run_id is not None and not isinstance(run_id, str):
        raise InvalidInput(f"A run_id is text, not {values.shown(run_id)}.")
    outer = stack.own_top()
    if outer is not None and not nested and not active.end_of_cell():
        raise InvalidInput(
            f"Run {outer.run.info.run_id} is active already: end it first with end_run(), "
            "or start this one within it by nested=True."
        )
    wanted = _tags(tags, description)
    connection = connect()
    resumed = run_id or _from_environment()
    guest = _as_guest(connection, resumed, wanted)
    if guest is not None:
        guest.hears = log_console
        active.hear(guest)
        return guest.run
    rank = ranks.mine(run_name or "", nested)
    leader = _leader(connection, rank, resumed, experiment_id) if rank is not None and rank.number else None
    if rank is not None and leader is not None:
        started = _join(connection, leader, rank)
    elif resumed:
        run = _resume(connection, resumed, experiment_id if run_id else None, run_name, wanted)
        started = _begin(connection, run, resumed=True)
        if rank is not None:
            started.attached()[1].forget_params()
        if experiment_id is not None and run.info.experiment_id not in ("", str(experiment_id)):
            say(f"logbuch: run {resumed}, which the environment names, stays in experiment {run.info.experiment_id}")
    else:
        parent = parent_run_id or _surrounding(nested)
        run = _create(connection, experiment_id, run_name, parent, _with_rank(wanted, rank))
        started = _begin(connection, run, resumed=False)
        if rank is not None and not rank.number:
            ranks.publish(rank, run.info.run_id, connection.root)
    run = started.run
    if system_metrics.wanted(log_system_metrics):
        writer = started.attached()[1]
        started.monitor = system_metrics.Monitor(run, writer.metrics, writer.tags)
    _announce(connection, run.info)
    started.hears = log_console
    active.hear(started)
    return started.run


def _as_guest(connection: Connection, run_id: str | None, wanted: Mapping[str, str]) -> Active | None:
    """A run that the process carries on which has spawned this one: it is joined here, and ended there."""
    around = active.of_starter()
    if around is None or run_id != around.run.info.run_id or around.uri != connection.key:
        return None
    connection, writer = around.attached()
    joined = Active(around.run, around.uri, connection, writer, sys.exc_info()[1], True, owner=around.owner)
    joined.rank = around.rank
    stack.push(joined)
    if wanted:
        writer.tags(wanted)
    return joined


def _create(
    connection: Connection,
    experiment_id: str | None,
    run_name: str | None,
    parent: str | None,
    wanted: Mapping[str, str],
) -> ActiveRun:
    if parent is not None and all(parent != known.run.info.run_id for known in stack.everything()):
        _require(connection, parent)  # an error now is better than a child without parent
    found = {key: values.as_tag(value, key) for key, value in capture.tags().items()}
    if parent is not None:
        found[values.PARENT_TAG] = parent
    found |= wanted
    known = connection.sender.knows_journals()  # asked first: without an answer nothing else is asked
    where = Place(str(experiment_id), "") if experiment_id is not None else experiments.current(connection)
    run = beginning.create(
        connection,
        where.experiment_id or ("" if known else experiments.current_id(connection)),
        where.name,
        run_name or settings.RUN_NAME.get() or "",
        found.get(capture.USER, ""),
        time.time_ns() // 1_000_000,
        found,
        held=True,
    )
    return ActiveRun(info=run.info, data=run.data, inputs=run.inputs)


def _resume(
    connection: Connection, run_id: str, experiment_id: str | None, run_name: str | None, wanted: Mapping[str, str]
) -> ActiveRun:
    connection.settle()
    run = beginning.resume(connection, run_id, experiment_id, run_name or "")
    connection.forget(run_id)
    writer = connection.adopt(run)
    if wanted:
        writer.tags(wanted)
    return ActiveRun(info=run.info, data=run.data, inputs=run.inputs)


def _require(connection: Connection, run_id: str) -> None:
    with contextlib.suppress(Unavailable):
        if not connection.backend.silent:
            connection.backend.get_run(run_id)


def _surrounding(nested: bool) -> str | None:
    """The run within which a nested one starts; a thread without runs of its own works for the main thread's."""
    around = stack.top() if nested else None
    return around.run.info.run_id if around is not None else None


def _leader(connection: Connection, rank: Rank, resumed: str | None, experiment_id: str | None) -> str | None:
    """The ID of the run that rank 0 has begun or resumed; None, with a line that says so, if it cannot be found."""

    def ask() -> str | None:
        where = experiment_id if experiment_id is not None else experiments.current(connection).experiment_id
        return ranks.on_server(rank, connection.backend, str(where))

    connection.journal.settle()  # the ranks of a machine meet where their journals are
    found = resumed or ranks.find(rank, connection.root, ask)
    if found is None:
        say(f"logbuch: rank {rank.number} found no run of rank 0 in {ranks.WAIT_SECONDS:.0f} s and begins its own.")
    return found


def _join(connection: Connection, run_id: str, rank: Rank) -> Active:
    run = beginning.join(connection, run_id)
    shown = ActiveRun(info=run.info, data=run.data, inputs=run.inputs)
    writer = RankWriter(shown, connection.sender, rank.label)
    joined = Active(shown, connection.key, connection, writer, sys.exc_info()[1], resumed=True, rank=rank)
    stack.push(joined)
    return joined


def _with_rank(wanted: Mapping[str, str], rank: Rank | None) -> Mapping[str, str]:
    """The tags of a run that a rank begins, by which the others find it."""
    if rank is None:
        return wanted
    return {ranks.LAUNCH_TAG: rank.launch, ranks.RANK_TAG: str(rank.number), **wanted}


def _begin(connection: Connection, run: ActiveRun, *, resumed: bool) -> Active:
    writer = connection.adopt(run)
    begun = Active(run, connection.key, connection, writer, sys.exc_info()[1], resumed)
    stack.push(begun)
    connection.heart.hold(run.info.run_id)
    if not resumed:
        begun.capture = capture.Background(writer.tags, lambda path, text: _keep(connection, writer, path, text))
        connection.gathering.append(begun.capture.finish)
    return begun


def _keep(connection: Connection, writer: RunWriter, path: str, content: bytes) -> None:
    files.put_content(connection, writer, path, content)


def _tags(tags: Mapping[str, Any] | None, description: str | None) -> dict[str, str]:
    found = {values.check_key(key, "tag key"): values.as_tag(value, key) for key, value in (tags or {}).items()}
    if description:
        if found.get(values.NOTE_TAG, description) != description:
            raise InvalidInput(f"The description is given twice: as an argument and as the tag {values.NOTE_TAG}.")
        found[values.NOTE_TAG] = values.as_tag(description, values.NOTE_TAG)
    return found


def _from_environment() -> str | None:
    """The run that the environment names; it is resumed by the first start only of a process and those it spawns."""
    global _environment_used
    if _environment_used or workers.told("environment_used"):
        return None
    _environment_used = True
    found = settings.RUN_ID.get()
    if found:
        workers.tell(environment_used=True)
    return found


def _announce(connection: Connection, info: RunInfo) -> None:
    if settings.QUIET.flag():
        return
    url = connection.backend.run_url(info) if info.experiment_id else None
    if url is not None:
        say(f"View run {info.run_name} at: {url}")

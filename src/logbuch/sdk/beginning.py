"""Runs that begin: made under an ID of this process's own, with or without a server."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Mapping

from msgspec.structs import replace

from logbuch import limits
from logbuch.errors import InvalidInput, NotFound, Unavailable
from logbuch.model import LifecycleStage, Run, RunData, RunInfo, RunStatus, Tag
from logbuch.sdk import values
from logbuch.sdk.connection import Connection
from logbuch.wire import ingest

_ASK_SECONDS = 4.0


def create(
    connection: Connection,
    experiment_id: str,
    experiment: str,
    name: str,
    user: str,
    start_time: int,
    tags: Mapping[str, str],
    *,
    held: bool = False,
) -> Run:
    """A new run, in the experiment of this ID or, without one, of this name. What is wrong with it is an error at once,
    if a server answers within five seconds. A run that is ``held`` is lost when this process is gone."""
    wanted = [Tag(key=key, value=value) for key, value in tags.items()]
    sender = connection.sender
    if not sender.knows_journals() and experiment_id:
        return connection.backend.create_run(experiment_id, name, user, start_time, wanted)
    run_id = uuid.uuid4().hex
    chosen = name or tags.get(values.NAME_TAG) or ""
    limits.check_text(chosen, "run_name", limits.RUN_NAME_LENGTH)
    sender.awaits(run_id)
    record = ingest.NewRun(run_id, experiment, experiment_id, chosen, user, start_time, list(tags.items()))
    sender.put(record, run_id, vital=True, counted=False)
    if held:
        sender.put(ingest.Hold(run_id), run_id, vital=True, counted=False)
    if sender.settled(run_id, _ASK_SECONDS):
        # NotFound: there was no room for the record, which is counted and said.
        with contextlib.suppress(Unavailable, NotFound):
            return connection.backend.get_run(run_id)
    return _local(run_id, experiment_id, chosen, user, start_time, wanted)


def resume(connection: Connection, run_id: str, experiment_id: str | None, name: str) -> Run:
    """A run, of this experiment if one is given, that goes on in this process, which holds it from now on."""
    run = attach(connection, run_id)
    if experiment_id is not None and run.info.experiment_id not in ("", str(experiment_id)):
        raise InvalidInput(
            f"Run {run_id} belongs to experiment {run.info.experiment_id}, not to experiment {experiment_id}."
        )
    if run.info.lifecycle_stage is LifecycleStage.DELETED:  # an error before anything is changed
        raise InvalidInput(f"The run {run_id} must be in the 'active' state. Current state is deleted.")
    sender = connection.sender
    sender.awaits(run_id)
    for record in (ingest.Update(run_id, RunStatus.RUNNING, None, name), ingest.Hold(run_id)):
        sender.put(record, run_id, vital=True, counted=False)
    sender.settled(run_id, _ASK_SECONDS)
    info = replace(
        run.info, status=RunStatus.RUNNING, end_time=None, lost_time=None, run_name=name or run.info.run_name
    )
    return replace(run, info=info)


def attach(connection: Connection, run_id: str) -> Run:
    """A run that exists, as the server tells it; if none answers, as far as it is known here."""
    try:
        if connection.backend.silent:
            raise Unavailable("nobody answered a moment ago")
        return connection.backend.get_run(run_id)
    except Unavailable:
        limits.check_run_id(run_id)
        connection.sender.needs(run_id)
        connection.sender.put(ingest.Attach(run_id), run_id, vital=True, counted=False)
        return _local(run_id, "", "", "", 0, [])


def join(connection: Connection, run_id: str) -> Run:
    """A run that another process has begun, which may not have arrived anywhere yet."""
    try:
        return attach(connection, run_id)
    except NotFound:
        connection.sender.needs(run_id)
        return _local(run_id, "", "", "", 0, [])


def _local(run_id: str, experiment_id: str, name: str, user: str, start_time: int, tags: list[Tag]) -> Run:
    info = RunInfo(
        run_id=run_id,
        experiment_id=experiment_id,
        run_name=name or run_id[:8],  # without a name the server finds one
        user_id=user,
        status=RunStatus.RUNNING,
        start_time=start_time,
        end_time=None,
        lifecycle_stage=LifecycleStage.ACTIVE,
        artifact_uri="",
    )
    return Run(info=info, data=RunData(tag_list=tuple(tags)))

"""What is done to many runs at once. Whatever can be undone answers with what undoes it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from logbuch import limits
from logbuch.errors import InvalidInput, LogbuchError, NotFound
from logbuch.files import keys
from logbuch.server.context import Context
from logbuch.server.routes import Permission, Route
from logbuch.store import artifacts, bulk, runs
from logbuch.store.bulk import TagChange
from logbuch.store.erase import Erased
from logbuch.store.tx import Tx
from logbuch.wire import bulk as wire

logger = logging.getLogger("logbuch.server")


async def tag(context: Context, request: wire.TagsRequest) -> Any:
    if len(request.changes) > limits.IDS_PER_SEARCH:
        raise InvalidInput(
            f"'changes' holds {len(request.changes)} changes; at most {limits.IDS_PER_SEARCH} are allowed."
        )
    changes = [TagChange(run_id=one.run_id, key=one.key, value=one.value) for one in request.changes]
    run_ids = list(dict.fromkeys(change.run_id for change in changes))
    return {"before": await context.write(bulk.set_tags, run_ids, changes)}


async def delete(context: Context, request: wire.RunsRequest) -> Any:
    return {"run_ids": await context.write(bulk.delete, request.run_ids)}


async def restore(context: Context, request: wire.RunsRequest) -> Any:
    return {"run_ids": await context.write(bulk.restore, request.run_ids)}


async def move(context: Context, request: wire.MoveRequest) -> Any:
    return {"before": await context.write(bulk.move, request.run_ids, request.experiment_id)}


async def purge(context: Context, request: wire.RunsRequest) -> Any:
    """The rows go first: a server that ends in between leaves files that nobody names, not runs without theirs."""
    gone = await context.write(bulk.purge, request.run_ids)
    left = await context.call(_remove_files, context, gone)
    return {"run_ids": [run.run_id for run in gone], "files_left": left}


async def weigh(context: Context, request: wire.RunsRequest) -> Any:
    folders = await context.read(_folders, request.run_ids)
    sizes = await context.call(lambda: [size for folder in folders for size in _sizes(context, folder)])
    return {"runs": len(folders), "files": len(sizes), "bytes": sum(sizes)}


def _folders(tx: Tx, run_ids: Sequence[str]) -> list[str]:
    if len(run_ids) > limits.BULK_RUNS:
        raise InvalidInput(f"'run_ids' names {len(run_ids)} runs; at most {limits.BULK_RUNS} are allowed.")
    return [keys.run_key(runs.artifact_folder(tx, run_id), run_id) for run_id in dict.fromkeys(run_ids)]


def _sizes(context: Context, folder: str) -> Iterator[int]:
    for entry in context.files.list(folder, ""):
        if entry.is_dir:
            yield from _sizes(context, keys.join(folder, entry.path))
        else:
            yield entry.file_size or 0


def _remove_files(context: Context, gone: Sequence[Erased]) -> list[str]:
    """Removes the runs' folders; gives the IDs of the runs whose files could not be removed."""
    left = []
    for run in gone:
        try:
            with suppress(NotFound):  # it had none
                context.files.delete(keys.join(run.prefix))
            context.store.write(artifacts.removed, run.prefix)
        except (LogbuchError, OSError) as problem:
            logger.warning("the files of the removed run %s are left for `logbuch gc`: %s", run.run_id, problem)
            left.append(run.run_id)
    return left


_WRITE = Permission.WRITE
ROUTES = (
    Route("POST", "/runs/tags", wire.TagsRequest, _WRITE, tag, "Set and remove tags of many runs"),
    Route("POST", "/runs/delete", wire.RunsRequest, _WRITE, delete, "Mark runs as deleted"),
    Route("POST", "/runs/restore", wire.RunsRequest, _WRITE, restore, "Restore deleted runs"),
    Route("POST", "/runs/move", wire.MoveRequest, _WRITE, move, "Move runs to another experiment"),
    Route("POST", "/runs/weigh", wire.RunsRequest, Permission.READ, weigh, "Count and size of runs' artifacts"),
    Route("POST", "/runs/purge", wire.RunsRequest, Permission.MANAGE, purge, "Remove deleted runs for good"),
)

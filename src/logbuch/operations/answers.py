"""Answers: was a run stable, which was best, and why; and by what that is judged."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch import limits
from logbuch.answers import Reading
from logbuch.errors import InvalidInput
from logbuch.limits import clip
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.store import verdicts
from logbuch.store.answers import criterion
from logbuch.store.answers.best import best
from logbuch.store.answers.criterion import Wanted
from logbuch.store.answers.importance import importance
from logbuch.store.tx import Tx
from logbuch.wire import answers as wire

Answer = dict[str, Any]


def _stability(tx: Tx, request: wire.AskStability, by: Caller) -> Answer:  # noqa: ARG001
    examined = verdicts.current(tx, request.run_id)
    return {"run_id": examined.run_id, **msgspec.structs.asdict(examined.verdict)}


def _verdicts(tx: Tx, request: wire.AskVerdicts, by: Caller) -> Answer:  # noqa: ARG001
    limits.check_ids(request.run_ids, "run_ids")
    kept = verdicts.kept(tx, request.run_ids)
    return {"verdicts": [{"run_id": one.run_id, **msgspec.structs.asdict(one.verdict)} for one in kept]}


def _best(tx: Tx, request: wire.AskBest, by: Caller) -> Answer:  # noqa: ARG001
    found = best(tx, request.experiment_id, _wanted(request), request.filter)
    return {**msgspec.structs.asdict(found), "significant": found.significant}


def _importance(tx: Tx, request: wire.AskImportance, by: Caller) -> Answer:  # noqa: ARG001
    if request.run_ids is not None:
        limits.check_ids(request.run_ids, "run_ids")
    limits.check_ids(request.more_experiments, "more_experiments")
    more = request.more_experiments
    found = importance(tx, request.experiment_id, _wanted(request), request.filter, request.run_ids, more)
    return msgspec.structs.asdict(found)


def _judge(tx: Tx, request: wire.Judge, by: Caller) -> Answer:  # noqa: ARG001
    return {"tags": criterion.keep(tx, request.experiment_id, _wanted(request), request.baseline)}


def _wanted(request: wire.AskBest | wire.Judge) -> Wanted:
    if request.reading not in ("", *Reading):
        known = ", ".join(repr(str(word)) for word in Reading)
        raise InvalidInput(f"Invalid value {clip(request.reading)!r} for parameter 'reading': {known}.")
    return Wanted(request.metric or None, request.lower, Reading(request.reading) if request.reading else None)


OPERATIONS = (
    Operation("GET", "/runs/stability", wire.AskStability, False, _stability, "Whether a training was stable"),
    Operation(
        "POST", "/runs/verdicts", wire.AskVerdicts, False, _verdicts, "What was found in runs when last examined"
    ),
    Operation("GET", "/experiments/best", wire.AskBest, False, _best, "Which run was best, and by how much"),
    Operation(
        "POST", "/experiments/importance", wire.AskImportance, False, _importance, "Which params explain a metric"
    ),
    Operation(
        "POST", "/experiments/judge", wire.Judge, True, _judge, "By what an experiment is judged: metric, baseline"
    ),
)

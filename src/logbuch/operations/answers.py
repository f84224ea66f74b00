"""Answers: was a run stable, and which was best."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch.answers import Reading
from logbuch.errors import InvalidInput
from logbuch.limits import clip
from logbuch.operations.operation import Operation
from logbuch.registry import Caller
from logbuch.store import verdicts
from logbuch.store.answers.best import best
from logbuch.store.tx import Tx
from logbuch.wire import answers as wire

Answer = dict[str, Any]


def _stability(tx: Tx, request: wire.AskStability, by: Caller) -> Answer:  # noqa: ARG001
    examined = verdicts.current(tx, request.run_id)
    return {"run_id": examined.run_id, **msgspec.structs.asdict(examined.verdict)}


def _best(tx: Tx, request: wire.AskBest, by: Caller) -> Answer:  # noqa: ARG001
    if request.reading not in list(Reading):
        raise InvalidInput(f"Invalid value {clip(request.reading)!r} for parameter 'reading': 'last' or 'best'.")
    reading = Reading(request.reading)
    found = best(tx, request.experiment_id, request.metric, request.filter, request.lower, reading)
    return {**msgspec.structs.asdict(found), "significant": found.significant}


OPERATIONS = (
    Operation("GET", "/runs/stability", wire.AskStability, False, _stability, "Whether a training was stable"),
    Operation("GET", "/experiments/best", wire.AskBest, False, _best, "Which run was best, and by how much"),
)

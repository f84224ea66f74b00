"""Taking models over from elsewhere, with their IDs, numbers and times."""

from __future__ import annotations

from typing import Any

import msgspec

from logbuch.limits import clip
from logbuch.operations.operation import Operation
from logbuch.registry import Caller, MovedRegistration
from logbuch.store import adopt_models
from logbuch.store.tx import Tx
from logbuch.wire import moved as wire


def _take(tx: Tx, request: wire.TakeModels, by: Caller) -> dict[str, Any]:
    address = f"{by.address} import from {clip(request.origin)}".strip()
    importer = msgspec.structs.replace(by, address=address)
    refused = []
    for body in request.logged:
        refused += adopt_models.take_logged(tx, request.experiment_id, wire.logged_in(body))
    for body in request.registered:
        refused += adopt_models.take_registered(tx, _witnessed(wire.registered_in(body), address), importer)
    return {"refused": refused}


def _witnessed(found: MovedRegistration, address: str) -> MovedRegistration:
    """With an audit trail that says who told of it: what somebody sends is not what was seen here."""
    history = (msgspec.structs.replace(one, address=f"{one.address} told by {address}") for one in found.history)
    return msgspec.structs.replace(found, history=tuple(history))


OPERATIONS = (
    Operation("POST", "/registry/take", wire.TakeModels, True, _take, "Take models over, with their IDs and times"),
)

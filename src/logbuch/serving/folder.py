"""A model as something to serve: brought to this machine, trusted, loaded, its signature read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from logbuch.errors import PermissionDenied
from logbuch.models import digests, loading, places
from logbuch.models.info import read_metadata
from logbuch.models.schema import ModelSignature
from logbuch.serving import schema
from logbuch.serving.model import Served, row_by_row
from logbuch.serving.scratch import scratch


@contextmanager
def fetched(address: str) -> Iterator[places.Place]:
    """The place of a model: a local folder as it is, what a tracker holds as a copy that is removed at the end."""
    if not address.startswith(places.SCHEMES):
        yield places.find(address)
        return
    with scratch("logbuch-model-") as copy:
        yield places.find(address, copy)


def trust(place: places.Place, address: str, *, allow_pickle: bool) -> str | None:
    """Refuses, with PermissionDenied, a model that can run code of whoever wrote it. When that is allowed: one line
    that names the digest that is trusted."""
    reason = loading.consent(place.folder, read_metadata(place.folder), vouched=place.recorded is not None)
    if reason is None:
        return None
    found = digests.digest(place.folder)
    if not allow_pickle:
        raise PermissionDenied(
            f"{address!r} is not loaded: {reason}, and that can run any code. "
            f"If you trust whoever made it ({found}), give --allow-pickle."
        )
    return f"Trusted {found}: {reason}"


def load(place: places.Place, address: str, *, allow_pickle: bool) -> Served:
    """The model, loaded; its digest is compared with the one that was recorded when it was logged."""
    loaded = loading.load(place, address, allow_pickle)
    return Served(loaded, signature(loaded.metadata.signature), row_by_row(loaded.metadata.flavors), address)


def signature(declared: ModelSignature | None) -> schema.Signature:
    """What is enforced of a model's signature; nothing without one."""
    if declared is None:
        return schema.Signature()
    inputs = None if declared.inputs is None else [spec.as_dict() for spec in declared.inputs]
    return schema.read(inputs, [spec.as_dict() for spec in declared.params or ()])

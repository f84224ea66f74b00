"""What a model version may be made from: an address of this store's own files, and nothing else.

    runs:/<run id>[/<path>]
    models:/<name>/<version>   models:/<name>/<stage>   models:/<name>/latest   models:/<name>@<alias>
    models:/<model id>[/<path>]
    mlflow-artifacts:/<experiment>/<run id>/artifacts[/<path>]
    mlflow-artifacts:/<experiment>/models/<model id>/artifacts[/<path>]

An address is read as text and looked up; it is never opened or followed.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

from sqlalchemy import ColumnElement, select

from logbuch import limits
from logbuch.errors import InvalidInput, NotFound
from logbuch.model import Noun
from logbuch.store import model_tables, runs, schema
from logbuch.store.experiments import LOCATION_SCHEME
from logbuch.store.logged import models as logged
from logbuch.store.registry import lookup
from logbuch.store.tx import Tx

_SCHEMES = ("runs", "models", LOCATION_SCHEME.removesuffix(":/"))
_FORBIDDEN = frozenset(map(chr, range(32))) | set("\\?#\x7f")


class Source(Noun, frozen=True, kw_only=True):
    """A source that exists: where its files lie, and which run and logged model they are of (empty for none)."""

    location: str
    run_id: str = ""
    model_id: str = ""


def resolve(tx: Tx, source: str, run_id: str = "", model_id: str = "") -> Source:
    """Looks a source up. ``run_id`` and ``model_id``, where given, have to be those of the source."""
    limits.check_text(source, "source", limits.MODEL_SOURCE_LENGTH)
    scheme, _, path = source.partition(":/")
    if scheme not in _SCHEMES:
        raise _invalid(source, "it must be runs:/…, models:/… or an artifact location of this server")
    segments = path.split("/")
    if any(not _plain(segment) for segment in segments):
        raise _invalid(source, "it is no plain path: no empty, '.' or '..' part, no query and no fragment")
    if scheme == "runs":
        found = _of_run(tx, source, segments)
    elif scheme == "models":
        found = _of_model(tx, source, segments)
    else:
        found = _of_location(tx, source, segments)
    if found.run_id and not _held(tx, schema.runs.c.run_id, found.run_id):
        raise NotFound(f"Run with id={limits.clip(found.run_id)} not found")
    _check_same(source, "run_id", run_id, found.run_id)
    _check_same(source, "model_id", model_id, found.model_id)
    return found


def _of_run(tx: Tx, source: str, segments: Sequence[str]) -> Source:
    return Source(location=source, run_id=runs.row(tx, segments[0]).run_id)


def _of_model(tx: Tx, source: str, segments: Sequence[str]) -> Source:
    name, at, alias = segments[0].partition("@")
    if logged.is_model_id(name) and not at:
        return _of_logged(tx, segments[0], segments[1:])
    if len(segments) == (1 if at else 2):
        version = lookup.by_alias(tx, name, alias) if at else lookup.named(tx, name, segments[1])
        _held(tx, model_tables.logged_models.c.model_id, version.model_id)
        return Source(location=version.location, run_id=version.run_id, model_id=version.model_id)
    raise _invalid(source, "write models:/<name>/<version>, models:/<name>/<stage> or models:/<name>@<alias>")


def _of_logged(tx: Tx, model_id: str, path: Sequence[str]) -> Source:
    _held(tx, model_tables.logged_models.c.model_id, model_id)
    info = logged.get(tx, model_id)
    location = "/".join((info.artifact_location, *path))
    return Source(location=location, run_id=_existing_run(tx, info.source_run_id), model_id=info.model_id)


def _of_location(tx: Tx, source: str, segments: Sequence[str]) -> Source:
    match segments:
        case [experiment, "models", model_id, "artifacts", *path] if logged.is_model_id(model_id):
            if logged.get(tx, model_id).experiment_id == experiment:
                return _of_logged(tx, model_id, path)
        case [experiment, run_id, "artifacts", *_]:
            info = runs.info(runs.row(tx, run_id))
            if info.artifact_uri == f"{LOCATION_SCHEME}{experiment}/{run_id}/artifacts":
                return Source(location=source, run_id=info.run_id)
    raise _invalid(source, "no run and no logged model of this server keeps its files there")


def _held(tx: Tx, column: ColumnElement[str], id_: str) -> bool:
    """Keeps others from removing the run or the model until this transaction ends; False if there is none."""
    return (
        tx.execute(select(column).where(column == id_).with_for_update(read=True, key_share=True)).first() is not None
    )


def _existing_run(tx: Tx, run_id: str) -> str:
    """A logged model may name a run that this store never had."""
    try:
        return runs.row(tx, run_id).run_id if run_id else ""
    except NotFound:
        return ""


def _plain(segment: str) -> bool:
    decoded = segment
    while (shorter := unquote(decoded)) != decoded:
        decoded = shorter
    return decoded not in ("", ".", "..") and "/" not in decoded and _FORBIDDEN.isdisjoint(decoded)


def _check_same(source: str, field: str, given: str, found: str) -> None:
    if given and given != found:
        raise InvalidInput(
            f"Invalid model version source: {limits.clip(source, 300)!r}. "
            f"The {field} request parameter must identify the resource that contains the source."
        )


def _invalid(source: str, why: str) -> InvalidInput:
    return InvalidInput(f"Invalid model version source: {limits.clip(source, 300)!r}: {why}.")

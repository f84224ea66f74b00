"""Registered and logged models by functions: ``logbuch.register_model`` and the like. Names are MLflow's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

from logbuch.errors import InvalidInput
from logbuch.logged import LoggedModel
from logbuch.registry import ModelVersion, RegisteredModel
from logbuch.sdk import experiments, fluent, tables
from logbuch.sdk.client import LogbuchClient
from logbuch.sdk.connection import connect
from logbuch.sdk.entities import PagedList

T = TypeVar("T")
_PAGE = 1000


def register_model(
    model_uri: str,
    name: str,
    await_registration_for: int | None = None,  # noqa: ARG001  a version is ready when the call returns
    *,
    tags: Mapping[str, Any] | None = None,
    env_pack: Any = None,  # noqa: ARG001  MLflow's signature
) -> ModelVersion:
    """Registers a model, ``runs:/<run>/<path>`` or ``models:/…``, under a name that is created where it is missing."""
    return LogbuchClient().register_model(model_uri, name, tags)


def search_registered_models(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[RegisteredModel]:
    """All registered models that fit, at most ``max_results``."""
    client = LogbuchClient()
    return _all(lambda size, token: client.search_registered_models(filter_string, size, order_by, token), max_results)


def search_model_versions(
    max_results: int | None = None, filter_string: str | None = None, order_by: Sequence[str] | None = None
) -> list[ModelVersion]:
    """All model versions that fit, at most ``max_results``."""
    client = LogbuchClient()
    return _all(lambda size, token: client.search_model_versions(filter_string, size, order_by, token), max_results)


def set_model_version_tag(
    name: str, version: str | int | None = None, key: str | None = None, value: Any = None, stage: str | None = None
) -> None:
    """Sets a tag of a version, or of the newest version of a ``stage``."""
    LogbuchClient().set_model_version_tag(name, version, key, value, stage)


def initialize_logged_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Creates a logged model, of the active run where there is one; its files are still to come."""
    run = fluent.active_run()
    if run is not None and source_run_id is None:
        source_run_id = run.info.run_id
    experiment = experiment_id or (run.info.experiment_id if run is not None else _experiment_id())
    return LogbuchClient().create_logged_model(experiment, name, source_run_id, tags, params, model_type)


def create_external_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Notes a model whose files lie elsewhere, so that metrics and params can be logged of it."""
    marked = dict(tags or {}) | {"mlflow.model.isExternal": "true"}
    made = initialize_logged_model(name, source_run_id, marked, params, model_type, experiment_id)
    return finalize_logged_model(made.model_id, "READY")


def finalize_logged_model(model_id: str, status: str) -> LoggedModel:
    """Sets ``READY`` or ``FAILED``."""
    return LogbuchClient().finalize_logged_model(model_id, status)


def get_logged_model(model_id: str) -> LoggedModel:
    return LogbuchClient().get_logged_model(model_id)


def set_logged_model_tags(model_id: str, tags: Mapping[str, Any]) -> None:
    LogbuchClient().set_logged_model_tags(model_id, tags)


def delete_logged_model_tag(model_id: str, key: str) -> None:
    LogbuchClient().delete_logged_model_tag(model_id, key)


def log_model_params(params: Mapping[str, Any], model_id: str) -> None:
    """Logs params of a model, which do not change any more."""
    LogbuchClient().log_model_params(model_id, params)


def log_outputs(models: Sequence[Any] | None = None) -> None:
    """Notes the logged models that the active run made; each has a ``model_id`` and a ``step``."""
    run = fluent.active_run()
    if run is None:
        raise InvalidInput("log_outputs needs an active run: call start_run first.")
    LogbuchClient().log_outputs(run.info.run_id, models or ())


def search_logged_models(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str | None = None,
    datasets: Sequence[Mapping[str, str]] | None = None,
    max_results: int | None = None,
    order_by: Sequence[Mapping[str, Any]] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
) -> Any:
    """Logged models that fit, of the given experiments or else the current one, as a DataFrame or a list."""
    if output_format not in ("pandas", "list"):
        raise InvalidInput(f"Unsupported output format: {output_format!r}. Supported are 'pandas' and 'list'.")
    client, ids = LogbuchClient(), experiment_ids or [_experiment_id()]
    found = _all(
        lambda size, token: client.search_logged_models(ids, filter_string, datasets, size, order_by, token),
        max_results,
    )
    return found if output_format == "list" else tables.frame(_columns(found))


def _experiment_id() -> str:
    return experiments.current_id(connect())


def _columns(models: Sequence[LoggedModel]) -> dict[str, list[Any]]:
    fields = ("model_id", "name", "experiment_id", "source_run_id", "status", "model_type", "creation_timestamp")
    columns: dict[str, list[Any]] = {field: [getattr(model, field) for model in models] for field in fields}
    for kind in ("params", "tags"):
        keys = sorted({key for model in models for key in getattr(model, kind)})
        columns |= {f"{kind}.{key}": [getattr(model, kind).get(key) for model in models] for key in keys}
    latest = [{point.key: point.value for point in sorted(model.metrics, key=lambda p: p.step)} for model in models]
    keys = sorted({key for values in latest for key in values})
    return columns | {f"metrics.{key}": [values.get(key) for values in latest] for key in keys}


def _all(page: Callable[[int, str | None], PagedList[T]], most: int | None) -> list[T]:
    """All pages of a search, up to so many results."""
    found, token = list[T](), None
    while most is None or len(found) < most:
        part = page(_PAGE if most is None else min(_PAGE, most - len(found)), token)
        found += part
        token = part.token
        if not token:
            break
    return found

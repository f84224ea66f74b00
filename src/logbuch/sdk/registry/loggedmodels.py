"""Logged models of a client (MLflow 3's entity). Names are MLflow's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from logbuch.errors import InvalidInput, NotFound
from logbuch.logged import LoggedModel, LoggedModelStatus
from logbuch.model import RunModel
from logbuch.sdk.artifacts import files
from logbuch.sdk.backends.backend import Backend
from logbuch.sdk.connection import Connection
from logbuch.sdk.entities import PagedList
from logbuch.sdk.registry import modelcodec as codec

_MODELS = "/api/2.0/mlflow/logged-models"


class LoggedModelClient:
    """What :class:`LogbuchClient` does with logged models. Every call waits for its answer."""

    @property
    def _connection(self) -> Connection:
        raise NotImplementedError

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        """Creates a model whose files are still to come; :meth:`finalize_logged_model` says that they are there."""
        body = {
            "experiment_id": str(experiment_id),
            "name": name or "",
            "source_run_id": source_run_id or "",
            "model_type": model_type or "",
            "tags": codec.pairs_out(tags, "tag"),
            "params": codec.pairs_out(params, "param"),
        }
        return codec.logged(self._call("POST", "", body)["model"])

    def get_logged_model(self, model_id: str) -> LoggedModel:
        return codec.logged(self._of(model_id, "GET")["model"])

    def finalize_logged_model(self, model_id: str, status: str | LoggedModelStatus) -> LoggedModel:
        """Sets ``READY`` or ``FAILED``."""
        try:
            wanted = LoggedModelStatus(status)
        except ValueError:
            raise InvalidInput(f"Invalid status {status!r} of a logged model: it must be READY or FAILED.") from None
        return codec.logged(self._of(model_id, "PATCH", "", {"status": wanted.protocol})["model"])

    def delete_logged_model(self, model_id: str) -> None:
        self._of(model_id, "DELETE")

    def set_logged_model_tags(self, model_id: str, tags: Mapping[str, Any]) -> None:
        self._of(model_id, "PATCH", "/tags", {"tags": codec.pairs_out(tags, "tag")})

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        self._of(model_id, "DELETE", f"/tags/{key}", {"tag_key": key})

    def log_model_params(self, model_id: str, params: Mapping[str, Any]) -> None:
        """Logs params of a model, which do not change any more."""
        self._of(model_id, "POST", "/params", {"params": codec.pairs_out(params, "param")})

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, str]] | None = None,
        max_results: int | None = None,
        order_by: Sequence[Mapping[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        """One page of models. ``order_by`` holds ``{"field_name": "metrics.acc", "ascending": False}`` and the like;
        with ``datasets`` only metrics taken on these count."""
        body: dict[str, Any] = {
            "experiment_ids": [str(id_) for id_ in experiment_ids],
            "filter": filter_string or "",
            "datasets": [dict(one) for one in datasets or ()],
            "order_by": [dict(one) for one in order_by or ()],
        }
        body |= {"max_results": max_results} if max_results is not None else {}
        answer = self._call("POST", "/search", body | ({"page_token": page_token} if page_token else {}))
        found = [codec.logged(one) for one in answer.get("models", ())]
        return PagedList(found, answer.get("next_page_token") or None)

    def log_model_artifacts(self, model_id: str, local_dir: str | Path) -> None:
        """Uploads the files of a folder to a logged model, and returns when all are there."""
        location = self.get_logged_model(model_id).artifact_location
        backend = self._connection.settle()
        for file, path in files.local_files(local_dir):
            backend.upload_location(location, path, file)

    def log_outputs(self, run_id: str, models: Sequence[Any]) -> None:
        """Notes the logged models that a run made; each has a ``model_id`` and a ``step``."""
        wanted = [RunModel(model_id=model.model_id, step=getattr(model, "step", 0)) for model in models]
        self._connection.settle().log_outputs(run_id, wanted)

    def _of(self, model_id: str, method: str, path: str = "", body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """A call about one model. MLflow's own server wants its ID in the body too, although the address has it."""
        return self._call(method, _one(model_id) + path, {"model_id": model_id, **(body or {})})

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self._connection.settle().ask(method, _MODELS + path, body or {})


def of_run(backend: Backend, run_id: str, name: str) -> str | None:
    """The id of the newest logged model of this name that a run made; None if it made none."""
    if not name or not set("'\\").isdisjoint(name + run_id):
        return None
    try:
        experiment = backend.get_run(run_id).info.experiment_id
    except NotFound:
        return None
    body = {"experiment_ids": [experiment], "filter": f"name = '{name}' AND source_run_id = '{run_id}'"}
    found = backend.ask("POST", _MODELS + "/search", body).get("models", ())
    return str(found[0]["info"]["model_id"]) if found else None


def _one(model_id: str) -> str:
    if not model_id or "/" in model_id:
        raise InvalidInput(f"Invalid logged model ID {model_id!r}.")
    return f"/{model_id}"

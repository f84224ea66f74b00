"""Models into a running MLflow server, by its REST protocol.

MLflow gives logged models IDs of its own: the one that a model had stands in its tag ``logbuch.model_id``. Numbers of
versions are kept: for each that was deleted one is made and deleted. Times are the server's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from logbuch.errors import LogbuchError, NotFound, Unavailable
from logbuch.logged import LoggedModel, LoggedModelStatus, MovedModel
from logbuch.model import Run
from logbuch.registry import ModelVersion, MovedRegistration, Refusal, RegisteredModel, Stage
from logbuch.sdk.backends.http import HttpBackend
from logbuch.sdk.backends.transport import SLOW_SECONDS, Transport
from logbuch.sdk.registry import modelcodec as codec
from logbuch.transfer.source import SourceFile
from logbuch.transfer.targets.copies import copied

ID_TAG = "logbuch.model_id"
FILLERS = 1000
"""Deleted numbers that are filled at most: each costs two requests."""
_BASE = "/api/2.0/mlflow"
_MODELS, _VERSIONS, _LOGGED = f"{_BASE}/registered-models/", f"{_BASE}/model-versions/", f"{_BASE}/logged-models"


class MlflowModels:
    """``runs`` gives the ID that a run has there for the one that it had."""

    def __init__(self, backend: HttpBackend, transport: Transport, runs: Mapping[str, str]) -> None:
        self._backend, self._transport, self._runs = backend, transport, runs
        self._there: dict[str, LoggedModel] = {}
        """Logged models there by the ID that they had."""
        self._listed: set[str] = set()
        self._links: dict[str, list[tuple[str, int | None]]] = {}
        """By logged model: the runs that made it, with the step, and those that used it, without one."""

    # -- logged models -------------------------------------------------------------------------------------------------

    def note(self, run: Run) -> None:
        """Keeps in mind which models a run has made and used: they come after it."""
        for made in run.outputs.model_outputs:
            self._links.setdefault(made.model_id, []).append((run.info.run_id, made.step))
        for used in run.inputs.model_inputs:
            self._links.setdefault(used.model_id, []).append((run.info.run_id, None))

    def logged(self, experiment_id: str, wanted: MovedModel) -> list[Refusal]:
        model, refused = wanted.model, []
        self._list(experiment_id)
        if model.model_id in self._there:
            return []
        body = {
            "experiment_id": experiment_id,
            "name": model.name,
            "model_type": model.model_type,
            "source_run_id": self._runs.get(model.source_run_id, model.source_run_id),
            "params": codec.pairs_out(model.params, "param"),
            "tags": codec.pairs_out({**model.tags, ID_TAG: model.model_id}, "tag"),
        }
        made = codec.logged(self._ask("POST", _LOGGED, body)["model"])
        self._there[model.model_id] = made
        for what, do in (("metrics", self._points), ("runs", self._link)):
            try:
                do(model, made)
            except Unavailable:
                raise
            except LogbuchError as error:
                refused.append(Refusal(what=f"{what} of logged model {model.model_id}", why=error.message))
        if model.status in (LoggedModelStatus.READY, LoggedModelStatus.FAILED):
            self._ask(
                "PATCH", f"{_LOGGED}/{made.model_id}", {"model_id": made.model_id, "status": model.status.protocol}
            )
        if wanted.deleted:
            self._ask("DELETE", f"{_LOGGED}/{made.model_id}", {})
        return refused

    def _list(self, experiment_id: str) -> None:
        if experiment_id in self._listed:
            return
        self._listed.add(experiment_id)
        body: dict[str, Any] = {"experiment_ids": [experiment_id], "max_results": 50}
        while True:
            answer = self._ask("POST", f"{_LOGGED}/search", body)
            for one in map(codec.logged, answer.get("models", ())):
                if ID_TAG in one.tags:
                    self._there[one.tags[ID_TAG]] = one
            if not answer.get("next_page_token"):
                return
            body["page_token"] = answer["next_page_token"]

    def _points(self, model: LoggedModel, made: LoggedModel) -> None:
        for point in model.metric_points:
            body = {
                "run_id": self._runs.get(point.run_id, point.run_id),
                "key": point.key,
                "value": point.value,
                "timestamp": point.timestamp,
                "step": point.step,
                "model_id": made.model_id,
                "dataset_name": point.dataset_name or None,
                "dataset_digest": point.dataset_digest or None,
            }
            self._ask(
                "POST", f"{_BASE}/runs/log-metric", {key: value for key, value in body.items() if value is not None}
            )

    def _link(self, model: LoggedModel, made: LoggedModel) -> None:
        for run_id, step in self._links.pop(model.model_id, ()):
            run = self._runs[run_id]
            if step is None:
                self._ask("POST", f"{_BASE}/runs/log-inputs", {"run_id": run, "models": [{"model_id": made.model_id}]})
            else:
                used = [{"model_id": made.model_id, "step": step}]
                self._ask("POST", f"{_BASE}/runs/outputs", {"run_id": run, "models": used})

    def has_file(self, model: LoggedModel, file: SourceFile) -> bool:
        listed = self._backend.list_location(
            self._there[model.model_id].artifact_location, file.path.rpartition("/")[0]
        )
        return any(one.path == file.path and file.size in (None, one.file_size) for one in listed)

    def file(self, model: LoggedModel, file: SourceFile, open_: Callable[[], BinaryIO]) -> None:
        with copied(open_) as copy:
            self._backend.upload_location(self._there[model.model_id].artifact_location, file.path, copy)

    # -- registered models ---------------------------------------------------------------------------------------------

    def registered(self, wanted: MovedRegistration) -> list[Refusal]:
        model, refused = wanted.model, list[Refusal]()
        there = self._model(model)
        known = {one.version: one for one in self._versions(model.name)}
        wishes = {int(one.version): one for one in wanted.versions}
        number = max(map(int, known), default=0)
        for at in sorted(wishes):
            what = f"version {at} of model {model.name!r}"
            try:
                if str(at) in known or at <= number or at - number > FILLERS:
                    if str(at) not in known or known[str(at)].source != self._source(wishes[at]):
                        refused.append(Refusal(what=what, why="its number is taken there, or cannot be reached"))
                    continue
                body = self._body(wishes[at])
                self._fill(number, at, body)
                number = self._make(wishes[at], body)
                if number != at:
                    self._ask("DELETE", _VERSIONS + "delete", {"name": model.name, "version": str(number)})
                    refused.append(Refusal(what=what, why=f"the server gave it the number {number}"))
            except Unavailable:
                raise
            except LogbuchError as error:
                refused.append(Refusal(what=what, why=error.message))
        made = {one.version for one in self._versions(model.name)}
        for alias in model.alias_list:
            if alias.alias not in there.aliases and alias.version in made:
                body = {"name": model.name, "alias": alias.alias, "version": alias.version}
                self._ask("POST", _MODELS + "alias", body)
        return refused

    def _model(self, model: RegisteredModel) -> RegisteredModel:
        try:
            return codec.model(self._ask("GET", _MODELS + "get", {"name": model.name})["registered_model"])
        except NotFound:
            tags = codec.pairs_out(model.tags, "tag")
            body = {"name": model.name, "description": model.description, "tags": tags}
            return codec.model(self._ask("POST", _MODELS + "create", body)["registered_model"])

    def _versions(self, name: str) -> list[ModelVersion]:
        quoted = name.replace("'", "''")
        body = {"filter": f"name = '{quoted}'", "max_results": 10_000}
        return [codec.version(one) for one in self._ask("GET", _VERSIONS + "search", body).get("model_versions", ())]

    def _fill(self, number: int, wanted: int, body: Mapping[str, Any]) -> int:
        """Makes and deletes versions until ``wanted`` is the next number; the last number that was given."""
        while number < wanted - 1:
            number = int(self._ask("POST", _VERSIONS + "create", body)["model_version"]["version"])
            self._ask("DELETE", _VERSIONS + "delete", {"name": body["name"], "version": str(number)})
        return number

    def _make(self, version: ModelVersion, body: Mapping[str, Any]) -> int:
        more = {"description": version.description, "tags": codec.pairs_out(version.tags, "tag")}
        more["run_link"] = version.run_link
        given = {key: value for key, value in more.items() if value}
        made = codec.version(self._ask("POST", _VERSIONS + "create", {**body, **given})["model_version"])
        if version.current_stage is not Stage.NONE:
            moved = {"name": made.name, "version": made.version, "stage": version.current_stage.value}
            self._ask("POST", _VERSIONS + "transition-stage", moved | {"archive_existing_versions": False})
        return int(made.version)

    def _body(self, version: ModelVersion) -> dict[str, Any]:
        """What a version is made from. The server wants the run or the logged model named that holds it."""
        source = self._source(version)
        scheme, _, path = source.partition(":/")
        owner = path.partition("/")[0]
        run_id = owner if scheme == "runs" else self._runs.get(version.run_id, "")
        body = {"name": version.name, "source": source, "run_id": run_id}
        body["model_id"] = owner if source.startswith("models:/m-") else ""
        return {key: value for key, value in body.items() if value}

    def _source(self, version: ModelVersion) -> str:
        """The address of a run's or logged model's files with the ID that it has there."""
        scheme, _, path = version.source.partition(":/")
        id_, slash, rest = path.partition("/")
        if scheme == "runs":
            return f"runs:/{self._runs.get(id_, id_)}{slash}{rest}"
        if scheme == "models" and id_ in self._there:
            return f"models:/{self._there[id_].model_id}{slash}{rest}"
        return version.source

    def _ask(self, method: str, address: str, body: Mapping[str, Any]) -> dict[str, Any]:
        query, sent = (body, None) if method == "GET" else (None, body)
        made = address.endswith("/create") or (method == "POST" and address == _LOGGED)  # sent twice it would make two
        return self._transport.call(method, address, seconds=SLOW_SECONDS, repeatable=not made, query=query, body=sent)

"""The model registry of a client: registered models, their versions, stages and aliases. Names are MLflow's."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

from logbuch.errors import AlreadyExists, InvalidInput
from logbuch.registry import AuditEntry, ModelVersion, RegisteredModel
from logbuch.sdk.backends.backend import Backend
from logbuch.sdk.connection import Connection
from logbuch.sdk.entities import PagedList
from logbuch.sdk.registry import loggedmodels
from logbuch.sdk.registry import modelcodec as codec

_MODELS, _VERSIONS = "/api/2.0/mlflow/registered-models/", "/api/2.0/mlflow/model-versions/"
_AUDIT = "/api/logbuch/1/registry/audit"
_MODEL_ID = re.compile(r"models:/(m-[0-9a-f]{32})")


class RegistryClient:
    """What :class:`LogbuchClient` does with the registry. Every call waits for its answer."""

    @property
    def _connection(self) -> Connection:
        raise NotImplementedError

    # -- models --------------------------------------------------------------------------------------------------------

    def create_registered_model(
        self,
        name: str,
        tags: Mapping[str, Any] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,  # noqa: ARG002  MLflow's signature
    ) -> RegisteredModel:
        """Creates a model without versions; ``AlreadyExists`` where the name is taken."""
        body = {"name": name, "tags": codec.pairs_out(tags, "tag"), "description": description or ""}
        return codec.model(self._ask("POST", _MODELS + "create", body)["registered_model"])

    def get_registered_model(self, name: str) -> RegisteredModel:
        return codec.model(self._ask("GET", _MODELS + "get", {"name": name})["registered_model"])

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        body = {"name": name, "new_name": new_name}
        return codec.model(self._ask("POST", _MODELS + "rename", body)["registered_model"])

    def update_registered_model(
        self,
        name: str,
        description: str | None = None,
        deployment_job_id: str | None = None,  # noqa: ARG002  MLflow's signature
    ) -> RegisteredModel:
        """Sets the description."""
        body = {"name": name, "description": description or ""}
        return codec.model(self._ask("PATCH", _MODELS + "update", body)["registered_model"])

    def delete_registered_model(self, name: str) -> None:
        """Deletes a model with its versions and aliases. The files stay, they are the runs'."""
        self._ask("DELETE", _MODELS + "delete", {"name": name})

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """One page of models; ``.token`` of the answer asks for the next."""
        answer = self._ask("GET", _MODELS + "search", _search(filter_string, max_results, order_by, page_token))
        return PagedList([codec.model(one) for one in answer.get("registered_models", ())], _token(answer))

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        self._ask("POST", _MODELS + "set-tag", {"name": name, "key": key, "value": str(value)})

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        self._ask("DELETE", _MODELS + "delete-tag", {"name": name, "key": key})

    # -- versions ------------------------------------------------------------------------------------------------------

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int | None = None,  # noqa: ARG002  a version is ready when the call returns
        model_id: str | None = None,
    ) -> ModelVersion:
        """Registers the files at ``source``: ``runs:/<run>/<path>``, ``models:/…``, or a place the server named."""
        body: dict[str, Any] = {"name": name, "source": source, "tags": codec.pairs_out(tags, "tag")}
        more = {"run_id": run_id, "run_link": run_link, "description": description, "model_id": model_id}
        body |= {key: value for key, value in more.items() if value}
        return codec.version(self._ask("POST", _VERSIONS + "create", body)["model_version"])

    def register_model(self, model_uri: str, name: str, tags: Mapping[str, Any] | None = None) -> ModelVersion:
        """Registers a model under a name, which is created where it is missing."""
        source, run_id, model_id = self._source(model_uri)
        with contextlib.suppress(AlreadyExists):
            self.create_registered_model(name)
        return self.create_model_version(name, source, run_id, tags, model_id=model_id)

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """Registers a version under another name: the same files, ``src_model_uri`` is ``models:/<name>/<version>``."""
        if not src_model_uri.startswith("models:/"):
            raise InvalidInput(f"Invalid value {src_model_uri!r} for 'src_model_uri': it must begin with models:/.")
        return self.register_model(src_model_uri, dst_name)

    def get_model_version(self, name: str, version: str | int) -> ModelVersion:
        return codec.version(self._ask("GET", _VERSIONS + "get", _of(name, version))["model_version"])

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """The version that an alias leads to; ``latest`` is the newest of all."""
        answer = self._ask("GET", _MODELS + "alias", {"name": name, "alias": alias})
        return codec.version(answer["model_version"])

    def get_latest_versions(self, name: str, stages: Sequence[str] | None = None) -> list[ModelVersion]:
        """The newest version of each of these stages, or of all that have one."""
        answer = self._ask("POST", _MODELS + "get-latest-versions", {"name": name, "stages": list(stages or ())})
        return [codec.version(one) for one in answer.get("model_versions", ())]

    def get_model_version_download_uri(self, name: str, version: str | int) -> str:
        """Where a version's files lie: ``runs:/…`` or ``mlflow-artifacts:/…``."""
        return str(self._ask("GET", _VERSIONS + "get-download-uri", _of(name, version))["artifact_uri"])

    def get_model_version_stages(self, name: str, version: str | int) -> list[str]:  # noqa: ARG002
        """The stages that there are."""
        return ["None", "Staging", "Production", "Archived"]

    def update_model_version(self, name: str, version: str | int, description: str | None = None) -> ModelVersion:
        """Sets the description."""
        body = _of(name, version) | {"description": description or ""}
        return codec.version(self._ask("PATCH", _VERSIONS + "update", body)["model_version"])

    def transition_model_version_stage(
        self, name: str, version: str | int, stage: str, archive_existing_versions: bool = False
    ) -> ModelVersion:
        """Moves a version to ``None``, ``Staging``, ``Production`` or ``Archived``."""
        body = _of(name, version) | {"stage": stage, "archive_existing_versions": archive_existing_versions}
        return codec.version(self._ask("POST", _VERSIONS + "transition-stage", body)["model_version"])

    def delete_model_version(self, name: str, version: str | int) -> None:
        """Deletes a version and the aliases that lead to it; its number is never given again."""
        self._ask("DELETE", _VERSIONS + "delete", _of(name, version))

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """One page of versions; ``.token`` of the answer asks for the next."""
        answer = self._ask("GET", _VERSIONS + "search", _search(filter_string, max_results, order_by, page_token))
        return PagedList([codec.version(one) for one in answer.get("model_versions", ())], _token(answer))

    def set_model_version_tag(
        self,
        name: str,
        version: str | int | None = None,
        key: str | None = None,
        value: Any = None,
        stage: str | None = None,
    ) -> None:
        """Sets a tag of a version, or of the newest version of a ``stage``."""
        body = _of(name, self._number(name, version, stage)) | {"key": key or "", "value": str(value)}
        self._ask("POST", _VERSIONS + "set-tag", body)

    def delete_model_version_tag(
        self, name: str, version: str | int | None = None, key: str | None = None, stage: str | None = None
    ) -> None:
        """Takes a tag away, of a version or of the newest version of a ``stage``."""
        body = _of(name, self._number(name, version, stage)) | {"key": key or ""}
        self._ask("DELETE", _VERSIONS + "delete-tag", body)

    def set_registered_model_alias(self, name: str, alias: str, version: str | int) -> None:
        """Lets an alias lead to a version, whichever it led to before."""
        self._ask("POST", _MODELS + "alias", _of(name, version) | {"alias": alias})

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        self._ask("DELETE", _MODELS + "alias", {"name": name, "alias": alias})

    def search_registry_audit(
        self,
        name: str | None = None,
        version: str | int | None = None,
        max_results: int = 100,
        page_token: str | None = None,
    ) -> PagedList[AuditEntry]:
        """Who changed what, newest first: of all models, of one, or of one version."""
        body = {"max_results": max_results, "name": name, "version": version, "page_token": page_token}
        given = {key: str(value) if key == "version" else value for key, value in body.items() if value is not None}
        answer = self._ask("GET", _AUDIT, given)
        return PagedList([codec.audit_entry(one) for one in answer.get("entries", ())], _token(answer))

    # ------------------------------------------------------------------------------------------------------------------

    def _ask(self, method: str, address: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._settled().ask(method, address, body)

    def _settled(self) -> Backend:
        return self._connection.settle()

    def _number(self, name: str, version: str | int | None, stage: str | None) -> str | int:
        if (version is None) == (stage is None):
            raise InvalidInput("Give either version or stage.")
        if version is not None:
            return version
        found = self.get_latest_versions(name, [stage or ""])
        if not found:
            raise InvalidInput(f"Could not find any model version for {stage} stage")
        return found[0].version

    def _source(self, uri: str) -> tuple[str, str | None, str | None]:
        """What an address is registered as: as a source, with its run and its logged model where it names them."""
        match = _MODEL_ID.match(uri)
        if match:
            return uri, None, match.group(1)
        scheme, _, path = uri.partition(":/")
        if scheme == "runs":
            run_id, _, name = path.partition("/")
            model_id = self._logged_model(run_id, name)
            return (f"models:/{model_id}", run_id, model_id) if model_id else (uri, run_id, None)
        return uri, None, None

    def _logged_model(self, run_id: str, name: str) -> str | None:
        """The logged model of this name that a run made, if it made one: newest first."""
        return loggedmodels.of_run(self._settled(), run_id, name)


def _of(name: str, version: str | int) -> dict[str, Any]:
    return {"name": name, "version": str(version)}


def _search(
    filter_string: str | None, max_results: int, order_by: Sequence[str] | None, token: str | None
) -> dict[str, Any]:
    body: dict[str, Any] = {"max_results": max_results}
    if filter_string:
        body["filter"] = filter_string
    if order_by:
        body["order_by"] = [order_by] if isinstance(order_by, str) else list(order_by)
    return body | ({"page_token": token} if token else {})


def _token(answer: Mapping[str, Any]) -> str | None:
    return answer.get("next_page_token") or None

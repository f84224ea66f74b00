"""A tracking server as backend: MLflow's REST protocol, so any MLflow server will do."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import httpx
import msgspec

from logbuch.errors import EndpointNotFound, InvalidInput, LogbuchError, NotFound, Unavailable
from logbuch.model import (
    DatasetInput,
    Experiment,
    FileInfo,
    Metric,
    Run,
    RunInfo,
    RunModel,
    RunStatus,
    Tag,
    ViewType,
)
from logbuch.sdk.backends import codec, sending
from logbuch.sdk.backends.backend import Batch, Standing
from logbuch.sdk.backends.transport import ANSWER_SECONDS, NEW_SECONDS, QUICK_SECONDS, SLOW_SECONDS, Transport
from logbuch.wire import ingest

_API = "/api/2.0/mlflow/"
_FILES = "/api/2.0/mlflow-artifacts/artifacts/"
_INGEST = "/api/logbuch/1/ingest"
_HEARTBEAT = "/api/logbuch/1/heartbeat"
_COMPRESSED_BYTES = 4096
_BEAT_SECONDS = 4.0


class HttpBackend:
    """See :class:`logbuch.sdk.backends.backend.Backend`. ``client`` is given by tests."""

    gather_seconds = 0.25
    spools = True
    keeps_acknowledged = True
    barred: str | None = None

    def __init__(self, uri: str, client: httpx.Client | None = None) -> None:
        self._transport = Transport(uri, client)
        self.uri = self._transport.uri
        self.aliases: dict[str, str] = {}
        self._run_page: str | None = None
        self._near = urlsplit(self.uri).hostname in ("localhost", "127.0.0.1", "::1")

    # -- experiments -----------------------------------------------------------------------------------------------

    def create_experiment(self, name: str, artifact_location: str, tags: Sequence[Tag]) -> str:
        body: dict[str, Any] = {"name": name, "tags": codec.tags_out(tags)}
        if artifact_location:
            body["artifact_location"] = artifact_location
        return str(self._post("experiments/create", body, repeatable=False, seconds=NEW_SECONDS)["experiment_id"])

    def get_experiment(self, experiment_id: str) -> Experiment:
        return codec.experiment(self._get("experiments/get", {"experiment_id": experiment_id})["experiment"])

    def get_experiment_by_name(self, name: str) -> Experiment:
        return codec.experiment(self._get("experiments/get-by-name", {"experiment_name": name})["experiment"])

    def search_experiments(
        self, view: ViewType, max_results: int, filter_text: str, order_by: Sequence[str], token: str
    ) -> tuple[list[Experiment], str | None]:
        body = _search_body(filter_text, max_results, order_by, token) | {"view_type": view.name}
        answer = self._post("experiments/search", body, seconds=SLOW_SECONDS)
        return [codec.experiment(item) for item in answer.get("experiments", ())], _token(answer)

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        self._post("experiments/update", {"experiment_id": experiment_id, "new_name": name})

    def delete_experiment(self, experiment_id: str) -> None:
        self._post("experiments/delete", {"experiment_id": experiment_id}, repeatable=False)

    def restore_experiment(self, experiment_id: str) -> None:
        self._post("experiments/restore", {"experiment_id": experiment_id}, repeatable=False)

    def set_experiment_tag(self, experiment_id: str, tag: Tag) -> None:
        body = {"experiment_id": experiment_id, "key": tag.key, "value": tag.value}
        self._post("experiments/set-experiment-tag", body)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        body = {"experiment_id": experiment_id, "key": key}
        self._post("experiments/delete-experiment-tag", body, repeatable=False)

    # -- runs --------------------------------------------------------------------------------------------------------

    def create_run(self, experiment_id: str, name: str, user: str, start_time: int, tags: Sequence[Tag]) -> Run:
        body = {
            "experiment_id": experiment_id,
            "user_id": user,
            "start_time": start_time,
            "tags": codec.tags_out(tags),
        }
        if name:
            body["run_name"] = name
        # Sent twice it would make two runs, so it is not repeated once the server may have seen it.
        return codec.run(self._post("runs/create", body, repeatable=False, seconds=NEW_SECONDS)["run"])

    def get_run(self, run_id: str) -> Run:
        run_id = self.aliases.get(run_id, run_id)
        return codec.run(self._get("runs/get", {"run_id": run_id, "run_uuid": run_id})["run"])

    def update_run(
        self, run_id: str, status: RunStatus | None = None, end_time: int | None = None, name: str = ""
    ) -> RunInfo:
        body: dict[str, Any] = {"run_id": run_id, "run_uuid": run_id}
        if status is not None:
            body["status"] = str(status)
        if end_time is not None:
            body["end_time"] = end_time
        if name:
            body["run_name"] = name
        return codec.run_info(self._post("runs/update", body)["run_info"])

    def delete_run(self, run_id: str) -> None:
        self._post("runs/delete", {"run_id": run_id})

    def restore_run(self, run_id: str) -> None:
        self._post("runs/restore", {"run_id": run_id})

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_text: str,
        view: ViewType,
        max_results: int,
        order_by: Sequence[str],
        token: str,
    ) -> tuple[list[Run], str | None]:
        body = _search_body(filter_text, max_results, order_by, token)
        body |= {"experiment_ids": list(experiment_ids), "run_view_type": view.name}
        answer = self._post("runs/search", body, seconds=SLOW_SECONDS)
        return [codec.run(item) for item in answer.get("runs", ())], _token(answer)

    def metric_history(
        self, run_id: str, key: str, max_results: int | None, token: str
    ) -> tuple[list[Metric], str | None]:
        query: dict[str, Any] = {"run_id": run_id, "run_uuid": run_id, "metric_key": key}
        if max_results is not None:
            query["max_results"] = max_results
        if token:
            query["page_token"] = token
        answer = self._get("metrics/get-history", query, seconds=SLOW_SECONDS)
        return [codec.metric(item) for item in answer.get("metrics", ())], _token(answer)

    def sampled_history(
        self, run_ids: Sequence[str], key: str, max_results: int, steps: tuple[int, int] | None
    ) -> Mapping[str, list[Metric]]:
        query: dict[str, Any] = {"run_ids": list(run_ids), "metric_key": key, "max_results": max_results}
        if steps is not None:
            query |= {"start_step": steps[0], "end_step": steps[1]}
        answer = self._transport.call(
            "GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval", query=query, seconds=SLOW_SECONDS
        )
        found: dict[str, list[Metric]] = {run_id: [] for run_id in run_ids}
        for item in answer.get("metrics", ()):
            found[item["run_id"]].append(codec.metric(item))
        return found

    # -- what a training logs ----------------------------------------------------------------------------------------

    def log_batches(self, batches: Sequence[Batch]) -> list[LogbuchError | None]:
        verdicts: list[LogbuchError | None] = []
        for batch in batches:
            try:
                self._post("runs/log-batch", codec.batch_out(batch), seconds=SLOW_SECONDS, hasty=False)
                verdicts.append(None)
            except Unavailable as error:
                if not verdicts:
                    raise
                # The others would fail the same way; each keeps this verdict and stays with the sender.
                verdicts += [error] * (len(batches) - len(verdicts))
                break
            except LogbuchError as error:
                verdicts.append(error)
        return verdicts

    def greet(self, journals: Sequence[tuple[str, int]]) -> tuple[str, list[Standing]]:
        body = {"journals": [{"journal": journal, "acknowledged": number} for journal, number in journals]}
        try:
            answer = self._transport.call("POST", _INGEST + "/hello", body=body, seconds=ANSWER_SECONDS)
        except EndpointNotFound:
            self._check_that_it_tracks()
            raise
        if not answer:
            raise self._no_tracker()
        if ingest.VERSION not in answer.get("versions", ()):
            raise EndpointNotFound(f"The server {self.uri} speaks another version of the ingest protocol.")
        return str(answer["store_id"]), [codec.standing(one) for one in answer["journals"]]

    def ingest(self, journal: str, first: int, before: bytes, entries: Sequence[tuple[int, bytes, bytes]]) -> Standing:
        body = ingest.encode_batch(journal, first, before, entries)
        headers = {"Content-Type": ingest.CONTENT_TYPE}
        if len(body) >= _COMPRESSED_BYTES and not self._near:
            body = ingest.compress(body)
            headers["Content-Encoding"] = ingest.CONTENT_ENCODING
        return codec.standing(self._transport.send(_INGEST, body, headers, SLOW_SECONDS))

    def beat(self, journal: str) -> float:
        answer = self._transport.call("POST", _HEARTBEAT, body={"journal": journal}, seconds=_BEAT_SECONDS)
        return float(answer["seconds"])

    def gone(self, journal: str, time: int) -> int:
        body = {"journal": journal, "time": time}
        return int(self._transport.call("POST", _HEARTBEAT + "/gone", body=body)["ended"])

    def log_inputs(self, run_id: str, datasets: Sequence[DatasetInput]) -> None:
        self._post("runs/log-inputs", {"run_id": run_id, "datasets": codec.datasets_out(datasets)})

    def delete_tag(self, run_id: str, key: str) -> None:
        self._post("runs/delete-tag", {"run_id": run_id, "key": key}, repeatable=False)

    # -- models ------------------------------------------------------------------------------------------------------

    def ask(self, method: str, address: str, body: Mapping[str, Any]) -> dict[str, Any]:
        seconds = SLOW_SECONDS if address.endswith("/search") else QUICK_SECONDS
        address = quote(address, safe="/%")
        if method == "GET":
            return self._transport.call(method, address, query=body, seconds=seconds)
        made = address.endswith(("/create", "/logged-models"))  # sent twice it would make two
        return self._transport.call(method, address, body=body, repeatable=not made, seconds=seconds)

    def log_outputs(self, run_id: str, models: Sequence[RunModel]) -> None:
        wanted = [{"model_id": model.model_id, "step": model.step} for model in models]
        self._post("runs/outputs", {"run_id": run_id, "models": wanted})

    # -- files -------------------------------------------------------------------------------------------------------

    def list_location(self, location: str, path: str) -> list[FileInfo]:
        folder = "/".join(part for part in (location.partition(":/")[2], path) if part)
        answer = self._transport.call("GET", _FILES.rstrip("/"), query={"path": folder})
        found = [codec.file_info(item) for item in answer.get("files", ())]
        return [msgspec.structs.replace(info, path=f"{path}/{info.path}" if path else info.path) for info in found]

    def download_location(self, location: str, path: str) -> Iterator[bytes]:
        key = "/".join(part for part in (location.partition(":/")[2], path) if part)
        return self._transport.download(_FILES + quote(key, safe="/"))

    def list_artifacts(self, run: RunInfo, path: str) -> list[FileInfo]:
        query = {"run_id": run.run_id, "run_uuid": run.run_id} | ({"path": path} if path else {})
        found: list[FileInfo] = []
        while True:
            answer = self._get("artifacts/list", query)
            found += [codec.file_info(item) for item in answer.get("files", ())]
            if not answer.get("next_page_token"):
                return found
            query = query | {"page_token": answer["next_page_token"]}

    def upload_location(self, location: str, path: str, file: Path) -> None:
        key = "/".join(part for part in (location.partition(":/")[2], path) if part)
        self._send(_FILES + quote(key, safe="/"), path, file)

    def upload(self, run: RunInfo, path: str, file: Path) -> None:
        self._send(_file_path(run, path), path, file)

    def _send(self, place: str, path: str, file: Path) -> None:
        content_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        sending.send(self._transport, place, unquote(place.removeprefix(_FILES)), file, content_type)

    def download(self, run: RunInfo, path: str) -> Iterator[bytes]:
        try:
            return self._transport.download(_file_path(run, path))
        except EndpointNotFound:  # a server may answer 404 without saying more
            raise NotFound(f"Run {run.run_id} has no artifact {path!r}.") from None

    def artifact_uri(self, run: RunInfo, path: str) -> str:
        return f"{run.artifact_uri.rstrip('/')}/{path}" if path else run.artifact_uri

    def run_url(self, run: RunInfo) -> str | None:
        if self._run_page is None:
            self._run_page = self._known_page()
        return self.uri + self._run_page.format(experiment=run.experiment_id, run=run.run_id)

    @property
    def silent(self) -> bool:
        return self._transport.silent

    def way_to_see(self) -> str | None:
        return None

    def rest(self, seconds: float) -> bool:  # noqa: ARG002
        return True

    def close(self) -> None:
        self._transport.close()

    def _known_page(self) -> str:
        """The path of a run's page: MLflow's, unless the server says that it is a Logbuch."""
        try:
            self._transport.call("GET", "/api/logbuch/1/server-info")
        except LogbuchError:
            return "/#/experiments/{experiment}/runs/{run}"
        return "/e/{experiment}/runs/{run}"

    def _check_that_it_tracks(self) -> None:
        """A server that knows no journals is MLflow's, or none of the kind: a proxy, say, whose server is away."""
        try:
            self._get("experiments/get", {"experiment_id": "0"})
        except EndpointNotFound:
            raise self._no_tracker() from None
        except Unavailable:
            raise
        except LogbuchError:  # it may have no such experiment, or not tell us
            return

    def _no_tracker(self) -> LogbuchError:
        return LogbuchError(f"{self.uri} is no tracking server: it does not know what every one is asked.")

    def _get(self, path: str, query: Mapping[str, Any], *, seconds: float = QUICK_SECONDS) -> dict[str, Any]:
        return self._transport.call("GET", _API + path, query=query, seconds=seconds)

    def _post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        repeatable: bool = True,
        seconds: float = QUICK_SECONDS,
        hasty: bool = True,
    ) -> dict[str, Any]:
        return self._transport.call("POST", _API + path, body=body, repeatable=repeatable, seconds=seconds, hasty=hasty)


def _file_path(run: RunInfo, path: str) -> str:
    """The path of a run's file at the server that keeps it."""
    place = urlsplit(run.artifact_uri)
    if place.scheme != "mlflow-artifacts":
        raise InvalidInput(
            f"The server keeps the files of run {run.run_id} at {run.artifact_uri!r}, where this client does "
            "not write: start it so that it serves artifacts itself (--serve-artifacts)."
        )
    return _FILES + quote("/".join(part for part in (place.path.strip("/"), path) if part), safe="/")


def _search_body(filter_text: str, max_results: int, order_by: Sequence[str], token: str) -> dict[str, Any]:
    body: dict[str, Any] = {"max_results": max_results}
    if filter_text:
        body["filter"] = filter_text
    if order_by:
        body["order_by"] = list(order_by)
    if token:
        body["page_token"] = token
    return body


def _token(answer: Mapping[str, Any]) -> str | None:
    return answer.get("next_page_token") or None

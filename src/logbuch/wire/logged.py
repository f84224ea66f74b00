"""MLflow's REST messages about logged models, and about what runs have to do with them."""

from __future__ import annotations

from typing import Any

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.logged import LoggedModel, LoggedModelStatus, ModelMetric
from logbuch.wire.mlflow import Body, WireParam, WireRunModel, WireTag, number, present


class CreateLoggedModel(Body, kw_only=True):
    experiment_id: str
    name: str = ""
    model_type: str = ""
    source_run_id: str = ""
    params: list[WireParam] = []
    tags: list[WireTag] = []


class FinalizeLoggedModel(Body, kw_only=True):
    """``status`` is a name or a number of MLflow's protocol."""

    status: str | int

    def noun(self) -> LoggedModelStatus:
        try:
            if isinstance(self.status, int) or self.status.isdecimal():
                return LoggedModelStatus.from_wire(int(self.status))
            return LoggedModelStatus.named(self.status)
        except ValueError:
            shown = limits.clip(str(self.status))
            raise InvalidInput(f"Invalid value {shown!r} for parameter 'status': no status of a model.") from None


class SetLoggedModelTags(Body, kw_only=True):
    tags: list[WireTag] = []


class LogLoggedModelParams(Body, kw_only=True):
    params: list[WireParam] = []


class OfLoggedModel(Body, kw_only=True):
    """A request that says all in its address."""


class ListLoggedModelArtifacts(Body, kw_only=True):
    artifact_directory_path: str = ""
    page_token: str = ""


class GetLoggedModelArtifact(Body, kw_only=True):
    artifact_file_path: str
    download: str = ""


class WireModelDataset(Body, kw_only=True):
    dataset_name: str = ""
    dataset_digest: str = ""


class WireModelOrder(WireModelDataset, kw_only=True):
    field_name: str
    ascending: bool = True


class SearchLoggedModels(Body, kw_only=True):
    experiment_ids: list[str] = []
    filter: str = ""
    datasets: list[WireModelDataset] = []
    max_results: int = limits.LOGGED_MODELS_PER_PAGE_DEFAULT
    order_by: list[WireModelOrder] = []
    page_token: str = ""


class LogOutputs(Body, kw_only=True):
    run_id: str
    models: list[WireRunModel] = []


# -- answers -----------------------------------------------------------------------------------------------------------


def model(noun: LoggedModel) -> dict[str, Any]:
    info = {
        "model_id": noun.model_id,
        "experiment_id": noun.experiment_id,
        "name": noun.name,
        "creation_timestamp_ms": noun.creation_timestamp,
        "last_updated_timestamp_ms": noun.last_updated_timestamp,
        "artifact_uri": noun.artifact_location,
        "status": noun.status.protocol,
        "model_type": noun.model_type,
        "source_run_id": noun.source_run_id,
    }
    more = {"status_message": noun.status_message, "tags": noun.tag_list, "registrations": noun.registrations}
    data = {"params": noun.param_list, "metrics": [metric(point) for point in noun.metric_points]}
    return {"info": info | present(more), "data": present(data)}


def metric(point: ModelMetric) -> dict[str, Any]:
    shown = {
        "key": point.key,
        "value": number(point.value),
        "timestamp": point.timestamp,
        "step": point.step,
        "model_id": point.model_id,
        "run_id": point.run_id,
    }
    return shown | present({"dataset_name": point.dataset_name, "dataset_digest": point.dataset_digest})

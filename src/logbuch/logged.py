"""The nouns of logged models: what a run saved as a model, with params, tags and metrics of its own (MLflow 3)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from logbuch.model import Metric, Noun, Param, Tag


class LoggedModelStatus(StrEnum):
    """How far a model's files have come. ``wire`` is the number that MLflow's protocol gives it."""

    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"

    @property
    def wire(self) -> int:
        return _STATUSES.index(self)

    @property
    def protocol(self) -> str:
        """Its name in MLflow's protocol."""
        return _PROTOCOL[self.wire]

    @classmethod
    def from_wire(cls, number: int) -> LoggedModelStatus:
        """The status of a protocol number; ``ValueError`` for any other."""
        if not 0 <= number < len(_STATUSES):
            raise ValueError(f"{number} is no status of a logged model")
        return _STATUSES[number]

    @classmethod
    def named(cls, text: str) -> LoggedModelStatus:
        """The status of a name, MLflow's protocol's included; ``ValueError`` for any other."""
        return cls.from_wire(_PROTOCOL.index(text)) if text in _PROTOCOL else cls(text)


_STATUSES = tuple(LoggedModelStatus)
_PROTOCOL = (
    "LOGGED_MODEL_STATUS_UNSPECIFIED",
    "LOGGED_MODEL_PENDING",
    "LOGGED_MODEL_READY",
    "LOGGED_MODEL_UPLOAD_FAILED",
)


class ModelMetric(Metric, frozen=True, kw_only=True, gc=False):
    """A point of a metric that a run logged of a model, on a data set where one is named."""

    model_id: str = ""
    run_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


class Registration(Noun, frozen=True, kw_only=True, gc=False):
    """A version of a registered model that was made from a logged model."""

    name: str
    version: str


class LoggedModel(Noun, frozen=True, kw_only=True):
    """A model's files and what is known of them."""

    model_id: str
    experiment_id: str
    name: str
    artifact_location: str
    creation_timestamp: int
    last_updated_timestamp: int
    status: LoggedModelStatus
    model_type: str = ""
    source_run_id: str = ""
    status_message: str = ""
    tag_list: tuple[Tag, ...] = ()
    param_list: tuple[Param, ...] = ()
    metric_points: tuple[ModelMetric, ...] = ()
    registrations: tuple[Registration, ...] = ()

    @property
    def tags(self) -> Mapping[str, str]:
        return {tag.key: tag.value for tag in self.tag_list}

    @property
    def params(self) -> Mapping[str, str]:
        return {param.key: param.value for param in self.param_list}

    @property
    def metrics(self) -> list[ModelMetric]:
        return list(self.metric_points)

    @property
    def model_uri(self) -> str:
        return f"models:/{self.model_id}"


class MovedModel(Noun, frozen=True, kw_only=True):
    """A logged model and whether it is deleted."""

    model: LoggedModel
    deleted: bool = False

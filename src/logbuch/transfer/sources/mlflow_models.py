"""Logged and registered models in the tables of MLflow's database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, Table, select

from logbuch.logged import LoggedModel, LoggedModelStatus, ModelMetric, MovedModel
from logbuch.model import Experiment, Param, RunModel, Tag
from logbuch.registry import ModelVersion, MovedRegistration, RegisteredModel, RegisteredModelAlias, Stage
from logbuch.transfer.report import Report

_TIMES = {"creation_timestamp_ms", "last_updated_timestamp_ms"}
_OF_MODEL = {"model_id", "experiment_id"}
TABLES = {
    "registered_models": {"name", "creation_time", "last_updated_time", "description"},
    "registered_model_tags": {"name", "key", "value"},
    "registered_model_aliases": {"name", "alias", "version"},
    "model_versions": {
        *("name", "version", "creation_time", "last_updated_time", "current_stage"),
        *("source", "description", "user_id", "run_id"),
    },
    "model_version_tags": {"name", "version", "key", "value"},
    "logged_models": {
        *(*_OF_MODEL, *_TIMES, "name", "artifact_location", "status"),
        *("model_type", "source_run_id", "status_message", "lifecycle_stage"),
    },
    "logged_model_params": _OF_MODEL | {"param_key", "param_value"},
    "logged_model_tags": _OF_MODEL | {"tag_key", "tag_value"},
    "logged_model_metrics": {
        *(*_OF_MODEL, "metric_name", "metric_value", "metric_timestamp_ms", "metric_step"),
        *("run_id", "dataset_name", "dataset_digest"),
    },
}
"""The tables of models, and the columns of them that are read."""
DELETED = "Deleted_Internal"
"""The stage by which MLflow marks versions that were deleted; their numbers are not given again."""
_DEFAULT_WORKSPACE = "default"
Row = Mapping[str, Any]
Rows = Callable[[str, str, Select[Any] | None], Iterator[dict[str, Any]]]


class ModelTables:
    """``rows(table, what, query)`` gives the rows of a query; none of a table that the database has not."""

    def __init__(self, tables: Mapping[str, Table], rows: Rows, report: Report) -> None:
        self._tables, self._rows, self._report = tables, rows, report

    # -- logged models -------------------------------------------------------------------------------------------------

    def logged(self, experiment: Experiment) -> list[MovedModel]:
        """The logged models of an experiment, the deleted ones too."""
        params = self._of("logged_model_params", experiment)
        tags = self._of("logged_model_tags", experiment)
        points = self._of("logged_model_metrics", experiment)
        found = []
        for row in self._of_experiment("logged_models", experiment):
            id_ = row["model_id"]
            model = LoggedModel(
                model_id=id_,
                experiment_id=experiment.experiment_id,
                name=row["name"],
                artifact_location=row["artifact_location"] or "",
                creation_timestamp=row["creation_timestamp_ms"] or 0,
                last_updated_timestamp=row["last_updated_timestamp_ms"] or 0,
                status=LoggedModelStatus.from_wire(row["status"]),
                model_type=row["model_type"] or "",
                source_run_id=row["source_run_id"] or "",
                status_message=row["status_message"] or "",
                tag_list=tuple(Tag(key=one["tag_key"], value=one["tag_value"] or "") for one in tags[id_]),
                param_list=tuple(Param(key=one["param_key"], value=one["param_value"] or "") for one in params[id_]),
                metric_points=tuple(_point(one) for one in points[id_]),
            )
            found.append(MovedModel(model=model, deleted=row["lifecycle_stage"] == "deleted"))
        return sorted(found, key=lambda one: (one.model.creation_timestamp, one.model.model_id))

    def _of(self, name: str, experiment: Experiment) -> defaultdict[str, list[Row]]:
        found: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self._of_experiment(name, experiment):
            found[row["model_id"]].append(row)
        return found

    def _of_experiment(self, name: str, experiment: Experiment) -> Iterator[Row]:
        table = self._tables.get(name)
        if table is None:
            return iter(())
        mine = select(table).where(table.c.experiment_id == int(experiment.experiment_id))
        return self._rows(name, f"{name.replace('_', ' ')} of experiment {experiment.experiment_id}", mine)

    def of_runs(self, ids: Sequence[str]) -> dict[tuple[str, bool], list[RunModel]]:
        """The models of runs: made where the second part of the key is true, used where it is not."""
        uses = self._tables.get("inputs")
        found: dict[tuple[str, bool], list[RunModel]] = {}
        if uses is None:
            return found
        mine = uses.c.source_type.in_(("RUN_INPUT", "RUN_OUTPUT")) & uses.c.source_id.in_(ids)
        for row in self._rows("inputs", f"models of runs {ids[0]} to {ids[-1]}", select(uses).where(mine)):
            key = row["source_id"], row["source_type"] == "RUN_OUTPUT"
            found.setdefault(key, []).append(RunModel(model_id=row["destination_id"], step=row.get("step") or 0))
        return found

    # -- registered models ---------------------------------------------------------------------------------------------

    def registered(self) -> list[MovedRegistration]:
        """All registered models with their versions, the oldest first."""
        tags, aliases = self._by_model("registered_model_tags"), self._by_model("registered_model_aliases")
        versions, labels = self._by_model("model_versions"), self._by_model("model_version_tags")
        found = []
        for row in self._all("registered_models"):
            key = _key(row)
            model = RegisteredModel(
                name=row["name"] if key[0] == _DEFAULT_WORKSPACE else f"{key[0]}.{row['name']}",
                creation_timestamp=row["creation_time"] or 0,
                last_updated_timestamp=row["last_updated_time"] or 0,
                description=row["description"] or "",
                tag_list=_tags(tags[key]),
                alias_list=tuple(
                    RegisteredModelAlias(alias=one["alias"], version=str(one["version"]))
                    for one in sorted(aliases[key], key=lambda one: str(one["alias"]))
                ),
            )
            own = [
                self._version(model.name, one, [label for label in labels[key] if label["version"] == one["version"]])
                for one in versions[key]
                if one["current_stage"] != DELETED
            ]
            last = max((one["version"] for one in versions[key]), default=0)
            found.append(MovedRegistration(model=model, versions=tuple(own), last_version=last))
        return sorted(found, key=lambda one: (one.model.creation_timestamp, one.model.name))

    def _version(self, name: str, row: Row, labels: Sequence[Row]) -> ModelVersion:
        return ModelVersion(
            name=name,
            version=str(row["version"]),
            creation_timestamp=row["creation_time"] or 0,
            last_updated_timestamp=row["last_updated_time"] or 0,
            current_stage=Stage.named(row["current_stage"] or "None") or Stage.NONE,
            source=row["source"] or "",
            location=row.get("storage_location") or "",
            description=row["description"] or "",
            user_id=row["user_id"] or "",
            run_id=row["run_id"] or "",
            run_link=row.get("run_link") or "",
            tag_list=_tags(labels),
        )

    def _by_model(self, name: str) -> defaultdict[tuple[str, str], list[Row]]:
        found: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in self._all(name):
            found[_key(row)].append(row)
        return found

    def _all(self, name: str) -> Iterator[Row]:
        return self._rows(name, name.replace("_", " "), None)


def _key(row: Row) -> tuple[str, str]:
    return row.get("workspace") or _DEFAULT_WORKSPACE, row["name"]


def _tags(rows: Sequence[Row]) -> tuple[Tag, ...]:
    return tuple(Tag(key=one["key"], value=one["value"] or "") for one in sorted(rows, key=lambda one: str(one["key"])))


def _point(row: Row) -> ModelMetric:
    value = row["metric_value"]
    return ModelMetric(
        key=row["metric_name"],
        value=float("nan") if value is None else value,
        timestamp=row["metric_timestamp_ms"],
        step=row["metric_step"],
        model_id=row["model_id"],
        run_id=row["run_id"],
        dataset_name=row["dataset_name"] or "",
        dataset_digest=row["dataset_digest"] or "",
    )

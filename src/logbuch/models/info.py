"""The MLmodel file: what a model is, in MLflow's YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from logbuch.errors import InvalidInput, NotFound
from logbuch.models import documents
from logbuch.models.schema import ModelSignature

FILE = "MLmodel"


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What an MLmodel file says. ``flavors`` are the ways to load the model, each with what its library needs to
    know; ``input_example`` is where and how the example is kept (MLflow's ``saved_input_example_info``)."""

    flavors: Mapping[str, Mapping[str, Any]]
    model_uuid: str = ""
    model_id: str | None = None
    run_id: str | None = None
    artifact_path: str | None = None
    signature: ModelSignature | None = None
    input_example: Mapping[str, Any] | None = None
    utc_time_created: str = ""
    mlflow_version: str | None = None
    metadata: Mapping[str, Any] | None = None
    model_size_bytes: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def python_function(self) -> Mapping[str, Any]:
        """The flavor ``python_function``, empty if the model has none."""
        return self.flavors.get("python_function", {})

    def write(self, folder: Path) -> None:
        """Writes the MLmodel file of a folder."""
        found: dict[str, Any] = {
            "flavors": {name: dict(entry) for name, entry in self.flavors.items()},
            "model_id": self.model_id,
            "model_uuid": self.model_uuid,
            "utc_time_created": self.utc_time_created,
            "mlflow_version": self.mlflow_version,
            "model_size_bytes": self.model_size_bytes,
            **self.more,
        }
        optional = {
            "run_id": self.run_id,
            "artifact_path": self.artifact_path,
            "signature": None if self.signature is None else self.signature.to_dict(),
            "saved_input_example_info": None if self.input_example is None else dict(self.input_example),
            "metadata": self.metadata,
        }
        found |= {key: value for key, value in optional.items() if value is not None}
        text = yaml.safe_dump(found, default_flow_style=False, allow_unicode=True)
        (folder / FILE).write_text(text, encoding="utf-8")


def read_metadata(folder: str | Path) -> ModelInfo:
    """The MLmodel file of a folder. ``NotFound`` without one, ``InvalidInput`` if it cannot be read."""
    file = Path(folder) / FILE
    if not file.is_file():
        raise NotFound(f"{str(folder)!r} holds no model: it has no file {FILE}.")
    found = documents.read(file)
    flavors = found.get("flavors") if isinstance(found, dict) else None
    if not isinstance(flavors, dict) or not all(isinstance(entry, dict) for entry in flavors.values()):
        raise InvalidInput(f"The file {FILE} of {str(folder)!r} names no flavors.")
    return _info(found)


_KNOWN = {
    "flavors", "model_uuid", "model_id", "run_id", "artifact_path", "signature", "saved_input_example_info",
    "utc_time_created", "mlflow_version", "metadata", "model_size_bytes",
}  # fmt: skip


def _info(found: Mapping[str, Any]) -> ModelInfo:
    signature, example = found.get("signature"), found.get("saved_input_example_info")
    return ModelInfo(
        flavors=found["flavors"],
        model_uuid=str(found.get("model_uuid") or ""),
        model_id=found.get("model_id"),
        run_id=found.get("run_id"),
        artifact_path=found.get("artifact_path"),
        signature=ModelSignature.from_dict(signature) if isinstance(signature, dict) else None,
        input_example=example if isinstance(example, dict) else None,
        utc_time_created=str(found.get("utc_time_created") or ""),
        mlflow_version=found.get("mlflow_version"),
        metadata=found.get("metadata"),
        model_size_bytes=found.get("model_size_bytes"),
        more={key: value for key, value in found.items() if key not in _KNOWN},
    )

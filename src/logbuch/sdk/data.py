"""Data sets as a run saw them: name, digest, source, schema and profile, but never the data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from logbuch import limits
from logbuch import model as nouns
from logbuch.errors import InvalidInput
from logbuch.model import DatasetInput, Tag
from logbuch.sdk.recording import capture

CONTEXT_TAG = "mlflow.data.context"


class Dataset:
    """A described data set. ``source`` is a path, a URL or any text; ``schema`` and ``profile`` are JSON values.

    Without a ``digest`` one is made of the description. Subclass it, or build it as it is for data of any kind.
    """

    def __init__(
        self,
        name: str | None = None,
        digest: str | None = None,
        source: str | None = None,
        schema: Mapping[str, Any] | None = None,
        profile: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name or "dataset"
        self.source = source
        self.schema = schema
        self.profile = profile
        described = json.dumps([self.name, source, schema, profile], default=str, sort_keys=True)
        self.digest = digest or _digest(described.encode())

    @property
    def source_type(self) -> str:
        """``local``, ``http``, ``s3`` and so on, from the source; ``code`` if there is none."""
        if not self.source:
            return "code"
        scheme = urlsplit(self.source).scheme
        return "local" if len(scheme) < 2 or scheme == "file" else "http" if scheme == "https" else scheme

    def to_noun(self) -> nouns.Dataset:
        """The form in which it is sent."""
        source: dict[str, Any] = {"uri": self.source}
        if not self.source:
            source = {"tags": {key: value for key, value in capture.tags().items() if key.startswith("mlflow.")}}
        return nouns.Dataset(
            name=self.name,
            digest=self.digest,
            source_type=self.source_type,
            source=json.dumps(source),
            schema=_json(self.schema, limits.DATASET_SCHEMA_LENGTH),
            profile=_json(self.profile, limits.DATASET_PROFILE_LENGTH),
        )


def from_pandas(
    df: Any,
    source: str | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> Dataset:
    """A DataFrame; ``targets`` and ``predictions`` name columns of it."""
    import pandas as pd

    for column in (targets, predictions):
        if column is not None and column not in df.columns:
            raise InvalidInput(f"The data frame has no column {column!r}.")
    schema = {
        "mlflow_colspec": [
            {"type": str(kind), "name": str(column), "required": not bool(df[column].isna().any())}
            for column, kind in df.dtypes.items()
        ]
    }
    roles = {"targets": targets, "predictions": predictions}
    profile = {"num_rows": len(df), "num_elements": int(df.size)} | {k: v for k, v in roles.items() if v is not None}
    content = pd.util.hash_pandas_object(df.astype(str), index=False).to_numpy().tobytes()
    return Dataset(name, digest or _digest(content, json.dumps(schema).encode()), source, schema, profile)


def from_numpy(
    features: Any,
    source: str | None = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
) -> Dataset:
    """Arrays, or dicts of named arrays."""
    parts = {"features": _named(features), "targets": _named(targets) if targets is not None else {}}
    schema = {
        "mlflow_tensorspec": {
            role: [
                {"name": key, "dtype": str(array.dtype), "shape": list(array.shape)} for key, array in arrays.items()
            ]
            for role, arrays in parts.items()
            if arrays
        }
    }
    profile = {
        f"{role}_{fact}": {key: getattr(array, attribute) for key, array in arrays.items()}
        for role, arrays in parts.items()
        if arrays
        for fact, attribute in (("shape", "shape"), ("size", "size"), ("nbytes", "nbytes"))
    }
    content = [part for arrays in parts.values() for key in sorted(arrays) for part in _content(key, arrays[key])]
    return Dataset(name, digest or _digest(*content), source, schema, profile)


def as_input(
    dataset: Dataset | nouns.Dataset, context: str | None = None, tags: Mapping[str, Any] | None = None
) -> DatasetInput:
    """A data set with what it is used for: ``context`` such as "training" or "evaluation"."""
    if not isinstance(dataset, (Dataset, nouns.Dataset)):
        raise InvalidInput(f"A data set of logbuch.data is wanted, not a {type(dataset).__name__}.")
    found = {str(key): str(value) for key, value in (tags or {}).items()}
    if context:
        found[CONTEXT_TAG] = context
    return DatasetInput(
        dataset=dataset.to_noun() if isinstance(dataset, Dataset) else dataset,
        tags=tuple(Tag(key=key, value=value) for key, value in found.items()),
    )


def _named(arrays: Any) -> dict[str, Any]:
    import numpy as np

    if isinstance(arrays, Mapping):
        return {str(key): np.asarray(array) for key, array in arrays.items()}
    return {"": np.asarray(arrays)}


def _content(key: str, array: Any) -> list[bytes]:
    import numpy as np

    return [key.encode(), str(array.shape).encode(), np.ascontiguousarray(array).tobytes()]


def _digest(*parts: bytes) -> str:
    return hashlib.blake2b(b"\0".join(parts), digest_size=8).hexdigest()


def _json(value: Mapping[str, Any] | None, limit: int) -> str | None:
    """JSON text; None for nothing, and for what is longer than a server takes."""
    text = None if value is None else json.dumps(value, default=str)
    return None if text is None or len(text) > limit else text

"""What the client scripts share. They run in MLflow's own environments, so nothing of Logbuch is imported here."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any


def tell(seen: dict[str, Any]) -> None:
    """Hands what the script saw to the test: one line of JSON, after whatever MLflow prints."""
    print("\nSEEN " + json.dumps(seen, allow_nan=False))


def bits(value: float) -> str:
    """The 8 bytes of a double in hexadecimal: tells -0.0 from 0.0 and one NaN from another."""
    return struct.pack(">d", value).hex()


def failure(call: Callable[..., Any], *args: Any, **kwargs: Any) -> dict[str, Any] | None:
    """The exception that a call ends with, or None."""
    try:
        call(*args, **kwargs)
    except Exception as error:
        status = error.get_http_status_code() if hasattr(error, "get_http_status_code") else None
        return {
            "type": type(error).__name__,
            "code": getattr(error, "error_code", None),
            "status": status,
            "message": str(error),
        }
    return None


def experiment(noun: Any) -> dict[str, Any] | None:
    """An experiment as plain data."""
    if noun is None:
        return None
    return {
        "id": noun.experiment_id,
        "name": noun.name,
        "stage": noun.lifecycle_stage,
        "location": noun.artifact_location,
        "created": noun.creation_time,
        "updated": noun.last_update_time,
        "tags": dict(noun.tags),
    }


def run(noun: Any) -> dict[str, Any]:
    """A run as plain data; metric values as texts, since NaN is no JSON."""
    return {
        "id": noun.info.run_id,
        "experiment": noun.info.experiment_id,
        "name": noun.info.run_name,
        "status": noun.info.status,
        "stage": noun.info.lifecycle_stage,
        "start": noun.info.start_time,
        "end": noun.info.end_time,
        "uri": noun.info.artifact_uri,
        "metrics": {key: repr(value) for key, value in noun.data.metrics.items()},
        "params": dict(noun.data.params),
        "tags": dict(noun.data.tags),
    }

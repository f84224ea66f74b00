"""Files of values in series over steps, under the names that MLflow gives to pictures."""

from __future__ import annotations

import time
import uuid

from logbuch.sdk import values


def stem(folder: str, key: str, step: int | None, timestamp: int | None) -> str:
    """``<folder>/<key>+step+<step>+timestamp+<ms>+<uuid>``, the key's slashes as ~, as MLflow's page reads pictures."""
    number, moment = place(key, step, timestamp)
    return f"{folder}/{key.replace('/', '~')}+step+{number}+timestamp+{moment}+{uuid.uuid4()}"


def place(key: str, step: int | None, timestamp: int | None) -> tuple[int, int]:
    """The checked step and time (ms) of a value in a series."""
    values.check_key(key, "key")
    number = values.as_integer(step, "step") if step is not None else 0
    moment = values.as_integer(timestamp, "timestamp") if timestamp is not None else time.time_ns() // 1_000_000
    return number, moment

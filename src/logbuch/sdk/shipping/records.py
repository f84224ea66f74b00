"""Records as MLflow's protocol takes them: single points, params and tags for batches, and calls that stand alone."""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple


class Kind(Enum):
    """What a record is. The first three travel in batches, calls alone and in order."""

    METRIC = 1  # key, value, timestamp, step
    PARAM = 2  # key, value
    TAG = 3  # key, value
    CALL = 4  # an object with perform(backend) and describe()


class Record(NamedTuple):
    """One thing to be sent about a run. ``body`` depends on the kind."""

    kind: Kind
    run_id: str
    body: tuple[Any, ...]

"""Requests for answers about runs and experiments."""

from __future__ import annotations

from logbuch.wire.mlflow import Body


class AskStability(Body, kw_only=True):
    run_id: str


class AskBest(Body, kw_only=True):
    """``lower`` says whether lower is better: "true", "false", or "" for what the name or the experiment tells."""

    experiment_id: str
    metric: str = ""
    filter: str = ""
    lower: bool | None = None
    reading: str = "last"


class AskOutline(Body, kw_only=True):
    """Buckets of series as JSON, for programs that draw no charts; see :class:`logbuch.wire.native.BucketsRequest`."""

    run_ids: list[str]
    keys: list[str]
    x: str = "step"
    start: float | None = None
    end: float | None = None
    buckets: int = 100
    smoothing: float = 0.0

"""Requests for answers about runs and experiments."""

from __future__ import annotations

from logbuch.wire.mlflow import Body


class AskStability(Body, kw_only=True):
    run_id: str


class AskVerdicts(Body, kw_only=True):
    run_ids: list[str]


class AskBest(Body, kw_only=True):
    """What is left open is as the experiment says: the metric, whether lower is better, how a run is read."""

    experiment_id: str
    metric: str = ""
    filter: str = ""
    lower: bool | None = None
    reading: str = ""


class AskImportance(AskBest, kw_only=True):
    """Of finished runs; of ``run_ids``, if given, whatever their status, archived ones too. Runs of
    ``more_experiments`` are asked about with those of the first, as whose they are judged."""

    run_ids: list[str] | None = None
    more_experiments: list[str] = []


class Judge(Body, kw_only=True):
    """By what an experiment is judged from now on; what is absent stays, and an empty ``baseline`` is none."""

    experiment_id: str
    metric: str = ""
    lower: bool | None = None
    reading: str = ""
    baseline: str | None = None


class AskOutline(Body, kw_only=True):
    """Buckets of series as JSON, for programs that draw no charts; see :class:`logbuch.wire.native.BucketsRequest`.
    With ``columns`` only these come."""

    run_ids: list[str]
    keys: list[str]
    x: str = "step"
    start: float | None = None
    end: float | None = None
    buckets: int = 100
    smoothing: float = 0.0
    columns: list[str] | None = None

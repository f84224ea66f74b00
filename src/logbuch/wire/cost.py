"""Requests for what runs cost."""

from __future__ import annotations

from logbuch.wire.mlflow import Body


class AskCost(Body, kw_only=True):
    """Of a run, of an experiment, or of all; ``by`` is "" or "month"."""

    experiment_id: str = ""
    run_id: str = ""
    by: str = ""

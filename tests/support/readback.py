"""What has arrived of runs, as tests ask for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import logbuch


def runs(experiment: str) -> list[Any]:
    """An experiment's runs, the oldest first."""
    order = ["attributes.start_time ASC"]
    return list(logbuch.search_runs([experiment], output_format="list", order_by=order))


def only(experiment: str) -> Any:
    """The only run of an experiment."""
    (run,) = runs(experiment)
    return run


def points(run: Any, key: str) -> list[tuple[int, float]]:
    """Step and value of a metric's points, by step."""
    found = logbuch.LogbuchClient().get_metric_history(run.info.run_id, key)
    return sorted((point.step, point.value) for point in found)


def steps(run: Any, key: str) -> list[int]:
    return [step for step, _ in points(run, key)]


def text(run: Any, path: str) -> str:
    """The content of a file."""
    return Path(logbuch.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=path)).read_text()

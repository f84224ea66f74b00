"""What a training tells the tracker. Without Logbuch, or with ``use_mlflow: false``, it tells nobody and goes on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from storyteller.config import TrainingConfig


class Tracker:
    """One run of a training; every call of one that is off does nothing."""

    def __init__(self, logbuch: Any = None) -> None:
        self._logbuch = logbuch
        self.run_id = ""

    @property
    def is_on(self) -> bool:
        return self._logbuch is not None

    @contextlib.contextmanager
    def run(self, config: TrainingConfig, resumed: str = "") -> Iterator[Tracker]:
        """Begins a run or goes on with one; it ends as FINISHED, FAILED with the error, or KILLED by Ctrl-C."""
        if self._logbuch is None:
            yield self
            return
        logbuch = self._logbuch
        if config.mlflow_tracking_uri:
            logbuch.set_tracking_uri(config.mlflow_tracking_uri)
        logbuch.set_experiment(config.mlflow_experiment_name)
        known = resumed if resumed and self._knows(resumed) else None
        with logbuch.start_run(
            run_id=known, run_name=config.mlflow_run_name or None, log_system_metrics=True
        ) as started:
            self.run_id = started.info.run_id
            yield self

    def params(self, values: Mapping[str, Any]) -> None:
        """Logs params; those of a resumed run keep the values that they had."""
        if self._logbuch is None:
            return
        had = self._had()
        self._logbuch.log_params({key: value for key, value in values.items() if key not in had})

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        if self._logbuch is not None:
            self._logbuch.log_metrics(dict(values), step=step)

    def tags(self, values: Mapping[str, Any]) -> None:
        if self._logbuch is not None:
            self._logbuch.set_tags(dict(values))

    def text(self, content: str, file: str) -> None:
        if self._logbuch is not None:
            self._logbuch.log_text(content, file)

    def model(self, folder: Path) -> None:
        """Logs a model's folder under the name ``model``, so that it can be served. What the tracker refuses is one
        line on stderr: the model itself is on disk."""
        if self._logbuch is None:
            return
        from storyteller import served

        try:
            served.log(folder)
        except self._logbuch.LogbuchError as error:
            print(f"storyteller: the model was not logged: {error}", file=sys.stderr)

    def killed(self) -> None:
        """Ends the run as KILLED, before a signal ends the program."""
        if self._logbuch is not None:
            self._logbuch.end_run("KILLED")

    def _knows(self, run_id: str) -> bool:
        """Whether a run can be gone on with: where the answer says that there is none, a new one is begun."""
        try:
            self._logbuch.get_run(run_id)
        except self._logbuch.LogbuchError as error:
            return getattr(error, "error_code", "") != "RESOURCE_DOES_NOT_EXIST"
        return True

    def _had(self) -> Mapping[str, str]:
        run = self._logbuch.active_run()
        return run.data.params if run is not None else {}


def tracker_of(config: TrainingConfig, *, leads: bool = True) -> Tracker:
    """The tracker that a configuration wants; one that is off for all but the first of several processes."""
    if not config.use_mlflow or not leads:
        return Tracker()
    try:
        import logbuch
    except ImportError:
        print("storyteller: Logbuch is not installed, the training is not tracked.", file=sys.stderr)
        return Tracker()
    return Tracker(logbuch)

"""What a training tells the tracker. Without Logbuch, or with ``use_mlflow: false``, it tells nobody and goes on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from storyteller.config import TrainingConfig
from storyteller.files import md5


class Tracker:
    """One run of a training; every call of one that is off does nothing. What the tracker refuses is a line on stderr:
    no training ends by it."""

    def __init__(self, logbuch: Any = None) -> None:
        self._logbuch = logbuch
        self.run_id = ""

    @property
    def is_on(self) -> bool:
        return self._logbuch is not None

    @contextlib.contextmanager
    def run(self, config: TrainingConfig, resumed: str = "") -> Iterator[Tracker]:
        """Begins a run or goes on with one; it ends as FINISHED, FAILED with the error, or KILLED by Ctrl-C. Where
        there can be none, the tracker is off from here on."""
        started = None
        if self.is_on:
            with _quietly("the training is not tracked"):
                started = self._start(config, resumed)
        if started is None:
            self._logbuch = None
            yield self
            return
        with started:
            self.run_id = started.info.run_id
            yield self

    def params(self, values: Mapping[str, Any]) -> None:
        """Logs params; those of a resumed run keep the values that they had."""
        if self.is_on:
            with _quietly("params were not logged"):
                had = self._had()
                self._logbuch.log_params({key: value for key, value in values.items() if key not in had})

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        if self.is_on:
            with _quietly("metrics were not logged"):
                self._logbuch.log_metrics(dict(values), step=step)

    def tags(self, values: Mapping[str, Any]) -> None:
        if self.is_on:
            with _quietly("tags were not logged"):
                self._logbuch.set_tags(dict(values))

    def data(self, file: Path, context: str) -> None:
        """Notes a file that the training reads, by its hash: a reproduction takes it along and checks it."""
        if self.is_on:
            with _quietly(f"{file} was not noted"):
                used = self._logbuch.data.Dataset(name=file.name, digest=md5(file), source=str(file.resolve()))
                self._logbuch.log_input(used, context=context)

    def text(self, content: str, file: str) -> None:
        if self.is_on:
            with _quietly(f"{file} was not logged"):
                self._logbuch.log_text(content, file)

    def model(self, folder: Path) -> None:
        """Logs a model's folder under the name ``model``, so that it can be served; the model itself is on disk."""
        if self.is_on:
            with _quietly("the model was not logged"):
                from storyteller import served

                served.log(folder)

    def killed(self) -> None:
        """Ends the run as KILLED, before a signal ends the program."""
        if self.is_on:
            with _quietly("the run was not ended"):
                self._logbuch.end_run("KILLED")

    def _start(self, config: TrainingConfig, resumed: str) -> Any:
        if config.mlflow_tracking_uri:
            self._logbuch.set_tracking_uri(config.mlflow_tracking_uri)
        self._logbuch.set_experiment(config.mlflow_experiment_name)
        if resumed:
            with _quietly(f"run {resumed} cannot be gone on with, so a new one begins"):
                return self._logbuch.start_run(run_id=resumed, log_system_metrics=True)
        return self._logbuch.start_run(run_name=config.mlflow_run_name or None, log_system_metrics=True)

    def _had(self) -> Mapping[str, str]:
        run = self._logbuch.active_run()
        return run.data.params if run is not None else {}


@contextlib.contextmanager
def _quietly(what: str) -> Iterator[None]:
    """What fails within is a line, not an error."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the training goes on
        print(f"storyteller: {what}: {error}", file=sys.stderr)


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

"""The run that a library's training logs to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import logbuch
from logbuch.integrations.names import as_key, as_text, flat, numbers
from logbuch.integrations.quiet import quietly, warn


class TrainingRun:
    """The active run or, where none is active, one that is begun for this training and ended after it.

    A given ``run_id`` goes on. Nothing here raises. Without a ``run_id``, because no run could be begun, nothing is
    logged.
    """

    def __init__(
        self, name: str | None = None, tags: Mapping[str, Any] | None = None, run_id: str | None = None
    ) -> None:
        self.run_id: str | None = None
        self._own: logbuch.ActiveRun | None = None
        with quietly("the training"):
            active = logbuch.active_run()
            if active is None or run_id not in (None, active.info.run_id):
                active = self._own = logbuch.start_run(run_id, run_name=name, nested=active is not None)
            self.run_id = active.info.run_id
        self.tags(tags or {})

    @property
    def own(self) -> bool:
        """Whether the run was begun for this training."""
        return self._own is not None

    def metrics(self, values: Mapping[str, Any], step: int | None = None, prefix: str = "") -> None:
        """Logs the numbers among ``values``."""
        if self.run_id is None:
            return
        with quietly("metrics"):
            found = numbers(values, prefix)
            if found:
                logbuch.log_metrics(found, step=step, run_id=self.run_id)

    def params(self, values: Mapping[Any, Any], prefix: str = "") -> None:
        """Logs params, nested ones with a path. One that has another value in the run already keeps that."""
        if self.run_id is None:
            return
        with quietly("params"):
            found = flat(values, prefix)
            try:
                logbuch.log_params(found, run_id=self.run_id)
            except logbuch.LogbuchError:
                self._one_by_one(found)

    def _one_by_one(self, params: Mapping[str, str]) -> None:
        refused = []
        for key, value in params.items():
            try:
                logbuch.log_params({key: value}, run_id=self.run_id)
            except logbuch.LogbuchError:
                refused.append(key)
        warn(f"run {self.run_id} has other values of some params already, which stay", ", ".join(refused))

    def tags(self, values: Mapping[str, Any]) -> None:
        """Sets tags."""
        for key, value in values.items():
            if self.run_id is not None:
                with quietly(f"tag {key!r}"):
                    logbuch.LogbuchClient().set_tag(self.run_id, as_key(key), as_text(value))

    def dataset(self, dataset: logbuch.data.Dataset, context: str) -> None:
        """Notes a data set that the run uses."""
        if self.run_id is not None:
            with quietly("a data set"):
                logbuch.log_input(dataset, context=context)

    def dict(self, content: Any, path: str) -> None:
        """Keeps a dict or list as a JSON file."""
        self._keep(logbuch.log_dict, content, path)

    def text(self, content: str, path: str) -> None:
        """Keeps text as a file."""
        self._keep(logbuch.log_text, content, path)

    def artifact(self, file: str, path: str) -> None:
        """Keeps a file, or a folder, below a path."""
        self._keep(logbuch.log_artifact, file, path)

    def artifacts(self, folder: str, path: str) -> None:
        """Keeps the content of a folder."""
        self._keep(logbuch.log_artifacts, folder, path)

    def _keep(self, log: Callable[..., object], content: Any, path: str) -> None:
        if self.run_id is not None:
            with quietly(path):
                log(content, path, run_id=self.run_id)

    def end(self, error: BaseException | None = None) -> None:
        """Ends the run if it was begun for this training: FINISHED, or FAILED by this exception."""
        own, self._own = self._own, None
        if own is not None:
            with quietly("the end of the run"):
                own.__exit__(type(error) if error is not None else None, error, None)


@contextlib.contextmanager
def training(name: str | None = None, tags: Mapping[str, Any] | None = None) -> Iterator[TrainingRun]:
    """The run of what happens in the ``with`` block; an exception that passes is the run's as well."""
    run = TrainingRun(name, tags)
    try:
        yield run
    except BaseException as error:
        run.end(error)
        raise
    run.end()

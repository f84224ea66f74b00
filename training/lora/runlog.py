"""What is logged to a run after its training, by its ID: the run is neither begun nor ended by that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tracking


class RunLog:
    """One run of the tracker. Without an ID nothing is logged; what the tracker refuses is a line, not an error."""

    def __init__(self, run_id: str | None = None) -> None:
        self.run_id = run_id

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        if self.run_id is not None:
            with tracking.quietly("metrics"):
                tracking.mlflow.log_metrics(dict(values), step=step, run_id=self.run_id)

    def text(self, text: str, path: str) -> None:
        if self.run_id is not None:
            with tracking.quietly(path):
                tracking.mlflow.log_text(text, path, run_id=self.run_id)

    def table(self, columns: Mapping[str, Sequence[Any]], path: str) -> None:
        if self.run_id is not None:
            with tracking.quietly(path):
                tracking.mlflow.log_table(dict(columns), path, run_id=self.run_id)

    def data(self, path: Path, context: str, count: int) -> None:
        """Notes a file of rows, by its hash."""
        if self.run_id is not None:
            with tracking.quietly(f"the data set {path}"):
                entities = tracking.mlflow.entities
                used = entities.DatasetInput(
                    dataset=tracking.described(path, count).to_noun(),
                    tags=(entities.InputTag(key="mlflow.data.context", value=context),),
                )
                tracking.mlflow.LogbuchClient().log_inputs(self.run_id, [used])

    def flush(self) -> None:
        """Waits until all of it has arrived."""
        if self.run_id is not None:
            with tracking.quietly("all of it"):
                tracking.mlflow.flush()

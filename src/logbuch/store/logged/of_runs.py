"""Which logged models a run made, and which it used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from logbuch import limits
from logbuch.errors import InvalidInput
from logbuch.model import RunModel
from logbuch.store.heads import RunRow
from logbuch.store.model_tables import run_models as table
from logbuch.store.query.columns import OfRuns
from logbuch.store.tx import Tx

_OF_RUNS = OfRuns(table.c.run, table.c.output, table.c.model_id, table.c.step)


def write(tx: Tx, head: RunRow, models: Sequence[RunModel], *, output: bool) -> None:
    """Notes models that a run made or used. The same again changes the step."""
    if len(models) > limits.DATASETS_PER_CALL:
        raise InvalidInput(f"'models' holds {len(models)} models; at most {limits.DATASETS_PER_CALL} are allowed.")
    rows = {}
    for model in models:
        limits.check_text(model.model_id, "model_id", limits.USER_LENGTH)
        limits.check_integer(model.step, "step")
        rows[model.model_id] = {"run": head.id, "output": output, "model_id": model.model_id, "step": model.step}
    tx.insert(tx.seam.upsert(table, _new_step), list(rows.values()))
    tx.touch(head.id, head.experiment)


def of_runs(tx: Tx, runs: Sequence[int]) -> dict[tuple[int, bool], list[RunModel]]:
    """The models of each run: made where the second part of the key is true, used where it is not."""
    found: dict[tuple[int, bool], list[RunModel]] = {}
    for run, output, model_id, step in sorted(zip(*_OF_RUNS.fetch(tx, runs), strict=True)):
        found.setdefault((run, bool(output)), []).append(RunModel(model_id=model_id, step=step))
    return found


def _new_step(new: Any) -> Mapping[str, Any]:
    return {"step": new.step}
